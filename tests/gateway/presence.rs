//! Who looks at which action: told to everybody else of the tenant, live, and gone when it is over.

use crate::support::{Call, Entry, Fixture, call};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn look(token: &str, at: Option<&Entry>) -> Call {
    let body = match at {
        Some(entry) => json!({"action_id": entry.id, "digest": entry.digest}),
        None => json!({"action_id": null}),
    };
    call("POST", "/api/v1/hitl/presence").bearer(token).body(body.to_string())
}

fn one(reviewer: &str, entry: &Entry) -> Value {
    json!([{"reviewer": reviewer, "action_id": entry.id}])
}

#[tokio::test]
async fn everybody_else_is_told_who_looks_at_what_as_it_changes() {
    let fixture = Fixture::start().await;
    let alice = fixture.gateway.reviewer("alice").expose_secret().to_owned();
    let (first, second) = (fixture.entry("k-1", "10m").await, fixture.entry("k-2", "10m").await);
    assert_eq!(fixture.send(look(&alice, Some(&first))).await.json()["looking"], json!([]), "not oneself");
    let mut dana = fixture.listen(None).await;
    let mut own = fixture.listen_as(&alice, None).await;
    assert_eq!(dana.presence().await, one("alice", &first), "at the start of a stream");
    assert_eq!(own.presence().await, json!([]));
    fixture.send(look(&alice, Some(&first))).await;
    fixture.send(look(&alice, Some(&second))).await;
    assert_eq!(dana.presence().await, one("alice", &second), "what is the same is not said again");
    let answer = fixture.send(look(&fixture.reviewer, Some(&second))).await;
    assert_eq!((answer.status, &answer.json()["looking"]), (200, &one("alice", &second)));
    assert_eq!(own.presence().await, one("dana", &second));
    fixture.send(look(&alice, None)).await;
    assert_eq!(dana.presence().await, json!([]));
}

#[tokio::test]
async fn only_what_is_in_the_queue_is_looked_at_and_only_by_those_of_its_tenant() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k-1", "10m").await;
    let wrong = Entry { digest: "sha256:00".into(), ..entry.clone() };
    let unknown = Entry { id: "unknown".into(), ..entry.clone() };
    for at in [&wrong, &unknown] {
        let answer = fixture.send(look(&fixture.reviewer, Some(at))).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found".into()));
    }
    for body in [
        "{}",
        "7",
        r#"{"action_id":"a"}"#,
        r#"{"action_id":1,"digest":"d"}"#,
        r#"{"action_id":null,"digest":"d"}"#,
    ] {
        let call = call("POST", "/api/v1/hitl/presence").bearer(&fixture.reviewer).body(body);
        let answer = fixture.send(call).await;
        assert_eq!((answer.status, answer.code()), (422, "bad_presence".into()), "{body}");
    }
    assert_eq!(fixture.send(look(&fixture.agent, Some(&entry))).await.status, 403);
}
