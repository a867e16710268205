//! A journal that is used for long: what has ended can be forgotten, and its log does not grow with what goes through it.

use crate::support::{SENDING, at, intent, numbers, outcomes, place, resolution, run};
use aegis_console::journal::{Intent, Journal, Step};
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn thousands_are_forgotten_and_others_are_recorded_meanwhile() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let many: Vec<_> = (1..=2_500).map(intent).collect();
    run(journal.record(many.clone())).unwrap();
    let end = |intent: &Intent, step| (intent.id, step);
    let committed = |one: &Intent| Step::Ended(resolution(one, outcomes()[1].clone()));
    let ends = many.iter().skip(1).flat_map(|one| [end(one, SENDING), end(one, committed(one))]);
    run(journal.note_many(ends.collect())).unwrap();

    let pruning = journal.prune(Timestamp::MAX);
    // It does not hold the journal until it is done.
    let recording = journal.record(vec![intent(9_000)]);
    run(futures_util::future::join(pruning, recording)).1.unwrap();
    assert_eq!(numbers(&journal), [1, 9_000]);
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    for table in ["intent", "progress", "attempt"] {
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = sqlite.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(count, if table == "attempt" { 0 } else { 2 }, "{table}");
    }
    run(journal.prune(at(0))).unwrap();
}

#[test]
fn the_log_stays_small_while_another_process_reads() {
    let (_directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let log = path.with_file_name("journal.sqlite-wal");
    let done = AtomicBool::new(false);
    let (mut longest, mut written) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = Journal::open(&path).unwrap();
            while !done.load(Ordering::SeqCst) {
                other.recent(20).unwrap();
                other.data_version().unwrap();
            }
        });
        for number in 1..=800 {
            let body = format!("{{\"n\":\"{}\"}}", "x".repeat(100_000));
            written += body.len() as u64;
            run(journal.record(vec![Intent { body, ..intent(number) }])).unwrap();
            longest = longest.max(log.metadata().unwrap().len());
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(written > 75 << 20);
    assert!(longest < written * 3 / 4, "{longest} bytes of log for {written}");
}
