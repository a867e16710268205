//! What is sent, when, and what is told of it.

use crate::world::{Desk, Disk, Fate, Server, action, builder, live, order, process, word};
use aegis_console::dispatch::{Link, News, NoCheck, Order, Pace};
use aegis_console::domain::{Outcome, Verdict};
use aegis_console::journal::Stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(3);

#[test]
fn what_is_sent_is_what_was_sealed() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let order = Order {
        reason: Some("no\u{1b} \"thanks\"".into()),
        reviewer: Some("dana".into()),
        decided_at: "2026-11-23T12:01:00Z".parse().unwrap(),
        ..order(Verdict::Reject, "aap:1")
    };
    process(async {
        let mut desk = Desk::open(&server, &disk);
        desk.dispatcher.decide(vec![order.clone()], Duration::ZERO);
        assert_eq!(desk.ended(order.id).await, Outcome::Committed);
    });
    let post = &server.posts()[0];
    assert_eq!(post.uri().path(), "/api/v1/hitl/reject");
    assert_eq!(post.headers()["idempotency-key"], "aap:1");
    assert_eq!(post.headers()["thread-id"], "order-42");
    assert_eq!(post.headers()["x-request-id"], order.request_id.to_string());
    let body = format!(
        r#"{{"tenant_id":"acme","thread_id":"order-42","action":"send \"x\"","payload":{{ "n": 1.10,"big":9007199254740993, "t":"\u0061" }},"review":{{"action_id":"a-aap:1","reviewer":"dana","reason":"no\u001b \"thanks\"","digest":"{}","decided_at":"2026-11-23T12:01:00.000000Z"}}}}"#,
        order.action.digest
    );
    assert_eq!(std::str::from_utf8(post.body()).unwrap(), body);
}

#[test]
fn what_was_not_said_is_not_in_the_body() {
    let body = order(Verdict::Approve, "k").body();
    assert!(!body.contains("reason") && !body.contains("reviewer") && !body.contains("null"), "{body}");
}

#[test]
fn nothing_leaves_before_it_is_on_disk() {
    let (server, disk) =
        (Server::new(|number, _| if number < 3 { Fate::Says(503) } else { Fate::Fine }), Disk::new());
    let seen = Arc::new(AtomicUsize::new(0));
    process(async {
        let mut desk = Desk::open(&server, &disk);
        // A second pair of eyes on the file, as another process has it.
        let (eyes, count) = (disk.journal(), Arc::clone(&seen));
        *server.spy.lock().unwrap() = Some(Box::new(move |request| {
            if request.method() == "POST" {
                let id = request.headers()["x-request-id"].to_str().unwrap();
                let entry = eyes.by_request_id(id).unwrap().expect("sent before it was recorded");
                assert_eq!(entry.stage, Stage::Sending);
                assert_eq!(entry.intent.body.as_bytes(), request.body());
                assert_eq!(entry.tries as usize, count.fetch_add(1, Ordering::SeqCst) + 1);
            }
        }));
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!(desk.journal.tries(id).unwrap().len(), 3);
    });
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[test]
fn the_news_of_a_decision_come_in_order() {
    let (server, disk) =
        (Server::new(|number, _| if number == 1 { Fate::Says(503) } else { Fate::Fine }), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let order = order(Verdict::Approve, "k");
        desk.dispatcher.decide(vec![order.clone()], GRACE);
        let told = desk.until(order.id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["held", "queued", "try 1", "503", "waiting", "try 2", "202", "committed"]);
        assert_eq!(desk.stage(order.id), Stage::Ended);
        desk.dispatcher.settled().await;
    });
}

#[test]
fn what_is_held_can_be_taken_back_until_its_grace_is_over() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let order = order(Verdict::Approve, "k");
        let started = tokio::time::Instant::now();
        desk.dispatcher.decide(vec![order.clone()], GRACE);
        desk.dispatcher.undo(order.id);
        let told = desk.until(order.id, |news| *news == News::Dropped).await;
        assert_eq!(told, ["held", "dropped"]);
        assert!(started.elapsed() < GRACE);
        assert_eq!(desk.stage(order.id), Stage::Dropped);
        desk.dispatcher.settled().await;
        assert!(server.posts().is_empty());

        // Its action can be decided again, and what has left cannot be taken back.
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Attempt(_))).await;
        desk.dispatcher.undo(id);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!(server.posts().len(), 1);
    });
}

#[test]
fn what_is_held_goes_out_when_it_is_released() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let orders: Vec<_> = (0..4).map(|n| order(Verdict::Approve, &format!("k{n}"))).collect();
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        desk.dispatcher.decide(orders, Duration::from_secs(3_600));
        for &id in &ids {
            desk.until(id, |news| matches!(news, News::Held { .. })).await;
        }
        desk.dispatcher.release(&ids[..2]);
        desk.dispatcher.drop_held(&ids[2..]);
        let mut words: Vec<_> = Vec::new();
        while words.len() < 4 {
            let event = desk.next().await;
            if matches!(event.news, News::Resolved(_) | News::Dropped) {
                words.push((ids.iter().position(|id| *id == event.id).unwrap(), word(&event.news)));
            }
        }
        words.sort();
        let expected = [(0, "committed"), (1, "committed"), (2, "dropped"), (3, "dropped")];
        assert_eq!(words, expected.map(|(n, word)| (n, word.to_owned())));
        assert_eq!((server.posts().len(), desk.dispatcher.open()), (2, 0));
    });
}

#[test]
fn what_cannot_be_recorded_is_not_taken_and_the_others_are() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let first = desk.approve("k0");
        desk.ended(first).await;
        let mut orders: Vec<_> = (0..5).map(|n| order(Verdict::Reject, &format!("k{n}"))).collect();
        orders.push(Order { action: action("k9", "füh"), ..order(Verdict::Approve, "k9") });
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        desk.dispatcher.decide(orders, Duration::ZERO);
        let mut ends = std::collections::HashMap::new();
        while ends.len() < 6 {
            let event = desk.next().await;
            match event.news {
                News::NotRecorded { why } => drop(ends.insert(event.id, why)),
                News::Resolved(resolution) => drop(ends.insert(event.id, resolution.outcome.word().into())),
                _ => {}
            }
        }
        assert!(ends[&ids[0]].contains("decided already"), "{}", ends[&ids[0]]);
        assert!(ends[&ids[5]].contains("thread_id"), "{}", ends[&ids[5]]);
        assert!(ids[1..5].iter().all(|id| ends[id] == "committed"), "{ends:?}");
        assert_eq!((server.posts().len(), desk.dispatcher.open()), (5, 0));
    });
}

#[test]
fn a_journal_that_fails_stops_all_sending_and_takes_nothing_more() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    live(async {
        let mut desk = Desk::open(&server, &disk);
        let held = order(Verdict::Approve, "held");
        desk.dispatcher.decide(vec![held.clone()], GRACE);
        desk.until(held.id, |news| matches!(news, News::Held { .. })).await;
        std::fs::rename(disk.path(), disk.path().with_extension("gone")).unwrap();

        let id = desk.approve("k");
        let News::NotRecorded { why } = desk.next().await.news else { panic!("it was taken") };
        assert!(why.contains("journal"), "{why}");
        let told = desk.until(held.id, |news| matches!(news, News::Stopped { .. })).await;
        assert_eq!(told, ["stopped"]);
        let again = desk.approve("k2");
        assert_eq!(desk.until(again, |_| true).await, ["not recorded"]);
        desk.dispatcher.settled().await;
        assert!(desk.told.is_empty() && id != again);
    });
    assert!(server.posts().is_empty(), "sent although the journal had failed");
}

#[test]
fn not_sent_is_sent_again_or_taken_back_by_the_reviewer() {
    let (server, disk) = (Server::always(Fate::NotSent), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let (again, back) = (desk.approve("k"), desk.approve("l"));
        // Eight tries do not reach the server, and the breaker puts off what is left of them; in the end both are
        // the reviewer's.
        let mut ended = Vec::new();
        while ended.len() < 2 {
            let event = desk.next().await;
            if let News::Resolved(resolution) = event.news {
                assert_eq!(resolution.outcome, Outcome::NotSent);
                ended.push(event.id);
            }
        }
        server.is_now(Fate::Fine);
        desk.dispatcher.undo(back);
        desk.until(back, |news| *news == News::Dropped).await;
        desk.dispatcher.try_again(again);
        assert_eq!(desk.ended(again).await, Outcome::Committed);
        assert_eq!((desk.stage(back), desk.stage(again)), (Stage::Dropped, Stage::Ended));
        server.assert_same_bytes();
        assert_eq!(server.rows.lock().unwrap().len(), 1);
    });
}

#[test]
fn failed_waits_for_the_reviewer_and_is_sent_again_under_the_same_key() {
    let (server, disk) = (Server::always(Fate::Pending), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, Outcome::Accepted);
        server.rows.lock().unwrap().get_mut("k").unwrap().status = "FAILED";
        assert_eq!(desk.ended(id).await, Outcome::Failed);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(server.posts().len(), 1, "nothing is sent by itself");
        server.is_now(Fate::Fine);
        desk.dispatcher.try_again(id);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!(server.posts().len(), 2);
        server.assert_same_bytes();
    });
}

#[test]
fn accepted_is_followed_to_its_end_or_left_as_accepted() {
    let (server, disk) = (Server::always(Fate::Pending), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["queued", "try 1", "202", "accepted"]);
        desk.dispatcher.settled().await;
        server.rows.lock().unwrap().get_mut("k").unwrap().status = "COMMITTED";
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!(desk.entry(id).resolution.unwrap().outcome, Outcome::Committed);

        let slow = desk.approve("slow");
        assert_eq!(desk.ended(slow).await, Outcome::Accepted);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let looks = server.requests.lock().unwrap().len();
        assert!((10..30).contains(&(looks - server.posts().len())), "{looks}");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(server.requests.lock().unwrap().len(), looks, "left as accepted");
        assert_eq!(desk.entry(slow).resolution.unwrap().outcome, Outcome::Accepted);
    });
}

#[test]
fn a_quota_with_a_time_waits_for_it_and_one_without_waits_for_the_reviewer() {
    let server = Server::new(|number, _| if number == 1 { Fate::After(600) } else { Fate::Says(429) });
    let disk = Disk::new();
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["queued", "try 1", "429", "waiting", "try 2", "429", "quota"]);
        let times = server.post_times();
        let waited = times[1] - times[0];
        assert!((599..602).contains(&waited.as_secs()), "{waited:?}");
        assert_eq!(desk.stage(id), Stage::Ended);
    });
}

#[test]
fn a_conflict_is_the_last_word() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let theirs =
            crate::world::Row { request_id: "other".into(), verdict: "reject".into(), status: "COMMITTED" };
        server.rows.lock().unwrap().insert("k".into(), theirs);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, Outcome::Conflict);
        desk.dispatcher.try_again(id);
        desk.dispatcher.acknowledge(id);
        while !desk.entry(id).acknowledged {
            tokio::task::yield_now().await;
        }
        assert_eq!((desk.stage(id), server.posts().len()), (Stage::Ended, 1));
    });
}

#[test]
fn a_shutdown_lets_what_is_on_its_way_end_and_begins_nothing() {
    let (server, disk) = (Server::always(Fate::Hang), Disk::new());
    let (hangs, waits, held) = live(async {
        let mut desk = Desk::open(&server, &disk);
        let hangs = desk.approve("hangs");
        desk.until(hangs, |news| matches!(news, News::Attempt(_))).await;
        server.is_now(Fate::NotSent);
        let waits = desk.approve("waits");
        desk.until(waits, |news| word(news) == "waiting").await;
        let held = order(Verdict::Approve, "held");
        desk.dispatcher.decide(vec![held.clone()], Duration::from_secs(3_600));
        desk.until(held.id, |_| true).await;

        let posts = server.posts().len();
        let began = tokio::time::Instant::now();
        desk.dispatcher.shutdown().await;
        assert!(began.elapsed() <= Duration::from_millis(2_500), "{:?}", began.elapsed());
        assert_eq!(server.posts().len(), posts);
        let late = desk.approve("late");
        assert_eq!(desk.until(late, |_| true).await, ["not recorded"]);
        (hangs, waits, held.id)
    });
    let journal = disk.journal();
    let entry = |id| journal.entry(id).unwrap().unwrap();
    assert!(entry(hangs).stage == Stage::Sending && entry(hangs).maybe, "a try that was cut short is doubt");
    assert!(entry(waits).stage == Stage::Queued && !entry(waits).maybe);
    assert_eq!(entry(held).stage, Stage::Held);
    assert!(server.rows.lock().unwrap().contains_key("hangs"));
}

#[test]
fn a_shutdown_keeps_the_answer_that_comes_in_time() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    live(async {
        let mut desk = Desk::with(builder(&server), &disk, Arc::new(NoCheck), Pace::default());
        let ids: Vec<_> = (0..20).map(|n| desk.approve(&format!("k{n}"))).collect();
        desk.until(ids[0], |news| matches!(news, News::Attempt(_))).await;
        desk.dispatcher.shutdown().await;
        for id in ids {
            let (entry, row) = (desk.journal.entry(id).unwrap(), server.rows.lock().unwrap().len());
            // Whatever was begun has its answer on disk.
            assert!(entry.is_none_or(|entry| entry.stage != Stage::Sending), "{row}");
        }
    });
}

#[test]
fn what_is_wanted_right_before_a_shutdown_is_done() {
    for at_once in [false, true] {
        let (server, disk) = (Server::always(Fate::Fine), Disk::new());
        let ids: Vec<_> = live(async {
            let mut desk = Desk::open(&server, &disk);
            let orders: Vec<_> = (0..30).map(|n| order(Verdict::Approve, &format!("k{n}"))).collect();
            let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
            desk.dispatcher.decide(orders, Duration::from_secs(3_600));
            if !at_once {
                for &id in &ids {
                    desk.until(id, |_| true).await;
                }
            }
            desk.dispatcher.drop_held(&ids[..20]);
            desk.dispatcher.shutdown().await;
            assert_eq!(desk.dispatcher.open(), desk.journal.open_entries().unwrap().len());
            ids
        });
        let journal = disk.journal();
        let stages: Vec<_> =
            ids.iter().map(|id| journal.entry(*id).unwrap().map(|entry| entry.stage)).collect();
        // Where the shutdown came first, it was not taken at all.
        let fine = |stage: &Option<Stage>, wanted| *stage == Some(wanted) || (at_once && stage.is_none());
        assert!(stages[..20].iter().all(|stage| fine(stage, Stage::Dropped)), "{stages:?}");
        assert!(stages[20..].iter().all(|stage| fine(stage, Stage::Held)), "{stages:?}");
        assert!(server.posts().is_empty());
    }
}

#[test]
fn what_reached_nobody_while_the_link_went_down_waits_for_the_link() {
    let (server, disk) = (Server::always(Fate::NotSent), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        desk.until(id, |news| word(news) == "waiting").await;
        // The feed learns of it a moment after the first try did.
        desk.dispatcher.link(Link::Down);
        let told = desk.until(id, |news| matches!(news, News::Queued | News::Resolved(_))).await;
        assert_eq!(told.last().unwrap(), "queued", "{told:?}");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!((server.posts().len(), desk.stage(id)), (4, Stage::Queued));
        server.is_now(Fate::Fine);
        desk.dispatcher.link(Link::Up);
        assert_eq!(desk.ended(id).await, Outcome::Committed);

        // With the link up it is the reviewer's.
        server.is_now(Fate::NotSent);
        let id = desk.approve("other");
        assert_eq!(desk.ended(id).await, Outcome::NotSent);
    });
}
