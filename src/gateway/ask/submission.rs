//! What an agent may send, checked field by field with errors that name the field, and how it is sealed.
//!
//! The agent's words are kept as they came; what the gateway adds is the risk, which a claim and what the gateway sees in
//! the submission may raise and not lower.

use super::super::answer::Refusal;
use super::super::auth::Caller;
use super::super::body;
use super::super::store::Report;
use crate::domain::action::{Draft, is_id};
use crate::domain::json::{Limits, Member, Value};
use crate::domain::{Action, Risk, Untrusted};
use jiff::Timestamp;
use std::time::Duration;

/// The shortest and the longest time that an agent may give its reviewers.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 24 * 60 * 60));
/// Labels are sealed beside the claims that bear them, so there is a limit to them.
const LABELS: usize = 64;

/// A submission whose every field has been checked.
pub(super) struct Submission<'s> {
    /// The bytes as they came.
    pub(super) source: &'s str,
    value: Value,
    timeout: Duration,
    thread: Option<String>,
    labels: Vec<(String, String)>,
    claimed_risk: Option<Risk>,
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
        let timeout = duration(timeout).filter(|timeout| (shortest..=longest).contains(timeout));
        let timeout = timeout.ok_or_else(|| {
            Refusal::bad("invalid_timeout", "timeout must be like 30s, 10m, 24h or 7d, from 1s to 30d")
        })?;
        let labels = context.map(labels).transpose()?.unwrap_or_default();
        let thread = context.map(thread).transpose()?.flatten();
        let claimed_risk = context.and_then(|context| context.get("risk")?.as_str()?.parse::<Risk>().ok());
        Ok(Self { source, timeout, thread, labels, claimed_risk, value })
    }

    /// Writes the sealed text.
    pub(super) fn seal(
        &self,
        id: &str,
        key: &str,
        caller: &Caller,
        created_at: Timestamp,
    ) -> Result<String, Refusal> {
        let of = |name: &str| self.value.get(name);
        let raw = |name: &str| of(name).map(|value| value.text(self.source));
        let words = |name: &str| of(name).and_then(Value::as_str);
        let expires_at = created_at
            .checked_add(self.timeout)
            .map_err(|_| Refusal::bad("invalid_timeout", "timeout ends after the end of time"))?;
        let mut risk_reasons: Vec<_> =
            self.claimed_risk.map(|_| "the agent says so".to_owned()).into_iter().collect();
        let draft = Draft {
            id,
            tenant_id: &caller.tenant,
            thread_id: self.thread.as_deref().unwrap_or(id),
            idempotency_key: key,
            agent: &caller.name,
            action: words("tool").unwrap_or_default(),
            server: words("server"),
            payload: raw("arguments").unwrap_or("{}"),
            summary: of("context").and_then(|context| context.get("summary")?.as_str()),
            rationale: words("agent_reasoning"),
            claims: raw("context"),
            risk: self.claimed_risk.unwrap_or_default(),
            risk_reasons: &[],
            labels: &self.labels,
            // More than one is not enforced yet, so more than one is not promised; the claim stands in `claims`.
            reviewers_needed: 1,
            grace: Duration::ZERO,
            created_at,
            expires_at,
        };
        // Judged as the console will see it.
        let shown = Action::read(draft.seal())
            .map_err(|error| Refusal::bad("unreadable", format!("the action could not be shown: {error}")))?;
        let reasons = shown.findings.iter().filter(|finding| finding.kind.raises() >= shown.risk);
        risk_reasons.extend(reasons.map(|finding| format!("the gateway saw {}", finding.words())));
        Ok(Draft { risk: shown.risk, risk_reasons: &risk_reasons, ..draft }.seal())
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

/// `30s`, `10m`, `24h`, `7d`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = plain.then(|| digits.parse().ok()).flatten()?;
    Some(Duration::from_secs(count * seconds))
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
