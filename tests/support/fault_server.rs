//! A scripted server over raw TCP: it records every request whole and answers with exactly the bytes, or the failure,
//! that the script says. On its own thread, so that tests with and without a runtime use it.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// The request line and the headers, up to the empty line.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn is(&self, method_and_path: &str) -> bool {
        self.head.starts_with(&format!("{method_and_path} "))
    }

    /// Every value of a header, as it was sent.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "each test binary uses some of them")]
pub(crate) enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// The connection is closed without a byte.
    Close,
    /// Nothing, for ever.
    Hang,
    /// These bytes, then one blank of a body a while later, again and again.
    Drip(Vec<u8>),
}

impl Reply {
    /// A whole answer with a JSON body.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "Content-Type: application/json\r\n", body.as_bytes())
    }

    /// A whole answer with those header lines, each with its `\r\n`.
    pub(crate) fn with(status: u16, headers: &str, body: &[u8]) -> Self {
        let mut bytes = format!(
            "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }
}

/// A running server. It ends when it is dropped.
pub(crate) struct FaultServer {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FaultServer {
    /// Starts on a free loopback port. `script` is asked for every request, with its number (1 for the first).
    pub(crate) fn start(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (stop, stopped) = oneshot::channel();
        let ledger = Arc::clone(&received);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let script = Arc::new(script);
                let listener = TcpListener::from_std(listener).unwrap();
                let serve = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&ledger)));
                    }
                };
                tokio::select! { () = serve => {}, _ = stopped => {} }
            });
        });
        Self { url, received, stop: Some(stop), thread: Some(thread) }
    }

    /// Every request so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The decision calls so far.
    pub(crate) fn posts(&self) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.head.starts_with("POST ")).collect()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<impl Fn(usize, &Received) -> Reply>,
    ledger: Arc<Mutex<Vec<Received>>>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let number = {
        let mut ledger = ledger.lock().unwrap();
        ledger.push(request.clone());
        ledger.len()
    };
    match script(number, &request) {
        Reply::Bytes(bytes) => {
            // The client may have had enough before all is written.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Reset => stream.set_zero_linger().unwrap(),
        Reply::Close => {}
        Reply::Hang => std::future::pending().await,
        Reply::Drip(bytes) => {
            let mut whole = stream.write_all(&bytes).await;
            while whole.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
                whole = stream.write_all(b" ").await;
            }
        }
    }
}

/// One request, its body by `Content-Length`.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let request = Received { head, body: bytes[end + 4..].to_vec() };
            let length = request.header("content-length").first().map_or(0, |text| text.parse().unwrap());
            if request.body.len() >= length {
                return Some(request);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
