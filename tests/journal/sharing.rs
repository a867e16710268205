//! Several at once: jobs that share a commit, consoles that share a journal, and who may do what.

use crate::support::{SENDING, at, bare, bytes, intent, numbers, place, resolution, run, sample_try};
use aegis_console::domain::Outcome;
use aegis_console::journal::{Intent, Journal, JournalError, Stage, Step, set_aside};
use futures_util::future::join_all;
use rusqlite::Connection;
use std::path::Path;
use uuid::Uuid;

/// How many commits are in the write-ahead log: a frame that ends one says how large the file is then.
fn commits(path: &Path) -> usize {
    let log = &bytes(path)[&path.with_file_name("journal.sqlite-wal")];
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame = 24 + number(8) as usize;
    // Frames of an earlier round have another salt.
    let current = |at: &usize| log[at + 8..at + 16] == log[16..24];
    (32..log.len()).step_by(frame).take_while(current).filter(|at| number(at + 4) != 0).count()
}

/// A connection of another program that keeps every writer waiting.
fn blocker(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn what_waits_together_is_committed_together() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(0)])).unwrap();
    let before = commits(&path);
    let other = blocker(&path);
    let mut waiting: Vec<_> = (1..300).map(|n| journal.record(vec![intent(n)])).collect();
    waiting.push(journal.record(vec![intent(7)]));
    other.execute_batch("ROLLBACK").unwrap();
    let results = run(join_all(waiting));
    let (last, rest) = results.split_last().unwrap();
    assert!(rest.iter().all(Result::is_ok));
    // One that is wrong takes nothing of the others with it.
    assert_eq!(*last, Err(JournalError::Duplicate(intent(7).id)));
    // The first few may have been on their way already when the others came.
    let commits = commits(&path) - before;
    assert!(commits == 1 || commits == 2, "{commits}");
    assert_eq!(numbers(&journal).len(), 300);
}

#[test]
fn ten_thousand_in_one_call_are_one_commit() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(0)])).unwrap();
    let intents: Vec<_> = (1..=10_000).map(intent).collect();
    let before = commits(&path);
    run(journal.record(intents)).unwrap();
    assert_eq!(commits(&path) - before, 1);
    assert_eq!(journal.open_entries().unwrap().len(), 10_001);
}

#[test]
fn the_log_does_not_grow_for_ever() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let large = |n| Intent { body: "x".repeat(1 << 20), ..intent(n) };
    for n in 0..40 {
        run(journal.record(vec![large(n)])).unwrap();
    }
    // The last jobs's checkpoint comes after its answer.
    run(journal.record(vec![])).unwrap();
    let log = path.with_file_name("journal.sqlite-wal").metadata().unwrap().len();
    assert!(log < 20 << 20, "{log}");
    assert_eq!(numbers(&journal).len(), 40);
    drop(journal);
    // Closed in order: everything is in the one file.
    assert_eq!(bytes(&path).len(), 2);
}

#[test]
fn steps_that_nobody_waits_for_are_written_in_order() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let end = Step::Ended(resolution(&intent(1), Outcome::Committed));
    drop(journal.record(vec![intent(1)]));
    for step in [SENDING, Step::Tried(sample_try(1), true), end] {
        drop(journal.note(intent(1).id, step));
    }
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.entry(intent(1).id).unwrap().unwrap().stage, Stage::Ended);
}

#[test]
fn reads_do_not_wait_for_writes() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1)])).unwrap();
    let other = blocker(&path);
    let written = journal.record(vec![intent(2)]);
    assert_eq!(numbers(&journal), [1]);
    other.execute_batch("ROLLBACK").unwrap();
    run(written).unwrap();
    assert_eq!(numbers(&journal), [1, 2]);
}

#[test]
fn a_program_that_keeps_it_locked_closes_nothing() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let other = blocker(&path);
    let error = run(journal.record(vec![intent(1)])).unwrap_err();
    assert_eq!(error, JournalError::Busy(path.clone()));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(numbers(&journal), [0_u64; 0]);
    run(journal.record(vec![intent(1)])).unwrap();
}

#[test]
fn one_carries_out_and_the_others_record_and_take_back() {
    let (_directory, path) = place();
    let first = Journal::open(&path).unwrap();
    let second = Journal::open(&path).unwrap();
    assert!(first.is_dispatcher() && !second.is_dispatcher() && !second.try_become_dispatcher());
    let seen = first.data_version().unwrap();
    run(second.record(vec![intent(1), bare(2), bare(3), intent(4)])).unwrap();
    assert_ne!(first.data_version().unwrap(), seen);
    assert_eq!(numbers(&first), [1, 2, 3, 4]);
    let (one, two, three, four) = (intent(1).id, bare(2).id, bare(3).id, intent(4).id);
    // Both at once: the file knows who was first.
    run(first.note(two, Step::Released)).unwrap();
    let late = run(second.note(two, Step::Dropped)).unwrap_err();
    assert_eq!(late, JournalError::NotAllowed { id: two, stage: Stage::Queued, step: "dropped" });
    run(second.note(three, Step::Dropped)).unwrap();
    // Sending is not the second's.
    let wait = Step::Waiting { next_at: at(1) };
    let doubt = Step::Doubtful { next_at: at(1) };
    let end = || resolution(&intent(1), Outcome::NotSent);
    for step in [SENDING, wait, doubt, Step::Ended(end()), Step::Refined(end()), Step::Returned("x".into())] {
        let expected = JournalError::NotDispatcher { id: one, step: step.word() };
        assert_eq!(run(second.note(one, step)), Err(expected));
    }
    run(first.note_many(vec![(four, SENDING), (four, Step::Ended(resolution(&intent(4), Outcome::NotSent)))])).unwrap();
    run(second.note_many(vec![(four, Step::Acknowledged), (four, Step::Retried)])).unwrap();
    // It is being sent when the first one goes.
    run(first.note_many(vec![(one, SENDING), (one, Step::Tried(sample_try(1), false))])).unwrap();
    drop(first);
    assert!(!second.is_dispatcher());
    let maybe = |id| second.entry(id).unwrap().unwrap().maybe;
    assert!(!maybe(one));
    assert!(second.try_become_dispatcher() && second.is_dispatcher() && second.try_become_dispatcher());
    assert!(maybe(one) && !maybe(four));
    run(second.note(one, SENDING)).unwrap();
    assert!(!Journal::open(&path).unwrap().is_dispatcher());
}

#[test]
fn many_consoles_at_once_on_one_new_journal() {
    let (_directory, path) = place();
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for console in 0..8_u64 {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..6 {
                    // Opening and closing are part of it: the last one to close tidies up.
                    let journal = Journal::open(path).unwrap();
                    let n = 1 + console * 100 + round;
                    run(journal.record(vec![intent(n)])).unwrap();
                    // Everybody wants this key.
                    let id = Uuid::from_u64_pair(9, n);
                    let all = Intent { id, request_id: id, key: "wanted".into(), ..intent(n) };
                    let _ = run(journal.record(vec![all]));
                }
            });
        }
    });
    let journal = Journal::open(&path).unwrap();
    let all = journal.recent(usize::MAX).unwrap();
    assert_eq!(all.len(), 8 * 6 + 1);
    assert_eq!(all.iter().filter(|entry| entry.intent.key == "wanted").count(), 1);
}

#[test]
fn a_journal_is_set_aside_only_when_nobody_carries_it_out() {
    let (_directory, path) = place();
    assert_eq!(set_aside(&path), Err(JournalError::Missing(path.clone())));
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1)])).unwrap();
    assert_eq!(set_aside(&path), Err(JournalError::InUse(path.clone())));
    drop(journal);
    let aside = set_aside(&path).unwrap();
    assert!(aside.to_str().unwrap().contains("journal.sqlite.set-aside-2"), "{}", aside.display());
    assert!(!path.exists());
    // A second one in the same second has another name.
    run(Journal::open(&path).unwrap().record(vec![intent(2)])).unwrap();
    let second = set_aside(&path).unwrap();
    assert_ne!(aside, second);
    assert_eq!(numbers(&Journal::open(&path).unwrap()), [0_u64; 0]);
    // What was set aside is whole.
    assert_eq!(numbers(&Journal::open(&aside).unwrap()), [1]);
    assert_eq!(numbers(&Journal::open(&second).unwrap()), [2]);
}

#[test]
fn what_is_moved_away_while_in_use_takes_no_more_decisions() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let reader = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1)])).unwrap();
    drop(journal);
    let aside = set_aside(&path).unwrap();
    let error = run(reader.record(vec![intent(2)])).unwrap_err();
    assert!(matches!(error, JournalError::Failed { .. }), "{error:?}");
    assert!(
        error.to_string().contains("moved or deleted")
            && error.to_string().contains("leave the file where it is"),
        "{error}"
    );
    assert!(matches!(run(reader.record(vec![intent(3)])), Err(JournalError::Closed { .. })));
    drop(reader);
    assert!(numbers(&Journal::open(&aside).unwrap()).contains(&1));
}
