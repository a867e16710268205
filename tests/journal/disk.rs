//! Disks that do not take what is written: full, read-only, somebody else's. No decision is taken, the message says what
//! to do, and nothing that was there is touched.

use crate::support::{as_child, as_child_of, at, bytes, child, intent, numbers, place, run};
use aegis_console::journal::{Journal, JournalError, Step};
use rustix::process::{Resource, Rlimit, getuid, setrlimit};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// From here on no file of this process grows beyond that.
fn no_file_beyond(bytes: Option<u64>) {
    let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
}

fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn has(error: &JournalError, path: &Path, says: &str) {
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()) && text.contains(says), "{says:?} in {text:?}");
}

#[test]
fn after_a_failed_commit_nothing_more_is_written() {
    let name = "disk::after_a_failed_commit_nothing_more_is_written";
    let Some(path) = child() else {
        let (_directory, path) = place();
        return succeeds(as_child(name, &path));
    };
    // Nothing of the commit fits, or some of it does.
    for (round, room) in (0..).zip([0, 100, 5_000, 10_000, 20_000]) {
        // The start after the failure finds what was acknowledged, and goes on.
        let journal = Journal::open(&path).unwrap();
        assert!(journal.is_dispatcher());
        assert_eq!(numbers(&journal), (0..round).collect::<Vec<_>>());
        run(journal.record(vec![intent(round)])).unwrap();
        let log = path.with_file_name("journal.sqlite-wal").metadata().unwrap().len();
        no_file_beyond(Some(log + room));
        // Those that wait together fail together.
        let waiting = (100..103).map(|n| journal.record(vec![intent(n), intent(n + 10)]));
        let results = run(futures_util::future::join_all(waiting.collect::<Vec<_>>()));
        assert!(results.iter().all(Result::is_err));
        let error = results.into_iter().next().unwrap().unwrap_err();
        assert!(matches!(error, JournalError::Failed { .. }), "{error:?}");
        has(&error, &path, "nothing was sent, and no decision is taken until the next start: check the disk");
        // There is room again, and still nothing is written: nobody knows what the disk has.
        no_file_beyond(None);
        let before = bytes(&path);
        for later in [
            run(journal.record(vec![intent(200)])),
            run(journal.note(intent(round).id, Step::Sending { try_number: 1, at: at(5) })),
            run(journal.note_many(vec![])),
            run(journal.prune(at(0))),
        ] {
            let error = later.unwrap_err();
            assert!(matches!(error, JournalError::Closed { .. }), "{error:?}");
            has(&error, &path, "is closed since a write failed");
        }
        // What is there can still be read.
        assert_eq!(numbers(&journal), (0..=round).collect::<Vec<_>>());
        drop(journal);
        assert!(bytes(&path) == before, "closing has written");
    }
}

#[test]
fn a_disk_without_room_for_a_new_journal() {
    let name = "disk::a_disk_without_room_for_a_new_journal";
    let Some(path) = child() else {
        let (_directory, path) = place();
        succeeds(as_child(name, &path));
        run(Journal::open(&path).unwrap().record(vec![intent(1)])).unwrap();
        return;
    };
    for limit in [0, 1, 4096, 10_000, 40_000] {
        no_file_beyond(Some(limit));
        let error = Journal::open(&path).unwrap_err();
        has(&error, &path, "the disk");
    }
}

/// The test once more as a user who is not root, for whom modes mean something.
fn as_a_user(test: &str, path: &Path) -> Command {
    if !getuid().is_root() {
        return as_child(test, path);
    }
    const NOBODY: u32 = 65534;
    let directory = path.parent().unwrap();
    // The build's directory may be closed to others.
    let program = directory.join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    set_mode(&program, 0o755);
    for entry in std::fs::read_dir(directory).unwrap() {
        std::os::unix::fs::chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    std::os::unix::fs::chown(directory, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = as_child_of(&program, test, path);
    command.uid(NOBODY).gid(NOBODY).current_dir("/");
    command
}

/// A journal of one decision.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let (directory, path) = place();
    run(Journal::open(&path).unwrap().record(vec![intent(1)])).unwrap();
    (directory, path)
}

#[test]
fn a_read_only_file() {
    let Some(path) = child() else {
        let (_directory, path) = filled();
        return succeeds(as_a_user("disk::a_read_only_file", &path));
    };
    set_mode(&path, 0o400);
    let before = bytes(&path);
    let error = Journal::open(&path).unwrap_err();
    has(&error, &path, "it is read-only; make it writable");
    assert!(bytes(&path) == before);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o400);
    set_mode(&path, 0o600);
    assert_eq!(numbers(&Journal::open(&path).unwrap()), [1]);
}

#[test]
fn a_file_that_may_not_be_read() {
    let Some(path) = child() else {
        let (_directory, path) = filled();
        return succeeds(as_a_user("disk::a_file_that_may_not_be_read", &path));
    };
    set_mode(&path, 0o000);
    has(&Journal::open(&path).unwrap_err(), &path, "must be yours and writable");
}

#[test]
fn a_directory_that_cannot_be_written() {
    let Some(path) = child() else {
        let (_directory, path) = filled();
        return succeeds(as_a_user("disk::a_directory_that_cannot_be_written", &path));
    };
    let directory = path.parent().unwrap();
    set_mode(directory, 0o500);
    let before = bytes(&path);
    let new = directory.join("new.sqlite");
    let below = directory.join("below/new.sqlite");
    for path in [&path, &new, &below] {
        has(&Journal::open(path).unwrap_err(), path, "writable");
    }
    assert!(bytes(&path) == before);
    set_mode(directory, 0o700);
    assert_eq!(numbers(&Journal::open(&path).unwrap()), [1]);
}
