//! Carries one prepared call to its end: tries, waits, looks at the status, resolves. All judgement is in `classify`,
//! `retry` and `resolve`; this file only does what they say and keeps what is known.
//!
//! Uncertainty is sticky: once a try may have landed, no later refusal turns the outcome into *not executed*.

use super::AegisClient;
use super::answer::Answer;
use super::attempt::AttemptEvent;
use super::call::Prepared;
use super::classify::{Class, classify};
use super::error::TransportError;
use super::resolve::{Ours, View, resolve};
use super::retry::{self, Next};
use crate::domain::{Outcome, Resolution, RowStatus, Standing, Try, Untrusted};
use bytes::Bytes;
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A look is a small question; a server that cannot answer it soon is not waited for.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an accepted decision is followed before it is left as accepted.
const FOLLOWED: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Looks in a row that say nothing before a watch is given up.
const MUTE_LOOKS: u32 = 3;

pub(crate) struct Run {
    client: AegisClient,
    call: Prepared,
    events: Option<mpsc::Sender<AttemptEvent>>,
    started: Instant,
    /// Whether any try may have landed.
    maybe: bool,
    /// Whether any answer was lost on its way.
    lost: bool,
    tries: Vec<Try>,
    http_status: Option<u16>,
    standing: Option<Standing>,
    detail: Option<Untrusted>,
}

impl Run {
    pub(crate) fn new(
        client: AegisClient,
        call: Prepared,
        events: Option<mpsc::Sender<AttemptEvent>>,
    ) -> Self {
        Self {
            client,
            events,
            started: Instant::now(),
            maybe: call.sent_before,
            lost: call.sent_before,
            call,
            tries: Vec::new(),
            http_status: None,
            standing: None,
            detail: None,
        }
    }

    pub(crate) async fn resolve(mut self) -> Resolution {
        // The deadline counts from the first poll, not from the preparation.
        self.started = Instant::now();
        let outcome = self.carry_out().await;
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
        let policy = self.client.inner.policy;
        let mut waited = Duration::ZERO;
        for number in 1.. {
            // Looking before anything is sent again saves a request, says whose decision it is, and does not re-open
            // a row that a janitor set to FAILED although its effect had happened.
            if self.lost
                && let Some(outcome) = self.look_before_sending().await
            {
                return outcome;
            }
            let yielded = self.attempt(number, waited).await;
            let class = classify(yielded.as_ref(), &self.call.request_id);
            self.maybe |= class.may_have_landed();
            self.lost |= class.is_transport_doubt();
            let hint = yielded.as_ref().ok().and_then(|answer| answer.retry_after);
            let standing = self.note(yielded);
            match class {
                Class::Accepted => return self.follow(standing.status).await,
                Class::Replayed => return self.replayed(&standing).await,
                Class::Duplicate => return self.settle(&standing).await,
                Class::InFlight => return self.watch(hint).await,
                _ => {}
            }
            match retry::next(class, number, hint, &policy, random(), self.left()) {
                Next::Stop => return self.give_up(class, hint).await,
                Next::Wait(wait) => {
                    let until = later(wait);
                    self.tell(AttemptEvent::Waiting { next_number: number + 1, of: policy.of(), until });
                    let asleep = Instant::now();
                    tokio::time::sleep(wait).await;
                    waited = asleep.elapsed();
                }
            }
        }
        Outcome::Unconfirmed
    }

    /// Sends the bytes once and records the try.
    async fn attempt(&mut self, number: u32, waited: Duration) -> Result<Answer, TransportError> {
        let (started, clock) = (Timestamp::now(), Instant::now());
        self.tell(AttemptEvent::Started { number, of: self.client.inner.policy.of(), at: started });
        let timeout = self.client.inner.policy.timeout.min(self.left());
        let yielded = self.exchange(self.call.decision(), timeout).await;
        let took = clock.elapsed();
        let http_status = yielded.as_ref().ok().map(|answer| answer.status);
        // `Display` makes the words visible.
        let error = yielded.as_ref().err().map(ToString::to_string);
        self.tell(AttemptEvent::Answered { number, http_status, error: error.clone(), took });
        self.tries.push(Try { number, http_status, error, started, took, waited });
        yielded
    }

    async fn exchange(
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

    fn remember(&mut self, standing: &Standing) {
        if *standing != Standing::default() {
            self.standing = Some(standing.clone());
        }
    }

    fn ours(&self) -> Ours<'_> {
        Ours { verdict: self.call.verdict, request_id: &self.call.request_id, maybe: self.maybe }
    }

    /// Asks for the status once. What is no 200 from the status call says nothing.
    async fn look(&mut self) -> Standing {
        let timeout = LOOK_TIMEOUT.min(self.client.inner.policy.timeout).min(self.left());
        if timeout.is_zero() {
            return Standing::default();
        }
        self.tell(AttemptEvent::Looking);
        let Ok(Answer { status: 200, facts, .. }) = self.exchange(self.call.status(), timeout).await else {
            return Standing::default();
        };
        self.remember(&facts.standing);
        facts.standing
    }

    /// `None` where nothing is proven, and the same bytes are sent again.
    async fn look_before_sending(&mut self) -> Option<Outcome> {
        let standing = self.look().await;
        match resolve(self.ours(), &standing) {
            View::Settled(outcome) => Some(outcome),
            View::Pending => Some(self.watch(None).await),
            // Sending again is harmless then, and its 409 may say whose decision it is.
            View::Processed | View::Nothing => None,
        }
    }

    /// After 202: how does its processing end?
    async fn follow(&mut self, mut status: Option<RowStatus>) -> Outcome {
        let followed = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match status {
                Some(RowStatus::Committed) => return Outcome::Committed,
                Some(RowStatus::Failed) => return Outcome::Failed,
                Some(RowStatus::Pending) | None => {}
            }
            if followed.elapsed() + pause > FOLLOWED || pause >= self.left() {
                return Outcome::Accepted;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let standing = self.look().await;
            let others =
                standing.request_id.is_some_and(|id| !id.eq_ignore_ascii_case(&self.call.request_id));
            status = standing.status.filter(|_| !others);
            if status.is_none() {
                return Outcome::Accepted;
            }
        }
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
            View::Pending => self.watch(None).await,
            View::Processed | View::Nothing => Outcome::Unknown,
        }
    }

    /// The row is `PENDING`: looks at it until it ends, until the status has nothing more to say, or until the
    /// deadline. Nothing is sent again meanwhile: after a janitor's `FAILED` that could execute twice.
    async fn watch(&mut self, hint: Option<Duration>) -> Outcome {
        let mut pause = hint.unwrap_or_default().clamp(FIRST_PAUSE, FOLLOWED);
        let mut mute = 0;
        while mute < MUTE_LOOKS && pause < self.left() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let standing = self.look().await;
            match resolve(self.ours(), &standing) {
                View::Settled(outcome) => return outcome,
                View::Processed => return Outcome::Unknown,
                View::Pending => mute = 0,
                View::Nothing => mute += 1,
            }
        }
        Outcome::InProgress
    }

    /// Nothing more is sent. What is the most that can be said?
    async fn give_up(&mut self, class: Class, hint: Option<Duration>) -> Outcome {
        if self.maybe {
            let standing = self.look().await;
            return match resolve(self.ours(), &standing) {
                View::Settled(outcome) => outcome,
                View::Pending => self.watch(None).await,
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

    /// Until the deadline.
    fn left(&self) -> Duration {
        self.client.inner.policy.deadline.saturating_sub(self.started.elapsed())
    }

    fn tell(&self, event: AttemptEvent) {
        if let Some(events) = &self.events {
            // Nobody listens, or nobody reads: the decision goes on all the same.
            let _ = events.try_send(event);
        }
    }
}

/// From 0 up to 1. Without a source of chance the middle will do: it only spreads waits.
pub(crate) fn random() -> f64 {
    let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

fn until(wait: Duration) -> Option<Timestamp> {
    Timestamp::now().checked_add(wait).ok()
}

fn later(wait: Duration) -> Timestamp {
    until(wait).unwrap_or(Timestamp::MAX)
}
