//! Reading rows: columns to fields. The one place that knows the order of columns.

use super::super::record::Consumption;
use super::super::{DecisionRow, Record, Report, StoreError};
use crate::domain::{ActionState, RowStatus};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

/// Every column of a [`Record`]; to be followed by conditions on `a`.
pub(super) const SELECT_RECORD: &str = "SELECT a.seq, a.id, a.thread, a.key, a.agent, a.submission, a.sealed,
    a.digest, a.created_at, a.expires_at, a.state, a.ended_at, a.approval_expires_at, a.consume_key, a.consumed_at,
    a.outcome, a.outcome_note, a.reported_at,
    d.key AS decision_key, d.action_id, d.status, d.verdict, d.reviewer, d.reason, d.request_id, d.decided_at,
    d.digest AS decision_digest
    FROM action a LEFT JOIN decision d ON d.action_id = a.id";

/// Every column of a [`DecisionRow`]; to be followed by conditions on `d`.
pub(super) const SELECT_DECISION: &str =
    "SELECT d.id, d.key AS decision_key, d.action_id, d.status, d.verdict,
    d.reviewer, d.reason, d.request_id, d.decided_at, d.digest AS decision_digest FROM decision d";

/// The number under which a time is stored.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Reads a [`Record`] from [`SELECT_RECORD`].
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let decided: Option<String> = row.get("decision_key")?;
    Ok(Record {
        seq: row.get("seq")?,
        id: row.get("id")?,
        thread: row.get("thread")?,
        key: row.get("key")?,
        agent: row.get("agent")?,
        submission: row.get("submission")?,
        sealed: row.get("sealed")?,
        digest: row.get("digest")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        state: word(row, "state", ActionState::parse)?,
        ended_at: optional_time(row, "ended_at")?,
        approval_expires_at: optional_time(row, "approval_expires_at")?,
        decision: decided.map(|_| decision(row)).transpose()?,
        consumption: consumption(row)?,
    })
}

/// Reads a [`DecisionRow`] from either selection.
pub(super) fn decision(row: &Row<'_>) -> rusqlite::Result<DecisionRow> {
    Ok(DecisionRow {
        key: row.get("decision_key")?,
        action_id: row.get("action_id")?,
        status: word(row, "status", RowStatus::parse)?,
        verdict: word(row, "verdict", |word| word.parse().ok())?,
        reviewer: row.get("reviewer")?,
        reason: row.get("reason")?,
        request_id: row.get("request_id")?,
        decided_at: time(row, "decided_at")?,
        digest: row.get("decision_digest")?,
    })
}

fn consumption(row: &Row<'_>) -> rusqlite::Result<Option<Consumption>> {
    let Some(at) = optional_time(row, "consumed_at")? else { return Ok(None) };
    let outcome = match (row.get::<_, Option<String>>("outcome")?, optional_time(row, "reported_at")?) {
        (Some(word), Some(at)) => {
            Some((Report { succeeded: word == "succeeded", note: row.get("outcome_note")? }, at))
        }
        _ => None,
    };
    Ok(Some(Consumption { key: row.get("consume_key")?, at, outcome }))
}

/// Reads a word of a closed set.
pub(super) fn word<T>(row: &Row<'_>, column: &str, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| unreadable(row, column, Type::Text))
}

/// Reads a time that every such row has.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    optional_time(row, column)?.ok_or_else(|| unreadable(row, column, Type::Null))
}

fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let micros: Option<i64> = row.get(column)?;
    let read =
        |micros| Timestamp::from_microsecond(micros).map_err(|_| unreadable(row, column, Type::Integer));
    micros.map(read).transpose()
}

fn unreadable(row: &Row<'_>, column: &str, found: Type) -> rusqlite::Error {
    let at = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::InvalidColumnType(at, column.to_owned(), found)
}

/// The action of that id.
pub(super) fn by_id(db: &Connection, tenant: &str, id: &str) -> Result<Option<Record>, StoreError> {
    let sql = format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.id = :id");
    let params = named_params! {":tenant": tenant, ":id": id};
    Ok(db.prepare_cached(&sql)?.query_row(params, record).optional()?)
}

/// The action whose decisions bear that key.
pub(super) fn by_key(db: &Connection, tenant: &str, key: &str) -> Result<Option<Record>, StoreError> {
    let sql = format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.key = :key");
    let params = named_params! {":tenant": tenant, ":key": key};
    Ok(db.prepare_cached(&sql)?.query_row(params, record).optional()?)
}
