//! One run of tries as the journal sees it: each try is on disk before its first byte leaves, and each answer after it.

use super::Fence;
use super::shared::{Shared, held};
use crate::client::{AttemptEvent, Observer};
use crate::domain::Try;
use crate::journal::{Progress, Step};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// Stands between a call and the journal.
pub(super) struct Recorder {
    pub(super) shared: Arc<Shared>,
    pub(super) id: Uuid,
    pub(super) record: Arc<Mutex<Record>>,
    pub(super) events: mpsc::UnboundedSender<AttemptEvent>,
    /// Whether a request that could decide is on its way.
    pub(super) in_flight: watch::Sender<bool>,
    /// It may be sent again however long ago it may have landed: the reviewer wants it, or nothing has landed.
    pub(super) licensed: bool,
}

/// How far the decision is, and what has happened since it was last written.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) now: Progress,
    pub(super) fence: Fence,
    pub(super) unwritten: Vec<Step>,
}

impl Record {
    /// Adds a step, where it is one that can be taken.
    fn add(&mut self, step: Step) {
        if let Some(after) = self.now.after(&step) {
            self.now = after;
            self.fence.reached_at(self.now.reached_at);
            self.unwritten.push(step);
        } else {
            tracing::error!(stage = self.now.stage.word(), step = step.word(), "a step that cannot be taken");
        }
    }

    /// What is to be written now.
    pub(super) fn take(&mut self, id: Uuid) -> Vec<(Uuid, Step)> {
        std::mem::take(&mut self.unwritten).into_iter().map(|step| (id, step)).collect()
    }
}

impl Recorder {
    /// Whether it must not be sent again by itself any more.
    fn is_too_late(&self) -> bool {
        let record = held(&self.record);
        !self.licensed && record.now.maybe && record.fence.is_passed()
    }
}

impl Observer for Recorder {
    fn may_send(&self, number: u32) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            if self.shared.halted().is_some() || self.is_too_late() {
                return false;
            }
            // From here on it counts as being on its way: a shutdown waits for its answer.
            self.in_flight.send_replace(true);
            let steps = {
                let mut record = held(&self.record);
                record.add(Step::Sending { try_number: number, at: crate::clock::now() });
                record.take(self.id)
            };
            let sends = self.shared.note(steps).await.is_ok();
            self.in_flight.send_replace(sends);
            sends
        })
    }

    fn tried(&self, one: &Try, may_have_landed: bool) {
        held(&self.record).add(Step::Tried(one.clone(), may_have_landed));
        self.in_flight.send_replace(false);
    }

    fn happened(&self, event: AttemptEvent) {
        if let AttemptEvent::Waiting { until, .. } = &event {
            let mut record = held(&self.record);
            record.add(Step::Waiting { next_at: *until });
            // Written in the order of the calls. Where it fails, so does what comes before the next try.
            drop(self.shared.journal.note_many(record.take(self.id)));
        }
        // Nobody forwards any more: the call is being dropped.
        let _ = self.events.send(event);
    }
}
