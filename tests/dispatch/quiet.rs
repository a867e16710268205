//! What waits, waits without turning round and round; and what the reviewer wants at the very moment at which a decision's
//! life ends is done. Both were found by the simulation.

use crate::world::{Desk, Disk, Fate, Row, Server, order, process};
use aegis_console::dispatch::{Link, News, Order};
use aegis_console::domain::{Outcome, Verdict};
use jiff::SignedDuration;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(31);

/// Fails where a life never waits: then the paused clock never moves, and nothing else would end the test.
fn comes_to_rest(life: impl FnOnce() + Send + 'static) {
    let (done, over) = mpsc::channel();
    std::thread::spawn(move || {
        life();
        done.send(()).unwrap();
    });
    over.recv_timeout(Duration::from_secs(60)).expect("it runs round and round, or has failed");
}

fn pending(server: &Server, order: &Order) {
    let row = Row { request_id: order.request_id.to_string(), verdict: "approve".into(), status: "PENDING" };
    server.rows.lock().unwrap().insert("k".into(), row);
}

#[test]
fn what_is_in_progress_without_a_link_however_old_it_is() {
    comes_to_rest(|| {
        let (server, disk) = (Server::always(Fate::Fine), Disk::new());
        let mut order = order(Verdict::Approve, "k");
        order.decided_at -= HALF_AN_HOUR;
        pending(&server, &order);
        process(async {
            let mut desk = Desk::open(&server, &disk);
            desk.dispatcher.decide(vec![order.clone()], Duration::ZERO);
            assert_eq!(desk.ended(order.id).await, Outcome::InProgress);
            desk.dispatcher.link(Link::Down);
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
    });
}

#[test]
fn what_the_reviewer_wants_sent_again_without_a_link_however_old_it_is() {
    comes_to_rest(|| {
        let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
        process(async {
            let mut desk = Desk::open(&server, &disk);
            let mut order = order(Verdict::Approve, "k");
            order.decided_at -= HALF_AN_HOUR;
            let id = order.id;
            desk.dispatcher.decide(vec![order], Duration::ZERO);
            assert_eq!(desk.ended(id).await, Outcome::Unconfirmed);
            desk.dispatcher.link(Link::Down);
            desk.dispatcher.try_again(id);
            desk.until(id, |news| *news == News::Queued).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            server.is_now(Fate::Fine);
            desk.dispatcher.link(Link::Up);
            assert_eq!(desk.ended(id).await, Outcome::Committed);
        });
    });
}

#[test]
fn what_the_reviewer_wants_while_the_last_look_is_on_its_way() {
    comes_to_rest(|| {
        let (server, disk) = (Server::always(Fate::Fine), Disk::new());
        let order = order(Verdict::Approve, "k");
        let id = order.id;
        pending(&server, &order);
        process(async {
            let mut desk = Desk::open(&server, &disk);
            desk.dispatcher.decide(vec![order], Duration::ZERO);
            assert_eq!(desk.ended(id).await, Outcome::InProgress);
            let (dispatcher, once) = (desk.dispatcher.clone(), OnceLock::new());
            server.rows.lock().unwrap().get_mut("k").unwrap().status = "FAILED";
            *server.spy.lock().unwrap() = Some(Box::new(move |_| {
                once.get_or_init(|| dispatcher.try_again(id));
            }));
            assert_eq!(desk.ended(id).await, Outcome::Failed);
            assert_eq!(desk.ended(id).await, Outcome::Committed, "it was asked for, and noted");
            assert_eq!(server.posts().len(), 2);
        });
    });
}
