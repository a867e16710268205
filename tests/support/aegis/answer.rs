//! The bytes of the server's answers.

use super::ledger::Row;
use super::script::{Conflicts, StatusCall};
use aegis_console::domain::{RowStatus, timestamp};
use serde_json::json;

/// A whole answer. The connection is closed after it.
pub(super) fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    bytes(status, &format!("Connection: close\r\n{headers}"), body)
}

/// A whole answer in JSON. The connection is kept.
fn kept(status: u16, headers: &str, body: &str) -> Vec<u8> {
    bytes(status, &format!("Content-Type: application/json\r\n{headers}"), body.as_bytes())
}

fn bytes(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn decision(row: &Row) -> serde_json::Value {
    json!({
        "request_id": row.request_id,
        "status": row.status.word(),
        "verdict": row.verdict.word(),
        "reviewer": row.reviewer,
        "decided_at": timestamp::format(row.decided_at),
    })
}

/// The row as 202 and the status call say it.
pub(super) fn row(row: &Row) -> String {
    decision(row).to_string()
}

pub(super) fn accepted(standing: &Row) -> Vec<u8> {
    kept(202, "", &row(standing))
}

pub(super) fn failed() -> Vec<u8> {
    kept(500, "", r#"{"detail":"its processing failed"}"#)
}

/// What a server answers that stores its first answer and repeats it to everybody.
pub(super) fn replayed(row: &str) -> Vec<u8> {
    whole(202, "Idempotent-Replayed: true\r\n", row.as_bytes())
}

/// A 409 in that setting.
pub(super) fn conflict(row: &Row, conflicts: Conflicts) -> Vec<u8> {
    let problem = |more: Option<serde_json::Value>| {
        let mut body = json!({
            "type": "urn:aegis-console:duplicate",
            "title": "Conflict",
            "status": 409,
            "detail": format!("already {}", row.verdict.past()),
        });
        if more.is_none() {
            body["type"] = "about:blank".into();
            body["detail"] = "this key is known".into();
        }
        if let Some(decision) = more {
            body["decision"] = decision;
        }
        body.to_string()
    };
    let wait = if row.status == RowStatus::Pending { "Retry-After: 1\r\n" } else { "" };
    match conflicts {
        Conflicts::Ours => kept(409, wait, &problem(Some(decision(row)))),
        Conflicts::Bare => bytes(409, "", b""),
        Conflicts::Html => bytes(409, "Content-Type: text/html\r\n", b"<html><h1>409 Conflict</h1></html>"),
        Conflicts::Problem => kept(409, "", &problem(None)),
    }
}

/// What the status call says of a row, where it says anything.
pub(super) fn status(row: Option<&Row>, call: StatusCall) -> Option<Vec<u8>> {
    let unknown = || kept(404, "", r#"{"detail":"no such request"}"#);
    match (call, row) {
        (StatusCall::Hanging, _) => None,
        (StatusCall::Failing, _) => Some(kept(500, "", r#"{"detail":"no database"}"#)),
        (StatusCall::Missing, _) | (_, None) => Some(unknown()),
        (StatusCall::Cut(count), Some(standing)) => {
            let mut part = kept(200, "", &self::row(standing));
            part.truncate(count);
            Some(part)
        }
        (StatusCall::Full, Some(standing)) => Some(kept(200, "", &self::row(standing))),
        (StatusCall::Minimal, Some(standing)) => {
            Some(kept(200, "", &json!({ "status": standing.status.word() }).to_string()))
        }
    }
}
