//! Deciding: exactly once, on what was seen, and an answer that says what stands.

use crate::support::{Answer, Fixture, call, http};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::HashMap;

fn counted(statuses: impl IntoIterator<Item = u16>) -> HashMap<u16, usize> {
    let mut counts = HashMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

/// The rows of the outbox, read from the database beside the gateway that runs.
async fn outbox(fixture: &Fixture, thread: &str) -> Vec<String> {
    fixture.rows(&format!("SELECT kind FROM outbox WHERE thread = '{thread}' ORDER BY seq")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_approvals_of_one_key_at_once_one_is_202_and_there_is_one_event() {
    let fixture = Fixture::start().await;
    let (client, url) = (http(), format!("{}/api/v1/hitl/approve", fixture.gateway.url()));
    let calls = (0..500).map(|n| {
        client
            .post(&url)
            .bearer_auth(&fixture.reviewer)
            .header("Thread-Id", "burst")
            .header("Idempotency-Key", "one-key")
            .header("X-Request-Id", format!("request-{n}"))
            .body("{}")
            .send()
    });
    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(counted(answers.iter().map(|answer| answer.status().as_u16())), [(202, 1), (409, 499)].into());
    let mut standing = None;
    for answer in answers {
        let accepted = answer.status() == 202;
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let decision = if accepted { body } else { body["decision"].clone() };
        let id = decision["request_id"].as_str().unwrap().to_owned();
        assert_eq!(standing.get_or_insert_with(|| id.clone()), &id);
        assert_eq!((&decision["status"], &decision["verdict"]), (&json!("COMMITTED"), &json!("approve")));
    }
    assert_eq!(outbox(&fixture, "burst").await, ["ExecutionApproved"]);
    for n in [0, 250, 499] {
        let status = fixture.status(&format!("request-{n}")).await.json();
        assert_eq!((&status["request_id"], &status["status"]), (&json!(standing), &json!("COMMITTED")));
        assert_eq!(status["asked_request_id"], format!("request-{n}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reviewers_who_race_leave_one_verdict_for_each_action() {
    let fixture = Fixture::start().await;
    let mut entries = Vec::new();
    for n in 0..10 {
        entries.push(fixture.entry(&format!("race-{n}"), "10m").await);
    }
    let calls = (0..160).map(|n| {
        let verdict = ["approve", "reject"][n % 2];
        fixture.decide(verdict, &entries[n / 16], Some("raced"))
    });
    let answers: Vec<Answer> = join_all(calls).await;
    assert_eq!(counted(answers.iter().map(|answer| answer.status)), [(202, 10), (409, 150)].into());
    for (entry, answers) in entries.iter().zip(answers.chunks(16)) {
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 202).map(Answer::json).collect();
        assert_eq!(won.len(), 1, "{}", entry.id);
        let shown = fixture.shown(&entry.id).await;
        for answer in answers.iter().filter(|answer| answer.status == 409) {
            let standing = answer.json()["decision"].clone();
            assert_eq!(standing["request_id"], won[0]["request_id"]);
            assert_eq!(standing["verdict"], shown["decision"]["verdict"]);
        }
        let decided = if won[0]["verdict"] == "approve" { "ExecutionApproved" } else { "ExecutionRejected" };
        assert_eq!(outbox(&fixture, &entry.thread).await, ["ActionCreated", decided]);
    }
}

#[tokio::test]
async fn an_accepted_decision_says_what_is_on_record() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let answer = fixture.decide("reject", &entry, Some("not today")).await;
    let accepted = answer.json();
    assert_eq!(answer.status, 202);
    assert_eq!(accepted["reviewer"], "dana", "the credential's name, not the body's");
    assert_eq!((&accepted["action_id"], &accepted["verdict"]), (&json!(entry.id), &json!("reject")));
    assert_eq!((&accepted["idempotency_key"], &accepted["status"]), (&json!(entry.key), &json!("COMMITTED")));
    let shown = fixture.shown(&entry.id).await;
    assert_eq!((&shown["state"], &shown["execution"]), (&json!("rejected"), &Value::Null));
    assert_eq!(
        (&shown["decision"]["reason"], &shown["decision"]["digest"]),
        (&json!("not today"), &json!(entry.digest))
    );
    let status = fixture.status(accepted["request_id"].as_str().unwrap()).await.json();
    for field in ["request_id", "idempotency_key", "action_id", "status", "verdict", "reviewer", "decided_at"]
    {
        assert_eq!(status[field], accepted[field], "{field}");
    }
}

#[tokio::test]
async fn the_same_call_again_is_a_409_that_names_the_call_itself() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let call = fixture.decision("approve", &entry, None);
    let first = fixture.send(call.clone()).await;
    let again = fixture.send(call).await;
    assert_eq!((first.status, again.status), (202, 409));
    assert_eq!(again.json()["decision"]["request_id"], first.json()["request_id"]);
    let other = fixture.decide("reject", &entry, None).await;
    assert_eq!((other.status, other.json()["decision"]["verdict"].as_str()), (409, Some("approve")));
}

#[tokio::test]
async fn nothing_is_decided_on_another_digest_thread_or_key_than_the_actions() {
    let fixture = Fixture::start().await;
    let (entry, other) = (fixture.entry("k", "10m").await, fixture.entry("l", "10m").await);
    let changed = |change: &dyn Fn(&mut crate::support::Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        fixture.decision("approve", &entry, None)
    };
    let bare = |thread: &str| {
        call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key(thread, &entry.key).body("{}")
    };
    let review = |review: Value| bare(&entry.thread).body(json!({"review": review}).to_string());
    for (call, expected) in [
        (changed(&|entry| entry.digest = other.digest.clone()), (412, "digest_differs")),
        (changed(&|entry| entry.digest = entry.digest.to_uppercase()), (412, "digest_differs")),
        (changed(&|entry| entry.thread = "another".into()), (422, "wrong_thread")),
        (changed(&|entry| entry.key = other.key.clone()), (422, "wrong_key")),
        (changed(&|entry| entry.key = "never-seen".into()), (422, "wrong_key")),
        (bare("another"), (422, "wrong_thread")),
        (review(json!({"reason": "x"})), (422, "digest_missing")),
        (review(json!({"digest": 1})), (422, "bad_review")),
        (review(json!({"digest": entry.digest, "reason": "x".repeat(20_000)})), (422, "bad_review")),
    ] {
        let answer = fixture.send(call.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), expected, "{call:?}: {}", answer.text);
    }
    assert_eq!(fixture.shown(&entry.id).await["state"], "pending");
    assert_eq!(outbox(&fixture, &entry.thread).await, ["ActionCreated"]);
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
    let late = changed(&|entry| entry.key = "never-seen".into());
    let answer = fixture.send(late).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (409, "duplicate"),
        "decided: 409 under whatever key"
    );
}

#[tokio::test]
async fn the_published_clients_bare_payload_decides_an_action_by_its_key() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let bare = call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key(&entry.thread, &entry.key);
    let answer = fixture.send(bare.body(r#"{"to":"user@example.com","review":"none"}"#)).await;
    assert_eq!((answer.status, answer.json()["action_id"].as_str()), (202, Some(entry.id.as_str())));
    assert_eq!(fixture.request(&entry.id).await["status"], "approved");
}

#[tokio::test]
async fn a_key_never_seen_is_recorded_as_unasked_once_for_each_thread_and_tenant() {
    let fixture = Fixture::start().await;
    let send = |verdict: &str, thread: &str| {
        let call = call("POST", format!("/api/v1/hitl/{verdict}")).bearer(&fixture.reviewer).key(thread, "k");
        fixture.send(call.body(r#"{"action":"send_email"}"#))
    };
    let first = send("approve", "t1").await;
    assert_eq!((first.status, &first.json()["action_id"]), (202, &Value::Null), "{}", first.text);
    assert!(first.json()["request_id"].is_string(), "one is made where the caller sends none");
    assert_eq!(send("reject", "t1").await.status, 409);
    assert_eq!(send("reject", "t2").await.status, 202);
    assert_eq!(outbox(&fixture, "t2").await, ["ExecutionRejected"]);
    let list = fixture.send(call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer)).await;
    assert_eq!(list.json()["actions"], json!([]), "what nobody asked is not in the queue");
}

#[tokio::test]
async fn a_header_that_is_missing_doubled_or_unfit_is_named() {
    let fixture = Fixture::start().await;
    let base = || call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).body("{}");
    for (call, names) in [
        (base().header("Thread-Id", "t"), "Idempotency-Key is missing"),
        (base().header("Idempotency-Key", "k"), "Thread-Id is missing"),
        (base().key("t", "k").header("Thread-Id", "t"), "Thread-Id stands more than once"),
        (base().key("t", "k").header("Idempotency-Key", "k"), "Idempotency-Key stands more than once"),
        (base().key("t", ""), "Idempotency-Key must be"),
        (base().key("t", "a b"), "Idempotency-Key must be"),
        (base().key("t", &"k".repeat(256)), "Idempotency-Key must be"),
        (base().key("t", "ü"), "Idempotency-Key is not ASCII"),
        (base().key("", "k"), "Thread-Id must be"),
        (base().key("t", "k").header("X-Request-Id", "a/b"), "X-Request-Id must be"),
        (base().key("t", "k").header("X-Request-Id", "a").header("X-Request-Id", "a"), "X-Request-Id stands"),
    ] {
        let answer = fixture.send(call.clone()).await;
        assert_eq!(answer.status, 400, "{call:?}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(names), "{names}: {}", answer.text);
    }
    let longest = fixture.send(base().key(&"t".repeat(255), &"k".repeat(255))).await;
    assert_eq!(longest.status, 202, "{}", longest.text);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let fixture = Fixture::start().await;
    for (body, status) in [
        ("", 400),
        ("{", 400),
        (r#"{"a":1,"a":2}"#, 400),
        (r#"{"a":NaN}"#, 400),
        ("[]", 422),
        ("null", 422),
        ("\"{}\"", 422),
    ] {
        let call = call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key("t", "k").body(body);
        assert_eq!(fixture.send(call).await.status, status, "{body}");
    }
    assert!(outbox(&fixture, "t").await.is_empty());
}

#[tokio::test]
async fn nobody_decides_what_they_asked_for() {
    use secrecy::ExposeSecret as _;
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let same_name = fixture.gateway.reviewer("bot");
    let own = fixture.decision("approve", &entry, None).without("Authorization");
    let answer = fixture.send(own.bearer(same_name.expose_secret())).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "own_action"));
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
}

#[tokio::test]
async fn a_withdrawn_action_cannot_be_decided_and_has_no_decision() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let path = format!("/aap/v1/requests/{}", entry.id);
    assert_eq!(fixture.agent_call("DELETE", path, None, "").await.status, 200);
    let answer = fixture.decide("approve", &entry, None).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "cancelled"));
    assert_eq!(answer.json()["decision"], Value::Null);
    assert_eq!(fixture.shown(&entry.id).await["decision"], Value::Null);
}
