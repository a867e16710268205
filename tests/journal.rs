//! The journal as its users see it.

#![cfg(feature = "console")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "journal/support.rs"]
mod support;

use aegis_console::journal::{Journal, Stage, Step};
use support::{directory, ended, intent, run, sample_try};

#[test]
fn a_decision_is_there_after_a_restart() {
    let directory = directory();
    let path = directory.path().join("new/journal.sqlite");
    let intent = intent(1);
    {
        let journal = Journal::open(&path).unwrap();
        assert!(journal.is_dispatcher());
        run(journal.record(vec![intent.clone()])).unwrap();
        run(journal.note(intent.id, Step::Sending { try_number: 1 })).unwrap();
    }
    let journal = Journal::open(&path).unwrap();
    let entry = journal.entry(intent.id).unwrap().unwrap();
    assert_eq!((entry.stage, entry.maybe, entry.tries), (Stage::Sending, true, 1));
    assert_eq!(entry.intent, intent);
    run(journal.note(intent.id, Step::Ended(ended(&intent)))).unwrap();
    assert_eq!(journal.open_entries().unwrap(), []);
    assert_eq!(journal.recent(9).unwrap()[0].resolution, Some(ended(&intent)));
    let _ = sample_try(1);
}
