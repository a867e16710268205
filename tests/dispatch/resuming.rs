//! A process that ends anywhere, and the next one on the same journal: each decision is carried out once, with the key,
//! the request id and the bytes that it had.

use crate::world::{Desk, Disk, Fate, Server, order, process, word};
use aegis_console::dispatch::{Link, News};
use aegis_console::domain::{Outcome, Verdict};
use aegis_console::journal::Stage;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What the next process finds, and how it ends there.
fn next_process(server: &Arc<Server>, disk: &Disk, id: Uuid) -> Vec<String> {
    let told = process(async {
        let mut desk = Desk::open(server, disk);
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(desk.stage(id), Stage::Ended);
        desk.dispatcher.settled().await;
        told
    });
    assert_eq!(server.rows.lock().unwrap().len(), 1, "carried out once");
    server.assert_same_bytes();
    // A third one has nothing to do.
    process(async {
        let desk = Desk::open(server, disk);
        let posts = server.posts().len();
        desk.dispatcher.settled().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!((server.posts().len(), desk.dispatcher.open()), (posts, 0));
    });
    told
}

/// Decides on one action and crashes when its news is so far.
fn crash_at(server: &Arc<Server>, disk: &Disk, grace: Duration, far: impl Fn(&News) -> bool) -> Uuid {
    process(async {
        let mut desk = Desk::open(server, disk);
        let order = order(Verdict::Approve, "k");
        let id = order.id;
        desk.dispatcher.decide(vec![order], grace);
        desk.until(id, far).await;
        id
    })
}

#[test]
fn after_it_was_held() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let id = crash_at(&server, &disk, Duration::from_secs(3), |news| matches!(news, News::Held { .. }));
    assert!(server.posts().is_empty());
    assert_eq!(next_process(&server, &disk, id), ["found held", "queued", "try 1", "202", "committed"]);
}

#[test]
fn after_it_was_queued() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let id = process(async {
        let mut desk = Desk::open(&server, &disk);
        desk.dispatcher.link(Link::Down);
        let id = desk.approve("k");
        assert_eq!(desk.until(id, |_| true).await, ["queued"]);
        id
    });
    assert_eq!(next_process(&server, &disk, id), ["found queued", "try 1", "202", "committed"]);
}

#[test]
fn while_it_was_being_sent_and_had_landed() {
    let (server, disk) = (Server::always(Fate::Hang), Disk::new());
    let id = crash_at(&server, &disk, Duration::ZERO, |news| word(news) == "try 1");
    server.is_now(Fate::Fine);
    // The look finds it; nothing is sent a second time.
    assert_eq!(next_process(&server, &disk, id), ["found sending", "looking", "mine"]);
    assert_eq!(server.posts().len(), 1);
}

#[test]
fn while_it_was_being_sent_and_had_not_landed() {
    let (server, disk) = (Server::always(Fate::RequestLost), Disk::new());
    let id = crash_at(&server, &disk, Duration::ZERO, |news| word(news) == "try 1");
    server.is_now(Fate::Fine);
    let told = next_process(&server, &disk, id);
    assert_eq!(told.last().unwrap(), "committed", "{told:?}");
    assert_eq!(told[1], "looking");
}

#[test]
fn while_it_had_landed_on_a_server_that_tells_no_status() {
    let (server, disk) = (Server::always(Fate::Hang), Disk::new());
    *server.answers_looks.lock().unwrap() = false;
    let id = crash_at(&server, &disk, Duration::ZERO, |news| word(news) == "try 1");
    server.is_now(Fate::Fine);
    let told = next_process(&server, &disk, id);
    assert_eq!(told, ["found sending", "looking", "try 1", "409", "mine"]);
}

#[test]
fn between_two_tries() {
    let (server, disk) = (Server::always(Fate::NotSent), Disk::new());
    let id = crash_at(&server, &disk, Duration::ZERO, |news| word(news) == "waiting");
    server.is_now(Fate::Fine);
    let told = next_process(&server, &disk, id);
    assert_eq!(told, ["found queued", "try 2", "202", "committed"], "its numbers go on");
}

#[test]
fn while_it_was_in_doubt() {
    for (fate, last) in [(Fate::AnswerLost, "mine"), (Fate::Says(503), "committed")] {
        let (server, disk) = (Server::always(fate), Disk::new());
        *server.answers_looks.lock().unwrap() = false;
        // A server whose 409 says nothing would leave it unknown; this one says it as soon as it answers.
        let id = crash_at(&server, &disk, Duration::ZERO, |news| matches!(news, News::Doubtful { .. }));
        server.is_now(Fate::Fine);
        let told = next_process(&server, &disk, id);
        assert_eq!((told[0].as_str(), told.last().unwrap().as_str()), ("found doubtful", last), "{told:?}");
    }
}

#[test]
fn after_it_was_accepted() {
    let (server, disk) = (Server::always(Fate::Pending), Disk::new());
    let id = crash_at(&server, &disk, Duration::ZERO, |news| matches!(news, News::Resolved(_)));
    server.rows.lock().unwrap().get_mut("k").unwrap().status = "COMMITTED";
    process(async {
        let mut desk = Desk::open(&server, &disk);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
    });
    assert_eq!(server.posts().len(), 1);
}

#[test]
fn what_was_in_doubt_for_too_long_is_looked_for_once_and_left_to_the_reviewer() {
    for lands in [false, true] {
        let (server, disk) = (Server::always(Fate::Hang), Disk::new());
        let id = process(async {
            let mut desk = Desk::open(&server, &disk);
            let mut order = order(Verdict::Approve, "k");
            order.decided_at -= jiff::SignedDuration::from_hours(2);
            desk.dispatcher.decide(vec![order.clone()], Duration::ZERO);
            desk.until(order.id, |news| word(news) == "try 1").await;
            order.id
        });
        if !lands {
            server.rows.lock().unwrap().clear();
        }
        process(async {
            let mut desk = Desk::open(&server, &disk);
            let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
            assert_eq!(told, ["found sending", if lands { "mine" } else { "unconfirmed" }]);
            assert_eq!((server.posts().len(), server.requests.lock().unwrap().len()), (1, 2));
            if !lands {
                // Only the reviewer has it sent again, and then it is.
                server.is_now(Fate::Fine);
                desk.dispatcher.try_again(id);
                assert_eq!(desk.ended(id).await, Outcome::Committed);
                server.assert_same_bytes();
            }
        });
    }
}

#[test]
fn what_is_for_another_server_is_left_alone() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let id = process(async {
        let mut desk = Desk::open(&server, &disk);
        desk.dispatcher.link(Link::Down);
        let id = desk.approve("k");
        desk.until(id, |_| true).await;
        id
    });
    process(async {
        let client = crate::world::builder(&server).base_url("http://localhost:9");
        let check = Arc::new(aegis_console::dispatch::NoCheck);
        let desk = Desk::with(client, &disk, check, aegis_console::dispatch::Pace::default());
        desk.dispatcher.settled().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!((desk.stage(id), server.posts().len()), (Stage::Queued, 0));
    });
}

#[test]
fn what_ended_as_it_should_is_forgotten_after_ninety_days() {
    let server = Server::new(|_, request| {
        let key = request.headers()["idempotency-key"].to_str().unwrap();
        if key.starts_with("refused") { Fate::Says(403) } else { Fate::Fine }
    });
    let disk = Disk::new();
    let ids = process(async {
        let mut desk = Desk::open(&server, &disk);
        let mut ids = Vec::new();
        for key in ["old", "refused", "new"] {
            ids.push(desk.approve(key));
            desk.ended(ids[ids.len() - 1]).await;
        }
        ids
    });
    let sqlite = rusqlite::Connection::open(disk.path()).unwrap();
    for (id, days) in ids.iter().zip([91, 91, 89]) {
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let aged = "UPDATE progress SET updated_at = ? WHERE seq = (SELECT seq FROM intent WHERE id = ?)";
        assert_eq!(sqlite.execute(aged, [format!("{then:.9}"), id.to_string()]).unwrap(), 1);
    }
    process(async {
        let desk = Desk::open(&server, &disk);
        while desk.journal.entry(ids[0]).unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Nobody has seen yet that it was refused; and what is not old stays.
        assert_eq!((desk.stage(ids[1]), desk.stage(ids[2])), (Stage::Ended, Stage::Ended));
        desk.dispatcher.shutdown().await;
    });
}
