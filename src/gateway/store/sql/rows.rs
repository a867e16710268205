//! Reading rows: columns to fields. The one place that knows the order of columns.

use super::super::record::Consumption;
use super::super::{DecisionRow, Record, Report, StoreError};
use super::approvals;
use super::db::{Db, Row, params};
use crate::domain::{ActionState, RowStatus};

/// Every column of a [`Record`]; to be followed by conditions on `a`.
pub(super) const SELECT_RECORD: &str = "SELECT a.seq, a.id, a.thread, a.key, a.agent, a.submission, a.sealed,
    a.digest, a.created_at, a.expires_at, a.state, a.ended_at, a.approval_expires_at, a.consume_key, a.consumed_at,
    a.outcome, a.outcome_note, a.reported_at, a.reviewers_needed, a.review_window,
    d.key AS decision_key, d.action_id, d.status, d.verdict, d.reviewer, d.reason, d.request_id, d.decided_at,
    d.digest AS decision_digest
    FROM action a LEFT JOIN decision d ON d.action_id = a.id AND d.status = 'COMMITTED'";

/// Every column of a [`DecisionRow`]; to be followed by conditions on `d`.
pub(super) const SELECT_DECISION: &str =
    "SELECT d.id, d.key AS decision_key, d.action_id, d.status, d.verdict,
    d.reviewer, d.reason, d.request_id, d.decided_at, d.digest AS decision_digest FROM decision d";

/// Reads a [`Record`] from [`SELECT_RECORD`], with what belongs to it in other tables.
pub(super) fn record(db: &dyn Db, row: Row) -> Result<Record, StoreError> {
    let record = columns(row)?;
    let approvals = if record.reviewers_needed > 1 { approvals::of(db, &record.id)? } else { Vec::new() };
    Ok(Record { approvals, ..record })
}

fn columns(mut row: Row) -> Result<Record, StoreError> {
    let row = &mut row;
    let decided: Option<String> = row.take("decision_key")?;
    Ok(Record {
        seq: row.take("seq")?,
        id: row.take("id")?,
        thread: row.take("thread")?,
        key: row.take("key")?,
        agent: row.take("agent")?,
        submission: row.take("submission")?,
        sealed: row.take("sealed")?,
        digest: row.take("digest")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        state: row.word("state", ActionState::parse)?,
        ended_at: row.optional_time("ended_at")?,
        approval_expires_at: row.optional_time("approval_expires_at")?,
        decision: decided.map(|key| standing(row, key)).transpose()?,
        reviewers_needed: row.take("reviewers_needed")?,
        review_window: row.take("review_window")?,
        approvals: Vec::new(),
        consumption: consumption(row)?,
    })
}

/// Reads a [`DecisionRow`] from [`SELECT_DECISION`].
pub(super) fn decision(mut row: Row) -> Result<DecisionRow, StoreError> {
    let key = row.take("decision_key")?;
    standing(&mut row, key)
}

fn standing(row: &mut Row, key: String) -> Result<DecisionRow, StoreError> {
    Ok(DecisionRow {
        key,
        action_id: row.take("action_id")?,
        status: row.word("status", RowStatus::parse)?,
        verdict: row.word("verdict", |word| word.parse().ok())?,
        reviewer: row.take("reviewer")?,
        reason: row.take("reason")?,
        request_id: row.take("request_id")?,
        decided_at: row.time("decided_at")?,
        digest: row.take("decision_digest")?,
        counted: None,
    })
}

fn consumption(row: &mut Row) -> Result<Option<Consumption>, StoreError> {
    let Some(at) = row.optional_time("consumed_at")? else { return Ok(None) };
    let outcome = match (row.take::<Option<String>>("outcome")?, row.optional_time("reported_at")?) {
        (Some(word), Some(at)) => {
            Some((Report { succeeded: word == "succeeded", note: row.take("outcome_note")? }, at))
        }
        _ => None,
    };
    Ok(Some(Consumption { key: row.take("consume_key")?, at, outcome }))
}

/// The action of that id.
pub(super) fn by_id(db: &dyn Db, tenant: &str, id: &str) -> Result<Option<Record>, StoreError> {
    let sql = format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.id = :id");
    db.first(&sql, params! {":tenant": tenant, ":id": id})?.map(|row| record(db, row)).transpose()
}

/// The action whose decisions bear that key.
pub(super) fn by_key(db: &dyn Db, tenant: &str, key: &str) -> Result<Option<Record>, StoreError> {
    let sql = format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.key = :key");
    db.first(&sql, params! {":tenant": tenant, ":key": key})?.map(|row| record(db, row)).transpose()
}
