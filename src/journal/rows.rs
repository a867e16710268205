//! What stands in which column. Knows SQL and the types of the rows, and nothing of stages' rules.

use super::entry::{Entry, Intent};
use super::progress::Progress;
use super::record::{self, time};
use super::stage::Stage;
use crate::domain::Try;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use std::time::Duration;
use uuid::Uuid;

type Rows<T> = Result<T, rusqlite::Error>;

const ENTRY: &str = "SELECT i.id, i.request_id, i.verdict, i.tenant_id, i.thread_id, i.key, i.base_url, i.body, \
    i.sealed, i.digest, i.reason, i.reviewer, i.decided_at, i.hold_until, \
    p.stage, p.maybe, p.in_flight, p.tries, p.next_at, p.resolution, p.acknowledged, p.returned, p.reached_at, \
    p.updated_at \
    FROM intent i JOIN progress p ON p.seq = i.seq";

/// Where the columns of `progress` start in [`ENTRY`].
const PROGRESS: usize = 14;

/// Entries, with what follows the FROM of [`ENTRY`].
pub(super) fn entries(db: &Connection, which: &str, params: impl Params) -> Rows<Vec<Entry>> {
    db.prepare_cached(&format!("{ENTRY} {which}"))?.query_map(params, entry)?.collect()
}

/// The first of them.
pub(super) fn first(db: &Connection, which: &str, params: impl Params) -> Rows<Option<Entry>> {
    db.prepare_cached(&format!("{ENTRY} {which}"))?.query_row(params, entry).optional()
}

fn entry(row: &Row<'_>) -> Rows<Entry> {
    let now = progress(row, PROGRESS)?;
    Ok(Entry {
        intent: Intent {
            id: parsed(row, 0, |text| text.parse().ok())?,
            request_id: parsed(row, 1, |text| text.parse().ok())?,
            verdict: parsed(row, 2, |text| text.parse().ok())?,
            tenant_id: row.get(3)?,
            thread_id: row.get(4)?,
            key: row.get(5)?,
            base_url: row.get(6)?,
            body: row.get(7)?,
            sealed: row.get::<_, Option<String>>(8)?.map(Into::into),
            digest: optional(row, 9, |text| text.parse().ok())?,
            reason: row.get(10)?,
            reviewer: row.get(11)?,
            decided_at: parsed(row, 12, record::parse_time)?,
            hold_until: optional(row, 13, record::parse_time)?,
        },
        stage: now.stage,
        maybe: now.maybe,
        reached_at: now.reached_at,
        tries: now.tries,
        next_at: now.next_at,
        resolution: now.resolution,
        acknowledged: now.acknowledged,
        returned: now.returned,
        updated_at: parsed(row, PROGRESS + 9, record::parse_time)?,
    })
}

/// The columns of `progress` from `at` on, without the last.
fn progress(row: &Row<'_>, at: usize) -> Rows<Progress> {
    Ok(Progress {
        stage: parsed(row, at, Stage::parse)?,
        maybe: row.get(at + 1)?,
        in_flight: row.get(at + 2)?,
        tries: row.get(at + 3)?,
        next_at: optional(row, at + 4, record::parse_time)?,
        resolution: optional(row, at + 5, record::read)?,
        acknowledged: row.get(at + 6)?,
        returned: row.get(at + 7)?,
        reached_at: optional(row, at + 8, record::parse_time)?,
    })
}

fn parsed<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> Rows<T> {
    let text: String = row.get(at)?;
    parse(&text).ok_or_else(|| unreadable(at))
}

fn optional<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> Rows<Option<T>> {
    let text: Option<String> = row.get(at)?;
    text.map(|text| parse(&text).ok_or_else(|| unreadable(at))).transpose()
}

fn unreadable(at: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        at,
        Type::Text,
        "the column holds what no journal writes".into(),
    )
}

/// Every try of the decision that was answered or given up on, in order.
pub(super) fn tries(db: &Connection, id: Uuid) -> Rows<Vec<Try>> {
    let one = |row: &Row<'_>| {
        Ok(Try {
            number: row.get(0)?,
            http_status: row.get(1)?,
            error: row.get(2)?,
            started: parsed(row, 3, record::parse_time)?,
            took: duration(row, 4)?,
            waited: duration(row, 5)?,
        })
    };
    db.prepare_cached(
        "SELECT a.number, a.http_status, a.error, a.started, a.took, a.waited \
         FROM attempt a JOIN intent i ON i.seq = a.intent WHERE i.id = ? ORDER BY a.seq",
    )?
    .query_map([id.to_string()], one)?
    .collect()
}

fn duration(row: &Row<'_>, at: usize) -> Rows<Duration> {
    let nanos: i64 = row.get(at)?;
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| unreadable(at))
}

/// A time of more than 292 years is cut there.
fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// Where the decision stands: its row and how far it is.
pub(super) fn standing(db: &Connection, id: Uuid) -> Rows<Option<(i64, Progress)>> {
    db.prepare_cached(
        "SELECT p.seq, p.stage, p.maybe, p.in_flight, p.tries, p.next_at, p.resolution, p.acknowledged, p.returned, \
         p.reached_at \
         FROM intent i JOIN progress p ON p.seq = i.seq WHERE i.id = ?",
    )?
    .query_row([id.to_string()], |row| Ok((row.get(0)?, progress(row, 1)?)))
    .optional()
}

/// Whether the id or the request id is in use.
pub(super) fn is_known(db: &Connection, intent: &Intent) -> Rows<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM intent WHERE id = ?) OR EXISTS (SELECT 1 FROM intent WHERE request_id = ?)")?
        .query_row([intent.id.to_string(), intent.request_id.to_string()], |row| row.get(0))
}

/// The decision that holds the key at that server.
pub(super) fn holder_of_key(db: &Connection, intent: &Intent) -> Rows<Option<(Uuid, Stage)>> {
    db.prepare_cached(
        "SELECT i.id, p.stage FROM intent i JOIN progress p ON p.seq = i.seq \
         WHERE i.key = ? AND i.thread_id = ? AND i.base_url = ? AND i.tenant_id IS ? AND p.holds_key",
    )?
    .query_row(params![intent.key, intent.thread_id, intent.base_url, intent.tenant_id], |row| holder(row, 0))
    .optional()
}

/// The key of the decision in row `seq`, and the other decision that holds it now.
pub(super) fn rival(db: &Connection, seq: i64) -> Rows<Option<(String, (Uuid, Stage))>> {
    db.prepare_cached(
        "SELECT me.key, i.id, p.stage FROM intent me JOIN intent i ON i.key = me.key AND i.seq <> me.seq \
         AND i.thread_id = me.thread_id AND i.base_url = me.base_url AND i.tenant_id IS me.tenant_id \
         JOIN progress p ON p.seq = i.seq WHERE me.seq = ? AND p.holds_key",
    )?
    .query_row([seq], |row| Ok((row.get(0)?, holder(row, 1)?)))
    .optional()
}

fn holder(row: &Row<'_>, at: usize) -> Rows<(Uuid, Stage)> {
    Ok((parsed(row, at, |text| text.parse().ok())?, parsed(row, at + 1, Stage::parse)?))
}

/// Writes a new decision.
pub(super) fn insert(db: &Connection, intent: &Intent, now: Timestamp) -> Rows<()> {
    db.prepare_cached(
        "INSERT INTO intent (id, request_id, verdict, tenant_id, thread_id, key, base_url, body, sealed, digest, \
         reason, reviewer, decided_at, hold_until) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        intent.id.to_string(),
        intent.request_id.to_string(),
        intent.verdict.word(),
        intent.tenant_id,
        intent.thread_id,
        intent.key,
        intent.base_url,
        intent.body,
        intent.sealed.as_deref(),
        intent.digest.map(|digest| digest.to_string()),
        intent.reason,
        intent.reviewer,
        time(intent.decided_at),
        intent.hold_until.map(time),
    ])?;
    let seq = db.last_insert_rowid();
    db.prepare_cached(
        "INSERT INTO progress (seq, stage, maybe, in_flight, tries, acknowledged, holds_key, updated_at) \
         VALUES (?, ?, 0, 0, 0, 0, 1, ?)",
    )?
    .execute(params![seq, Progress::new(intent.hold_until.is_some()).stage.word(), time(now)])?;
    Ok(())
}

/// Writes how far the decision in row `seq` is.
pub(super) fn save(db: &Connection, seq: i64, progress: &Progress, now: Timestamp) -> Rows<()> {
    let resolution = progress.resolution.as_ref().map(record::write).transpose();
    let resolution = resolution.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    db.prepare_cached(
        "UPDATE progress SET stage = ?2, maybe = ?3, in_flight = ?4, tries = ?5, next_at = ?6, outcome = ?7, \
         resolution = ?8, acknowledged = ?9, returned = ?10, holds_key = ?11, updated_at = ?12, reached_at = ?13 \
         WHERE seq = ?1",
    )?
    .execute(params![
        seq,
        progress.stage.word(),
        progress.maybe,
        progress.in_flight,
        progress.tries,
        progress.next_at.map(time),
        progress.resolution.as_ref().map(|resolution| resolution.outcome.word()),
        resolution,
        progress.acknowledged,
        progress.returned,
        progress.holds_key(),
        time(now),
        progress.reached_at.map(time),
    ])?;
    Ok(())
}

/// Appends a try.
pub(super) fn append_try(db: &Connection, seq: i64, one: &Try) -> Rows<()> {
    db.prepare_cached(
        "INSERT INTO attempt (intent, number, http_status, error, started, took, waited) VALUES (?,?,?,?,?,?,?)",
    )?
    .execute(params![
        seq,
        one.number,
        one.http_status,
        one.error,
        time(one.started),
        nanos(one.took),
        nanos(one.waited)
    ])?;
    Ok(())
}

/// Nobody knows what became of what was being sent when the process before ended.
pub(super) fn doubt_what_was_being_sent(db: &Connection, now: Timestamp) -> Rows<()> {
    db.execute(
        "UPDATE progress SET maybe = 1, in_flight = 0, updated_at = ? WHERE stage = 'sending' AND (in_flight OR NOT maybe)",
        [time(now)],
    )?;
    Ok(())
}

/// So many of those, oldest first, that ended before then and leave nothing to be said or done: known to stand, taken
/// back, or acknowledged.
pub(super) fn prunable(db: &Connection, before: Timestamp, many: usize) -> Rows<Vec<i64>> {
    db.prepare_cached(
        "SELECT seq FROM progress WHERE updated_at < ? AND (stage = 'dropped' OR stage IN ('ended', 'returned') \
         AND (acknowledged OR outcome IN ('accepted', 'committed', 'mine', 'same', 'counted'))) ORDER BY seq LIMIT ?",
    )?
    .query_map(params![time(before), i64::try_from(many).unwrap_or(i64::MAX)], |row| row.get(0))?
    .collect()
}

/// Deletes that many of them.
pub(super) fn prune(db: &Connection, before: Timestamp, many: usize) -> Rows<()> {
    for seq in prunable(db, before, many)? {
        for delete in [
            "DELETE FROM attempt WHERE intent = ?",
            "DELETE FROM progress WHERE seq = ?",
            "DELETE FROM intent WHERE seq = ?",
        ] {
            db.prepare_cached(delete)?.execute([seq])?;
        }
    }
    Ok(())
}
