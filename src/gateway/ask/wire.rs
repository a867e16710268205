//! What an agent reads back: its submission exactly as it was sent, and what the gateway adds. No other field, no null.

use super::super::store::Record;
use crate::domain::{ActionState, timestamp};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The request (wire.md, part 2). The submission's own bytes are spliced in: nothing is read and written again, so
/// `1.10`, `1e400` and 2^53+1 come back as they were sent.
pub(super) fn request(record: &Record) -> String {
    let submission = record.submission.trim_matches([' ', '\t', '\n', '\r']);
    // Everything up to the closing brace; a submission is an object that is not empty.
    let open = submission.strip_suffix('}').unwrap_or(submission);
    let added = added(record).to_string();
    format!("{open},{}", added.strip_prefix('{').unwrap_or(&added))
}

/// The word of the protocol for a state.
fn status(state: ActionState) -> &'static str {
    match state {
        ActionState::Rejected => "denied",
        state => state.word(),
    }
}

fn time(at: Timestamp) -> Value {
    timestamp::format(at).into()
}

fn added(record: &Record) -> Value {
    let mut added = Map::new();
    added.insert("id".into(), record.id.as_str().into());
    added.insert("status".into(), status(record.state).into());
    added.insert("created_at".into(), time(record.created_at));
    added.insert("deadline_at".into(), time(record.expires_at));
    if let Some(ended_at) = record.ended_at {
        let mut decision = Map::new();
        decision.insert("status".into(), status(record.state).into());
        decision.insert("decided_at".into(), time(ended_at));
        let note = record.decision.as_ref().and_then(|decision| decision.reason.as_deref());
        if let Some(note) = note.filter(|note| !note.is_empty()) {
            decision.insert("note".into(), note.into());
        }
        if let Some(until) = record.approval_expires_at {
            decision.insert("expires_at".into(), time(until));
        }
        added.insert("decision".into(), decision.into());
    }
    if let Some(consumption) = &record.consumption {
        let mut consumed = json!({"consumed_at": time(consumption.at)});
        if let Some((report, at)) = &consumption.outcome {
            consumed["outcome"] = json!({"status": report.word(), "reported_at": time(*at)});
            if let Some(note) = &report.note {
                consumed["outcome"]["note"] = note.as_str().into();
            }
        }
        added.insert("consumption".into(), consumed);
    }
    added.into()
}
