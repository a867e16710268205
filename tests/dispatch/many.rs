//! Many at once: a bounded number in flight, a server in trouble that is not made worse, and nothing lost.

use crate::world::{Desk, Disk, Fate, Server, builder, order, process};
use aegis_console::dispatch::{IN_FLIGHT, News, NoCheck, Pace};
use aegis_console::domain::{Outcome, Verdict};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

fn orders(count: usize) -> Vec<aegis_console::dispatch::Order> {
    (0..count).map(|n| order(Verdict::Approve, &format!("k{n}"))).collect()
}

#[test]
fn five_hundred_at_once() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        desk.dispatcher.decide(orders(500), Duration::ZERO);
        assert_eq!(desk.dispatcher.open(), 500);
        let mut ended = HashSet::new();
        while ended.len() < 500 {
            let event = desk.next().await;
            if let News::Resolved(resolution) = event.news {
                assert_eq!(resolution.outcome, Outcome::Committed);
                assert!(ended.insert(event.id), "ended twice");
            }
        }
        desk.dispatcher.settled().await;
        assert_eq!(server.posts().len(), 500);
        assert!((2..=IN_FLIGHT).contains(&server.most_in_flight()), "{}", server.most_in_flight());
    });
}

#[test]
fn a_receiver_that_is_gone_stops_no_decision() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let Desk { dispatcher, events, .. } = Desk::open(&server, &disk);
        drop(events);
        dispatcher.decide(orders(100), Duration::ZERO);
        dispatcher.settled().await;
        assert_eq!(server.posts().len(), 100);
    });
}

#[test]
fn a_thousand_failing_decisions_cost_a_bucketful_more() {
    let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let began = tokio::time::Instant::now();
        desk.dispatcher.decide(orders(1_000), Duration::ZERO);
        let mut doubtful = HashSet::new();
        while doubtful.len() < 1_000 {
            let event = desk.next().await;
            match event.news {
                News::Doubtful { .. } => drop(doubtful.insert(event.id)),
                News::Resolved(resolution) => panic!("{resolution:?}"),
                _ => {}
            }
        }
        let budget = 20 + began.elapsed().as_secs() / 2 + 1;
        let requests = server.requests.lock().unwrap().len() as u64;
        assert!(requests <= 1_000 + budget, "{requests} requests in {:?}", began.elapsed());

        // When it has recovered, all of them land, each once, and soon.
        server.is_now(Fate::Fine);
        let recovered = tokio::time::Instant::now();
        let mut ended = HashSet::new();
        while ended.len() < 1_000 {
            let event = desk.next().await;
            if let News::Resolved(resolution) = event.news {
                assert_eq!(resolution.outcome, Outcome::Committed);
                ended.insert(event.id);
            }
        }
        assert!(recovered.elapsed() < Duration::from_secs(5 * 60), "{:?}", recovered.elapsed());
        assert_eq!(server.rows.lock().unwrap().len(), 1_000);
        server.assert_same_bytes();
    });
}

#[test]
fn a_server_that_is_not_there_is_probed_and_everything_lands_when_it_is_back() {
    let (server, disk) = (Server::always(Fate::NotSent), Disk::new());
    process(async {
        let mut desk = Desk::with(builder(&server).max_retries(1), &disk, Arc::new(NoCheck), Pace::default());
        desk.dispatcher.decide(orders(300), Duration::ZERO);
        let (mut ended, mut put_off) = (HashSet::new(), HashSet::new());
        while ended.len() + put_off.len() < 300 {
            let event = desk.next().await;
            match event.news {
                News::Resolved(resolution) => {
                    assert_eq!(resolution.outcome, Outcome::NotSent);
                    ended.insert(event.id);
                }
                News::Attempt(aegis_console::client::AttemptEvent::Waiting { .. }) => {
                    put_off.insert(event.id);
                }
                _ => {}
            }
        }
        let posts = server.posts().len();
        assert!(posts <= 2 * IN_FLIGHT + 10, "{posts} requests to nobody");
        server.is_now(Fate::Fine);
        let mut landed = HashSet::new();
        while landed.len() + ended.len() < 300 {
            let event = desk.next().await;
            let News::Resolved(resolution) = event.news else { continue };
            match resolution.outcome {
                Outcome::Committed => assert!(landed.insert(event.id)),
                // Its last try was on its way when the server came back.
                Outcome::NotSent => assert!(ended.insert(event.id)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(server.rows.lock().unwrap().len(), landed.len());
        server.assert_same_bytes();
    });
}
