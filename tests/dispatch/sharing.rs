//! Two processes on one journal: the first carries out what the second decides, and the second takes over when the first
//! has gone. On the real clock: they wake each other.

use crate::world::{Desk, Disk, Fate, Server, live, order};
use aegis_console::dispatch::News;
use aegis_console::domain::{Outcome, Verdict};
use aegis_console::journal::Stage;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn the_first_carries_out_what_the_second_decides() {
    let (first_server, second_server) = (Server::always(Fate::Fine), Server::always(Fate::Fine));
    let disk = Disk::new();
    live(async {
        let mut first = Desk::open(&first_server, &disk);
        let mut second = Desk::open(&second_server, &disk);
        assert!(first.dispatcher.carries() && !second.dispatcher.carries());

        let id = second.approve("k");
        let told = second.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!((told[0].as_str(), told.last().unwrap().as_str()), ("queued", "committed"), "{told:?}");
        assert_eq!(&told[1..3], ["try 1", "202"]);
        let seen = first.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(seen, ["found queued", "try 1", "202", "committed"]);
        assert_eq!((first_server.posts().len(), second_server.posts().len()), (1, 0));
        assert_eq!(second.dispatcher.open(), 0);

        let poke = format!("{}.poke", disk.path().display());
        assert_eq!(std::fs::metadata(poke).unwrap().permissions().mode() & 0o777, 0o600);
    });
}

#[test]
fn the_second_takes_back_and_releases_what_it_holds() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    live(async {
        let mut first = Desk::open(&server, &disk);
        let mut second = Desk::open(&server, &disk);
        let (back, now) = (order(Verdict::Approve, "back"), order(Verdict::Approve, "now"));
        second.dispatcher.decide(vec![back.clone(), now.clone()], LONG);
        for id in [back.id, now.id] {
            first.until(id, |news| matches!(news, News::Found(_))).await;
        }
        second.dispatcher.undo(back.id);
        second.until(back.id, |news| *news == News::Dropped).await;
        first.until(back.id, |news| *news == News::Dropped).await;
        second.dispatcher.release(&[now.id]);
        let told = second.until(now.id, |news| matches!(news, News::Resolved(_))).await;
        assert!(told.contains(&"queued".into()), "{told:?}");
        assert_eq!((second.stage(back.id), server.posts().len()), (Stage::Dropped, 1));
    });
}

#[test]
fn the_second_has_what_failed_sent_again() {
    let (server, disk) = (Server::always(Fate::Pending), Disk::new());
    live(async {
        let mut first = Desk::open(&server, &disk);
        let mut second = Desk::open(&server, &disk);
        let id = second.approve("k");
        assert_eq!(second.ended(id).await, Outcome::Accepted);
        server.rows.lock().unwrap().get_mut("k").unwrap().status = "FAILED";
        assert_eq!(second.ended(id).await, Outcome::Failed);
        first.until(id, |news| matches!(news, News::Resolved(end) if end.outcome == Outcome::Failed)).await;
        server.is_now(Fate::Fine);
        second.dispatcher.try_again(id);
        assert_eq!(second.ended(id).await, Outcome::Committed);
        assert_eq!(server.posts().len(), 2);
        server.assert_same_bytes();
    });
}

#[test]
fn the_second_takes_over_when_the_first_has_gone() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let mut second_told = Vec::new();
    live(async {
        let second = std::thread::scope(|scope| {
            // The first lives in a runtime of its own, that ends as a process does.
            scope
                .spawn(|| {
                    live(async {
                        let mut first = Desk::open(&server, &disk);
                        let held = order(Verdict::Approve, "held");
                        first.dispatcher.decide(vec![held.clone()], Duration::from_secs(1));
                        first.until(held.id, |_| true).await;
                        (held.id, disk.journal())
                    })
                })
                .join()
                .unwrap()
        });
        let (id, journal) = second;
        assert!(!journal.is_dispatcher());
        drop(journal);
        let mut second = Desk::open(&server, &disk);
        assert!(second.dispatcher.carries(), "nobody else does");
        second_told = second.until(id, |news| matches!(news, News::Resolved(_))).await;
    });
    assert_eq!(second_told, ["found held", "queued", "try 1", "202", "committed"]);
}

#[test]
fn a_second_that_waits_takes_over_in_the_middle() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    live(async {
        let first = Desk::open(&server, &disk);
        let mut second = Desk::open(&server, &disk);
        let held = order(Verdict::Approve, "held");
        second.dispatcher.decide(vec![held.clone()], Duration::from_secs(2));
        second.until(held.id, |_| true).await;
        first.dispatcher.shutdown().await;
        drop(first);
        let told = second.until(held.id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["queued", "try 1", "202", "committed"]);
        assert!(second.dispatcher.carries());
        assert_eq!(server.posts().len(), 1);
        // And carries out what it decides from then on.
        let id = second.approve("next");
        assert_eq!(second.ended(id).await, Outcome::Committed);
    });
}
