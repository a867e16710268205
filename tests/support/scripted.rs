//! An HTTP server that answers as a script says, byte by byte, and remembers what it was asked. It knows nothing of
//! HTTP that could mend a bad answer.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The body, where its length was said.
    pub body: String,
    headers: HashMap<String, String>,
}

impl Asked {
    /// A header's value, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What to answer, and what then becomes of the connection.
pub enum Answer {
    /// Send it and close.
    Whole(Vec<u8>),
    /// Send it and say nothing more for as long as the other side listens.
    Open(Vec<u8>),
    /// Send the first, then the second over and over, for as long as the other side listens.
    Endless(Vec<u8>, Vec<u8>),
}

impl Answer {
    /// A whole answer with that status line, content type and body.
    pub fn new(status: &str, kind: &str, body: &str) -> Self {
        Self::Whole(head(status, kind, &format!("content-length: {}\r\n", body.len()), body.as_bytes()))
    }

    /// 200 with JSON.
    pub fn json(body: &str) -> Self {
        Self::new("200 OK", "application/json", body)
    }

    /// A stream of events that stays open after those bytes.
    pub fn events(bytes: impl AsRef<[u8]>) -> Self {
        Self::Open(head("200 OK", "text/event-stream", "", bytes.as_ref()))
    }

    /// A stream of events that is cut after those bytes.
    pub fn cut_events(bytes: impl AsRef<[u8]>) -> Self {
        Self::Whole(head("200 OK", "text/event-stream", "", bytes.as_ref()))
    }
}

/// The bytes of an answer.
pub fn head(status: &str, kind: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}connection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A running server. Its threads end with their connections.
pub struct Scripted {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts a server on a free port of this machine. The script gets the request and how many came before it to the
    /// same path (without the query).
    pub fn start(script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        thread::spawn({
            let (script, asked) = (Arc::new(script), Arc::clone(&asked));
            move || {
                for stream in listener.incoming() {
                    let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                    thread::spawn(move || serve(&stream.unwrap(), &*script, &asked));
                }
            }
        });
        Self { address, asked }
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.address
    }

    /// Everything that it was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, script: &impl Fn(&Asked, usize) -> Answer, asked: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = reader.by_ref().lines();
    let Some(Ok(request)) = lines.next() else { return };
    let mut words = request.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    });
    let headers: HashMap<_, _> = headers.collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8(body).unwrap();
    let request = Asked { method, target, body, headers };
    let path = |asked: &Asked| asked.target.split('?').next().unwrap().to_owned();
    let before = {
        let mut asked = asked.lock().unwrap();
        let before = asked.iter().filter(|earlier| path(earlier) == path(&request)).count();
        asked.push(request.clone());
        before
    };
    answer(stream, script(&request, before));
}

/// Errors mean that the other side has gone, which is its right.
fn answer(mut stream: &TcpStream, answer: Answer) {
    match answer {
        Answer::Whole(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
        }
        Answer::Open(bytes) => {
            let _ = stream.write_all(&bytes);
            // Comes back when the other side closes.
            let _ = BufReader::new(stream).lines().next();
        }
        Answer::Endless(head, bytes) => {
            let _ = stream.write_all(&head);
            while stream.write_all(&bytes).is_ok() {}
        }
    }
}
