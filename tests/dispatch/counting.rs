//! Approvals that count and decide nothing before another reviewer's: watched without hammering to their end, over
//! restarts, and never said to be decided before they are.

use crate::world::{Desk, Disk, order, process, word};
use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{AegisClient, Builder, Bytes, Jitter, Transport, TransportError};
use aegis_console::dispatch::{News, NoCheck, Order, Pace};
use aegis_console::domain::{Count, Outcome, Verdict};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const ONE_OF_TWO: Outcome = Outcome::Counted(Count { approvals: 1, needed: 2 });

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Counts,
    Committed,
    Rejected,
    Lapsed,
}

/// A gateway with one action, which needs two reviewers.
struct Gateway {
    state: Mutex<State>,
    /// The request id of the approval that counts.
    own: Mutex<String>,
    loses_answers: Mutex<bool>,
    posts: Mutex<Vec<Request<Bytes>>>,
    looks: Mutex<Vec<Instant>>,
}

impl Gateway {
    fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            own: Mutex::new("6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into()),
            loses_answers: Mutex::default(),
            posts: Mutex::default(),
            looks: Mutex::default(),
        })
    }

    fn becomes(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    fn posts(&self) -> usize {
        self.posts.lock().unwrap().len()
    }

    fn looks(&self) -> usize {
        self.looks.lock().unwrap().len()
    }

    fn own(&self, status: &str) -> String {
        let own = self.own.lock().unwrap().clone();
        format!(r#""request_id":"{own}","verdict":"approve","reviewer":"dana","status":"{status}""#)
    }

    fn decide(&self, request: Request<Bytes>) -> (u16, String) {
        let id = request.headers()["x-request-id"].to_str().unwrap().to_owned();
        self.posts.lock().unwrap().push(request);
        let state = *self.state.lock().unwrap();
        match state {
            State::Fresh | State::Lapsed => {
                *self.own.lock().unwrap() = id;
                self.becomes(State::Counts);
                (202, format!(r#"{{{},"detail":"1 of 2"}}"#, self.own("PENDING")))
            }
            State::Counts => {
                let own = self.own("PENDING");
                (409, format!(r#"{{"status":409,"title":"counts","detail":"1 of 2","decision":{{{own}}}}}"#))
            }
            State::Committed | State::Rejected => (409, format!("{{{}}}", self.own("COMMITTED"))),
        }
    }

    fn status(&self) -> (u16, String) {
        self.looks.lock().unwrap().push(Instant::now());
        let state = *self.state.lock().unwrap();
        match state {
            State::Fresh => (404, String::new()),
            State::Counts => (200, format!(r#"{{{},"detail":"1 of 2"}}"#, self.own("PENDING"))),
            State::Committed => (200, format!("{{{}}}", self.own("COMMITTED"))),
            State::Rejected => {
                let bobs = r#"{"request_id":"bobs","verdict":"reject","reviewer":"bob","decided_at":"2026-11-23T12:03:11Z","status":"COMMITTED"}"#;
                (200, bobs.into())
            }
            State::Lapsed => {
                let words = "lapsed: no other reviewer decided within 15 minutes";
                (200, format!(r#"{{{},"detail":"{words}"}}"#, self.own("FAILED")))
            }
        }
    }
}

impl Transport for Gateway {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let post = request.method() == "POST";
        let (status, body) = if post { self.decide(request) } else { self.status() };
        let lost = post && *self.loses_answers.lock().unwrap();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let answer = if lost { Err(TransportError::lost("reset")) } else { Ok(response) };
        Box::pin(std::future::ready(answer))
    }
}

fn client(gateway: &Arc<Gateway>) -> Builder {
    let transport = Arc::clone(gateway) as Arc<dyn Transport>;
    AegisClient::builder().api_key("k".to_owned()).transport(transport).jitter(Jitter::None)
}

fn open(gateway: &Arc<Gateway>, disk: &Disk) -> Desk {
    Desk::with(client(gateway), disk, Arc::new(NoCheck), Pace::default())
}

/// A console in which an approval has just been counted.
async fn counted(gateway: &Arc<Gateway>, disk: &Disk) -> (Desk, Order) {
    let mut desk = open(gateway, disk);
    let order = order(Verdict::Approve, "k");
    desk.dispatcher.decide(vec![order.clone()], Duration::ZERO);
    assert_eq!(desk.ended(order.id).await, ONE_OF_TWO);
    (desk, order)
}

#[test]
fn it_counts_until_another_reviewer_has_decided_and_the_event_is_enough_to_know() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    process(async {
        let (mut desk, order) = counted(&gateway, &disk).await;
        assert_eq!((gateway.posts(), gateway.looks()), (1, 0));
        // Another action is none of its business, and one that changed nothing is looked at once.
        desk.dispatcher.heard_of(&crate::world::action("other", "t").digest);
        desk.dispatcher.heard_of(&order.action.digest);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(gateway.looks(), 1);
        gateway.becomes(State::Committed);
        desk.dispatcher.heard_of(&order.action.digest);
        let before = Instant::now();
        assert_eq!(desk.ended(order.id).await, Outcome::Committed);
        assert!(before.elapsed() < Duration::from_secs(1));
        assert_eq!(desk.entry(order.id).resolution.unwrap().outcome, Outcome::Committed);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!((gateway.posts(), gateway.looks()), (1, 2), "nothing is asked after that");
    });
}

#[test]
fn without_events_it_is_asked_about_at_a_slow_pace_for_a_day() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    process(async {
        let (desk, _) = counted(&gateway, &disk).await;
        tokio::time::sleep(Duration::from_secs(15 * 60)).await;
        let looks = gateway.looks();
        assert!((4..=8).contains(&looks), "{looks} looks in the first quarter of an hour");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert!(gateway.looks() - looks <= 13, "{} looks in an hour", gateway.looks() - looks);
        tokio::time::sleep(Duration::from_secs(25 * 3_600)).await;
        let looks = gateway.looks();
        tokio::time::sleep(Duration::from_secs(5 * 3_600)).await;
        assert_eq!((gateway.posts(), gateway.looks()), (1, looks), "no window lasts for longer");
        drop(desk);
    });
}

#[test]
fn anothers_rejection_ends_it_as_a_conflict() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    process(async {
        let (mut desk, order) = counted(&gateway, &disk).await;
        gateway.becomes(State::Rejected);
        desk.dispatcher.heard_of(&order.action.digest);
        assert_eq!(desk.ended(order.id).await, Outcome::Conflict);
        let standing = desk.entry(order.id).resolution.unwrap().standing.unwrap();
        assert_eq!(standing.reviewer, Some("bob".into()));
    });
}

#[test]
fn what_has_lapsed_is_sent_again_under_the_same_key_or_decided_anew() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    process(async {
        let (mut desk, first) = counted(&gateway, &disk).await;
        gateway.becomes(State::Lapsed);
        desk.dispatcher.heard_of(&first.action.digest);
        assert_eq!(desk.ended(first.id).await, Outcome::Lapsed);
        desk.dispatcher.try_again(first.id);
        assert_eq!(desk.ended(first.id).await, ONE_OF_TWO);
        {
            let posts = gateway.posts.lock().unwrap();
            let [one, two] = &posts[..] else { panic!("{}", posts.len()) };
            assert_eq!((one.uri(), one.headers(), one.body()), (two.uri(), two.headers(), two.body()));
        }
        gateway.becomes(State::Lapsed);
        desk.dispatcher.heard_of(&first.action.digest);
        assert_eq!(desk.ended(first.id).await, Outcome::Lapsed);
        let second = order(Verdict::Approve, "k");
        desk.dispatcher.decide(vec![second.clone()], Duration::ZERO);
        assert_eq!(desk.ended(second.id).await, ONE_OF_TWO, "its key is free again");
    });
}

#[test]
fn a_failure_that_is_no_lapse_is_told_as_what_it_is() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    process(async {
        let (desk, order) = counted(&gateway, &disk).await;
        gateway.becomes(State::Fresh);
        desk.dispatcher.heard_of(&order.action.digest);
        tokio::time::sleep(Duration::from_secs(60)).await;
        // A server that has forgotten it says nothing: what was known last stands.
        assert_eq!(desk.entry(order.id).resolution.unwrap().outcome, ONE_OF_TWO);
    });
}

#[test]
fn a_killed_console_goes_on_watching_at_the_next_start() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    let order = process(async { counted(&gateway, &disk).await.1 });
    process(async {
        let mut desk = open(&gateway, &disk);
        let found = desk.next().await;
        assert_eq!((found.id, word(&found.news).as_str()), (order.id, "found ended"));
        let News::Found(entry) = found.news else { panic!() };
        assert_eq!(entry.resolution.unwrap().outcome, ONE_OF_TWO);
        gateway.becomes(State::Committed);
        let before = Instant::now();
        assert_eq!(desk.ended(order.id).await, Outcome::Committed);
        assert!(before.elapsed() <= Duration::from_secs(30), "{:?}", before.elapsed());
        assert_eq!(gateway.posts(), 1, "nothing was sent again");
    });
}

#[test]
fn an_answer_that_was_lost_is_found_to_count() {
    let (gateway, disk) = (Gateway::new(State::Fresh), Disk::new());
    *gateway.loses_answers.lock().unwrap() = true;
    process(async {
        let mut desk = open(&gateway, &disk);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, ONE_OF_TWO);
        assert_eq!(gateway.posts(), 1);
    });
}

#[test]
fn the_same_reviewer_elsewhere_is_told_that_theirs_counts_already() {
    let (gateway, disk) = (Gateway::new(State::Counts), Disk::new());
    process(async {
        let mut desk = open(&gateway, &disk);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, ONE_OF_TWO);
        assert_eq!(desk.entry(id).resolution.unwrap().http_status, Some(409));
        let rejection = order(Verdict::Reject, "k2");
        desk.dispatcher.decide(vec![rejection.clone()], Duration::ZERO);
        assert_eq!(desk.ended(rejection.id).await, Outcome::Conflict, "it has no effect while theirs counts");
    });
}
