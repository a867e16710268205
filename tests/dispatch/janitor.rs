//! A server that dies after the effect leaves its row `PENDING`; five minutes later its janitor opens the key again
//! (wire.md, part 1). What may have landed is therefore not sent again by itself when that may have happened, over
//! restarts neither; only the reviewer has it sent then.

use crate::world::{Desk, Disk, Fate, Row, Server, builder, process};
use aegis_console::dispatch::{Check, Checked, Link, News, NoCheck, Pace};
use aegis_console::domain::Outcome;
use aegis_console::journal::{Intent, Stage};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// The first decision is carried out, and its server dies; afterwards all is well. Its status call says nothing.
fn dies_after_the_effect() -> Arc<Server> {
    let server = Server::new(|number, _| if number == 1 { Fate::Orphaned } else { Fate::Fine });
    *server.answers_looks.lock().unwrap() = false;
    *server.janitor.lock().unwrap() = Some(5 * MINUTE);
    server
}

#[test]
fn a_link_that_was_down_for_longer_than_the_janitor_waits() {
    let (server, disk) = (dies_after_the_effect(), Disk::new());
    process(async {
        let mut desk = Desk::with(builder(&server).max_retries(0), &disk, Arc::new(NoCheck), Pace::default());
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
        desk.dispatcher.link(Link::Down);
        tokio::time::sleep(6 * MINUTE).await;
        desk.dispatcher.link(Link::Up);
        assert_eq!(desk.ended(id).await, Outcome::Unconfirmed);
        assert_eq!((server.posts().len(), server.effects("k")), (1, 1), "carried out once");

        // Only the reviewer has it sent again, knowing that it may then run twice.
        desk.dispatcher.try_again(id);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        server.assert_same_bytes();
    });
}

#[test]
fn a_server_that_does_not_answer_for_longer_than_that() {
    for silent in [Fate::Says(503), Fate::RequestLost, Fate::NotSent] {
        let (server, disk) = (dies_after_the_effect(), Disk::new());
        process(async {
            let born = tokio::time::Instant::now();
            server.becomes(move |number, _| match number {
                1 => Fate::Orphaned,
                _ if born.elapsed() < 6 * MINUTE => silent,
                _ => Fate::Fine,
            });
            // Slow enough for the last of its redeliveries to come after the janitor.
            let pace = Pace { first_pause: MINUTE, ..Pace::default() };
            let mut desk = Desk::with(builder(&server), &disk, Arc::new(NoCheck), pace);
            let id = desk.approve("k");
            assert_eq!(desk.ended(id).await, Outcome::Unconfirmed, "{silent:?}");
            assert_eq!(server.effects("k"), 1, "{silent:?}");
            let posts = server.post_times();
            assert!(posts.len() > 4, "it is sent again until then");
            assert!(posts.iter().all(|at| *at - born < Duration::from_secs(270)), "{silent:?}");
            let lasted = born.elapsed();
            assert!((29 * MINUTE..=30 * MINUTE + Duration::from_secs(1)).contains(&lasted), "{lasted:?}");
        });
    }
}

#[test]
fn the_looks_that_are_left_come_at_growing_pauses() {
    let (server, disk) = (dies_after_the_effect(), Disk::new());
    process(async {
        let mut desk = Desk::with(builder(&server).max_retries(0), &disk, Arc::new(NoCheck), Pace::default());
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
        desk.dispatcher.link(Link::Down);
        tokio::time::sleep(10 * MINUTE).await;
        let before = server.requests.lock().unwrap().len();
        desk.dispatcher.link(Link::Up);
        desk.ended(id).await;
        let looks = server.requests.lock().unwrap().len() - before;
        assert!((20..=32).contains(&looks), "{looks} looks in twenty minutes");
    });
}

/// A process that ends at that point, ten minutes ago.
fn ten_minutes_ago(server: &Arc<Server>, disk: &Disk, far: impl Fn(&News) -> bool) -> uuid::Uuid {
    let id = process(async {
        let mut desk = Desk::open(server, disk);
        let id = desk.approve("k");
        desk.until(id, far).await;
        id
    });
    let then = Timestamp::now() - SignedDuration::from_mins(10);
    let journal = rusqlite::Connection::open(disk.path()).unwrap();
    let changed = journal.execute("UPDATE progress SET reached_at = ?", [format!("{then:.9}")]).unwrap();
    assert_eq!(changed, 1);
    id
}

#[test]
fn a_restart_after_longer_than_that() {
    let started = |news: &News| crate::world::word(news) == "try 1";
    let doubtful = |news: &News| matches!(news, News::Doubtful { .. });
    for (first, far) in [
        (Fate::Hang, &started as &dyn Fn(&News) -> bool),
        (Fate::Orphaned, &doubtful),
        (Fate::Hang, &doubtful),
    ] {
        let server = Server::always(first);
        *server.answers_looks.lock().unwrap() = false;
        let disk = Disk::new();
        let id = ten_minutes_ago(&server, &disk, far);
        assert_eq!(server.effects("k"), 1);
        let posts = server.posts().len();
        // The janitor has been.
        server.rows.lock().unwrap().values_mut().for_each(|row: &mut Row| row.status = "FAILED");
        server.is_now(Fate::Fine);
        process(async {
            let mut desk = Desk::open(&server, &disk);
            assert_eq!(desk.ended(id).await, Outcome::Unconfirmed);
            assert_eq!((server.posts().len(), server.effects("k"), desk.stage(id)), (posts, 1, Stage::Ended));
        });
    }
}

#[test]
fn the_tries_of_one_call_stop_too() {
    let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
    process(async {
        let pace = Pace { resend_for: Duration::from_secs(1), ..Pace::default() };
        let mut desk = Desk::with(builder(&server), &disk, Arc::new(NoCheck), pace);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, Outcome::Unconfirmed);
        assert_eq!(server.posts().len(), 2, "at once and after half a second; the next would be at 1.5 s");
        assert_eq!(desk.entry(id).tries, 2);
    });
}

/// The queue of a gateway: what was decided on is still undecided.
struct Undecided;

impl Check for Undecided {
    fn still_stands<'a>(&'a self, _intent: &'a Intent) -> BoxFuture<'a, Checked> {
        Box::pin(std::future::ready(Checked::Undecided))
    }
}

#[test]
fn what_the_queue_says_is_undecided_is_sent_however_late_and_once() {
    let server = Server::new(|number, _| if number == 1 { Fate::RequestLost } else { Fate::Fine });
    let disk = Disk::new();
    process(async {
        let mut desk =
            Desk::with(builder(&server).max_retries(0), &disk, Arc::new(Undecided), Pace::default());
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
        desk.dispatcher.link(Link::Down);
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(server.posts().len(), 1);
        desk.dispatcher.link(Link::Up);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!((server.posts().len(), server.effects("k")), (2, 1));
        server.assert_same_bytes();
    });
}
