//! `aegis-console gateway`: a copy of the database while it is written to, and bringing it to the newest schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aegis_console::agent::{AapClient, Submission};
use aegis_console::gateway::{BackupError, Config, Gateway, backup};
use secrecy::ExposeSecret as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn run(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.arg("gateway").args(arguments).arg("--data").arg(data);
    command.env_remove("AEGIS_CONSOLE_STORE").output().unwrap()
}

fn says(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn start(data: &Path) -> Config {
    Config::new(([127, 0, 0, 1], 0).into(), data)
}

/// Asks over and over, each time under a new key, and says how often it was taken.
async fn ask(gateway: &Gateway, until: impl Fn(usize) -> bool) -> usize {
    let token = gateway.agent("bot").expose_secret().to_owned();
    let client = AapClient::new(&format!("{}/aap", gateway.url()), token).unwrap();
    let mut asked = 0;
    while until(asked) {
        let submission = Submission::new("tool", r#"{"a": 1.10}"#).unwrap();
        client.create(&submission, &format!("k{asked}")).await.unwrap();
        asked += 1;
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_while_it_is_written_to_and_a_gateway_goes_on_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let gateway = Arc::new(Gateway::start(start(&data)).await.unwrap());
    let first = ask(&gateway, |asked| asked < 20).await;
    let copying = Arc::new(AtomicBool::new(true));
    let writing = {
        let (gateway, copying) = (Arc::clone(&gateway), Arc::clone(&copying));
        tokio::spawn(async move { ask(&gateway, |_| copying.load(Ordering::SeqCst)).await })
    };
    let copy = dir.path().join("copy.db");
    let output = {
        let (copy, data) = (copy.clone(), data.clone());
        tokio::task::spawn_blocking(move || run(&["backup", copy.to_str().unwrap()], &data)).await.unwrap()
    };
    copying.store(false, Ordering::SeqCst);
    writing.await.unwrap();
    let (code, text) = says(&output);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("actions") && text.contains("holds together"), "{text}");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing else was left: {left:?}");
    Arc::into_inner(gateway).unwrap().shutdown().await;
    let restored = dir.path().join("restored");
    Gateway::start(start(&restored)).await.unwrap().shutdown().await;
    std::fs::copy(&copy, restored.join("gateway.db")).unwrap();
    Gateway::start(start(&restored)).await.unwrap().shutdown().await;
    let database = rusqlite::Connection::open(restored.join("gateway.db")).unwrap();
    let count: i64 = database.query_row("SELECT count(*) FROM action", [], |row| row.get(0)).unwrap();
    assert!(usize::try_from(count).unwrap() >= first, "{count}");
}

#[tokio::test]
async fn nothing_is_overwritten_and_what_keeps_a_copy_from_being_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (data, path) = (dir.path().join("data"), |name: &str| dir.path().join(name));
    let nothing = backup(&data, &path("copy.db")).unwrap_err();
    assert!(matches!(nothing, BackupError::Nothing(_)), "{nothing}");
    Gateway::start(start(&data)).await.unwrap().shutdown().await;
    std::fs::write(path("mine"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
    for name in ["mine", "link"] {
        let error = backup(&data, &path(name)).unwrap_err();
        assert!(matches!(error, BackupError::Exists(_)) && error.to_string().contains(name), "{error}");
    }
    assert_eq!(std::fs::read_to_string(path("mine")).unwrap(), "mine");
    assert!(!path("nowhere").exists());
    let error = backup(&data, &path("none/copy.db")).unwrap_err();
    assert!(matches!(error, BackupError::Target { .. }), "{error}");
    backup(&data, &path("copy.db")).unwrap();
    let elsewhere = path("other");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("gateway.db"), "no database, but long enough to be looked at as one")
        .unwrap();
    let error = backup(&elsewhere, &path("bad.db")).unwrap_err();
    assert!(matches!(error, BackupError::Source { .. }), "{error}");
    // One whose rows do not refer to each other as they must.
    std::fs::copy(data.join("gateway.db"), elsewhere.join("gateway.db")).unwrap();
    let database = rusqlite::Connection::open(elsewhere.join("gateway.db")).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    let orphan =
        "INSERT INTO outbox (kind, tenant, thread, action_id, at) VALUES ('ActionCreated', 't', 'h', 'x', 0)";
    database.execute(orphan, []).unwrap();
    drop(database);
    let error = backup(&elsewhere, &path("bad.db")).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }) && error.to_string().contains("outbox"), "{error}");
    assert!(!path("bad.db").exists() && !path("bad.db.partial").exists());
}

#[test]
fn migrate_says_what_it_did_and_postgresql_is_sent_to_its_own_tools() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (code, text) = says(&run(&["migrate"], &data));
    assert!(code == Some(0) && text.starts_with("the schema was 0 and is "), "{text}");
    let (code, text) = says(&run(&["migrate"], &data));
    assert!(code == Some(0) && text.contains("already"), "{text}");
    let (code, text) =
        says(&run(&["backup", "copy.db", "--store", "postgres://u:secret@localhost/x"], &data));
    assert!(code == Some(1) && text.contains("pg_dump") && !text.contains("secret"), "{text}");
}
