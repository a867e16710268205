//! The trace format of the PyPI package `agentack` (schema 2): proposed, shown, decided, executed or blocked, in the order of
//! the log. Only what the log knows is told: an action that nobody decided has no decision, and so is left out.
//!
//! An action's identity is the tool, its server, the exact text of its arguments, and the digest that the row names: that of
//! the sealed text, the one that the reviewer's call named, the one that was handed out. Were they not the same, the grader
//! would say so. The arguments are one text, since numbers as JSON has them do not survive every reader.

use super::export::each;
use crate::cli::output;
use crate::domain::{Action, Digest, Untrusted, timestamp};
use crate::gateway::audit::entry::{Entry, Kind};
use crate::gateway::audit::stored::{Log, StoredRow};
use crate::gateway::audit::tree;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;

/// The grader takes one session in a file.
const SESSION: &str = "aegis-console";

/// How an action ended, as a first reading finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ending {
    rejected: bool,
    taken: bool,
    /// Until when the approval could be taken.
    until: Option<String>,
}

/// An action between its proposal and its end.
struct Open {
    tool: String,
    server: Option<String>,
    arguments: String,
    digest: String,
    /// The approval that decided it; none where a rule did.
    approval: Option<String>,
}

impl Open {
    /// The action as the row that names this digest knows it.
    fn shown(&self, digest: Option<&str>) -> Value {
        let mut action = json!({
            "tool": self.tool,
            "operation": "call",
            "parameters": {"arguments": self.arguments, "digest": digest.unwrap_or(&self.digest)},
        });
        if let Some(server) = &self.server {
            action["resource"] = json!(server);
        }
        action
    }
}

/// Writes the trace; whether every row held.
pub(super) fn export(log: &mut dyn Log, tenant: Option<&str>, out: &mut impl Write) -> anyhow::Result<bool> {
    let mut endings: HashMap<String, Ending> = HashMap::new();
    let mut whole = true;
    each(log, |found| {
        match read(found) {
            Some(entry) if tenant.is_none_or(|tenant| tenant == entry.tenant) => note(&entry, &mut endings),
            Some(_) => {}
            None => {
                output::complain(&format!("row {} does not hold; run audit verify", found.seq));
                whole = false;
            }
        }
        Ok(())
    })?;
    let left_out = endings.values().filter(|ending| !ending.rejected && !ending.taken).count();
    endings.retain(|_, ending| ending.rejected || ending.taken);
    let mut open = HashMap::new();
    let mut last = Timestamp::UNIX_EPOCH;
    each(log, |found| {
        let Some(entry) = read(found) else { return Ok(()) };
        let Some(ending) = entry.action_id.as_ref().and_then(|id| endings.get(id)) else { return Ok(()) };
        last = entry.at;
        for event in events(&entry, ending, &mut open) {
            line(out, entry.at, event)?;
        }
        Ok(())
    })?;
    line(out, last, json!({"type": "session_end", "reason": "exported"}))?;
    if left_out > 0 {
        output::complain(&format!(
            "{left_out} actions are left out: nobody decided them, or what was decided was not taken"
        ));
    }
    Ok(whole)
}

fn read(found: &StoredRow) -> Option<Entry> {
    let row = found.row.as_ref().ok()?;
    let same = tree::hex(&tree::leaf(row.entry.as_bytes())) == row.hash;
    Entry::read(&row.entry).ok().filter(|_| same)
}

fn note(entry: &Entry, endings: &mut HashMap<String, Ending>) {
    let Some(id) = &entry.action_id else { return };
    match Kind::parse(&entry.kind) {
        Some(Kind::Asked) => drop(endings.entry(id.clone()).or_default()),
        Some(Kind::Decided) if entry.text("verdict") == Some("reject") => {
            endings.entry(id.clone()).or_default().rejected = true;
        }
        Some(Kind::Consumed) => {
            let ending = endings.entry(id.clone()).or_default();
            ending.taken = true;
            ending.until = entry.text("until").map(str::to_owned);
        }
        _ => {}
    }
}

/// What a row is in the trace.
fn events(entry: &Entry, ending: &Ending, open: &mut HashMap<String, Open>) -> Vec<Value> {
    let Some(id) = entry.action_id.clone() else { return Vec::new() };
    let digest = entry.text("digest");
    match Kind::parse(&entry.kind) {
        Some(Kind::Asked) => {
            let Some(action) = proposed(entry) else { return Vec::new() };
            let event = json!({"type": "action_proposed", "action_id": id, "action": action.shown(None)});
            open.insert(id, action);
            vec![event]
        }
        Some(Kind::Decided | Kind::ApprovedByOne) => {
            let Some(action) = open.get_mut(&id) else { return Vec::new() };
            // Its row tells it from every other.
            let approval = format!("{id}:{}", entry.seq);
            action.approval = Some(approval.clone());
            let shown = action.shown(digest);
            let mut all = vec![json!({
                "type": "approval_requested", "action_id": id, "approval_id": approval, "action": shown,
            })];
            let word = if entry.text("verdict") == Some("approve") { "allow" } else { "deny" };
            let mut decision = json!({
                "type": "approval_decision", "action_id": id, "approval_id": approval, "decision": word,
            });
            if let Some(until) = ending.until.as_deref().filter(|_| word == "allow") {
                decision["expires_at"] = json!(until);
            }
            all.push(decision);
            if word == "deny" {
                all.push(json!({
                    "type": "action_blocked", "action_id": id, "approval_id": approval, "reason": "rejected",
                }));
                open.remove(&id);
            }
            all
        }
        Some(Kind::Consumed) => {
            let Some(action) = open.remove(&id) else { return Vec::new() };
            let shown = action.shown(digest);
            let mut event = json!({"type": "action_executed", "action_id": id, "action": shown});
            if let Some(approval) = &action.approval {
                event["approval_id"] = json!(approval);
            }
            vec![event]
        }
        _ => Vec::new(),
    }
}

/// The action of an asking, under the digest of the text that stands there.
fn proposed(entry: &Entry) -> Option<Open> {
    let sealed = entry.text("sealed")?;
    let action = Action::read(sealed).ok()?;
    Some(Open {
        tool: action.name.raw().to_owned(),
        server: action.server.as_ref().map(Untrusted::raw).map(str::to_owned),
        arguments: action.payload().to_owned(),
        digest: Digest::of(sealed.as_bytes()).to_string(),
        approval: None,
    })
}

fn line(out: &mut impl Write, at: Timestamp, mut event: Value) -> std::io::Result<()> {
    event["schema_version"] = json!(2);
    event["session_id"] = json!(SESSION);
    event["timestamp"] = json!(timestamp::format(at));
    writeln!(out, "{}", output::json(&event))
}
