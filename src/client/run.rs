//! Carries one prepared call to its end: tries, waits, looks at the status, resolves. All judgement is in `classify`,
//! `retry` and `resolve`; this file only does what they say and keeps what is known.
//!
//! Uncertainty is sticky: once a try may have landed, no later refusal turns the outcome into *not executed*.

use super::AegisClient;
use super::answer::Answer;
use super::attempt::{AttemptEvent, Observer};
use super::call::Prepared;
use super::classify::{Class, classify};
use super::error::TransportError;
use super::origin::Pass;
use super::resolve::{Ours, View, ended, resolve};
use super::retry::{self, Next, Policy};
use crate::domain::{Outcome, Resolution, RowStatus, Standing, Try, Untrusted};
use bytes::Bytes;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long an accepted decision is followed before it is left as accepted.
const FOLLOWED: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Looks in a row that say nothing before a watch is given up.
const MUTE_LOOKS: u32 = 3;

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
    policy: Policy,
    observer: Option<Box<dyn Observer>>,
    started: Instant,
    /// Tries of earlier runs.
    earlier: u32,
    /// What the next request, and those before it since the last proper answer, have cost.
    paid: u32,
    put_off: Option<Duration>,
    /// Whether any try may have landed.
    pub(super) maybe: bool,
    /// Whether any answer was lost on its way.
    lost: bool,
    tries: Vec<Try>,
    http_status: Option<u16>,
    standing: Option<Standing>,
    detail: Option<Untrusted>,
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
                Class::Accepted => return self.accepted(standing.status).await,
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

    /// Leave to send: at once, or for a caller that does not come back by itself as soon as the server is asked again.
    async fn admitted(&self, number: u32) -> Result<Pass, Duration> {
        loop {
            match self.client.inner.origin.admit() {
                Err(wait) if number > 1 && !self.call.manner.comes_back && wait < self.left() => {
                    tokio::time::sleep(wait).await;
                }
                admitted => return admitted,
            }
        }
    }

    /// Asks whoever carries the call out. How long a disk takes is not held against the server.
    async fn may_send(&mut self, number: u32) -> bool {
        let asked = Instant::now();
        let may = match &self.observer {
            Some(observer) => observer.may_send(number).await,
            None => true,
        };
        self.started += asked.elapsed();
        may
    }

    /// Pays for what is asked again; where it cannot, the call is put off.
    pub(super) fn pay(&mut self, tokens: u32) -> bool {
        match self.client.inner.origin.pay(tokens) {
            Ok(()) => self.paid += tokens,
            Err(wait) => self.put_off = Some(wait),
        }
        self.put_off.is_none()
    }

    /// The server has answered properly: what was paid comes back.
    pub(super) fn succeeded(&mut self) {
        self.client.inner.origin.succeeded(std::mem::take(&mut self.paid));
    }

    /// Sends the bytes once and records the try. Also says whether its time ran out.
    async fn attempt(&mut self, number: u32, waited: Duration) -> (Result<Answer, TransportError>, bool) {
        let (started, clock) = (crate::clock::now(), Instant::now());
        let (number, of) = (self.earlier + number, self.earlier + self.policy.of());
        self.tell(AttemptEvent::Started { number, of, at: started });
        let timeout = self.policy.timeout.min(self.left());
        let yielded = self.exchange(self.call.decision(), timeout).await;
        let took = clock.elapsed();
        let http_status = yielded.as_ref().ok().map(|answer| answer.status);
        // `Display` makes the words visible.
        let error = yielded.as_ref().err().map(ToString::to_string);
        let maybe = classify(yielded.as_ref(), &self.call.request_id).may_have_landed();
        let one = Try { number, http_status, error: error.clone(), started, took, waited };
        if let Some(observer) = &self.observer {
            observer.tried(&one, maybe);
        }
        self.tries.push(one);
        self.tell(AttemptEvent::Answered { number, http_status, error, took });
        (yielded, took >= timeout)
    }

    pub(super) async fn exchange(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let transport = &*self.client.inner.transport;
        super::exchange(transport, request, timeout).await.map(|response| Answer::read(&response))
    }

    /// Keeps what a try said and returns the decision that it says stands.
    fn note(&mut self, yielded: Result<Answer, TransportError>) -> Standing {
        let Ok(answer) = yielded else { return Standing::default() };
        self.http_status = Some(answer.status);
        self.detail = answer.facts.detail;
        self.remember(&answer.facts.standing);
        answer.facts.standing
    }

    pub(super) fn remember(&mut self, standing: &Standing) {
        if *standing != Standing::default() {
            self.standing = Some(standing.clone());
        }
    }

    pub(super) fn ours(&self) -> Ours<'_> {
        Ours { verdict: self.call.verdict, request_id: &self.call.request_id, maybe: self.maybe }
    }

    /// `None` where nothing is proven, and the same bytes are sent again.
    async fn look_before_sending(&mut self) -> Option<Outcome> {
        let standing = self.look().await;
        match resolve(self.ours(), &standing) {
            View::Settled(outcome) => Some(outcome),
            View::Pending => self.watch(None).await,
            // Sending again is harmless then, and its 409 may say whose decision it is.
            View::Processed | View::Nothing => None,
        }
    }

    /// After 202: how does its processing end?
    async fn accepted(&mut self, status: Option<RowStatus>) -> Outcome {
        match status {
            Some(RowStatus::Committed) => Outcome::Committed,
            Some(RowStatus::Failed) => Outcome::Failed,
            _ if self.call.manner.comes_back => Outcome::Accepted,
            _ => self.follow().await,
        }
    }

    async fn follow(&mut self) -> Outcome {
        let followed = Instant::now();
        let mut pause = FIRST_PAUSE;
        while followed.elapsed() + pause <= FOLLOWED && pause < self.left() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let standing = self.look().await;
            match ended(&standing, &self.call.request_id) {
                Some(outcome) => return outcome,
                None if standing.status == Some(RowStatus::Pending) => {}
                None => break,
            }
        }
        Outcome::Accepted
    }

    /// 202 with another call's request id: the server repeats what it answered somebody else.
    async fn replayed(&mut self, standing: &Standing) -> Outcome {
        match self.settle(standing).await {
            Outcome::Unknown => Outcome::Same,
            outcome => outcome,
        }
    }

    /// Whose decision stands, from the answer, else from the status.
    async fn settle(&mut self, standing: &Standing) -> Outcome {
        let mut view = resolve(self.ours(), standing);
        if matches!(view, View::Processed | View::Nothing) {
            let standing = self.look().await;
            view = resolve(self.ours(), &standing);
        }
        match view {
            View::Settled(outcome) => outcome,
            View::Pending => self.watch(None).await.unwrap_or(Outcome::Unknown),
            View::Processed | View::Nothing => Outcome::Unknown,
        }
    }

    /// The row is `PENDING`: looks at it until it ends, until the status has nothing more to say, or until the
    /// deadline. Nothing is sent again meanwhile: after a janitor's `FAILED` that could execute twice.
    /// Who comes back watches by itself, and holds up no other call meanwhile.
    ///
    /// `None` where it was carried out and the status does not say whose decision it is.
    async fn watch(&mut self, hint: Option<Duration>) -> Option<Outcome> {
        if self.call.manner.comes_back {
            return Some(Outcome::InProgress);
        }
        let mut pause = hint.unwrap_or_default().clamp(FIRST_PAUSE, FOLLOWED);
        let mut mute = 0;
        while mute < MUTE_LOOKS && pause < self.left() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let standing = self.look().await;
            match resolve(self.ours(), &standing) {
                View::Settled(outcome) => return Some(outcome),
                View::Processed => return None,
                View::Pending => mute = 0,
                View::Nothing => mute += 1,
            }
        }
        Some(Outcome::InProgress)
    }

    /// Nothing more is sent. What is the most that can be said?
    async fn give_up(&mut self, class: Class, hint: Option<Duration>) -> Outcome {
        if self.maybe {
            // This look, too, is asked again of a server that is in trouble.
            if !self.pay(1) {
                return self.known_so_far(hint);
            }
            let standing = self.look().await;
            if standing != Standing::default() {
                self.succeeded();
            }
            return match resolve(self.ours(), &standing) {
                View::Settled(outcome) => outcome,
                View::Pending => self.watch(None).await.unwrap_or(Outcome::Unknown),
                View::Processed => Outcome::Unknown,
                View::Nothing => Outcome::Unconfirmed,
            };
        }
        match (class, self.http_status) {
            (Class::Throttled | Class::Quota, _) => Outcome::Quota { until: hint.and_then(until) },
            // An earlier try reached a server that put it off; that this one did not, changes nothing.
            (Class::NotSent, Some(429)) => Outcome::Quota { until: None },
            (Class::NotSent, None) => Outcome::NotSent,
            _ => Outcome::Refused,
        }
    }

    /// The call ends before its time, and so with the least that can be said.
    fn known_so_far(&self, hint: Option<Duration>) -> Outcome {
        match self.http_status {
            _ if self.maybe => Outcome::Unconfirmed,
            Some(429) => Outcome::Quota { until: hint.and_then(until) },
            Some(_) => Outcome::Refused,
            None => Outcome::NotSent,
        }
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

fn until(wait: Duration) -> Option<Timestamp> {
    crate::clock::now().checked_add(wait).ok()
}

fn later(wait: Duration) -> Timestamp {
    until(wait).unwrap_or(Timestamp::MAX)
}
