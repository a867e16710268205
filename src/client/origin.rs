//! What all calls to one server share: the budget of what is asked again, and the breaker. The state behind a lock and
//! a clock; the rules are in `budget` and `breaker`.

use super::breaker::{Admission, Breaker};
use super::budget::Budget;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The shared state of one server. Clones of a client have the same.
#[derive(Debug)]
pub(crate) struct Origin {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    budget: Budget,
    breaker: Breaker,
}

impl Origin {
    pub(crate) fn new() -> Arc<Self> {
        let state = State { budget: Budget::full(), breaker: Breaker::default() };
        Arc::new(Self { started: Instant::now(), state: Mutex::new(state) })
    }

    /// Leave to send one try; else how long there is none.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Pass, Duration> {
        let probe = match self.with(|state, now| state.breaker.admit(now)) {
            Admission::Free => false,
            Admission::Probe => true,
            Admission::Wait(wait) => return Err(wait),
        };
        Ok(Pass { origin: Arc::clone(self), probe })
    }

    /// How long the breaker keeps everything but a probe back.
    pub(crate) fn holds_off(&self) -> Option<Duration> {
        self.with(|state, now| state.breaker.holds_off(now))
    }

    /// Pays for that many requests that are asked again; where it cannot, how long until it could.
    pub(crate) fn pay(&self, tokens: u32) -> Result<(), Duration> {
        self.with(
            |state, now| {
                if state.budget.take(tokens, now) { Ok(()) } else { Err(state.budget.wait(tokens, now)) }
            },
        )
    }

    /// A proper answer came to what had cost that much.
    pub(crate) fn succeeded(&self, paid: u32) {
        self.with(|state, now| state.budget.succeeded(paid, now));
    }

    fn with<T>(&self, work: impl FnOnce(&mut State, Duration) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), self.started.elapsed())
    }
}

/// Leave to send one try. Dropped without a word about its end, it says that nothing was found out.
#[derive(Debug)]
pub(crate) struct Pass {
    origin: Arc<Origin>,
    probe: bool,
}

impl Pass {
    /// The server answered, whatever it said.
    pub(crate) fn answered(mut self) {
        self.probe = false;
        self.origin.with(|state, _| state.breaker.answered());
    }

    /// The server was not reached, or did not answer in time.
    pub(crate) fn unanswered(mut self) {
        let probe = std::mem::take(&mut self.probe);
        self.origin.with(|state, now| state.breaker.unanswered(probe, now));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.origin.with(|state, now| state.breaker.probe_left(now));
        }
    }
}
