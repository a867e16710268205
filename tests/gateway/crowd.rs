//! One caller who wants too much: bounds for each agent, and reviewers who always get in.

use crate::support::{Answer, Fixture, call, http};
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

const ASK: &str = r#"{"tool":"t","arguments":{},"timeout":"10m"}"#;

fn too_many(answer: &Answer, code: &str) {
    let json = answer.json();
    let error = &json["error"];
    assert_eq!((answer.status, error["code"].as_str()), (429, Some(code)), "{}", answer.text);
    assert_eq!(error["type"], "rate_limited");
    assert!(error["message"].is_string() && error["request_id"].is_string(), "{}", answer.text);
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds >= 1);
}

#[tokio::test]
async fn an_agent_has_so_many_pending_and_no_more() {
    let fixture = Fixture::with(|config| config.bounds.pending_per_agent = 3).await;
    let first = fixture.entry("k0", "10m").await;
    assert_eq!(fixture.ask("k1", ASK).await.status, 201);
    assert_eq!(fixture.ask("k2", ASK).await.status, 201);
    let refused = fixture.ask("k3", ASK).await;
    too_many(&refused, "too_many_pending");
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("3 requests"), "{}", refused.text);
    assert_eq!(fixture.ask("k1", ASK).await.status, 200, "what was taken is answered as before");
    let other = fixture.gateway.agent("other");
    let asked =
        call("POST", "/aap/v1/requests").bearer(other.expose_secret()).header("Idempotency-Key", "k3");
    assert_eq!(fixture.send(asked.body(ASK)).await.status, 201, "each agent has its own bound");
    fixture.decide("reject", &first, None).await;
    assert_eq!(fixture.ask("k3", ASK).await.status, 201, "a decision makes room");
    too_many(&fixture.ask("k4", ASK).await, "too_many_pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_only_so_many_are_taken() {
    let fixture = Fixture::with(|config| config.bounds.pending_per_agent = 5).await;
    let keys: Vec<_> = (0..40).map(|n| format!("k{n}")).collect();
    let answers = join_all(keys.iter().map(|key| fixture.ask(key, ASK))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((taken.len(), refused.len()), (5, 35));
    refused.iter().for_each(|answer| too_many(answer, "too_many_pending"));
}

#[tokio::test]
async fn asking_and_withdrawing_over_and_over_does_not_fill_the_disk() {
    let fixture = Fixture::with(|config| config.bounds.bytes_per_agent = 100_000).await;
    let body = json!({"tool": "t", "arguments": {"a": "x".repeat(20_000)}, "timeout": "10m"}).to_string();
    let mut taken = 0;
    let refused = loop {
        let answer = fixture.ask(&format!("k{taken}"), body.clone()).await;
        if answer.status != 201 {
            break answer;
        }
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(
            fixture.agent_call("DELETE", format!("/aap/v1/requests/{id}"), None, "").await.status,
            200
        );
        taken += 1;
        assert!(taken < 20, "no bound");
    };
    too_many(&refused, "too_many_bytes");
    assert!(taken >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_calls_at_once_are_bounded_and_a_reviewers_are_not() {
    let fixture = Fixture::with(|config| config.bounds.calls_per_agent = 3).await;
    let entry = fixture.entry("k", "10m").await;
    let url = format!("{}/aap/v1/requests/{}", fixture.gateway.url(), entry.id);
    // The call below may take the last place from one of these: then it comes again.
    let wait = |url: String, token: String| async move {
        loop {
            let answer = http().get(&url).bearer_auth(&token).send().await.unwrap().status().as_u16();
            if answer != 429 {
                return answer;
            }
        }
    };
    let waiting: Vec<_> =
        (0..3).map(|_| tokio::spawn(wait(format!("{url}?wait=60s"), fixture.agent.clone()))).collect();
    let one_more = async {
        loop {
            let path = format!("/aap/v1/requests/{}", entry.id);
            let answer = fixture.send(call("GET", path).bearer(&fixture.agent)).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(30), one_more).await.expect("no bound");
    too_many(&refused, "too_many_calls");
    let other = fixture.gateway.agent("other");
    let unknown = call("GET", "/aap/v1/requests/unknown").bearer(other.expose_secret());
    assert_eq!(fixture.send(unknown).await.status, 404, "each agent has its own bound");
    let lists = (0..20).map(|_| fixture.send(call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer)));
    assert!(join_all(lists).await.iter().all(|answer| answer.status == 200));
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
    for waited in waiting {
        assert_eq!(waited.await.unwrap(), 200);
    }
    assert_eq!(fixture.request(&entry.id).await["status"], "approved", "ended calls make room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_says_nothing_keeps_no_reviewer_out() {
    let fixture = Fixture::with(|config| config.bounds.connections = 8).await;
    let mut events = fixture.listen(None).await;
    let addr = fixture.gateway.addr();
    let connect = move || {
        let mut crowd = Vec::new();
        for n in 0..40 {
            let mut socket = TcpStream::connect(addr).unwrap();
            if n % 2 == 0 {
                socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
            }
            crowd.push(socket);
        }
        crowd
    };
    let crowd = tokio::task::spawn_blocking(connect).await.unwrap();
    let url = format!("{}/api/v1/hitl/actions", fixture.gateway.url());
    // Sooner than a head that never ends is cut off by itself.
    for _ in 0..3 {
        let list = http().get(&url).bearer_auth(&fixture.reviewer).timeout(Duration::from_secs(8)).send();
        assert_eq!(list.await.unwrap().status(), 200);
    }
    let entry = fixture.entry("k", "10m").await;
    assert_eq!(events.next().await.2.action.id, entry.id, "a reviewer's stream of events stays");
    drop(crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_listens_to_so_many_streams_and_another_to_theirs() {
    let fixture = Fixture::with(|config| config.bounds.streams_per_person = 2).await;
    let first = fixture.listen(None).await;
    let second = fixture.listen(None).await;
    let url = format!("{}/api/v1/hitl/events", fixture.gateway.url());
    let open = async |token: &str| {
        let answer = http().get(&url).bearer_auth(token).send().await.unwrap();
        let retry = answer.headers().contains_key("retry-after");
        (answer.status().as_u16(), retry)
    };
    assert_eq!(open(&fixture.reviewer).await, (429, true));
    assert_eq!(open(fixture.gateway.reviewer("erin").expose_secret()).await, (200, false));
    drop(first);
    let room = async { while open(&fixture.reviewer).await.0 != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), room)
        .await
        .expect("a stream that has ended takes no place");
    drop(second);
}
