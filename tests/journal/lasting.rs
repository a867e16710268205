//! What was acknowledged outlives the process, however that ends; and so does nobody's lock.

use crate::support::{SENDING, as_child, child, intent, numbers, place, run};
use aegis_console::journal::{Journal, Stage};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// The other process, and what it says.
fn start(test: &str, path: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = as_child(test, path).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    (child, said)
}

/// A number said in a line of its own after `word`.
fn said(line: &str, word: &str) -> Option<u64> {
    // The test's own name may stand before it in the line.
    line.rsplit_once(word)?.1.trim().parse().ok()
}

#[test]
fn a_lock_goes_with_its_process() {
    let Some(path) = child() else {
        let (_directory, path) = place();
        let (mut other, output) = start("lasting::a_lock_goes_with_its_process", &path);
        let mut lines = output.lines().map(Result::unwrap);
        lines.find(|line| said(line, "locked ").is_some()).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert!(!journal.is_dispatcher() && !journal.try_become_dispatcher());
        assert!(!journal.entry(intent(1).id).unwrap().unwrap().maybe);
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(journal.try_become_dispatcher());
        // It was being sent when its process was killed.
        assert!(journal.entry(intent(1).id).unwrap().unwrap().maybe);
        return;
    };
    let journal = Journal::open(&path).unwrap();
    assert!(journal.is_dispatcher());
    run(journal.record(vec![intent(1)])).unwrap();
    run(journal.note(intent(1).id, SENDING)).unwrap();
    println!("locked 1");
    // Until it is killed.
    loop {
        std::thread::park();
    }
}

#[test]
fn what_was_acknowledged_outlives_any_kill() {
    let Some(path) = child() else {
        let (_directory, path) = place();
        let mut acknowledged = 0;
        for round in 0..12_usize {
            let (mut other, output) = start("lasting::what_was_acknowledged_outlives_any_kill", &path);
            // Killed after a different number of lines each time, in the middle of what comes then.
            let mut left = 1 + round * round * 3;
            for line in output.lines().map_while(Result::ok) {
                let Some(number) = said(&line, "recorded ") else { continue };
                acknowledged = acknowledged.max(number);
                left -= 1;
                if left == 0 {
                    other.kill().unwrap();
                    break;
                }
            }
            other.wait().unwrap();
            let journal = Journal::open(&path).unwrap();
            assert!(journal.is_dispatcher());
            let found = numbers(&journal);
            // Nothing that was acknowledged is missing, nothing is half there, nothing has changed its place.
            assert!(found.len() as u64 >= acknowledged, "{} of {acknowledged}", found.len());
            assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
            for entry in journal.open_entries().unwrap() {
                let number = entry.intent.id.as_u64_pair().1;
                assert_eq!(entry.intent, intent(number));
                let (stage, maybe) = (Stage::Sending, true);
                let last = number == found.len() as u64;
                assert!(last || (entry.stage, entry.maybe) == (stage, maybe), "{number}: {entry:?}");
            }
        }
        assert!(acknowledged > 100, "{acknowledged}");
        return;
    };
    let journal = Journal::open(&path).unwrap();
    let first = numbers(&journal).len() as u64 + 1;
    let last = first - 1;
    if last > 0 {
        // The one before was perhaps killed between the two.
        let _ = run(journal.note(intent(last).id, SENDING));
    }
    for number in first.. {
        run(journal.record(vec![intent(number)])).unwrap();
        println!("recorded {number}");
        run(journal.note(intent(number).id, SENDING)).unwrap();
    }
}

#[test]
fn a_torn_log_holds_all_that_came_before_the_tear() {
    let (directory, path) = place();
    let journal = Journal::open(&path).unwrap();
    let mut ends = vec![0];
    let log = path.with_file_name("journal.sqlite-wal");
    for number in 1..=12 {
        run(journal.record(vec![intent(number)])).unwrap();
        ends.push(usize::try_from(log.metadata().unwrap().len()).unwrap());
    }
    let (file, log) = (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
    drop(journal);
    let torn = directory.path().join("torn.sqlite");
    let look = |log: &[u8]| {
        std::fs::write(&torn, &file).unwrap();
        std::fs::write(torn.with_file_name("torn.sqlite-wal"), log).unwrap();
        let _ = std::fs::remove_file(torn.with_file_name("torn.sqlite-shm"));
        let journal = Journal::open(&torn).unwrap();
        run(journal.record(vec![intent(99)])).unwrap();
        let found = numbers(&journal);
        assert_eq!(found.last(), Some(&99));
        found[..found.len() - 1].to_vec()
    };
    for cut in (ends[1]..=log.len()).step_by(997).chain([log.len()]) {
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64 - 1;
        assert_eq!(look(&log[..cut]), (1..=whole).collect::<Vec<_>>(), "cut at {cut}");
    }
    // A tail that was allocated but never written.
    let mut zeros = log[..ends[7]].to_vec();
    zeros.resize(log.len(), 0);
    assert_eq!(look(&zeros), (1..=7).collect::<Vec<_>>());
    // A sector of the last commit that was written before it, as disks do.
    let mut sector = log.clone();
    let at = ends[11] + (log.len() - ends[11]) / 2;
    sector[at..at + 512].fill(0xA5);
    assert_eq!(look(&sector), (1..=11).collect::<Vec<_>>());
}
