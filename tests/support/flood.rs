//! A server that sends interim answers (103) without end, as fast as they are taken, and a measure of how long it holds
//! up whatever else runs where its client runs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::thread;

/// More than this, sent while nothing else came to run, says that a client reads where others run: hyper reads over 50
/// MB of interim answers before it lets go, and what fits between two turns of a thread that is free is far less.
pub(crate) const LONG: usize = 32 * 1024 * 1024;

/// The running server. Its threads end with their connections.
pub(crate) struct Flood {
    /// Its base URL.
    pub(crate) url: String,
    sent: Arc<AtomicUsize>,
    closed: Receiver<()>,
}

impl Flood {
    /// Starts on a free loopback port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sent, (closes, closed)) = (Arc::<AtomicUsize>::default(), channel());
        let count = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (count, closes) = (Arc::clone(&count), closes.clone());
                thread::spawn(move || pour(&mut stream.unwrap(), &count, &closes));
            }
        });
        Self { url, sent, closed }
    }

    /// Bytes so far, over all connections.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Waits until a client has closed a connection.
    pub(crate) fn wait_for_a_close(&self) {
        self.closed.recv().unwrap();
    }

    /// Does the work, and says how many bytes were sent at most from one turn of it to the next.
    pub(crate) async fn beside<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let mut work = pin!(work);
        let (mut seen, mut most) = (self.sent(), 0);
        std::future::poll_fn(move |cx| {
            let now = self.sent();
            most = most.max(now - seen);
            seen = now;
            let ready = work.as_mut().poll(cx).map(|result| (result, most));
            if ready.is_pending() {
                // Again, as soon as it is its turn.
                cx.waker().wake_by_ref();
            }
            ready
        })
        .await
    }

    /// Ends when a client has taken more than it could take at once.
    pub(crate) async fn is_taken(&self) {
        std::future::poll_fn(|cx| {
            if self.sent() > 3 * LONG {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Errors mean that the other side has gone.
fn pour(stream: &mut TcpStream, sent: &AtomicUsize, closes: &Sender<()>) {
    let hints = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(8_000)).repeat(20);
    let asked = stream.read(&mut [0; 4096]);
    while asked.as_ref().is_ok_and(|bytes| *bytes > 0) && stream.write_all(hints.as_bytes()).is_ok() {
        sent.fetch_add(hints.len(), Ordering::SeqCst);
    }
    // Nobody waits for it where the test has ended.
    let _ = closes.send(());
}
