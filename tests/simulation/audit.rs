//! The auditor: holds what the consoles sent, kept and said against the server's ledger. It knows nothing of how a console
//! works.

use crate::network::Sent;
use crate::server::{Ledger, StatusCall};
use aegis_console::domain::{RowStatus, Verdict};
use std::collections::BTreeMap;

/// What must never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// More than one effect on an action, and the reviewer had not asked for another.
    Twice,
    /// A call under another key, under another request id, or with other bytes than the one before it.
    OtherKey,
    OtherRequestId,
    OtherBytes,
    /// Sent before it was on disk as being sent.
    NotOnDisk,
    /// A word that is not true.
    Untrue,
    /// A word that was said and is unsaid.
    Unsaid,
    /// Not at an end although nothing goes wrong any more.
    NeverEnds,
}

pub(crate) type Finding = (Wrong, String);

/// What a console says of a decision.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) console: usize,
    pub(crate) action: String,
    pub(crate) key: String,
    pub(crate) verdict: Verdict,
    pub(crate) request_id: String,
    pub(crate) word: &'static str,
    /// The reviewer has had it sent again after being told how it had ended: the word is about what was sent since.
    pub(crate) again: bool,
}

/// Whether the word is true.
pub(crate) fn word(ledger: &Ledger, claim: &Claim, status: StatusCall) -> Option<Finding> {
    let id = &claim.request_id;
    let executed = ledger.executed(id);
    let was = |status| ledger.was(id, status);
    // The server itself has given up on it, whatever it had done.
    let had_effect = executed && !was(RowStatus::Failed);
    let others: Vec<_> =
        ledger.executions.iter().filter(|one| one.action == claim.action && one.request_id != *id).collect();
    let arrived =
        ledger.arrived.iter().any(|call| call.console == claim.console && call.action == claim.action);
    let is_true = match claim.word {
        "accepted" => was(RowStatus::Pending),
        // Where the status says of a row no more than how far it is, it may be another's by now.
        "committed" if status == StatusCall::Minimal && was(RowStatus::Failed) => true,
        "committed" | "mine" => executed,
        "failed" => {
            ledger.was.iter().any(|(call, status)| call.key == claim.key && *status == RowStatus::Failed)
        }
        "same" => !had_effect && others.iter().any(|one| one.verdict == claim.verdict),
        "conflict" => !had_effect && others.iter().any(|one| one.verdict != claim.verdict),
        "refused" | "quota" | "not_sent" if claim.again => true,
        // What the line has copied is not answered to anybody.
        "refused" | "quota" => !ledger.was.iter().any(|(call, _)| call.request_id == *id && !call.copy),
        "not_sent" => !arrived,
        "in_progress" | "unknown" | "unconfirmed" => true,
        _ => false,
    };
    (!is_true).then(|| (Wrong::Untrue, format!("{claim:?}")))
}

/// What was sent, and what came of it. `presses` counts how often the reviewers had a decision on an action sent again.
pub(crate) fn effects(ledger: &Ledger, sent: &[Sent], presses: &BTreeMap<String, usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut count = BTreeMap::<&str, usize>::new();
    for one in ledger.executions.iter().filter(|one| !one.servers_own) {
        // Who was told that nothing was begun cannot know of the line's copy.
        if one.copied && ledger.turned_away.contains(&one.request_id) {
            continue;
        }
        *count.entry(&one.action).or_default() += 1;
    }
    for (action, count) in count {
        if count > 1 + presses.get(action).copied().unwrap_or_default() {
            let of: Vec<_> = ledger.executions.iter().filter(|one| one.action == action).collect();
            findings.push((Wrong::Twice, format!("{of:?}")));
        }
    }
    let mut first = BTreeMap::new();
    for one in sent {
        let before: &Sent = first.entry((one.console, &one.action)).or_insert(one);
        let differs = if before.key != one.key {
            Wrong::OtherKey
        } else if before.request_id != one.request_id {
            Wrong::OtherRequestId
        } else if before.bytes != one.bytes {
            Wrong::OtherBytes
        } else {
            continue;
        };
        findings.push((differs, format!("{before:?}\n{one:?}")));
    }
    findings
}
