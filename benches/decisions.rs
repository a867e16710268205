//! Durable decisions a second: 64 in flight over HTTP on loopback against a gateway in this process, beside the bare rate at
//! which SQLite takes the same rows from one loop, grouped by 64 in a commit, with the same settings. The ratio is what the
//! gateway costs: sockets, HTTP, JSON, looking before it writes, hashing. `cargo bench --bench decisions`; a minute, most of
//! it to compile.
//!
//! Where `AEGIS_CONSOLE_TEST_POSTGRES` names a PostgreSQL server, that is measured too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/support/database.rs"]
#[allow(dead_code, reason = "it uses a part of it")]
mod database;

use aegis_console::gateway::{Config, Database, Gateway};
use database::Fresh;
use rusqlite::types::Value;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DECISIONS: usize = 9_600;
const IN_FLIGHT: usize = 64;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (data, bare) = (dir.path().join("data"), dir.path().join("bare.db"));
    let file = data.join("gateway.db");
    let config = || Config::new(([127, 0, 0, 1], 0).into(), &data);
    let calls = runtime.block_on(async {
        let gateway = Gateway::start(config()).await.unwrap();
        let calls = asked(&gateway).await;
        gateway.shutdown().await;
        calls
    });
    std::fs::copy(&file, &bare).unwrap();
    let gateway = rate("SQLite", runtime.block_on(decide(config(), calls)));
    let bare = rate("the same rows, bare SQLite", copy(&file, &bare));
    println!("ratio: {:.2}", gateway / bare);

    let Some(server) = database::server() else {
        return println!("PostgreSQL: AEGIS_CONSOLE_TEST_POSTGRES names no server");
    };
    runtime.block_on(async {
        let own = Fresh::schema(server).await;
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), dir.path().join("postgres"));
        config.database = Database::Postgres(own.url().into());
        let gateway = Gateway::start(config.clone()).await.unwrap();
        let calls = asked(&gateway).await;
        gateway.shutdown().await;
        rate("PostgreSQL", decide(config, calls).await);
    });
}

fn rate(name: &str, took: Duration) -> f64 {
    let rate = DECISIONS as f64 / took.as_secs_f64();
    println!("{name}: {DECISIONS} decisions in {:.2} s, {rate:.0} a second", took.as_secs_f64());
    rate
}

/// Path, headers and body of a call.
struct Call {
    path: String,
    headers: String,
    body: String,
}

/// Asks for an action for each decision, and prepares the call that approves it as the console does.
async fn asked(gateway: &Gateway) -> Vec<Call> {
    let (agent, reviewer) = (gateway.agent("bot"), gateway.reviewer("dana"));
    let body = json!({"tool": "send_email", "arguments": {"to": "somebody@example.org"}, "timeout": "24h"});
    let bearer =
        |token: &secrecy::SecretString| format!("Authorization: Bearer {}\r\n", token.expose_secret());
    let asks = (0..DECISIONS).map(|n| Call {
        path: "/aap/v1/requests".into(),
        headers: format!("{}Idempotency-Key: ask-{n}\r\n", bearer(&agent)),
        body: body.to_string(),
    });
    let (_, ids) = send(gateway, asks.collect(), 201).await;
    let headers = bearer(&reviewer);
    let look = |id: &str| format!("/api/v1/hitl/actions/{id}");
    let mut line = Line::open(gateway).await;
    let mut calls = Vec::new();
    for asked in ids {
        let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
        let (_, shown) = line.call(gateway, "GET", &look(asked["id"].as_str().unwrap()), &headers, "").await;
        let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
        let sealed: serde_json::Value = serde_json::from_str(shown["sealed"].as_str().unwrap()).unwrap();
        let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
        let review = json!({"action_id": sealed["id"], "digest": shown["digest"], "reason": "as agreed"});
        calls.push(Call {
            path: "/api/v1/hitl/approve".into(),
            headers: format!(
                "Thread-Id: {}\r\nIdempotency-Key: {}\r\nX-Request-Id: {}\r\n",
                text("thread_id"),
                text("idempotency_key"),
                uuid::Uuid::new_v4()
            ),
            body: json!({"action": "send_email", "payload": sealed["payload"], "review": review}).to_string(),
        });
    }
    calls
}

/// Starts a gateway on that data and decides everything.
async fn decide(config: Config, mut calls: Vec<Call>) -> Duration {
    let gateway = Gateway::start(config).await.unwrap();
    let token = gateway.reviewer("dana");
    for call in &mut calls {
        call.headers.push_str(&format!("Authorization: Bearer {}\r\n", token.expose_secret()));
    }
    let (took, _) = send(&gateway, calls, 202).await;
    gateway.shutdown().await;
    took
}

/// Sends all of them by turns over so many connections that are kept; how long it took, and the bodies of the answers.
async fn send(gateway: &Gateway, calls: Vec<Call>, expected: u16) -> (Duration, Vec<Vec<u8>>) {
    let mut lines = Vec::new();
    for _ in 0..IN_FLIGHT {
        lines.push((Line::open(gateway).await, Vec::new()));
    }
    for (n, call) in calls.into_iter().enumerate() {
        lines[n % IN_FLIGHT].1.push(call);
    }
    let started = Instant::now();
    let sending = lines.into_iter().map(|(mut line, calls)| async move {
        let mut answers = Vec::new();
        for Call { path, headers, body } in calls {
            let (status, answer) = line.call(gateway, "POST", &path, &headers, &body).await;
            assert_eq!(status, expected, "{}", String::from_utf8_lossy(&answer));
            answers.push(answer);
        }
        answers
    });
    let answers = futures_util::future::join_all(sending).await;
    (started.elapsed(), answers.into_iter().flatten().collect())
}

/// A connection. Bare, so that what is measured is the gateway and not a client.
struct Line(TcpStream);

impl Line {
    async fn open(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    async fn call(
        &mut self,
        gateway: &Gateway,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, Vec<u8>) {
        let (host, length) = (gateway.addr(), body.len());
        let call = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(call.as_bytes()).await.unwrap();
        let mut answer = Vec::with_capacity(2048);
        loop {
            assert!(self.0.read_buf(&mut answer).await.unwrap() > 0, "the connection ended");
            let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&answer[..head]).unwrap().to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if answer.len() == head + 4 + length.parse::<usize>().unwrap() {
                return (text[9..12].parse().unwrap(), answer.split_off(head + 4));
            }
        }
    }
}

/// What deciding has added to a table, and in how many rows for each decision.
struct Added {
    insert: String,
    rows: Vec<Vec<Value>>,
}

/// Brings a copy from before to the state of after, in commits of 64 decisions each.
fn copy(after: &Path, before: &Path) -> Duration {
    let from = rusqlite::Connection::open(after).unwrap();
    let to = rusqlite::Connection::open(before).unwrap();
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "FULL"), ("foreign_keys", "ON")] {
        to.pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|_| to.pragma_update(None, name, value))
            .unwrap();
    }
    to.set_prepared_statement_cache_capacity(64);
    let added = [
        ("decision", "id"),
        ("outbox", "seq"),
        ("call", "decision_id"),
        ("audit", "seq"),
        ("checkpoint", "size"),
    ]
    .map(|(table, column)| added(&from, &to, table, column));
    let ended = rows(&from, "SELECT state, ended_at, approval_expires_at, id FROM action ORDER BY ended_at");
    assert_eq!((ended.len(), added[0].rows.len()), (DECISIONS, DECISIONS));
    let head = rows(&from, "SELECT size, hash, peaks FROM audit_head").remove(0);
    let commits = DECISIONS / IN_FLIGHT;
    let started = Instant::now();
    for commit in 0..commits {
        to.execute_batch("BEGIN IMMEDIATE").unwrap();
        for row in part(&ended, commit, commits) {
            let end = "UPDATE action SET state = ?1, ended_at = ?2, approval_expires_at = ?3
                WHERE id = ?4 AND state = 'pending'";
            let changed = to.prepare_cached(end).unwrap().execute(rusqlite::params_from_iter(row)).unwrap();
            assert_eq!(changed, 1);
        }
        for Added { insert, rows } in &added {
            let mut statement = to.prepare_cached(insert).unwrap();
            for row in part(rows, commit, commits) {
                statement.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        let update = "UPDATE audit_head SET size = ?1, hash = ?2, peaks = ?3 WHERE id = 1";
        to.prepare_cached(update).unwrap().execute(rusqlite::params_from_iter(&head)).unwrap();
        to.execute_batch("COMMIT").unwrap();
    }
    started.elapsed()
}

/// The rows of one of so many commits.
fn part<T>(rows: &[T], commit: usize, commits: usize) -> &[T] {
    &rows[rows.len() * commit / commits..rows.len() * (commit + 1) / commits]
}

fn added(after: &rusqlite::Connection, before: &rusqlite::Connection, table: &str, column: &str) -> Added {
    let last: i64 = before
        .query_row(&format!("SELECT coalesce(max({column}), 0) FROM {table}"), [], |row| row.get(0))
        .unwrap();
    let sql = format!("SELECT * FROM {table} WHERE {column} > {last} ORDER BY {column}");
    let columns = after.prepare(&sql).unwrap().column_count();
    let places: Vec<_> = (1..=columns).map(|place| format!("?{place}")).collect();
    let insert = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
    Added { insert, rows: rows(after, &sql) }
}

fn rows(db: &rusqlite::Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|place| row.get(place)).collect();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}
