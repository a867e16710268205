//! Looking: what became of a call is asked once, or again and again until it ends. Nothing here can decide anything.

use super::answer::Answer;
use super::attempt::AttemptEvent;
use super::resolve::{View, ended, resolve};
use super::run::Run;
use crate::domain::{Outcome, Resolution, RowStatus, Standing};
use std::time::Duration;
use tokio::time::Instant;

/// A look is a small question; a server that cannot answer it soon is not waited for.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an accepted decision is followed before it is left as accepted.
const FOLLOWED: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Looks in a row that say nothing before a watch is given up.
const MUTE_LOOKS: u32 = 3;

/// What a single look showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Looked {
    /// What became of the call.
    Settled(Box<Resolution>),
    /// The server is at it.
    Pending,
    /// The server answered, but not that.
    Nothing,
    /// No answer.
    Unanswered,
}

impl Run {
    /// Asks for the status once. What is no 200 from the status call says nothing.
    pub(super) async fn look(&mut self) -> Standing {
        self.ask().await.unwrap_or_default()
    }

    /// `None` where no answer came, or none of the server's own.
    async fn ask(&mut self) -> Option<Standing> {
        let timeout = LOOK_TIMEOUT.min(self.client.timeout()).min(self.left());
        if timeout.is_zero() {
            return None;
        }
        self.tell(AttemptEvent::Looking);
        match self.exchange(self.call.status(), timeout).await {
            Ok(Answer { status: 200, facts, .. }) => {
                self.remember(&facts.standing);
                if facts.standing.status == Some(RowStatus::Failed) {
                    // Why is worth more than what the call itself was answered.
                    self.detail = facts.detail.or(self.detail.take());
                }
                Some(facts.standing)
            }
            Ok(Answer { status: 400..500, .. }) => Some(Standing::default()),
            _ => None,
        }
    }

    /// `None` where nothing is proven, and the same bytes are sent again.
    pub(super) async fn look_before_sending(&mut self) -> Option<Outcome> {
        let standing = self.look().await;
        match resolve(self.ours(), &standing) {
            View::Settled(outcome) => Some(outcome),
            View::Pending => self.watch(None).await,
            // Sending again is harmless then, and its 409 may say whose decision it is.
            View::Processed | View::Nothing => None,
        }
    }

    pub(super) async fn follow(&mut self) -> Outcome {
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

    /// The row is `PENDING`: looks at it until it ends, until the status has nothing more to say, or until the
    /// deadline. Nothing is sent again meanwhile: after a janitor's `FAILED` that could execute twice.
    /// Who comes back watches by itself, and holds up no other call meanwhile.
    ///
    /// `None` where it was carried out and the status does not say whose decision it is.
    pub(super) async fn watch(&mut self, hint: Option<Duration>) -> Option<Outcome> {
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

    /// One look at a call of an earlier run. Where that run had been accepted (it may not have landed otherwise), the
    /// answer says how its processing ended; else it says whose decision stands.
    pub(crate) async fn only_look(mut self) -> Looked {
        if self.call.manner.pays && !self.pay(1) {
            return Looked::Unanswered;
        }
        let Ok(pass) = self.client.inner.origin.admit() else { return Looked::Unanswered };
        let clock = Instant::now();
        let Some(standing) = self.ask().await else {
            if clock.elapsed() >= LOOK_TIMEOUT.min(self.client.timeout()) {
                pass.unanswered();
            } else {
                drop(pass);
            }
            return Looked::Unanswered;
        };
        pass.answered();
        self.succeeded();
        let settled = match resolve(self.ours(), &standing) {
            View::Settled(outcome) => Some(outcome),
            View::Pending => return Looked::Pending,
            View::Processed | View::Nothing => None,
        };
        let outcome = match settled {
            // As part of the decision that stands.
            Some(Outcome::Mine) if self.call.manner.counted => Some(Outcome::Committed),
            Some(Outcome::Counted(count)) => Some(Outcome::Counted(count)),
            settled if self.maybe || self.call.manner.counted => settled,
            _ => ended(&standing, &self.call.request_id),
        };
        match outcome {
            Some(outcome) => Looked::Settled(Box::new(self.resolution(outcome))),
            None if standing.status == Some(RowStatus::Pending) => Looked::Pending,
            None => Looked::Nothing,
        }
    }
}
