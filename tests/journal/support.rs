//! Decisions to record, a place to record them, and the test itself as another process.

use aegis_console::domain::{Count, Digest, Outcome, Resolution, RowStatus, Standing, Try, Verdict};
use aegis_console::journal::{Intent, Journal, Step};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// A fresh directory and the name of a journal in it.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    (directory, path)
}

/// Waits for a future; the journal itself needs no runtime.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The first try of a call starts, long ago.
pub(crate) const SENDING: Step = Step::Sending { try_number: 1, at: Timestamp::UNIX_EPOCH };

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + seconds, 123_456_789).unwrap()
}

/// The nth decision, with everything in it, and with texts that are hard to keep.
pub(crate) fn intent(n: u64) -> Intent {
    let sealed = format!("{{\"n\":{n},\"text\":\"zwei\\nZeilen\\u0000 \u{1F600}\"}}");
    Intent {
        id: Uuid::from_u64_pair(1, n),
        request_id: Uuid::from_u64_pair(2, n),
        verdict: if n.is_multiple_of(2) { Verdict::Approve } else { Verdict::Reject },
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

/// The same with nothing in it that can be missing.
pub(crate) fn bare(n: u64) -> Intent {
    Intent {
        tenant_id: None,
        sealed: None,
        digest: None,
        reason: None,
        reviewer: None,
        hold_until: Some(at(3)),
        ..intent(n)
    }
}

pub(crate) fn sample_try(number: u32) -> Try {
    let answered = number.is_multiple_of(2);
    Try {
        number,
        http_status: answered.then_some(503),
        error: (!answered).then(|| "no answer within 10 s".into()),
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
            count: Some(Count { approvals: 1, needed: 2 }),
        }),
        detail: Some("the server's \u{202e}words".into()),
        tries: vec![sample_try(1), sample_try(2)],
        request_id: intent.request_id.to_string(),
        idempotency_key: intent.key.clone(),
    }
}

pub(crate) fn outcomes() -> Vec<Outcome> {
    let until = Some(at(60));
    vec![
        Outcome::Accepted,
        Outcome::Committed,
        Outcome::Failed,
        Outcome::Mine,
        Outcome::Same,
        Outcome::Conflict,
        Outcome::InProgress,
        Outcome::Unknown,
        Outcome::Quota { until },
        Outcome::Refused,
        Outcome::Unconfirmed,
        Outcome::NotSent,
        Outcome::Counted(Count { approvals: 1, needed: 2 }),
        Outcome::Lapsed,
    ]
}

/// Numbers of the decisions in the journal, oldest first.
pub(crate) fn numbers(journal: &Journal) -> Vec<u64> {
    let mut all: Vec<_> =
        journal.recent(usize::MAX).unwrap().iter().map(|entry| entry.intent.id.as_u64_pair().1).collect();
    all.reverse();
    all
}

/// Every file in the journal's directory with its bytes, but for what SQLite makes anew: the index, an empty log.
pub(crate) fn bytes(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_str().unwrap().ends_with("-shm"))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .filter(|(path, content)| !content.is_empty() || !path.to_str().unwrap().ends_with("-wal"))
        .collect()
}

/// What tells a test that it is the other process, and where the journal is.
const CHILD: &str = "AEGIS_JOURNAL_TEST_CHILD";

/// Where the journal is, in the other process.
pub(crate) fn child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(Into::into)
}

/// This very test in another process, in which [`child`] is `Some`. What ends a program by writing too much is ignored
/// there, so that the write fails instead.
pub(crate) fn as_child(test: &str, path: &Path) -> Command {
    as_child_of(&std::env::current_exe().unwrap(), test, path)
}

pub(crate) fn as_child_of(program: &Path, test: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]);
    command.arg(program).args(["--exact", test, "--nocapture"]).env(CHILD, path);
    command
}
