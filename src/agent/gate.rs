//! Whether one tool call may run now: ask, wait, check, consume, and only then yes.
//!
//! Every answer but [`Answer::Allowed`] means no, whatever the reason. This file must not retry (the client does) and
//! must not ask for anything that it was not given.

use super::client::{AapClient, AapError};
use super::request::{Broken, Request, RequestState, Status};
use super::submission::Submission;
use crate::domain::timestamp::between;
use crate::domain::{Digest, Untrusted};
use jiff::Timestamp;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long one waiting call is held; providers and proxies cut longer ones.
const WAIT: Duration = Duration::from_secs(25);
/// A provider that does not hold waiting calls is not asked more often than this.
const PACE: Duration = Duration::from_millis(500);
/// A provider that is away, or asks for more time than one call has, is not asked more often than this.
const OUTAGE_PACE: Duration = Duration::from_secs(2);
/// How long after its deadline a request may stay undecided: clocks differ.
const SLACK: Duration = Duration::from_secs(10);
/// How long a withdrawal may take, where somebody waits for the no.
const WITHDRAWAL: Duration = Duration::from_secs(2);

/// What came of asking.
#[derive(Debug)]
#[must_use]
pub enum Answer {
    /// Approved, and taken by this call: run it now, once.
    Allowed(Approval),
    /// A reviewer said no.
    Denied {
        /// The request.
        request_id: Uuid,
        /// The reviewer's words, where there are any.
        reason: Option<Untrusted>,
    },
    /// Nobody decided in time, or the approval had run out.
    Expired {
        /// The request.
        request_id: Uuid,
    },
    /// The request was withdrawn.
    Cancelled {
        /// The request.
        request_id: Uuid,
    },
    /// The approval had been taken already: the call has been attempted before.
    AlreadyConsumed {
        /// The request.
        request_id: Uuid,
    },
    /// Something failed. That is a no.
    Error {
        /// The request, where there is one.
        request_id: Option<Uuid>,
        /// What failed.
        error: AapError,
    },
}

impl Answer {
    /// One plain sentence, safe to print or to hand to a model.
    pub fn words(&self) -> String {
        match self {
            Self::Allowed(_) => "Approved.".into(),
            Self::Denied { reason: Some(reason), .. } => {
                format!("A reviewer denied this call: {}", reason.visible().plain())
            }
            Self::Denied { reason: None, .. } => "A reviewer denied this call.".into(),
            Self::Expired { .. } => "Nobody decided in time. The call was not run.".into(),
            Self::Cancelled { .. } => "The request was withdrawn. The call was not run.".into(),
            Self::AlreadyConsumed { .. } => {
                "This approved call was attempted before, so it was not run again.".into()
            }
            Self::Error { error, .. } => format!("No approval could be had, so it was not run: {error}."),
        }
    }
}

/// An approval that this call has taken.
#[derive(Debug)]
pub struct Approval {
    client: AapClient,
    /// The request that was approved.
    pub request_id: Uuid,
    /// The reviewer's words, where there are any.
    pub note: Option<Untrusted>,
}

impl Approval {
    /// Says how it went, so that the reviewer sees it.
    ///
    /// # Errors
    /// Where the provider could not be told. What was run has been run all the same.
    pub async fn report(&self, status: Status, note: Option<&str>) -> Result<(), AapError> {
        self.client.report(self.request_id, status, note).await.map(|_| ())
    }
}

/// Asks a provider whether tool calls may run.
#[derive(Debug, Clone)]
pub struct Gate {
    client: AapClient,
}

impl Gate {
    /// A gate that asks through this client.
    pub fn new(client: AapClient) -> Self {
        Self { client }
    }

    /// Asks, waits and takes the approval. `key` names this call within its run and stays the same when the call is
    /// made again; what is sent is a digest of it and of the submission, so that a changed submission asks anew.
    pub async fn check(&self, submission: &Submission, key: &str) -> Answer {
        match self.ask(submission, key).await {
            Ok(asked) => asked.answer().await,
            Err(error) => Answer::Error { request_id: None, error },
        }
    }

    /// Asks as [`check`](Self::check) does, for somebody who cannot wait for ever: after `limit`, or once `stop` is
    /// done, the request is withdrawn, and the answer is no. `asked` is told of the request once it is the provider's.
    ///
    /// A stop ends in [`Answer::Cancelled`] and a limit in [`Answer::Expired`], whatever was decided meanwhile: an
    /// approval that comes too late is not taken.
    pub async fn check_within(
        &self,
        submission: &Submission,
        key: &str,
        limit: Duration,
        stop: impl Future<Output = ()>,
        asked: impl FnOnce(&Request),
    ) -> Answer {
        let ended = async {
            tokio::select! {
                () = stop => true,
                () = tokio::time::sleep(limit) => false,
            }
        };
        let (mut ended, mut asking) = (pin!(ended), pin!(self.ask(submission, key)));
        let (found, mut stopped) = tokio::select! {
            // What is known is said first.
            biased;
            found = &mut asking => (found, None),
            stopped = &mut ended => {
                // What has been sent may arrive all the same, and would wait for a reviewer with nobody behind it.
                let late = || Err(AapError::Unreachable(format!("{} before the provider answered", why(stopped))));
                (tokio::time::timeout(WITHDRAWAL, asking).await.unwrap_or_else(|_| late()), Some(stopped))
            }
        };
        let request = match found {
            Ok(request) => request,
            Err(error) => return Answer::Error { request_id: None, error },
        };
        let request_id = request.request().id;
        if stopped.is_none() {
            asked(request.request());
            stopped = tokio::select! {
                biased;
                answer = request.answer() => return answer,
                stopped = ended => Some(stopped),
            };
        }
        // Where that cannot be had in time the request runs out by itself, and nobody is left to take its approval.
        let withdrawn = self.client.cancel(request_id);
        let _ = tokio::time::timeout(WITHDRAWAL, withdrawn).await;
        if stopped == Some(true) { Answer::Cancelled { request_id } } else { Answer::Expired { request_id } }
    }

    /// Asks and does not wait: for callers that may want to [withdraw](Asked::withdraw).
    pub async fn ask(&self, submission: &Submission, key: &str) -> Result<Asked, AapError> {
        let key = Digest::of(format!("{key}\0{}", submission.body()).as_bytes()).to_string();
        let request = self.client.create(submission, &key).await?;
        if !request.matches(submission) {
            return Err(Broken("it answered another request than the one sent".into()).into());
        }
        let (client, submission) = (self.client.clone(), submission.clone());
        Ok(Asked { client, submission, request, overdue: false })
    }
}

fn why(stopped: bool) -> &'static str {
    if stopped { "it was stopped" } else { "its time was up" }
}

/// A request that was asked and is the provider's now.
#[derive(Debug, Clone)]
pub struct Asked {
    client: AapClient,
    submission: Submission,
    request: Request,
    /// It was withdrawn here, because its deadline had passed by our clock and it was undecided still.
    overdue: bool,
}

impl Asked {
    /// The request as it was last seen.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Waits until the request is settled, past times in which the provider cannot be reached. May be dropped at any time:
    /// it takes nothing.
    ///
    /// What is undecided after its deadline is withdrawn here; that is [`Expired`](Answer::Expired), though the provider says
    /// cancelled.
    ///
    /// # Errors
    /// Where the provider cannot be believed, refuses, or could not be reached at the deadline. That is a no.
    pub async fn decided(&mut self) -> Result<(), AapError> {
        let deadline = Instant::now() + between(Timestamp::now(), self.request.deadline_at) + SLACK;
        while self.request.state == RequestState::Pending {
            let left = deadline.saturating_duration_since(Instant::now());
            let asked = Instant::now();
            // A provider that never lets it expire: nobody waits any more, so it must not be approved later.
            let late = left.is_zero();
            let next = match late {
                true => self.client.cancel(self.request.id).await?,
                false => match self.client.get(self.request.id, WAIT.min(left)).await {
                    // A gateway that is away for a while takes no decision away from anybody: there is time until
                    // the deadline.
                    Err(AapError::Unreachable(_)) => {
                        tokio::time::sleep(OUTAGE_PACE).await;
                        continue;
                    }
                    next => next?,
                },
            };
            self.see(next)?;
            // Not the word of anybody who withdrew it: whoever asks a withdrawn request anew would do so without end where
            // our clock is ahead.
            self.overdue = late && self.request.state == RequestState::Cancelled;
            if self.request.state == RequestState::Pending {
                tokio::time::sleep_until(asked + PACE).await;
            }
        }
        Ok(())
    }

    /// Waits for the decision and takes the approval. Dropped while it takes it, the approval is lost: what was
    /// approved then never runs, rather than twice.
    pub async fn answer(mut self) -> Answer {
        let request_id = self.request.id;
        self.settle().await.unwrap_or_else(|error| match error {
            error if error.is_conflict("already_consumed") => Answer::AlreadyConsumed { request_id },
            error if error.is_conflict("approval_expired") => Answer::Expired { request_id },
            error => Answer::Error { request_id: Some(request_id), error },
        })
    }

    /// Withdraws the request.
    ///
    /// # Errors
    /// Where the provider could not be told, or it was decided before; [`answer`](Self::answer) then says how.
    pub async fn withdraw(&self) -> Result<(), AapError> {
        self.client.cancel(self.request.id).await.map(|_| ())
    }

    async fn settle(&mut self) -> Result<Answer, AapError> {
        self.decided().await?;
        let request_id = self.request.id;
        let note = self.request.decision.as_ref().and_then(|decision| decision.note.clone());
        let until = match &self.request.state {
            RequestState::Approved { until } if self.request.consumption.is_none() => *until,
            RequestState::Approved { .. } => return Ok(Answer::AlreadyConsumed { request_id }),
            RequestState::Denied => {
                return Ok(Answer::Denied { request_id, reason: note });
            }
            RequestState::Cancelled if !self.overdue => return Ok(Answer::Cancelled { request_id }),
            RequestState::Expired | RequestState::Cancelled | RequestState::Pending => {
                return Ok(Answer::Expired { request_id });
            }
        };
        if until <= Timestamp::now() {
            return Ok(Answer::Expired { request_id });
        }
        // A fresh key: whoever took this approval before, in this process or another, had another one.
        let key = Uuid::new_v4().to_string();
        let consumed = loop {
            match self.client.consume(request_id, &key).await {
                // Under the same key it is taken once, however often that is said.
                Err(AapError::Unreachable(_)) if Timestamp::now() < until => {
                    tokio::time::sleep(OUTAGE_PACE).await;
                }
                consumed => break consumed?,
            }
        };
        self.see(consumed)?;
        if self.request.consumption.is_none() {
            return Err(Broken("it says consumed, and does not show it".into()).into());
        }
        Ok(Answer::Allowed(Approval { client: self.client.clone(), request_id, note }))
    }

    fn see(&mut self, next: Request) -> Result<(), AapError> {
        if !next.matches(&self.submission) || !next.continues(&self.request) {
            return Err(Broken("it answered another request than the one asked about".into()).into());
        }
        self.request = next;
        Ok(())
    }
}
