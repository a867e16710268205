//! Decisions that waited: each is checked against the queue before it goes out, and comes back where its action changed.

use crate::world::{Desk, Disk, Fate, Server, builder, order, process};
use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{Bytes, TransportError};
use aegis_console::dispatch::{Check, Checked, Link, News, NoCheck, Order, Pace, QueueCheck};
use aegis_console::domain::{ActionState, Decision, Outcome, Queued, Verdict};
use aegis_console::journal::{Intent, Stage};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Says what it is told to say, and counts how often it is asked.
struct Says(Mutex<Vec<Checked>>, Mutex<usize>);

impl Says {
    fn these(answers: &[Checked]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.iter().rev().cloned().collect()), Mutex::new(0)))
    }

    fn asked(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

impl Check for Says {
    fn still_stands<'a>(&'a self, _intent: &'a Intent) -> BoxFuture<'a, Checked> {
        *self.1.lock().unwrap() += 1;
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Box::pin(std::future::ready(answer.unwrap()))
    }
}

#[test]
fn without_a_link_decisions_wait_and_are_checked_before_they_go_out() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let check = Says::these(&[Checked::Unknown, Checked::Unknown, Checked::Stands]);
    process(async {
        let mut desk = Desk::with(builder(&server), &disk, check.clone(), Pace::default());
        let online = desk.approve("online");
        assert_eq!(desk.ended(online).await, Outcome::Committed);
        assert_eq!(check.asked(), 0, "what goes out at once needs no check");

        desk.dispatcher.link(Link::Down);
        let id = desk.approve("k");
        assert_eq!(desk.until(id, |_| true).await, ["queued"]);
        tokio::time::sleep(Duration::from_secs(7_200)).await;
        assert_eq!((server.posts().len(), check.asked(), desk.stage(id)), (1, 0, Stage::Queued));
        desk.dispatcher.link(Link::Up);
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["waiting", "waiting", "try 1", "202", "committed"]);
        assert_eq!(check.asked(), 3);
    });
}

#[test]
fn what_has_changed_comes_back_unsent() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let check = Says::these(&[Checked::Changed("alice rejected it".into())]);
    process(async {
        let mut desk = Desk::with(builder(&server), &disk, check, Pace::default());
        desk.dispatcher.link(Link::Down);
        let id = desk.approve("k");
        desk.until(id, |_| true).await;
        desk.dispatcher.link(Link::Up);
        assert_eq!(desk.until(id, |_| true).await, ["returned: alice rejected it"]);
        assert_eq!((desk.stage(id), desk.dispatcher.open()), (Stage::Returned, 0));
        assert_eq!(desk.entry(id).returned.as_deref(), Some("alice rejected it"));
        // Its action can be decided again.
        let again = desk.approve("k");
        assert_eq!(desk.ended(again).await, Outcome::Committed);
        assert_eq!(server.posts().len(), 1);
    });
}

#[test]
fn what_nobody_can_check_comes_back_in_the_end() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let check = Says::these(&[Checked::Unknown]);
    process(async {
        let mut desk = Desk::with(builder(&server), &disk, check.clone(), Pace::default());
        desk.dispatcher.link(Link::Down);
        let id = desk.approve("k");
        desk.until(id, |_| true).await;
        desk.dispatcher.link(Link::Up);
        desk.until(id, |news| matches!(news, News::Returned { .. })).await;
        assert!((20..60).contains(&check.asked()), "{}", check.asked());
        assert!(server.posts().is_empty());
    });
}

#[test]
fn what_was_queued_when_the_process_ended_is_checked_by_the_next() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let id = process(async {
        let mut desk = Desk::open(&server, &disk);
        let order = order(Verdict::Approve, "k");
        desk.dispatcher.decide(vec![order.clone()], Duration::from_secs(3));
        desk.until(order.id, |_| true).await;
        order.id
    });
    let check = Says::these(&[Checked::Stands]);
    process(async {
        let mut desk = Desk::with(builder(&server), &disk, check.clone(), Pace::default());
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert_eq!(check.asked(), 1);
    });
}

/// The queue's answer to one question.
fn ask(order: &Order, status: u16, body: String) -> (Checked, String) {
    let path = Arc::new(Mutex::new(String::new()));
    let asked = Arc::clone(&path);
    let queue = move |request: Request<Bytes>| -> Result<Response<Bytes>, TransportError> {
        *asked.lock().unwrap() = format!("{} {}", request.method(), request.uri().path());
        assert_eq!(request.headers()["authorization"], "Bearer k");
        if status == 0 {
            return Err(TransportError::lost("reset"));
        }
        let mut response = Response::new(Bytes::from(body.clone()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(response)
    };
    let client = builder(&Server::always(Fate::Fine)).build().unwrap();
    let intent = order.intent("http://localhost:8000", None);
    let checked = process(async {
        let check = QueueCheck::over(client, Arc::new(queue));
        check.still_stands(&intent).await
    });
    let path = path.lock().unwrap().clone();
    (checked, path)
}

#[test]
fn the_queue_says_whether_an_action_stands() {
    let order = order(Verdict::Approve, "k");
    let pending = Queued::pending((*order.action).clone());
    let decided = |request_id: String, verdict: Verdict| {
        let decision = Decision {
            verdict,
            reviewer: "al\u{1b}[2Jice".into(),
            reason: None,
            request_id,
            decided_at: "2026-11-23T12:03:11Z".parse().unwrap(),
            digest: None,
        };
        let state = if verdict == Verdict::Approve { ActionState::Approved } else { ActionState::Rejected };
        Queued { state, decision: Some(decision), ..pending.clone() }.write()
    };
    let of = |state| Queued { state, ..pending.clone() }.write();
    let other = Queued::pending((*crate::world::action("other", "order-42")).clone()).write();
    let mine = order.request_id.to_string().to_uppercase();

    for (body, checked) in
        [(pending.write(), Checked::Undecided), (decided(mine, Verdict::Approve), Checked::Stands)]
    {
        assert_eq!(ask(&order, 200, body), (checked, "GET /api/v1/hitl/actions/a-k".into()));
    }
    for (status, body, why) in [
        (200, of(ActionState::Expired), "expired"),
        (200, of(ActionState::Cancelled), "withdrawn"),
        (200, of(ActionState::Approved), "decided already"),
        (200, decided("other".into(), Verdict::Reject), "ice rejected it at 2026-11-23T12:03:11"),
        (200, decided("other".into(), Verdict::Approve), "approved it"),
        (200, other, "content"),
        (200, pending.write().replace("1.10", "1.11"), "cannot be read"),
        (200, "<html>".into(), "cannot be read"),
        (404, String::new(), "not in the queue"),
    ] {
        let (Checked::Changed(said), _) = ask(&order, status, body) else { panic!("{why}") };
        assert!(said.contains(why) && !said.contains('\u{1b}'), "{said}");
    }
    for status in [0, 401, 403, 500, 503, 301] {
        assert_eq!(ask(&order, status, String::new()).0, Checked::Unknown, "{status}");
    }
}

#[test]
fn without_a_queue_only_what_has_expired_no_longer_stands() {
    let fresh = order(Verdict::Approve, "k");
    let sealed = fresh.action.sealed.replace("9026-", "2020-").replace("2026-", "2019-");
    let old = aegis_console::domain::Action::read(sealed).unwrap();
    let old = Order { action: Arc::new(old), ..fresh.clone() };
    process(async {
        for (order, expected) in [(fresh, Checked::Stands), (old, Checked::Changed("it has expired".into()))]
        {
            assert_eq!(NoCheck.still_stands(&order.intent("http://x", None)).await, expected);
        }
    });
}
