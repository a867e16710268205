//! The bytes of a call, and what never stands in any text.

use crate::script::{Answer, Script, builder, client, sent, status};
use aegis_console::client::{AegisClient, Transport};
use std::sync::Arc;
use uuid::Uuid;

fn keyed(script: &Arc<Script>) -> AegisClient {
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    AegisClient::builder()
        .base_url("https://gate.example/aegis/")
        .api_prefix("/api/v2/")
        .api_key("sk_live_hunter2".to_owned())
        .tenant_id("t1")
        .thread_id("th1")
        .transport(transport)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_of_each_header_and_the_body_with_the_ids() {
    let script = Script::deciding([status(202)]);
    let call = client(&script).approve("k");
    call.payload(r#"{ "amount": 1.10, "n": 9007199254740993 }"#).send().await.unwrap();
    let request = &script.posts()[0];
    let mut names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "idempotency-key", "tenant-id", "thread-id", "x-request-id"]);
    assert_eq!(sent(request, "content-type"), Some("application/json"));
    let body = br#"{ "amount": 1.10, "n": 9007199254740993 ,"tenant_id":"t1","thread_id":"th1"}"#;
    assert_eq!(&request.body()[..], body);
}

#[tokio::test(start_paused = true)]
async fn an_api_key_takes_the_place_of_the_tenant_header() {
    let script = Script::deciding([status(202)]);
    keyed(&script).reject("k").send().await.unwrap();
    let requests = script.requests();
    assert_eq!(requests[0].uri(), "https://gate.example/aegis/api/v2/hitl/reject");
    assert_eq!(requests[1].method(), "GET", "202 is followed by a look");
    for request in &requests {
        assert_eq!(sent(request, "authorization"), Some("Bearer sk_live_hunter2"));
        assert_eq!(sent(request, "tenant-id"), None);
        assert_eq!(sent(request, "thread-id"), Some("th1"));
    }
    assert_eq!(&requests[0].body()[..], br#"{"tenant_id":"t1","thread_id":"th1"}"#);
    assert_eq!(sent(&requests[1], "idempotency-key"), None);
    assert_eq!(sent(&requests[1], "x-request-id"), None);
}

#[tokio::test(start_paused = true)]
async fn every_try_sends_the_same_bytes() {
    let script = Script::deciding([Answer::NotSent, Answer::Lost, status(503), status(202)]);
    let id = Uuid::new_v4();
    let resolution = keyed(&script).approve("k-1").request_id(id).payload(r#"{"a":1}"#).send().await.unwrap();
    assert_eq!(resolution.request_id, id.to_string());
    let posts = script.posts();
    assert_eq!(posts.len(), 4);
    for post in &posts {
        assert_eq!(post.uri(), posts[0].uri());
        assert_eq!(post.headers(), posts[0].headers());
        assert_eq!(post.body(), posts[0].body());
        assert_eq!(sent(post, "x-request-id"), Some(id.to_string().as_str()));
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let script = Script::deciding([status(202)]);
    let client = client(&script);
    for key in ["", "a b", "a\nb", "ä", "\u{7f}", &"k".repeat(256)] {
        let error = client.approve(key).send().await.unwrap_err().to_string();
        assert!(error.contains("idempotency key"), "{error}");
    }
    for (tenant, thread, names) in
        [("t\r\nX: y", "th", "tenant_id"), ("t", " th", "thread_id"), ("t", "ü", "thread_id")]
    {
        let error = client.approve("k").tenant_id(tenant).thread_id(thread).send().await.unwrap_err();
        assert!(error.to_string().contains(names), "{error}");
    }
    for payload in ["", "[]", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "nul"] {
        let error = client.approve("k").payload(payload).send().await.unwrap_err().to_string();
        assert!(error.contains("payload"), "{error}");
        assert!(client.approve("k").body(payload).send().await.is_err());
    }
    for id in ["", "..", ".", "a/b", "a?b"] {
        assert!(client.status(id).await.unwrap_err().to_string().contains("request id"), "{id}");
    }
    assert!(builder(&script).timeout(std::time::Duration::ZERO).build().is_err());
    assert!(script.requests().is_empty());
    let longest = "k".repeat(255);
    client.approve(&longest).send().await.unwrap();
    assert_eq!(sent(&script.posts()[0], "idempotency-key"), Some(longest.as_str()));
}

#[tokio::test(start_paused = true)]
async fn the_api_key_is_nowhere_to_be_read() {
    let script = Script::deciding([Answer::Lost, status(401)]);
    let client = keyed(&script);
    let call = client.approve("k");
    let resolution = call.clone().send().await.unwrap();
    let texts = [
        format!("{client:?}"),
        format!("{call:?}"),
        format!("{:?}", call.start().unwrap()),
        format!("{resolution:?}"),
        format!("{:?}", script.requests()),
        format!("{:?}", AegisClient::builder().api_key("hunter2\n".to_owned()).build().unwrap_err()),
    ];
    for text in &texts {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(texts[5].contains("API key"), "{}", texts[5]);
}

#[tokio::test]
async fn a_status_answer_is_what_the_server_says() {
    let body = r#"{"request_id":"r-1","asked_request_id":"r-2","idempotency_key":"k","action_id":"a",
        "status":"COMMITTED","verdict":"reject","reviewer":"alice\u001b","decided_at":"2026-11-23T12:03:11Z","detail":null}"#;
    let script = Script::new([status(202)], [crate::script::body(200, body), status(404)]);
    let client = client(&script);
    let known = client.status("r-2").await.unwrap();
    assert_eq!(script.requests()[0].uri().path(), "/api/v1/hitl/status/r-2");
    assert_eq!((known.http_status, known.standing.request_id.as_deref()), (200, Some("r-1")));
    assert_eq!(known.standing.reviewer.unwrap().raw(), "alice\u{1b}");
    assert_eq!(known.asked_request_id.unwrap().raw(), "r-2");
    assert_eq!(client.status("r-3").await.unwrap().http_status, 404);
}
