//! The auditor: holds what a client said of its decision against the ledger. It knows nothing of how the client works.
//!
//! [`check`] finds what is not true; [`missed`] finds what is true but less than could have been known.

use super::ledger::{Asked, Ledger, Row};
use super::script::{Conflicts, StatusCall};
use aegis_console::domain::{Resolution, RowStatus, Verdict};
use std::time::Duration;

/// Verdict, request id and reviewer, as far as they are said.
pub(crate) type Standing = (Option<Verdict>, Option<String>, Option<String>);

/// What a client was told to do, and what it said became of it.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) verdict: Verdict,
    pub(crate) key: String,
    pub(crate) request_id: String,
    /// The word for programs.
    pub(crate) outcome: String,
    pub(crate) http_status: Option<u16>,
    /// Tries that it says it made.
    pub(crate) tries: usize,
    /// The decision that it says stands.
    pub(crate) standing: Option<Standing>,
}

impl Claim {
    pub(crate) fn of(verdict: Verdict, resolution: &Resolution) -> Self {
        let standing = resolution.standing.as_ref().map(|standing| {
            let reviewer = standing.reviewer.as_ref().map(|reviewer| reviewer.raw().to_owned());
            (standing.verdict, standing.request_id.clone(), reviewer)
        });
        Self {
            verdict,
            key: resolution.idempotency_key.clone(),
            request_id: resolution.request_id.clone(),
            outcome: resolution.outcome.word().to_owned(),
            http_status: resolution.http_status,
            tries: resolution.tries.len(),
            standing,
        }
    }
}

/// Something that is not true, or was not done as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lie {
    /// It ended without a word.
    Silent,
    /// It ended after its deadline.
    Late,
    /// More than one execution.
    Twice,
    /// A try under another key.
    OtherKey,
    /// A try under another request id.
    OtherRequestId,
    /// A try with other bytes, head or body.
    OtherBytes,
    /// The decision went to a server that it was not meant for.
    Elsewhere,
    /// More tries came in than it says it made.
    HiddenTries,
    /// It says that the server has it, and the server does not.
    NotTaken,
    /// It says that it was carried out, and it was not.
    NotExecuted,
    /// It says that its processing failed, and it did not.
    NotFailed,
    /// It says that nothing came in, and something did.
    SomethingCame,
    /// It says that it had no effect, and it had.
    HadEffect,
    /// It says that another decided the same, and nobody did.
    NotSame,
    /// It says that the opposite stands, and it does not.
    NotConflict,
    /// The decision that it says stands is not the one that does.
    OtherStanding,
    /// A word that is none.
    NoWord,
}

impl Lie {
    pub(crate) const ALL: [Self; 17] = [
        Self::Silent,
        Self::Late,
        Self::Twice,
        Self::OtherKey,
        Self::OtherRequestId,
        Self::OtherBytes,
        Self::Elsewhere,
        Self::HiddenTries,
        Self::NotTaken,
        Self::NotExecuted,
        Self::NotFailed,
        Self::SomethingCame,
        Self::HadEffect,
        Self::NotSame,
        Self::NotConflict,
        Self::OtherStanding,
        Self::NoWord,
    ];
}

/// Every way in which `claim` is not true. `elsewhere` is the ledger of a server that nothing was meant for.
pub(crate) fn check(
    ledger: &Ledger,
    elsewhere: Option<&Ledger>,
    claim: Option<&Claim>,
    took: Duration,
    deadline: Duration,
) -> Vec<Lie> {
    let mut lies = Vec::new();
    let mut lie = |is: bool, lie: Lie| lies.extend(is.then_some(lie));
    lie(took > deadline, Lie::Late);
    lie(ledger.executions.len() > 1, Lie::Twice);
    lie(elsewhere.is_some_and(|other| !other.asked.is_empty()), Lie::Elsewhere);
    let whole: Vec<&Asked> = ledger.decisions().filter(|asked| !asked.head.is_empty()).collect();
    if let Some(first) = whole.first() {
        lie(whole.iter().any(|one| (&one.head, &one.body) != (&first.head, &first.body)), Lie::OtherBytes);
        let other = |name| whole.iter().any(|one| one.header(name) != first.header(name));
        lie(other("idempotency-key"), Lie::OtherKey);
        lie(other("x-request-id"), Lie::OtherRequestId);
    }
    let Some(claim) = claim else {
        lies.push(Lie::Silent);
        return lies;
    };
    for asked in &whole {
        lie(asked.header("idempotency-key") != Some(&claim.key), Lie::OtherKey);
        lie(asked.header("x-request-id") != Some(&claim.request_id), Lie::OtherRequestId);
        lie(asked.verdict() != Some(claim.verdict), Lie::OtherBytes);
    }
    lie(ledger.decisions().count() > claim.tries, Lie::HiddenTries);

    let row = ledger.rows.get(&claim.key);
    let mine = row.is_some_and(|row| row.request_id == claim.request_id);
    let executed = ledger.executed(&claim.request_id);
    let others = row.filter(|row| row.request_id != claim.request_id && ledger.executed(&row.request_id));
    match claim.outcome.as_str() {
        "accepted" => lie(!mine, Lie::NotTaken),
        "committed" | "mine" => lie(!(mine && executed), Lie::NotExecuted),
        "failed" => lie(row.is_none_or(|row| row.status != RowStatus::Failed), Lie::NotFailed),
        "same" => lie(executed || others.is_none_or(|row| row.verdict != claim.verdict), Lie::NotSame),
        "conflict" => {
            lie(executed || others.is_none_or(|row| row.verdict == claim.verdict), Lie::NotConflict);
        }
        "refused" | "quota" => lie(mine || executed, Lie::HadEffect),
        "not_sent" => lie(ledger.decisions().next().is_some(), Lie::SomethingCame),
        "in_progress" | "unknown" | "unconfirmed" => {}
        _ => lie(true, Lie::NoWord),
    }
    if let Some((verdict, request_id, reviewer)) = &claim.standing {
        let is = |row: &Row| {
            verdict.is_none_or(|verdict| verdict == row.verdict)
                && request_id.as_ref().is_none_or(|id| *id == row.request_id)
                && reviewer.as_ref().is_none_or(|name| *name == row.reviewer)
        };
        lie(!row.is_some_and(is), Lie::OtherStanding);
    }
    lies.sort_by_key(|lie| *lie as u8);
    lies.dedup();
    lies
}

/// Where more could have been said: what. `ledger` is as of the moment at which it was said. `tries` is how many the client may make within its deadline.
pub(crate) fn missed(
    ledger: &Ledger,
    claim: &Claim,
    (status, conflicts): (StatusCall, Conflicts),
    gone: bool,
    tries: usize,
) -> Option<&'static [&'static str]> {
    let word = claim.outcome.as_str();
    let row = ledger.rows.get(&claim.key);
    let answers: Vec<_> = ledger.decisions().map(|asked| asked.answered).collect();
    let asks = |call| status == call && !gone && ledger.seen.contains_key(&claim.request_id);
    let told = answers.iter().flatten().filter_map(|answer| answer.told).next_back();
    let knows_whose = told.is_some() || asks(StatusCall::Full);
    let now = asks(StatusCall::Full) || asks(StatusCall::Minimal);
    let state = if now { row.map(|row| row.status) } else { told };
    let codes: Vec<_> = answers.iter().map(|answer| answer.map(|answer| answer.status)).collect();
    // A 5xx, a 408 and everything that is no whole answer leave a doubt.
    let is_no = |code: Option<u16>| code.is_some_and(|code| (300..500).contains(&code) && code != 408);
    let best: &[&str] = match row {
        None if answers.is_empty() => &["not_sent"],
        // Nothing proves that a request which may still be on its way is not there.
        None if codes.iter().any(|code| !is_no(*code)) => &["unconfirmed", "in_progress"],
        None if codes.contains(&Some(409)) => &["unknown"],
        None => &["refused", "quota"],
        Some(row) => match (state, row.request_id == claim.request_id) {
            // Where the status does not say how it ends, nothing may: sending it again after a janitor's FAILED would
            // execute it a second time.
            (Some(RowStatus::Pending), true) => &["accepted", "in_progress"],
            (Some(RowStatus::Pending), false) => &["in_progress"],
            (Some(RowStatus::Failed), _) => &["failed"],
            (Some(RowStatus::Committed), true) if knows_whose => &["committed", "mine"],
            (Some(RowStatus::Committed), false) if knows_whose && row.verdict == claim.verdict => &["same"],
            (Some(RowStatus::Committed), false) if knows_whose => &["conflict"],
            _ => &[],
        },
    };
    let weak = matches!(word, "unknown" | "unconfirmed" | "in_progress" | "accepted");
    if best.is_empty() {
        // Nothing told it. Sending again would have, where there were tries left and a 409 says whose it is.
        let asked_on = codes.last().is_some_and(|code| is_no(*code)) || answers.len() >= tries;
        let no_use = gone || conflicts != Conflicts::Ours || word == "accepted";
        return (weak && !asked_on && !no_use).then_some(&["mine", "same", "conflict"]);
    }
    (weak && !best.contains(&word)).then_some(best)
}
