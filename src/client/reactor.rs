//! The thread that the sockets of one server are served on, and nothing else is.
//!
//! hyper reads on for as long as there is something to skip: a server that sends interim answers (1xx) without end, at
//! full speed, holds the thread that reads them for 128 full buffers, which is a second or ten. Here that holds up
//! nothing but the calls to that very server. Whoever waits for an answer keeps the time on a runtime of their own, and
//! once they have given up, the connection is closed as soon as it comes up for air.
//!
//! This file must not know what is sent or received.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The thread, and the way to it. It ends when this is dropped, and with it every connection that it serves.
#[derive(Debug)]
pub(super) struct Reactor {
    handle: Handle,
    _runs: oneshot::Sender<Infallible>,
}

impl Reactor {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (runs, ended) = oneshot::channel();
        // An error, which is all that can come, says that the other half was dropped.
        thread::Builder::new().name("http".into()).spawn(move || drop(runtime.block_on(ended)))?;
        Ok(Self { handle, _runs: runs })
    }

    /// Does the work on that thread; `None` where it panicked. Dropped, it takes the work with it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        Abandoned(self.handle.spawn(work)).await
    }
}

/// A task that ends when nobody waits for it any more.
struct Abandoned<T>(JoinHandle<T>);

impl<T> Future for Abandoned<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(cx).map(Result::ok)
    }
}

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
