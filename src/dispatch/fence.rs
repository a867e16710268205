//! How long what may have landed is sent again by itself. A server that died after the effect leaves its row `PENDING`, and
//! its janitor opens the key again (wire.md, part 1): from then on sending it again may carry it out a second time.
//!
//! It says only whether that time has come; what is done then is for whoever carries the decision out.

use crate::domain::timestamp;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long after the first try that may have reached the server. Its janitor comes after five minutes (wire.md, part 1),
/// counted from when the row was made, which is that try's start at the earliest; the half minute is for a try that
/// is slow on its way.
pub const RESEND_FOR: Duration = Duration::from_secs(270);

/// How long ago something was, by whichever clock says more: one that was set back makes nothing younger, and over a
/// restart there is only the time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age {
    from: Timestamp,
    /// How old it was already when this process learned of it.
    before: Duration,
    learned: Instant,
}

impl Age {
    pub(crate) fn since(from: Timestamp) -> Self {
        Self { from, before: timestamp::between(from, crate::clock::now()), learned: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        let by_day = timestamp::between(self.from, crate::clock::now());
        by_day.max(self.before.saturating_add(self.learned.elapsed()))
    }
}

/// The end of sending one decision again by itself.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    after: Duration,
    reached: Option<Age>,
}

impl Fence {
    /// So long after the first try that may have reached the server; `None` where none has yet.
    pub(crate) fn new(after: Duration, reached_at: Option<Timestamp>) -> Self {
        Self { after, reached: reached_at.map(Age::since) }
    }

    /// A try starts then, which may reach the server.
    pub(crate) fn sent(&mut self, at: Timestamp) {
        self.reached.get_or_insert_with(|| Age::since(at));
    }

    /// No try has reached the server, or what it has is known.
    pub(crate) fn cleared(&mut self) {
        self.reached = None;
    }

    /// Takes that time as it is known now.
    pub(crate) fn reached_at(&mut self, at: Option<Timestamp>) {
        if at != self.reached.map(|age| age.from) {
            self.reached = at.map(Age::since);
        }
    }

    /// Whether a key that was reserved by the first try could be open again soon.
    pub(crate) fn is_passed(&self) -> bool {
        self.reached.is_some_and(|age| age.elapsed() >= self.after)
    }
}
