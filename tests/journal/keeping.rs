//! What is kept: everything that is recorded reads back equal, all or none of it, and nothing that must not be there.

use crate::support::{
    SENDING, at, bare, bytes, intent, numbers, outcomes, place, resolution, run, sample_try,
};
use aegis_console::domain::{Outcome, Resolution, Standing};
use aegis_console::journal::{Entry, Intent, Journal, JournalError, Stage, Step};
use jiff::Timestamp;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use uuid::Uuid;

#[test]
fn every_intent_reads_back_equal() {
    let (_directory, path) = place();
    let intents = vec![intent(1), bare(2), Intent { body: "x".repeat(1 << 20), ..intent(3) }];
    let before = Timestamp::now();
    run(Journal::open(&path).unwrap().record(intents.clone())).unwrap();
    let journal = Journal::open(&path).unwrap();
    let entries = journal.open_entries().unwrap();
    let read: Vec<_> = entries.iter().map(|entry| entry.intent.clone()).collect();
    assert_eq!(read, intents);
    assert_eq!(
        entries.iter().map(|entry| entry.stage).collect::<Vec<_>>(),
        [Stage::Queued, Stage::Held, Stage::Queued]
    );
    assert!(entries.iter().all(|entry| entry.updated_at >= before && entry.updated_at <= Timestamp::now()));
    let found = |entry: Option<Entry>| entry.map(|entry| entry.intent);
    assert_eq!(found(journal.entry(intents[1].id).unwrap()), Some(intents[1].clone()));
    let request_id = intents[0].request_id.to_string().to_uppercase();
    assert_eq!(found(journal.by_request_id(&request_id).unwrap()), Some(intents[0].clone()));
    assert_eq!(journal.by_request_id("not-a-uuid").unwrap(), None);
    assert_eq!(
        found(journal.by_key(Some("acme"), "thread", "hitl:key-1").unwrap()),
        Some(intents[0].clone())
    );
    assert_eq!(found(journal.by_key(None, "thread", "hitl:key-2").unwrap()), Some(intents[1].clone()));
    assert_eq!(journal.by_key(None, "thread", "hitl:key-1").unwrap(), None);
    assert_eq!(journal.entry(Uuid::nil()).unwrap(), None);
}

#[test]
fn every_end_reads_back_equal() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let mut ends: Vec<Resolution> =
        outcomes().into_iter().zip(0..).map(|(outcome, n)| resolution(&intent(n), outcome)).collect();
    let poor =
        Resolution { http_status: None, standing: None, detail: None, tries: vec![], ..ends[0].clone() };
    ends.push(poor);
    ends.push(Resolution { standing: Some(Standing::default()), ..ends[0].clone() });
    let extreme = Standing { decided_at: Some(Timestamp::MIN), ..Standing::default() };
    let outcome = Outcome::Quota { until: Some(Timestamp::MAX) };
    ends.push(Resolution { outcome, standing: Some(extreme), ..ends[0].clone() });
    ends.push(Resolution { outcome: Outcome::Quota { until: None }, ..ends[0].clone() });
    let intents: Vec<_> = (0..ends.len() as u64).map(intent).collect();
    run(journal.record(intents.clone())).unwrap();
    let steps = intents.iter().zip(&ends);
    let steps = steps.flat_map(|(intent, end)| [(intent.id, SENDING), (intent.id, Step::Ended(end.clone()))]);
    run(journal.note_many(steps.collect())).unwrap();
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    for (intent, end) in intents.iter().zip(ends) {
        let entry = journal.entry(intent.id).unwrap().unwrap();
        assert_eq!((entry.stage, entry.resolution), (Stage::Ended, Some(end)));
    }
    assert_eq!(journal.open_entries().unwrap(), []);
    let unsettled = journal.unsettled().unwrap();
    assert!(unsettled.iter().all(|entry| {
        let outcome = &entry.resolution.as_ref().unwrap().outcome;
        matches!(outcome, Outcome::Accepted | Outcome::InProgress | Outcome::Counted(_))
    }));
    assert_eq!(unsettled.len(), 5);
    assert_eq!(journal.counted().unwrap().len(), 1);
}

#[test]
fn the_rest_of_a_life_reads_back_equal() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let (one, two) = (intent(1), bare(2));
    run(journal.record(vec![one.clone(), two.clone()])).unwrap();
    let tries = [sample_try(1), sample_try(2), sample_try(1)];
    for (number, one_try) in (1..).zip(&tries) {
        run(journal.note(one.id, Step::Sending { try_number: one_try.number, at: at(number) })).unwrap();
        run(journal.note(one.id, Step::Tried(one_try.clone(), number == 2))).unwrap();
        run(journal.note(one.id, Step::Waiting { next_at: at(number) })).unwrap();
    }
    run(journal.note(two.id, Step::Returned("it expired\n\u{1b}".into()))).unwrap();
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    let entry = journal.entry(one.id).unwrap().unwrap();
    let expected = Entry {
        intent: one.clone(),
        stage: Stage::Queued,
        maybe: true,
        // The first one that may have got there.
        reached_at: Some(at(2)),
        tries: 3,
        next_at: Some(at(3)),
        resolution: None,
        acknowledged: false,
        returned: None,
        updated_at: entry.updated_at,
    };
    assert_eq!(entry, expected);
    assert_eq!(journal.tries(one.id).unwrap(), tries);
    assert_eq!(journal.tries(two.id).unwrap(), []);
    let entry = journal.entry(two.id).unwrap().unwrap();
    assert_eq!((entry.stage, entry.returned.as_deref()), (Stage::Returned, Some("it expired\n\u{1b}")));
    assert_eq!(journal.recent(1).unwrap(), [entry]);
}

#[test]
fn a_record_is_all_or_nothing() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1)])).unwrap();
    let same_request = Intent { request_id: intent(1).request_id, ..intent(5) };
    let same_key = Intent { key: intent(1).key, ..intent(6) };
    for (bad, says) in [
        (intent(1), "in the journal already"),
        (same_request.clone(), "in the journal already"),
        (same_key, "hitl:key-1 is decided already"),
        // Beside one another in the same call.
        (intent(2), "in the journal already"),
        (Intent { request_id: intent(2).request_id, ..intent(7) }, "in the journal already"),
        (Intent { key: intent(2).key, ..intent(8) }, "hitl:key-2 is decided already"),
    ] {
        let error = run(journal.record(vec![intent(2), intent(3), bad])).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(numbers(&journal), [1]);
    }
    run(journal.record(vec![])).unwrap();
    run(journal.record(vec![intent(2), intent(3)])).unwrap();
    assert_eq!(numbers(&journal), [1, 2, 3]);
}

#[test]
fn steps_noted_together_are_all_or_none() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1), bare(2)])).unwrap();
    let (one, two) = (intent(1).id, bare(2).id);
    let tried = || Step::Tried(sample_try(1), false);
    let steps = vec![(one, SENDING), (one, tried()), (two, Step::Released), (two, tried())];
    let error = run(journal.note_many(steps)).unwrap_err();
    assert_eq!(error, JournalError::NotAllowed { id: two, stage: Stage::Queued, step: "tried" });
    let entries = journal.open_entries().unwrap();
    assert_eq!(
        entries.iter().map(|entry| (entry.stage, entry.tries)).collect::<Vec<_>>(),
        [(Stage::Queued, 0), (Stage::Held, 0)]
    );
    assert_eq!(journal.tries(one).unwrap(), []);
    let nobody = Uuid::nil();
    assert_eq!(run(journal.note(nobody, Step::Dropped)), Err(JournalError::Unknown(nobody)));
    // None of this has closed it.
    run(journal.note_many(vec![(two, Step::Dropped), (one, SENDING), (one, tried())])).unwrap();
    assert_eq!(journal.tries(one).unwrap(), [sample_try(1)]);
}

#[test]
fn a_key_is_free_again_only_after_an_end_without_effect() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let mut n = 0;
    let mut next = |key: &str| {
        n += 1;
        Intent { key: key.into(), ..intent(n) }
    };
    for outcome in outcomes() {
        let word = outcome.word();
        let (first, second) = (next(word), next(word));
        run(journal.record(vec![first.clone()])).unwrap();
        assert!(run(journal.record(vec![second.clone()])).is_err(), "{word}: queued");
        let end = Step::Ended(resolution(&first, outcome.clone()));
        run(journal.note_many(vec![(first.id, SENDING), (first.id, end)])).unwrap();
        let free =
            matches!(outcome, Outcome::Refused | Outcome::NotSent | Outcome::Lapsed | Outcome::Counted(_));
        let result = run(journal.record(vec![second.clone()]));
        assert_eq!(result.is_ok(), free, "{word}");
        if outcome == Outcome::NotSent {
            // The key is the second's now: sending the first again could carry out both.
            let error = run(journal.note(first.id, Step::Retried)).unwrap_err();
            assert_eq!(
                error,
                JournalError::KeyTaken { key: word.into(), by: second.id, stage: Stage::Queued }
            );
            run(journal.note(second.id, Step::Returned("expired".into()))).unwrap();
            run(journal.note(first.id, Step::Retried)).unwrap();
            assert_eq!(journal.by_key(Some("acme"), "thread", word).unwrap().unwrap().intent, second);
        }
    }
    let dropped = Intent { hold_until: Some(at(3)), ..next("dropped") };
    run(journal.record(vec![dropped.clone()])).unwrap();
    run(journal.note(dropped.id, Step::Dropped)).unwrap();
    run(journal.record(vec![next("dropped")])).unwrap();
    // The same key elsewhere is another key.
    let elsewhere = [
        Intent { tenant_id: None, ..next("dropped") },
        Intent { thread_id: "other".into(), ..next("dropped") },
        Intent { base_url: "https://gate.example".into(), ..next("dropped") },
    ];
    run(journal.record(elsewhere.into())).unwrap();
}

#[test]
fn only_what_needs_nobody_is_forgotten() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let ends = outcomes();
    let intents: Vec<_> = (0..ends.len() as u64 + 2).map(intent).collect();
    run(journal.record(intents.clone())).unwrap();
    for (intent, outcome) in intents.iter().zip(ends.clone()) {
        let end = Step::Ended(resolution(intent, outcome));
        let tried = Step::Tried(sample_try(1), false);
        run(journal.note_many(vec![(intent.id, SENDING), (intent.id, tried), (intent.id, end)])).unwrap();
    }
    let returned = intents[ends.len()].id;
    run(journal.note(returned, Step::Returned("expired".into()))).unwrap();
    run(journal.prune(Timestamp::now() - Duration::from_secs(3600))).unwrap();
    assert_eq!(numbers(&journal).len(), intents.len());
    run(journal.prune(Timestamp::MAX)).unwrap();
    // accepted, committed, mine, same and counted are gone.
    assert_eq!(numbers(&journal), [2, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]);
    assert_eq!(journal.tries(intents[0].id).unwrap(), []);
    assert_eq!(journal.tries(intents[2].id).unwrap(), [sample_try(1)]);
    run(journal.note_many(vec![(intents[5].id, Step::Acknowledged), (returned, Step::Acknowledged)]))
        .unwrap();
    run(journal.prune(Timestamp::MAX)).unwrap();
    assert_eq!(numbers(&journal), [2, 6, 7, 8, 9, 10, 11, 13, 15]);
}

#[test]
fn no_credential_is_written_and_nobody_else_can_read() {
    let (_directory, path) = place();
    let path = path.parent().unwrap().join("state/journal/j.sqlite");
    let journal = Journal::open(&path).unwrap();
    for base_url in ["https://dana:hunter2@gate.example", "http://hunter2@localhost", "hunter2@nowhere"] {
        let error = run(journal.record(vec![Intent { base_url: base_url.into(), ..intent(1) }])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    run(journal.record(vec![intent(1)])).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        names.push(file.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["j.sqlite", "j.sqlite-shm", "j.sqlite-wal", "j.sqlite.lock"]);
    for content in bytes(&path).values() {
        assert!(!content.windows(7).any(|window| window == b"hunter2"));
    }
    // What others were allowed is taken back; what the owner chose stays.
    drop(journal);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    drop(Journal::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_an_older_version_left_may_have_been_at_the_server_since_it_was_decided() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    run(journal.record(vec![intent(1), intent(2)])).unwrap();
    run(journal.note(intent(1).id, SENDING)).unwrap();
    run(journal.note(intent(1).id, Step::Tried(sample_try(1), true))).unwrap();
    drop(journal);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("ALTER TABLE progress DROP COLUMN reached_at; PRAGMA user_version = 1").unwrap();
    drop(old);
    let journal = Journal::open(&path).unwrap();
    let reached = |number| journal.entry(intent(number).id).unwrap().unwrap().reached_at;
    assert_eq!((reached(1), reached(2)), (Some(intent(1).decided_at), None));
    run(journal.note(intent(2).id, Step::Sending { try_number: 1, at: at(77) })).unwrap();
    assert_eq!(reached(2), Some(at(77)));
}
