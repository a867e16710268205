//! What an agent may send, checked field by field with errors that name the field. What becomes of it is in `seal`.

use super::super::answer::Refusal;
use super::super::body;
use super::super::store::Report;
use crate::domain::action::{BadSource, Source, is_id};
use crate::domain::json::{Kind, Limits, Member, Value};
use crate::domain::{Risk, Untrusted, timestamp};
use std::time::Duration;

/// The shortest and the longest time that an agent may give its reviewers.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 24 * 60 * 60));
/// Labels are sealed beside the claims that bear them, so there is a limit to them.
const LABELS: usize = 64;

/// A submission whose every field has been checked.
pub(super) struct Submission<'s> {
    /// The bytes as they came.
    pub(super) source: &'s str,
    pub(super) value: Value,
    pub(super) timeout: Duration,
    pub(super) thread: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    /// The way that it came in, where the agent says what that way can carry.
    pub(super) way: Option<Source>,
    pub(super) claimed_risk: Option<Risk>,
    /// 1 where nothing else is claimed.
    pub(super) claimed_reviewers: u32,
}

impl<'s> Submission<'s> {
    /// Reads and checks.
    pub(super) fn read(bytes: &'s [u8]) -> Result<Self, Refusal> {
        let value = body::value(bytes, Limits::DOOR)?;
        let source = std::str::from_utf8(bytes)
            .map_err(|_| Refusal::bad("invalid_unicode", "the submission is not UTF-8"))?;
        fields(&value, &["tool", "server", "arguments", "timeout", "agent_reasoning", "context"])?;
        text(&value, "tool")?.ok_or_else(|| missing("tool"))?;
        text(&value, "server")?;
        string(&value, "agent_reasoning")?;
        object(&value, "arguments")?.ok_or_else(|| missing("arguments"))?;
        let context = object(&value, "context")?;
        let timeout = text(&value, "timeout")?.ok_or_else(|| missing("timeout"))?;
        let (shortest, longest) = TIMEOUTS;
        let timeout = timestamp::span(timeout).filter(|timeout| (shortest..=longest).contains(timeout));
        let timeout = timeout.ok_or_else(|| {
            Refusal::bad("invalid_timeout", "timeout must be like 30s, 10m, 24h or 7d, from 1s to 30d")
        })?;
        let labels = context.map(labels).transpose()?.unwrap_or_default();
        let thread = context.map(thread).transpose()?.flatten();
        let way = context.and_then(|context| context.get("source")).map(way).transpose()?.flatten();
        let claimed_risk = context.and_then(|context| context.get("risk")?.as_str()?.parse::<Risk>().ok());
        let claimed_reviewers = context.map_or(1, reviewers);
        Ok(Self { source, timeout, thread, labels, way, claimed_risk, claimed_reviewers, value })
    }

    /// What the tool is to be called with.
    pub(super) fn arguments(&self) -> &Value {
        // It has been looked for.
        self.value.get("arguments").unwrap_or(&self.value)
    }
}

/// `{"status": "succeeded" or "failed", "note"?}`
pub(super) fn report(bytes: &[u8]) -> Result<Report, Refusal> {
    let value = body::value(bytes, Limits::DOOR)?;
    fields(&value, &["status", "note"])?;
    let succeeded = match text(&value, "status")?.ok_or_else(|| missing("status"))? {
        "succeeded" => true,
        "failed" => false,
        _ => return Err(invalid("status", "succeeded or failed")),
    };
    Ok(Report { succeeded, note: text(&value, "note")?.map(str::to_owned) })
}

/// The thread that the context names: `thread_id`, else `run_id`. What is no string names none; a string must be an id.
fn thread(context: &Value) -> Result<Option<String>, Refusal> {
    for name in ["thread_id", "run_id"] {
        match context.get(name).and_then(Value::as_str) {
            Some(id) if is_id(id) => return Ok(Some(id.to_owned())),
            Some(_) => {
                let detail = format!("context.{name} must be 1 to 128 of A-Z a-z 0-9 . _ : -");
                return Err(Refusal::bad("invalid_id", detail));
            }
            None => {}
        }
    }
    Ok(None)
}

/// How many reviewers the context asks for; what is no whole number from 1 asks for nothing.
fn reviewers(context: &Value) -> u32 {
    match context.get("reviewers_needed").map(|value| &value.kind) {
        // One that is too long for any machine is a great many all the same.
        Some(Kind::Number(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().unwrap_or(u32::MAX).max(1)
        }
        _ => 1,
    }
}

/// The labels that are strings; what else stands there stays in the claims.
fn labels(context: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let members = context.get("labels").and_then(Value::as_object).unwrap_or_default();
    let pair = |member: &Member| Some((member.name.clone(), member.value.as_str()?.to_owned()));
    let labels: Vec<_> = members.iter().filter_map(pair).collect();
    if labels.len() > LABELS {
        return Err(Refusal::bad("too_many_labels", format!("context.labels has more than {LABELS} labels")));
    }
    Ok(labels)
}

/// The source that the context names. An object that says anything of what it can carry has to say all of it, in words
/// that are known: half of it would be shown to a reviewer as a fact. What says none of it is the agent's own, and claims
/// nothing.
fn way(source: &Value) -> Result<Option<Source>, Refusal> {
    if ["reason", "covers", "silence"].iter().all(|member| source.get(member).is_none()) {
        return Ok(None);
    }
    let refused = |BadSource { member, expected }| {
        Refusal::bad("invalid_source", format!("context.source.{member} must be {expected}"))
    };
    Source::read(source).map(Some).map_err(refused)
}

fn fields(value: &Value, known: &[&str]) -> Result<(), Refusal> {
    let members =
        value.as_object().ok_or_else(|| Refusal::bad("invalid_json", "the body must be a JSON object"))?;
    for Member { name, value, .. } in members {
        if !known.contains(&name.as_str()) {
            let name = Untrusted::from(name.as_str()).visible().cut(64).plain();
            return Err(Refusal::bad("unknown_field", format!("the field {name:?} is not one of this call")));
        }
        if value.is_null() {
            return Err(invalid(name, "left out, not null"));
        }
    }
    Ok(())
}

fn missing(field: &str) -> Refusal {
    Refusal::bad("missing_field", format!("the field {field:?} is missing"))
}

fn invalid(field: &str, expected: &str) -> Refusal {
    Refusal::bad("invalid_field", format!("the field {field:?} must be {expected}"))
}

fn string<'v>(value: &'v Value, field: &str) -> Result<Option<&'v str>, Refusal> {
    let read = |value: &'v Value| value.as_str().ok_or_else(|| invalid(field, "a string"));
    value.get(field).map(read).transpose()
}

fn text<'v>(value: &'v Value, field: &str) -> Result<Option<&'v str>, Refusal> {
    match string(value, field)? {
        Some("") => Err(invalid(field, "a string that is not empty")),
        text => Ok(text),
    }
}

fn object<'v>(value: &'v Value, field: &str) -> Result<Option<&'v Value>, Refusal> {
    let object = value.get(field);
    match object {
        Some(value) if value.as_object().is_none() => Err(invalid(field, "an object")),
        object => Ok(object),
    }
}
