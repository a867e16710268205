//! What a provider answers: the request, strictly read, and the check that it is the one that was submitted.
//!
//! Strict as the published client is: no unknown field, no null, no duplicate key, times that end in `Z` and follow
//! one another. This file must not talk to anybody, and must not forgive.

use super::submission::Submission;
use crate::domain::json::{self, Kind, Limits, Value};
use crate::domain::{Untrusted, timestamp};
use jiff::Timestamp;
use uuid::Uuid;

/// An answer repeats the submission and adds a few fields of its own.
const ANSWER: Limits = Limits { bytes: 1024 * 1024, depth: 66, values: 20_200 };

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has decided.
    Pending,
    /// May run once, until the time given.
    Approved {
        /// When the approval ends.
        until: Timestamp,
    },
    /// A person said no.
    Denied,
    /// Nobody said anything in time.
    Expired,
    /// Withdrawn by the agent.
    Cancelled,
}

/// What the provider says of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// The reviewer's words: as hostile as any text that comes over the wire.
    pub note: Option<Untrusted>,
}

/// How what was allowed went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did what it should.
    Succeeded,
    /// It did not.
    Failed,
}

impl Status {
    /// The word of the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// That an approval was taken, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumption {
    /// When it was taken.
    pub at: Timestamp,
    /// What was reported of it.
    pub outcome: Option<(Status, Option<Untrusted>)>,
}

/// A request as the provider answers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The provider's id for it.
    pub id: Uuid,
    /// Where it stands.
    pub state: RequestState,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Undecided at this time, it expires.
    pub deadline_at: Timestamp,
    /// The decision, once there is one.
    pub decision: Option<Decided>,
    /// That it was taken, once it was.
    pub consumption: Option<Consumption>,
    echo: Value,
}

/// The provider broke the protocol; the words say how, and quote nothing of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider's answer breaks the protocol: {0}")]
pub struct Broken(pub String);

fn broken<T>(why: &str) -> Result<T, Broken> {
    Err(Broken(why.to_owned()))
}

impl Request {
    /// Reads an answer, strictly.
    pub fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let value = json::parse_unique(bytes, ANSWER).map_err(|error| Broken(error.to_string()))?;
        let fields = [
            "id",
            "tool",
            "server",
            "arguments",
            "timeout",
            "agent_reasoning",
            "context",
            "status",
            "created_at",
            "deadline_at",
            "decision",
            "consumption",
        ];
        only(&value, &fields)?;
        for name in ["tool", "server", "timeout"] {
            if value.get(name).is_some_and(|text| text.as_str().is_none_or(str::is_empty)) {
                return broken("a field that should be text is not");
            }
        }
        if value.get("tool").is_none() || value.get("timeout").is_none() {
            return broken("it repeats no tool or no timeout");
        }
        if value.get("arguments").and_then(Value::as_object).is_none() {
            return broken("it repeats no arguments");
        }
        let id = text(&value, "id").and_then(|id| Uuid::try_parse(id).ok());
        let Some(id) = id else { return broken("its id is no UUID") };
        let (created_at, deadline_at) = (time(&value, "created_at")?, time(&value, "deadline_at")?);
        if deadline_at <= created_at {
            return broken("its deadline is not after its creation");
        }
        let (state, decision) = read_decision(&value, created_at)?;
        let consumption = match (value.get("consumption"), &state, &decision) {
            (None, ..) => None,
            (Some(value), RequestState::Approved { .. }, Some(decision)) => {
                Some(read_consumption(value, decision.at)?)
            }
            _ => return broken("what is not approved was consumed"),
        };
        Ok(Self { id, state, created_at, deadline_at, decision, consumption, echo: value })
    }

    /// Whether this is the request that was submitted, numbers by their text.
    pub fn matches(&self, submission: &Submission) -> bool {
        submission.is_echoed_by(&self.echo)
    }

    /// Whether this is a later sight of the same request.
    pub fn continues(&self, earlier: &Self) -> bool {
        (self.id, self.created_at, self.deadline_at) == (earlier.id, earlier.created_at, earlier.deadline_at)
    }
}

fn read_decision(value: &Value, created: Timestamp) -> Result<(RequestState, Option<Decided>), Broken> {
    let status = text(value, "status");
    let Some(decision) = value.get("decision") else {
        return match status {
            Some("pending") => Ok((RequestState::Pending, None)),
            _ => broken("it is settled, or in no known status, and has no decision"),
        };
    };
    only(decision, &["status", "note", "decided_at", "expires_at"])?;
    if status.is_none() || text(decision, "status") != status {
        return broken("its decision says another status");
    }
    let at = time(decision, "decided_at")?;
    if at < created {
        return broken("it was decided before it was asked");
    }
    let until = decision.get("expires_at").map(|_| time(decision, "expires_at")).transpose()?;
    let state = match (status, until) {
        (Some("approved"), Some(until)) if until > at => RequestState::Approved { until },
        (Some("denied"), None) => RequestState::Denied,
        (Some("expired"), None) => RequestState::Expired,
        (Some("cancelled"), None) => RequestState::Cancelled,
        _ => return broken("its status and the end of its approval do not fit together"),
    };
    Ok((state, Some(Decided { at, note: note(decision)? })))
}

fn read_consumption(value: &Value, decided: Timestamp) -> Result<Consumption, Broken> {
    only(value, &["consumed_at", "outcome"])?;
    let at = time(value, "consumed_at")?;
    if at < decided {
        return broken("it was consumed before it was decided");
    }
    let Some(outcome) = value.get("outcome") else { return Ok(Consumption { at, outcome: None }) };
    only(outcome, &["status", "note", "reported_at"])?;
    let status = match text(outcome, "status") {
        Some("succeeded") => Status::Succeeded,
        Some("failed") => Status::Failed,
        _ => return broken("its outcome has no known status"),
    };
    if time(outcome, "reported_at")? < at {
        return broken("its outcome was reported before it was consumed");
    }
    Ok(Consumption { at, outcome: Some((status, note(outcome)?)) })
}

/// An object with no other fields than these, and no null among them.
fn only(value: &Value, allowed: &[&str]) -> Result<(), Broken> {
    let Some(members) = value.as_object() else { return broken("an object was due") };
    match members.iter().find(|member| !allowed.contains(&member.name.as_str()) || member.value.is_null()) {
        None => Ok(()),
        Some(_) => broken("a field is unknown or null"),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn note(value: &Value) -> Result<Option<Untrusted>, Broken> {
    match value.get("note").map(|note| &note.kind) {
        None => Ok(None),
        Some(Kind::String(note)) if !note.is_empty() => Ok(Some(note.as_str().into())),
        Some(_) => broken("a note is empty or no text"),
    }
}

fn time(value: &Value, name: &str) -> Result<Timestamp, Broken> {
    let time = text(value, name).filter(|text| text.ends_with('Z')).and_then(timestamp::parse);
    time.map_or_else(|| broken("a time is missing, or not RFC 3339 ending in Z"), Ok)
}
