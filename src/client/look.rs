//! Looking: one question about what became of a call, and what its answer means. Nothing here can decide anything.

use super::answer::Answer;
use super::attempt::AttemptEvent;
use super::resolve::{View, ended, resolve};
use super::run::Run;
use crate::domain::{Resolution, RowStatus, Standing};
use std::time::Duration;
use tokio::time::Instant;

/// A look is a small question; a server that cannot answer it soon is not waited for.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

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
                Some(facts.standing)
            }
            Ok(Answer { status: 400..500, .. }) => Some(Standing::default()),
            _ => None,
        }
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
        let outcome = if self.maybe { settled } else { ended(&standing, &self.call.request_id) };
        match outcome {
            Some(outcome) => Looked::Settled(Box::new(self.resolution(outcome))),
            None if standing.status == Some(RowStatus::Pending) => Looked::Pending,
            None => Looked::Nothing,
        }
    }
}
