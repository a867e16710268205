//! The queue as a reviewer reads it: paging, one action, and events that can be resumed without loss.

use crate::support::{Fixture, call, http};
use aegis_console::domain::ActionState;
use serde_json::{Value, json};
use std::time::Duration;

impl Fixture {
    async fn page(&self, query: &str) -> Value {
        let answer =
            self.send(call("GET", format!("/api/v1/hitl/actions{query}")).bearer(&self.reviewer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

#[tokio::test]
async fn pages_bring_every_action_once_oldest_first() {
    let fixture = Fixture::start().await;
    let mut asked = Vec::new();
    for n in 0..25 {
        asked.push(fixture.entry(&format!("k{n}"), "10m").await);
    }
    for entry in &asked[..5] {
        fixture.decide("approve", entry, None).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = fixture.page(&format!("?limit=7{cursor}")).await;
        let entries = page["actions"].as_array().unwrap();
        assert!(entries.len() <= 7);
        seen.extend(entries.iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, asked.iter().map(|entry| entry.digest.clone()).collect::<Vec<_>>());
    let count = |page: Value| page["actions"].as_array().unwrap().len();
    assert_eq!(count(fixture.page("?state=pending&limit=500").await), 20);
    assert_eq!(count(fixture.page("?state=approved").await), 5);
    assert_eq!(count(fixture.page("?state=expired").await), 0);
    assert_eq!(
        fixture.page("?limit=25").await["next"],
        Value::Null,
        "the last page says so, also when it is full"
    );
    for bad in ["?state=open", "?limit=0", "?limit=501", "?limit=x", "?after=x", "?after=-1"] {
        let answer =
            fixture.send(call("GET", format!("/api/v1/hitl/actions{bad}")).bearer(&fixture.reviewer)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_query"), "{bad}");
    }
}

#[tokio::test]
async fn a_page_of_large_actions_ends_early_and_still_brings_them_all() {
    let fixture = Fixture::start().await;
    for n in 0..40 {
        let body = json!({"tool": "t", "arguments": {"a": "x".repeat(250_000)}, "timeout": "10m"});
        assert_eq!(fixture.ask(&format!("k{n}"), body.to_string()).await.status, 201);
    }
    let first = fixture.page("?limit=500").await;
    let (count, next) = (first["actions"].as_array().unwrap().len(), first["next"].as_str().unwrap());
    assert!((10..40).contains(&count), "{count}");
    let rest = fixture.page(&format!("?limit=500&after={next}")).await;
    assert_eq!(count + rest["actions"].as_array().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_an_event_with_the_entry_as_it_is() {
    let fixture = Fixture::start().await;
    fixture.entry("before", "10m").await;
    let mut events = fixture.listen(None).await;
    let entry = fixture.entry("k", "10m").await;
    let (first, name, queued) = events.next().await;
    assert_eq!(
        (name.as_str(), queued.action.id.as_str(), queued.state),
        ("action.created", entry.id.as_str(), ActionState::Pending)
    );

    fixture.decide("approve", &entry, None).await;
    let (_, name, queued) = events.next().await;
    assert_eq!((name.as_str(), queued.state), ("action.decided", ActionState::Approved));
    assert_eq!(queued.decision.unwrap().reviewer.raw(), "dana");
    let path = format!("/aap/v1/requests/{}", entry.id);
    fixture.agent_call("POST", format!("{path}/consume"), Some("c"), "").await;
    assert_eq!(events.next().await.1, "action.consumed");
    fixture.agent_call("POST", format!("{path}/outcome"), None, r#"{"status":"succeeded"}"#).await;
    assert_eq!(events.next().await.1, "action.executed");
    let withdrawn = fixture.entry("w", "10m").await;
    fixture.agent_call("DELETE", format!("/aap/v1/requests/{}", withdrawn.id), None, "").await;
    assert_eq!(
        (events.next().await.1, events.next().await.1),
        ("action.created".into(), "action.cancelled".into())
    );
    let short = fixture.entry("s", "1s").await;
    assert_eq!(events.next().await.1, "action.created");
    let (last, name, queued) = events.next().await;
    assert_eq!((name.as_str(), queued.state), ("action.expired", ActionState::Expired));
    assert_eq!(queued.action.id, short.id);
    assert!(last.parse::<i64>().unwrap() > first.parse::<i64>().unwrap());
    let one = fixture.shown(&short.id).await;
    assert_eq!(one, serde_json::from_str::<Value>(&queued.write()).unwrap(), "the same as GET of the one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_comes_back_misses_nothing() {
    let fixture = Fixture::start().await;
    let mut events = fixture.listen(None).await;
    let first = fixture.entry("k0", "10m").await;
    let (id, ..) = events.next().await;
    drop(events);
    let mut expected = Vec::new();
    for n in 1..=200 {
        expected.push(fixture.entry(&format!("k{n}"), "10m").await.id);
    }
    let mut events = fixture.listen(Some(&id)).await;
    expected.push(fixture.entry("live", "10m").await.id);
    let mut last = id.parse::<i64>().unwrap();
    for expected in &expected {
        let (id, name, entry) = events.next().await;
        assert_eq!((name.as_str(), &entry.action.id), ("action.created", expected));
        assert!(id.parse::<i64>().unwrap() > last);
        last = id.parse().unwrap();
    }
    let mut everything = fixture.listen(Some("0")).await;
    assert_eq!(everything.next().await.2.action.id, first.id);
    let mut elsewhere = fixture.listen(Some("999999")).await;
    assert_eq!(elsewhere.next().await.2.action.id, first.id, "an id of another database: everything is told");
    let bad = call("GET", "/api/v1/hitl/events").bearer(&fixture.reviewer).header("Last-Event-ID", "x");
    assert_eq!(fixture.send(bad).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_read_holds_up_nobody_and_later_has_it_all() {
    let fixture = Fixture::start().await;
    let mut slow = fixture.listen(None).await;
    let body =
        |n: usize| json!({"tool": format!("t{n}"), "arguments": {"a": "x".repeat(50_000)}, "timeout": "10m"});
    for n in 0..200 {
        assert_eq!(fixture.ask(&format!("k{n}"), body(n).to_string()).await.status, 201);
    }
    for n in 0..200 {
        let (_, name, entry) = slow.next().await;
        assert_eq!((name.as_str(), entry.action.name.raw()), ("action.created", format!("t{n}").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_stop_streams_end_and_waiting_calls_are_answered() {
    let fixture = Fixture::start().await;
    let mut events = fixture.listen(None).await;
    let entry = fixture.entry("k", "10m").await;
    let url = format!("{}/aap/v1/requests/{}?wait=60s", fixture.gateway.url(), entry.id);
    let waiting = tokio::spawn(http().get(url).bearer_auth(&fixture.agent).send());
    assert_eq!(events.next().await.1, "action.created");
    // Nothing tells that a call is held; were it not yet, the stop would refuse its connection.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = std::time::Instant::now();
    fixture.gateway.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["status"], "pending");
    assert!(events.ended().await);
}
