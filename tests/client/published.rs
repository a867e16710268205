//! Everything that the 13 tests in the published client's source archive (0.1.2) check, one by one.

use crate::script::{Script, body, builder, client, sent, status};
use aegis_console::client::{AegisClient, Transport};
use aegis_console::domain::Outcome;
use std::sync::Arc;

fn accepting() -> Arc<Script> {
    Script::new([body(202, r#"{"ok": true}"#)], [body(202, r#"{"ok": true}"#)])
}

#[tokio::test(start_paused = true)]
async fn approve_posts_to_its_endpoint_with_its_headers() {
    let script = accepting();
    let resolution = client(&script).approve("key-001").send().await.unwrap();
    assert_eq!((resolution.http_status, resolution.outcome), (Some(202), Outcome::Accepted));
    let request = &script.posts()[0];
    assert_eq!(request.uri().to_string(), "http://localhost:8000/api/v1/hitl/approve");
    assert_eq!(sent(request, "tenant-id"), Some("t1"));
    assert_eq!(sent(request, "thread-id"), Some("th1"));
    assert_eq!(sent(request, "idempotency-key"), Some("key-001"));
    assert!(sent(request, "x-request-id").is_some());
}

#[tokio::test(start_paused = true)]
async fn reject_posts_to_its_endpoint() {
    let script = accepting();
    let resolution = client(&script).reject("key-002").send().await.unwrap();
    assert_eq!(resolution.http_status, Some(202));
    assert_eq!(script.posts()[0].uri().path(), "/api/v1/hitl/reject");
}

#[tokio::test(start_paused = true)]
async fn execute_dispatches_by_the_action() {
    for action in ["approve", "reject"] {
        let script = accepting();
        client(&script).execute(action, "key-003").unwrap().send().await.unwrap();
        assert_eq!(script.posts()[0].uri().path(), format!("/api/v1/hitl/{action}"));
    }
}

#[test]
fn execute_with_another_action_names_both() {
    let script = accepting();
    for action in ["delete", "", "Approve", "approved", "approve "] {
        let error = client(&script).execute(action, "key-005").unwrap_err().to_string();
        assert!(error.contains("approve") && error.contains("reject"), "{error}");
    }
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn tenant_and_thread_of_the_call_win() {
    let script = accepting();
    let client = builder(&script).tenant_id("default-t").thread_id("default-th").build().unwrap();
    client.approve("key-006").tenant_id("override-t").thread_id("override-th").send().await.unwrap();
    client.approve("key-006").send().await.unwrap();
    let posts = script.posts();
    let ids = |at: usize| (sent(&posts[at], "tenant-id").unwrap(), sent(&posts[at], "thread-id").unwrap());
    assert_eq!(ids(0), ("override-t", "override-th"));
    assert_eq!(ids(1), ("default-t", "default-th"));
}

#[tokio::test]
async fn a_missing_tenant_or_thread_is_named_before_anything_is_sent() {
    let script = accepting();
    let transport = || Arc::clone(&script) as Arc<dyn Transport>;
    for (tenant, thread, names) in [("", "th1", "tenant_id"), ("t1", "", "thread_id")] {
        let client = AegisClient::builder()
            .tenant_id(tenant)
            .thread_id(thread)
            .transport(transport())
            .build()
            .unwrap();
        let error = client.approve("key-007").send().await.unwrap_err().to_string();
        assert!(error.contains(names), "{error}");
    }
    let keyed =
        AegisClient::builder().api_key("sk_live_x".to_owned()).transport(transport()).build().unwrap();
    let error = keyed.approve("key-008").start().unwrap_err().to_string();
    assert!(error.contains("thread_id"), "{error}");
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_call_has_a_request_id_of_its_own() {
    let script = accepting();
    let client = client(&script);
    let first = client.approve("key-009").send().await.unwrap();
    let second = client.approve("key-010").send().await.unwrap();
    let posts = script.posts();
    let ids: Vec<_> = posts.iter().map(|request| sent(request, "x-request-id").unwrap()).collect();
    assert_eq!(ids, [first.request_id, second.request_id]);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(start_paused = true)]
async fn an_injected_transport_outlives_the_client() {
    let script = accepting();
    let first = client(&script);
    first.approve("key-011").send().await.unwrap();
    drop(first);
    client(&script).approve("key-011b").send().await.unwrap();
    assert_eq!(script.posts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_5xx_is_sent_again() {
    let script = Script::deciding([status(500), status(500), body(202, r#"{"ok": true}"#)]);
    let resolution = client(&script).approve("key-backoff-1").send().await.unwrap();
    assert_eq!(resolution.http_status, Some(202));
    assert_eq!(script.posts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_4xx_is_not_sent_again() {
    for code in [409, 400, 401, 403, 404, 412, 413, 422, 429] {
        let script = Script::deciding([body(code, r#"{"error": "duplicate"}"#)]);
        let resolution = client(&script).approve("key-backoff-2").send().await.unwrap();
        assert_eq!(resolution.http_status, Some(code));
        assert_eq!(script.posts().len(), 1, "{code}");
    }
}
