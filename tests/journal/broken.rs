//! Files that are not what they should be: each is told from the others, named, and left as it is, byte for byte.

use crate::support::{bytes, intent, numbers, place, run};
use aegis_console::journal::{Journal, JournalError, set_aside};
use rusqlite::Connection;
use std::path::Path;

/// A journal of a few decisions, closed in order: everything is in the one file.
fn filled(path: &Path) {
    let journal = Journal::open(path).unwrap();
    run(journal.record((1..=40).map(intent).collect())).unwrap();
}

/// Opening fails, says these things and the file's name, and changes nothing.
fn refused(path: &Path, says: &[&str]) -> JournalError {
    let before = bytes(path);
    let error = Journal::open(path).unwrap_err();
    let text = error.to_string();
    for part in says.iter().chain([&path.to_str().unwrap()]) {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(bytes(path) == before, "a byte has changed: {text}");
    error
}

const DAMAGED: &[&str] = &["damaged", "left as it is", "aegis-console outbox --set-aside"];

#[test]
fn an_overwritten_header() {
    let (_directory, path) = place();
    filled(&path);
    let mut content = std::fs::read(&path).unwrap();
    content[..100].fill(0x5A);
    std::fs::write(&path, content).unwrap();
    assert!(matches!(refused(&path, DAMAGED), JournalError::Corrupt { .. }));
    // What it says to do works, and nothing is lost by it.
    let before = std::fs::read(&path).unwrap();
    let aside = set_aside(&path).unwrap();
    assert_eq!(std::fs::read(&aside).unwrap(), before);
    filled(&path);
}

#[test]
fn a_file_that_ends_too_early() {
    let (_directory, path) = place();
    filled(&path);
    let content = std::fs::read(&path).unwrap();
    for part in 1..16 {
        std::fs::write(&path, &content[..content.len() * part / 16]).unwrap();
        refused(&path, DAMAGED);
    }
    std::fs::write(&path, b"").unwrap();
    refused(&path, DAMAGED);
    std::fs::write(&path, &content).unwrap();
    assert_eq!(numbers(&Journal::open(&path).unwrap()).len(), 40);
}

#[test]
fn a_page_of_something_else() {
    let (_directory, path) = place();
    filled(&path);
    let content = std::fs::read(&path).unwrap();
    let pages = content.len() / 4096;
    assert!(pages > 10, "{pages}");
    for page in 0..pages {
        let mut damaged = content.clone();
        for (at, byte) in damaged[page * 4096..(page + 1) * 4096].iter_mut().enumerate() {
            *byte = u8::try_from(at % 251).unwrap();
        }
        std::fs::write(&path, damaged).unwrap();
        refused(&path, DAMAGED);
    }
}

#[test]
fn a_log_without_its_file() {
    let (directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1)])).unwrap();
    // As a kill would leave them, and then somebody deletes or empties the one but not the other.
    let left = directory.path().join("left.sqlite");
    let log = directory.path().join("left.sqlite-wal");
    std::fs::copy(path.with_file_name("journal.sqlite-wal"), &log).unwrap();
    refused(&left, DAMAGED);
    std::fs::write(&left, b"").unwrap();
    // SQLite would delete the log of an empty file.
    refused(&left, DAMAGED);
    let aside = set_aside(&left).unwrap();
    assert!(!log.exists() && aside.exists());
    assert_eq!(numbers(&Journal::open(&left).unwrap()), [0_u64; 0]);
}

#[test]
fn a_database_of_another_program() {
    let (_directory, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE cookies (a); INSERT INTO cookies VALUES (1)").unwrap();
    drop(other);
    let error = refused(&path, &["no journal of aegis-console", "--journal"]);
    assert_eq!(error, JournalError::Foreign(path.clone()));
    std::fs::write(&path, "# Notes\n\nBuy milk, and do not overwrite this file.\n".repeat(100)).unwrap();
    refused(&path, DAMAGED);
    std::fs::write(&path, "hello").unwrap();
    refused(&path, DAMAGED);
}

#[test]
fn a_journal_of_a_newer_version() {
    let (_directory, path) = place();
    filled(&path);
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("ALTER TABLE intent ADD COLUMN future TEXT; PRAGMA user_version = 3").unwrap();
    drop(newer);
    let error = refused(&path, &["newer aegis-console", "schema 3, this one knows 2"]);
    assert_eq!(error, JournalError::Newer { path: path.clone(), found: 3, known: 2 });
    // Also where the log, not the file, says so.
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 7").unwrap();
    refused(&path, &["schema 7, this one knows 2"]);
}

#[test]
fn a_value_that_no_journal_writes() {
    let (_directory, path) = place();
    filled(&path);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("UPDATE intent SET verdict = 'approve', decided_at = 'yesterday' WHERE seq = 3")
        .unwrap();
    drop(other);
    let journal = Journal::open(&path).unwrap();
    let error = journal.recent(usize::MAX).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn places_where_no_file_can_be() {
    let (directory, path) = place();
    // Inside the test's own directory: what else lies beside a refused path must be the test's too.
    let folder = directory.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    refused(&folder, &["not a file"]);
    std::fs::write(&path, b"").unwrap();
    let below = path.join("journal.sqlite");
    let error = Journal::open(&below).unwrap_err().to_string();
    assert!(
        error.contains(below.to_str().unwrap()) && error.contains("must be yours and writable"),
        "{error}"
    );
    // Nobody may make files there, not even root.
    let error = Journal::open(Path::new("/proc/journal.sqlite")).unwrap_err().to_string();
    assert!(error.contains("/proc/journal.sqlite"), "{error}");
}
