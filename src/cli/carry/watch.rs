//! Keeps the journal in step with one call: each try is in it before its first byte leaves, and with it how the one before
//! ended. Until the decision has an outcome it stands there as being sent, so that whoever finds it after a crash knows
//! that it may have landed.

use super::{Job, number};
use crate::client::{AttemptEvent, Observer};
use crate::dispatch::Fence;
use crate::domain::{Outcome, Resolution, Try};
use crate::journal::{Journal, JournalError, Step};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// When a decision that may have landed is to be asked about again; whoever carries the journal then does.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What is known of a call and not in the journal yet.
pub(super) struct Watch {
    journal: Journal,
    id: Uuid,
    state: Mutex<State>,
}

struct State {
    /// The journal has the next try as being sent already.
    noted: bool,
    /// Tries that were started, over all runs.
    tries: u32,
    /// Whether any may have landed.
    maybe: bool,
    fence: Fence,
    insisted: bool,
    /// A try was not sent because the key may be open again.
    too_late: bool,
    /// Arrows that wait for the next commit.
    arrows: Vec<Step>,
    failed: Option<JournalError>,
}

impl Watch {
    /// Of a job whose next try the journal has as being sent.
    pub(super) fn new(journal: &Journal, job: &Job) -> Self {
        let state = State {
            noted: job.noted,
            tries: number(job.earlier.len()),
            maybe: job.maybe,
            fence: job.fence.clone(),
            insisted: job.insisted,
            too_late: false,
            arrows: Vec::new(),
            failed: None,
        };
        Self { journal: journal.clone(), id: job.intent.id, state: Mutex::new(state) }
    }

    pub(super) fn may_have_landed(&self) -> bool {
        self.state().maybe
    }

    /// Whether it was not sent again because that could carry it out a second time.
    pub(super) fn was_too_late(&self) -> bool {
        self.state().too_late
    }

    /// Why nothing more may be sent.
    pub(super) fn failed(&self) -> Option<JournalError> {
        self.state().failed.take()
    }

    /// Notes how it ended. What may have landed stays open, so that it is asked about again.
    pub(super) async fn end(&self, resolution: &Resolution) -> Result<(), JournalError> {
        let last = match resolution.outcome {
            Outcome::Unconfirmed | Outcome::InProgress => {
                let next_at = crate::clock::now().checked_add(ASK_AGAIN).unwrap_or(Timestamp::MAX);
                Step::Doubtful { next_at }
            }
            _ => Step::Ended(resolution.clone()),
        };
        self.note(last).await
    }

    async fn note(&self, last: Step) -> Result<(), JournalError> {
        let arrows = std::mem::take(&mut self.state().arrows);
        let notes = arrows.into_iter().chain([last]).map(|step| (self.id, step));
        self.journal.note_many(notes.collect()).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watch as the client knows it.
pub(super) struct Watcher(pub(super) Arc<Watch>);

impl Observer for Watcher {
    fn may_send(&self, _number: u32) -> BoxFuture<'_, bool> {
        Box::pin(async {
            let at = crate::clock::now();
            let try_number = {
                let mut state = self.0.state();
                if state.maybe && !state.insisted && state.fence.is_passed() {
                    state.too_late = true;
                    return false;
                }
                state.fence.sent(at);
                state.tries = state.tries.saturating_add(1);
                if std::mem::take(&mut state.noted) {
                    return true;
                }
                state.tries
            };
            match self.0.note(Step::Sending { try_number, at }).await {
                Ok(()) => true,
                Err(error) => {
                    self.0.state().failed = Some(error);
                    false
                }
            }
        })
    }

    fn tried(&self, one: &Try, may_have_landed: bool) {
        let mut state = self.0.state();
        state.maybe |= may_have_landed;
        if !state.maybe {
            state.fence.cleared();
        }
        state.arrows.push(Step::Tried(one.clone(), may_have_landed));
    }

    fn happened(&self, _event: AttemptEvent) {}
}
