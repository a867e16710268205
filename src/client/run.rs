//! Carries one prepared call to its end: tries, waits, looks at the status, resolves. All judgement is in `classify`,
//! `retry` and `resolve`; this file only does what they say and keeps what is known. One try is in `sending`, what is
//! asked after it in `look`, and what is said in the end in `ending`.
//!
//! Uncertainty is sticky: once a try may have landed, no later refusal turns the outcome into *not executed*.

use super::AegisClient;
use super::attempt::{AttemptEvent, Observer};
use super::classify::{Class, classify};
use super::prepared::Prepared;
use super::resolve::Ours;
use super::retry::{self, Next, Policy};
use crate::domain::{Outcome, Resolution, Standing, Try, Untrusted};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How a run ended, for whoever comes back to the decision.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) resolution: Resolution,
    /// The run was ended before it had done all that it might: when it may go on.
    pub(crate) put_off: Option<Duration>,
}

pub(crate) struct Run {
    pub(super) client: AegisClient,
    pub(super) call: Prepared,
    pub(super) policy: Policy,
    pub(super) observer: Option<Box<dyn Observer>>,
    pub(super) started: Instant,
    /// Tries of earlier runs.
    pub(super) earlier: u32,
    /// What the next request, and those before it since the last proper answer, have cost.
    pub(super) paid: u32,
    pub(super) put_off: Option<Duration>,
    /// Whether any try may have landed.
    pub(super) maybe: bool,
    /// Whether any answer was lost on its way.
    lost: bool,
    pub(super) tries: Vec<Try>,
    pub(super) http_status: Option<u16>,
    pub(super) standing: Option<Standing>,
    pub(super) detail: Option<Untrusted>,
}

impl Run {
    pub(crate) fn new(client: AegisClient, mut call: Prepared, observer: Option<Box<dyn Observer>>) -> Self {
        let tries = std::mem::take(&mut call.manner.tried_before);
        let mut policy = client.inner.policy;
        policy.max_retries = call.manner.max_retries.unwrap_or(policy.max_retries);
        policy.deadline = call.manner.deadline.unwrap_or(policy.deadline);
        Self {
            client,
            observer,
            policy,
            started: Instant::now(),
            earlier: u32::try_from(tries.len()).unwrap_or(u32::MAX),
            // What an earlier run was answered still counts: after a 429 something did reach the server.
            http_status: tries.iter().rev().find_map(|one| one.http_status),
            paid: 0,
            put_off: None,
            maybe: call.manner.sent_before,
            lost: call.manner.sent_before,
            call,
            tries,
            standing: None,
            detail: None,
        }
    }

    pub(crate) async fn resolve(mut self) -> End {
        // The deadline counts from the first poll, not from the preparation.
        self.started = Instant::now();
        let outcome = self.carry_out().await;
        let put_off = self.put_off;
        End { resolution: self.resolution(outcome), put_off }
    }

    pub(super) fn resolution(self, outcome: Outcome) -> Resolution {
        Resolution {
            outcome,
            http_status: self.http_status,
            standing: self.standing,
            detail: self.detail,
            tries: self.tries,
            request_id: self.call.request_id,
            idempotency_key: self.call.key,
        }
    }

    async fn carry_out(&mut self) -> Outcome {
        let policy = self.policy;
        let mut waited = Duration::ZERO;
        if self.call.manner.pays && !self.pay(2) {
            return self.known_so_far(None);
        }
        for number in 1.. {
            let pass = match self.admitted(number).await {
                Ok(pass) => pass,
                Err(wait) => {
                    self.put_off = Some(wait);
                    return self.known_so_far(None);
                }
            };
            // Looking before anything is sent again saves a request, says whose decision it is, and does not re-open
            // a row that a janitor set to FAILED although its effect had happened.
            if self.lost
                && let Some(outcome) = self.look_before_sending().await
            {
                self.succeeded();
                pass.answered();
                return outcome;
            }
            if !self.may_send(number).await {
                self.put_off = Some(Duration::ZERO);
                return self.known_so_far(None);
            }
            let (yielded, late) = self.attempt(number, waited).await;
            let class = classify(yielded.as_ref(), &self.call.request_id);
            match class {
                Class::NotSent => pass.unanswered(),
                Class::Lost if late => pass.unanswered(),
                // Something came back, but was it the server's?
                Class::Lost if yielded.is_err() => drop(pass),
                _ => pass.answered(),
            }
            if !class.is_retried() {
                self.succeeded();
            }
            self.maybe |= class.may_have_landed();
            self.lost |= class.is_transport_doubt();
            let hint = yielded.as_ref().ok().and_then(|answer| answer.retry_after);
            let standing = self.note(yielded);
            match class {
                Class::Accepted => return self.accepted(&standing).await,
                Class::Counts => return self.counts(&standing),
                Class::Replayed => return self.replayed(&standing).await,
                Class::Duplicate => return self.settle(&standing).await,
                Class::InFlight => match self.watch(hint).await {
                    Some(outcome) => return outcome,
                    // Sending it again is harmless now, and its 409 may say whose decision it is.
                    None if number <= policy.max_retries && self.pay(1) => {
                        waited = Duration::ZERO;
                        continue;
                    }
                    None => return Outcome::Unknown,
                },
                _ => {}
            }
            match retry::next(class, number, hint, &policy, random(), self.left()) {
                Next::Stop => return self.give_up(class, hint).await,
                // A retry after a lost answer is two requests: it looks, and then it sends.
                Next::Wait(_) if !self.pay(1 + u32::from(self.lost)) => return self.known_so_far(hint),
                Next::Wait(wait) => {
                    let (next_number, of) = (self.earlier + number + 1, self.earlier + policy.of());
                    self.tell(AttemptEvent::Waiting { next_number, of, until: later(wait) });
                    let asleep = Instant::now();
                    tokio::time::sleep(wait).await;
                    waited = asleep.elapsed();
                }
            }
        }
        Outcome::Unconfirmed
    }

    pub(super) fn remember(&mut self, standing: &Standing) {
        if *standing != Standing::default() {
            self.standing = Some(standing.clone());
        }
    }

    pub(super) fn ours(&self) -> Ours<'_> {
        Ours { verdict: self.call.verdict, request_id: &self.call.request_id, maybe: self.maybe }
    }

    /// Until the deadline.
    pub(super) fn left(&self) -> Duration {
        self.policy.deadline.saturating_sub(self.started.elapsed())
    }

    pub(super) fn tell(&self, event: AttemptEvent) {
        if let Some(observer) = &self.observer {
            observer.happened(event);
        }
    }
}

/// From 0 up to 1, by the thread's own generator, which a simulation can seed: it only spreads waits.
pub(crate) fn random() -> f64 {
    fastrand::f64()
}

pub(super) fn until(wait: Duration) -> Option<Timestamp> {
    crate::clock::now().checked_add(wait).ok()
}

fn later(wait: Duration) -> Timestamp {
    until(wait).unwrap_or(Timestamp::MAX)
}
