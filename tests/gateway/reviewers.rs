//! Several reviewers on one action, as they are answered over HTTP. What counts is in `store/sql/approvals`.

use crate::support::{Call, Entry, Fixture, call};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn decide(verdict: &str, token: &str, name: &str, entry: &Entry) -> Call {
    let review =
        json!({"review": {"action_id": entry.id, "digest": entry.digest, "reason": format!("{name}: seen")}});
    call("POST", format!("/api/v1/hitl/{verdict}"))
        .bearer(token)
        .key(&entry.thread, &entry.key)
        .header("X-Request-Id", format!("request-{name}"))
        .body(review.to_string())
}

async fn status(fixture: &Fixture, token: &str, name: &str) -> Value {
    let call = call("GET", format!("/api/v1/hitl/status/request-{name}")).bearer(token);
    fixture.send(call).await.json()
}

/// Of `value`, what these members say.
fn picked(value: &Value, members: &[&str]) -> Value {
    members.iter().map(|name| value[*name].clone()).collect()
}

#[tokio::test]
async fn the_first_approval_counts_the_second_decides_and_each_is_told_of_their_own() {
    let fixture = Fixture::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| fixture.gateway.reviewer(name).expose_secret().to_owned());
    let entry = fixture.entry_for_two("k-1").await;
    let mut events = fixture.listen(None).await;

    let counted = fixture.send(decide("approve", &alice, "alice", &entry)).await;
    let told = ["status", "verdict", "reviewer", "request_id", "detail"];
    assert_eq!(counted.status, 202, "{}", counted.text);
    assert_eq!(
        picked(&counted.json(), &told),
        json!(["PENDING", "approve", "alice", "request-alice", "1 of 2"])
    );
    let again = fixture.send(decide("approve", &alice, "alice", &entry)).await;
    let standing = &again.json()["decision"];
    assert_eq!(
        (again.status, &standing["status"], &standing["reviewer"]),
        (409, &json!("PENDING"), &json!("alice"))
    );
    assert_eq!(events.next().await.1, "action.reviewed");

    let shown = fixture.shown(&entry.id).await;
    assert_eq!(picked(&shown, &["state", "decision"]), json!(["pending", null]));
    assert_eq!(shown["review"]["needed"], 2);
    assert_eq!(shown["review"]["approvals"][0]["reviewer"], "alice");
    assert!(!shown.to_string().contains("alice: seen"), "the first reason is hidden: {shown}");
    assert!(shown["review"]["until"].is_string());
    assert_eq!(status(&fixture, &alice, "alice").await["status"], "PENDING");

    let decided = fixture.send(decide("approve", &bob, "bob", &entry)).await;
    assert_eq!((decided.status, &decided.json()["status"]), (202, &json!("COMMITTED")));
    assert_eq!(events.next().await.1, "action.decided");
    for (name, token) in [("alice", &alice), ("bob", &bob)] {
        let status = status(&fixture, token, name).await;
        let own = json!(["COMMITTED", "approve", name, format!("request-{name}")]);
        assert_eq!(picked(&status, &["status", "verdict", "reviewer", "request_id"]), own);
    }
    let shown = fixture.shown(&entry.id).await;
    assert_eq!(picked(&shown, &["state"]), json!(["approved"]));
    assert_eq!(shown["review"]["approvals"][0]["reason"], "alice: seen");
    assert_eq!(shown["review"]["approvals"][1]["reason"], "bob: seen");
}

#[tokio::test]
async fn any_rejection_ends_it_and_the_first_reviewer_hears_of_it() {
    let fixture = Fixture::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| fixture.gateway.reviewer(name).expose_secret().to_owned());
    let entry = fixture.entry_for_two("k-1").await;
    assert_eq!(fixture.send(decide("approve", &alice, "alice", &entry)).await.status, 202);
    assert_eq!(fixture.send(decide("reject", &bob, "bob", &entry)).await.status, 202);
    let status = status(&fixture, &alice, "alice").await;
    let opposite = json!(["COMMITTED", "reject", "bob", "request-bob"]);
    assert_eq!(picked(&status, &["status", "verdict", "reviewer", "request_id"]), opposite);
    assert_eq!(fixture.send(decide("approve", &alice, "alice", &entry)).await.status, 409);
}
