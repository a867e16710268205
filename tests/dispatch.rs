//! Carrying decisions out: what is sent, that many run at once and no more, and that nobody has to listen.

#![cfg(feature = "console")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{AegisClient, AttemptEvent, Bytes, Transport, TransportError};
use aegis_console::dispatch::{DispatchEvent, Dispatcher, IN_FLIGHT, News, Order};
use aegis_console::domain::{Action, Outcome, Verdict};
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Holds every decision until it is let through, and counts those that it holds.
struct Gate {
    open: Semaphore,
    held: AtomicUsize,
    most: AtomicUsize,
    status: u16,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Gate {
    fn new(permits: usize, status: u16) -> Arc<Self> {
        Arc::new(Self {
            open: Semaphore::new(permits),
            held: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            status,
            requests: Mutex::default(),
        })
    }

    fn posts(&self) -> Vec<Request<Bytes>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.method() == "POST").cloned().collect()
    }
}

impl Transport for Gate {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let deciding = request.method() == "POST";
            self.requests.lock().unwrap().push(request);
            let mut response = Response::new(Bytes::from_static(br#"{"status":"COMMITTED"}"#));
            if deciding {
                let held = self.held.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(held, Ordering::SeqCst);
                self.open.acquire().await.unwrap().forget();
                self.held.fetch_sub(1, Ordering::SeqCst);
                *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
            } else {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            Ok(response)
        })
    }
}

fn client(gate: &Arc<Gate>) -> AegisClient {
    let transport = Arc::clone(gate) as Arc<dyn Transport>;
    AegisClient::builder().api_key("k".to_owned()).transport(transport).max_retries(0).build().unwrap()
}

fn action(key: &str, thread: &str) -> Arc<Action> {
    let sealed = format!(
        r#"{{"v":1,"id":"a-1","tenant_id":"acme","thread_id":"{thread}","idempotency_key":"{key}","agent":"g","action":"send \"x\"",
        "payload":{{ "n": 1.10,"big":9007199254740993, "t":"\u0061" }},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    Arc::new(Action::read(sealed).unwrap())
}

fn order(verdict: Verdict, key: &str) -> Order {
    Order {
        id: Uuid::new_v4(),
        request_id: Uuid::new_v4(),
        action: action(key, "order-42"),
        verdict,
        reason: None,
        reviewer: None,
        decided_at: "2026-11-23T12:01:00Z".parse().unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_what_was_sealed() {
    let gate = Gate::new(9, 202);
    let (dispatcher, mut events) = Dispatcher::new(client(&gate));
    let order = Order {
        reason: Some("no\u{1b} \"thanks\"".into()),
        reviewer: Some("dana".into()),
        ..order(Verdict::Reject, "aap:1")
    };
    dispatcher.submit(order.clone());
    let mut news = Vec::new();
    while let Some(event) = events.recv().await {
        assert_eq!(event.id, order.id);
        let done = matches!(event.news, News::Resolved(_));
        news.push(event.news);
        if done {
            break;
        }
    }
    assert!(matches!(news[0], News::Attempt(AttemptEvent::Started { number: 1, .. })), "{news:?}");
    assert!(
        matches!(news[1], News::Attempt(AttemptEvent::Answered { http_status: Some(202), .. })),
        "{news:?}"
    );
    let Some(News::Resolved(resolution)) = news.last() else { panic!("{news:?}") };
    assert_eq!(resolution.outcome, Outcome::Committed);
    assert_eq!(resolution.request_id, order.request_id.to_string());

    let post = &gate.posts()[0];
    assert_eq!(post.uri().path(), "/api/v1/hitl/reject");
    assert_eq!(post.headers()["idempotency-key"], "aap:1");
    assert_eq!(post.headers()["thread-id"], "order-42");
    let body = format!(
        r#"{{"tenant_id":"acme","thread_id":"order-42","action":"send \"x\"","payload":{{ "n": 1.10,"big":9007199254740993, "t":"\u0061" }},"review":{{"action_id":"a-1","reviewer":"dana","reason":"no\u001b \"thanks\"","digest":"{}","decided_at":"2026-11-23T12:01:00.000000Z"}}}}"#,
        order.action.digest
    );
    assert_eq!(std::str::from_utf8(post.body()).unwrap(), body);
}

#[test]
fn what_was_not_said_is_not_in_the_body() {
    let body = order(Verdict::Approve, "k").body();
    assert!(!body.contains("reason") && !body.contains("reviewer") && !body.contains("null"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_and_no_more_than_the_limit() {
    let gate = Gate::new(0, 202);
    let (dispatcher, mut events) = Dispatcher::new(client(&gate));
    for n in 0..200 {
        dispatcher.submit(order(Verdict::Approve, &format!("k{n}")));
    }
    assert_eq!(dispatcher.open(), 200);
    // On a paused clock this ends once every task waits for the gate.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(gate.held.load(Ordering::SeqCst), IN_FLIGHT);
    gate.open.add_permits(200);
    let mut resolved = std::collections::HashSet::new();
    while resolved.len() < 200 {
        let DispatchEvent { id, news } = events.recv().await.unwrap();
        if matches!(news, News::Resolved(resolution) if resolution.outcome == Outcome::Committed) {
            assert!(resolved.insert(id));
        }
    }
    dispatcher.settled().await;
    assert_eq!((dispatcher.open(), gate.most.load(Ordering::SeqCst)), (0, IN_FLIGHT));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_or_slow_stops_no_decision() {
    let gate = Gate::new(1000, 202);
    let (dispatcher, events) = Dispatcher::new(client(&gate));
    drop(events);
    for n in 0..100 {
        dispatcher.submit(order(Verdict::Approve, &format!("k{n}")));
    }
    dispatcher.settled().await;
    assert_eq!(gate.posts().len(), 100);

    // Nobody reads: the first ones are sent nevertheless, and nothing is lost once somebody does.
    let (dispatcher, mut events) = Dispatcher::new(client(&gate));
    for n in 0..600 {
        dispatcher.submit(order(Verdict::Approve, &format!("s{n}")));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut resolved = 0;
    while resolved < 600 {
        resolved += usize::from(matches!(events.recv().await.unwrap().news, News::Resolved(_)));
    }
    assert_eq!(gate.posts().len(), 700);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_at_all_is_resolved_too() {
    let gate = Gate::new(9, 202);
    let (dispatcher, mut events) = Dispatcher::new(client(&gate));
    dispatcher.submit(Order { action: action("k", "füh"), ..order(Verdict::Approve, "k") });
    let News::Resolved(resolution) = events.recv().await.unwrap().news else { panic!("an attempt") };
    assert_eq!(resolution.outcome, Outcome::NotSent);
    assert!(resolution.detail.unwrap().raw().contains("thread_id"));
    assert!(gate.posts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_decision_in_doubt_is_looked_for_when_it_is_submitted_again() {
    let gate = Gate::new(9, 503);
    let (dispatcher, mut events) = Dispatcher::new(client(&gate));
    let order = order(Verdict::Approve, "k");
    let mut told = Vec::new();
    for _ in 0..2 {
        dispatcher.submit(order.clone());
        loop {
            match events.recv().await.unwrap().news {
                News::Attempt(AttemptEvent::Looking) => told.push("look"),
                News::Attempt(AttemptEvent::Started { .. }) => told.push("try"),
                News::Attempt(_) => {}
                News::Resolved(resolution) => {
                    assert_eq!(resolution.outcome, Outcome::Unconfirmed);
                    break;
                }
            }
        }
    }
    assert_eq!(told, ["try", "look", "look", "try", "look"]);
    let posts = gate.posts();
    assert_eq!((posts[0].headers(), posts[0].body()), (posts[1].headers(), posts[1].body()));
}
