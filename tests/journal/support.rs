//! Decisions to record, and a place to record them.

use aegis_console::domain::{Digest, Outcome, Resolution, RowStatus, Standing, Try, Verdict};
use aegis_console::journal::Intent;
use jiff::Timestamp;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Waits for a future without a runtime: the journal needs none.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + seconds, 123_456_789).unwrap()
}

/// The nth decision, with everything in it.
pub(crate) fn intent(n: u64) -> Intent {
    let sealed = format!(r#"{{"n":{n},"text":"zwei Zeilen\n\u0000 \ud83d\ude00"}}"#);
    Intent {
        id: Uuid::from_u64_pair(1, n),
        request_id: Uuid::from_u64_pair(2, n),
        verdict: Verdict::Approve,
        tenant_id: Some("acme".into()),
        thread_id: "thread".into(),
        key: format!("hitl:key-{n}"),
        base_url: "http://localhost:8000".into(),
        body: format!("{{\"payload\":{sealed}, \"raw\":\"\u{0}\u{202e}ä\"}}"),
        digest: Some(Digest::of(sealed.as_bytes())),
        sealed: Some(sealed.into()),
        reason: Some("because\n\u{1b}[31m".into()),
        reviewer: Some("dana".into()),
        decided_at: at(0),
        hold_until: None,
    }
}

pub(crate) fn sample_try(number: u32) -> Try {
    Try {
        number,
        http_status: number.is_multiple_of(2).then_some(503),
        error: (!number.is_multiple_of(2)).then(|| "no answer within 10 s".into()),
        started: at(i64::from(number)),
        took: Duration::from_nanos(1_234_567_891),
        waited: Duration::from_millis(500),
    }
}

/// An end with everything in it.
pub(crate) fn resolution(intent: &Intent, outcome: Outcome) -> Resolution {
    Resolution {
        outcome,
        http_status: Some(409),
        standing: Some(Standing {
            verdict: Some(Verdict::Reject),
            reviewer: Some("al\u{200b}ice\"\\\n".into()),
            request_id: Some("not-a-uuid \u{0}".into()),
            decided_at: Some(at(-5)),
            status: Some(RowStatus::Committed),
        }),
        detail: Some("the server's \u{202e}words".into()),
        tries: vec![sample_try(1), sample_try(2)],
        request_id: intent.request_id.to_string(),
        idempotency_key: intent.key.clone(),
    }
}

pub(crate) fn ended(intent: &Intent) -> Resolution {
    resolution(intent, Outcome::Conflict)
}
