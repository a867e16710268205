//! What happens to a call while it runs, for whoever shows it live. Facts only; every text is safe to draw.

use crate::domain::{Resolution, Try};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;

/// One thing that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEvent {
    /// A try has started.
    Started {
        /// 1 for the first.
        number: u32,
        /// Tries that may be made in all.
        of: u32,
        /// When.
        at: Timestamp,
    },
    /// A try has ended.
    Answered {
        /// 1 for the first.
        number: u32,
        /// The HTTP status, where a whole answer came.
        http_status: Option<u16>,
        /// Why there is no whole answer, in plain words that are safe to draw.
        error: Option<String>,
        /// How long it took.
        took: Duration,
    },
    /// The next try waits.
    Waiting {
        /// The number of the next try.
        next_number: u32,
        /// Tries that may be made in all.
        of: u32,
        /// When it starts.
        until: Timestamp,
    },
    /// The server is asked what became of the decision.
    Looking,
}

/// What a call tells whoever carries it out, and asks of them.
pub(crate) trait Observer: Send + Sync {
    /// Asked before each try of this run, 1 for the first: nothing leaves before it has said yes, and a no ends the run.
    fn may_send(&self, number: u32) -> BoxFuture<'_, bool>;

    /// A try has ended, and may have landed or not. Told before the event of it. Must not block.
    fn tried(&self, one: &Try, may_have_landed: bool);

    /// Something happened. Must not block.
    fn happened(&self, event: AttemptEvent);
}

/// Sends what happens to a channel, and lets everything go out.
impl Observer for mpsc::Sender<AttemptEvent> {
    fn may_send(&self, _number: u32) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }

    fn tried(&self, _one: &Try, _may_have_landed: bool) {}

    fn happened(&self, event: AttemptEvent) {
        // Nobody listens, or nobody reads: the decision goes on all the same.
        let _ = self.try_send(event);
    }
}

/// Events that are kept for a receiver that is not being read.
pub(crate) const EVENTS_KEPT: usize = 256;

/// A call on its way, in two halves. Nothing happens until `resolution` is polled; it needs a tokio runtime.
pub struct Running {
    /// What happens, as it happens. It ends with the call. A receiver that is not read, or is dropped, holds nothing
    /// up: what does not fit is left out, and the resolution still lists every try.
    pub events: mpsc::Receiver<AttemptEvent>,
    /// How it ends.
    pub resolution: BoxFuture<'static, Resolution>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
