//! Sending: one run of tries, from its place among the requests on their way to what follows from its end.

use super::super::after::{After, Ran, after};
use super::super::recorder::{Record, Recorder};
use super::super::shared::{Shared, halted, held, later, until};
use super::super::{Link, News, call};
use super::Life;
use crate::client::{AttemptEvent, DecisionCall, End};
use crate::domain::{Outcome, Resolution};
use crate::journal::{Stage, Step};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

impl Life {
    /// It has not landed, and goes out later.
    pub(super) async fn put_off(&mut self, wait: Duration) {
        let until = later(wait);
        let again = self.put_off_since.replace(self.put_off_since.unwrap_or_else(Instant::now)).is_some();
        // Put off for as long as it takes: that it waits is on disk already.
        let known = again && self.now.stage == Stage::Queued && self.unwritten.is_empty();
        if known || self.note(Step::Waiting { next_at: until }).await.is_ok() {
            self.due = Instant::now() + wait;
            let next_number = u32::try_from(self.tries.len()).unwrap_or(u32::MAX).saturating_add(1);
            let of = next_number.saturating_add(self.shared.client.tries() - 1);
            let waiting = AttemptEvent::Waiting { next_number, of, until };
            self.shared.tell(self.intent.id, News::Attempt(waiting)).await;
        }
    }

    pub(super) fn its_call(&self) -> DecisionCall {
        call(&self.shared.client, &self.intent)
            .sent_before(self.now.maybe)
            .tried_before(self.tries.clone())
            .counted(self.is_counted())
    }

    pub(super) async fn send(&mut self, redelivery: bool) {
        let shared = Arc::clone(&self.shared);
        let licensed = std::mem::take(&mut self.undecided) || self.insisted;
        // Where nobody is asked but by a probe, nothing need be written about it.
        if let Some(wait) = shared.client.held_off() {
            let outcome = if self.now.maybe { Outcome::Unconfirmed } else { Outcome::NotSent };
            return self.ran(self.known(outcome), Some(wait), false).await;
        }
        let Some(place) = Self::place(&shared, &mut self.halt).await else { return };
        if *self.link.borrow() == Link::Down {
            return;
        }
        let record = Arc::new(Mutex::new(Record {
            now: self.now.clone(),
            fence: self.fence.clone(),
            unwritten: Vec::new(),
        }));
        let (events, mut heard) = mpsc::unbounded_channel();
        let (in_flight, mut on_its_way) = watch::channel(false);
        let recorder = Recorder {
            shared: Arc::clone(&shared),
            id: self.intent.id,
            record: Arc::clone(&record),
            events,
            in_flight,
            licensed,
        };
        let call = if redelivery { self.its_call().once_more() } else { self.its_call().comes_back() };
        let call = match call.begin(Box::new(recorder)) {
            Ok(call) => call,
            Err(error) => {
                let mut resolution = self.known(Outcome::NotSent);
                resolution.detail = Some(error.to_string().into());
                return self.end(resolution).await;
            }
        };
        let halt = &mut self.halt;
        let run = async move {
            // What is on its way may still be answered; nothing else is begun.
            let stopped = async {
                halted(halt).await;
                // Its sender goes with the call.
                let _ = on_its_way.wait_for(|on_its_way| !on_its_way).await;
            };
            tokio::select! { biased; end = call => Some(end), () = stopped => None }
        };
        let forward = async {
            while let Some(event) = heard.recv().await {
                shared.tell(self.intent.id, News::Attempt(event)).await;
            }
        };
        let (end, ()) = futures_util::future::join(run, forward).await;
        drop(place);
        {
            let mut record = held(&record);
            self.now = record.now.clone();
            self.fence = record.fence.clone();
            self.unwritten = std::mem::take(&mut record.unwritten);
        }
        self.insisted = false;
        match end {
            // What has ended is told and written, also while everything is being halted.
            Some(End { resolution, put_off }) if put_off.is_none() || shared.halted().is_none() => {
                let sent = resolution.tries.len() > self.tries.len();
                self.tries.clone_from(&resolution.tries);
                self.last = Some(resolution.clone());
                self.ran(resolution, put_off, sent).await;
            }
            _ => self.cut_short().await,
        }
    }

    /// What is known so far is written; a try that is still on its way stays as being sent.
    pub(super) async fn cut_short(&mut self) {
        let next_at = crate::clock::now();
        let noted = match (self.now.stage, self.now.in_flight, self.now.maybe) {
            (Stage::Sending, false, true) => self.note(Step::Doubtful { next_at }).await,
            (Stage::Sending, false, false) => self.note(Step::Waiting { next_at }).await,
            _ => {
                let steps = std::mem::take(&mut self.unwritten);
                self.write(steps).await
            }
        };
        if noted.is_err() {
            tracing::debug!(id = %self.intent.id, "it will be found as being sent");
        }
    }

    /// Goes on from the end of a run, or from its not having been begun.
    pub(super) async fn ran(&mut self, resolution: Resolution, put_off: Option<Duration>, sent: bool) {
        let named = match &resolution.outcome {
            Outcome::Quota { until: Some(at) } => Some(until(*at)),
            _ => None,
        };
        let ran = Ran {
            outcome: &resolution.outcome,
            put_off: put_off.max(named),
            sent,
            put_off_for: self.put_off_since.map_or(Duration::ZERO, |since| since.elapsed()),
            rounds: self.redelivered().max(self.looks),
            age: self.age.elapsed(),
            link_up: *self.link.borrow() == Link::Up,
            random: Shared::random(),
        };
        match after(&ran, &self.shared.pace) {
            After::End => self.end(resolution).await,
            After::PutOff(wait) => {
                self.unchecked = true;
                self.put_off(wait).await;
            }
            After::AwaitLink => {
                if self.note(Step::Waiting { next_at: crate::clock::now() }).await.is_ok() {
                    self.unchecked = true;
                    self.shared.tell(self.intent.id, News::Queued).await;
                }
            }
            After::Doubt(wait) => {
                let next = later(wait);
                // Of nothing having happened nothing need be written.
                let known = !sent && self.now.stage == Stage::Doubtful;
                if known || self.note(Step::Doubtful { next_at: next }).await.is_ok() {
                    self.due = Instant::now() + wait;
                    self.shared.tell(self.intent.id, News::Doubtful { next, resolution }).await;
                }
            }
        }
    }

    /// It has ended, or more is known of how. On disk before it is told.
    pub(super) async fn end(&mut self, resolution: Resolution) {
        let step = match self.now.stage {
            Stage::Ended => Step::Refined(resolution.clone()),
            _ => Step::Ended(resolution.clone()),
        };
        if let Err(refused) = self.note(step).await {
            // What is known is true, and told, also where the journal is broken: the next start will find it out again.
            // That it is not allowed would be a bug; whatever it is, it must not send again and again.
            tracing::error!(?refused, outcome = resolution.outcome.word(), "an end that is not on disk");
            self.over = true;
        }
        (self.ended, self.ended_before) = (Instant::now(), Duration::ZERO);
        self.put_off_since = None;
        if !self.shared.pace.watched_for(&resolution.outcome).is_zero() {
            if matches!(resolution.outcome, Outcome::Counted(_)) {
                self.follow_pause = self.shared.pace.counted_pauses.0;
            }
            self.due = Instant::now() + self.follow_pause;
        }
        if !self.now.stage.is_open() {
            self.open = None;
        }
        self.last = Some(resolution.clone());
        self.shared.tell(self.intent.id, News::Resolved(resolution)).await;
    }
}
