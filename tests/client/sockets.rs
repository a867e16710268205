//! Over real sockets: what a network and a hostile server do to an answer.

use crate::fault_server::{FaultServer, Received, Reply};
use aegis_console::client::http::{self, HttpTransport};
use aegis_console::client::{AegisClient, Bytes, Jitter, Transport as _, TransportClass};
use aegis_console::domain::{Outcome, Resolution};
use std::time::{Duration, Instant};

/// The server has no status call; decisions are answered by `decide`, by their number.
fn server(decide: impl Fn(usize) -> Reply + Send + Sync + 'static) -> FaultServer {
    let posts = std::sync::atomic::AtomicUsize::new(0);
    FaultServer::start(move |_, request: &Received| {
        if request.head.starts_with("GET ") {
            return Reply::json(404, r#"{"detail":"not found"}"#);
        }
        decide(posts.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1)
    })
}

async fn approve(url: &str, max_retries: u32, timeout: Duration) -> Resolution {
    let client = AegisClient::builder()
        .base_url(url)
        .tenant_id("t1")
        .thread_id("th1")
        .timeout(timeout)
        .max_retries(max_retries)
        .jitter(Jitter::Full)
        .build()
        .unwrap();
    client.approve("key-1").send().await.unwrap()
}

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_wire_to_the_byte() {
    let server = server(|_| Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let resolution = approve(&server.url, 0, LONG).await;
    assert_eq!(resolution.outcome, Outcome::Committed);
    let request = &server.posts()[0];
    assert!(request.is("POST /api/v1/hitl/approve"), "{}", request.head);
    for (name, value) in [
        ("Tenant-Id", "t1"),
        ("Thread-Id", "th1"),
        ("Idempotency-Key", "key-1"),
        ("X-Request-Id", resolution.request_id.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", "36"),
    ] {
        assert!(request.head.contains(&format!("\r\n{name}: {value}")), "{name}: {}", request.head);
        assert_eq!(request.header(name), [value]);
    }
    assert!(request.header("authorization").is_empty() && request.header("accept-encoding").is_empty());
    assert_eq!(request.body, br#"{"tenant_id":"t1","thread_id":"th1"}"#);
}

#[tokio::test]
async fn every_way_to_lose_an_answer_is_a_doubt_and_is_sent_again() {
    let cut = |bytes: &str| Reply::Bytes(bytes.as_bytes().to_vec());
    let many: String = (0..65).map(|n| format!("X-{n}: y\r\n")).collect();
    for (name, fault) in [
        ("reset", Reply::Reset),
        ("closed", Reply::Close),
        ("cut head", cut("HTTP/1.1 202 Acc")),
        ("cut body", cut("HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{\"status\":\"COMMITTED\"}")),
        ("cut chunk", cut("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}")),
        ("not HTTP", cut("SSH-2.0-OpenSSH_9.6\r\n\r\n")),
        ("200", Reply::json(200, "{}")),
        ("65 headers", Reply::with(202, &many, b"{}")),
        ("500 headers", Reply::with(202, &many.repeat(8), b"{}")),
    ] {
        let server = server(move |number| match number {
            1 => fault.clone(),
            _ => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        });
        let resolution = approve(&server.url, 1, LONG).await;
        assert_eq!(resolution.outcome, Outcome::Committed, "{name}: {resolution:?}");
        assert_eq!(resolution.tries.len(), 2, "{name}");
        let posts = server.posts();
        assert_eq!(posts[0], posts[1], "{name}: the same bytes");
        assert_eq!(server.received().len(), 3, "{name}: one look between");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_or_never_ends_is_given_up_in_time() {
    let head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 60000\r\n\r\n".to_vec();
    for fault in [Reply::Hang, Reply::Drip(head), Reply::Drip(b"HTTP/1.1 202 Accepted\r\nX: ".to_vec())] {
        let server = server(move |_| fault.clone());
        let started = Instant::now();
        let resolution = approve(&server.url, 0, SHORT).await;
        assert_eq!(resolution.outcome, Outcome::Unconfirmed);
        assert!(resolution.tries[0].error.is_some());
        assert!(started.elapsed() < SHORT * 4, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn nobody_there_is_not_sent() {
    // A port that was free a moment ago may be another test's by now; nobody listens on this one.
    let url = "http://127.0.0.1:1".to_owned();
    let resolution = approve(&url, 1, LONG).await;
    assert_eq!(resolution.outcome, Outcome::NotSent);
    assert_eq!(resolution.tries[1].error.as_deref(), Some("connection refused"));
}

#[tokio::test]
async fn plain_text_where_tls_was_expected_is_not_sent() {
    let server = server(|_| Reply::json(202, "{}"));
    let resolution = approve(&server.url.replace("http:", "https:"), 0, LONG).await;
    assert_eq!(resolution.outcome, Outcome::NotSent, "{resolution:?}");
    assert!(server.posts().is_empty());
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = server(|_| Reply::json(202, "{}"));
    for code in [301, 302, 307, 308] {
        let location = format!("Location: {}/api/v1/hitl/approve\r\n", elsewhere.url);
        let server = server(move |_| Reply::with(code, &location, b""));
        let resolution = approve(&server.url, 3, LONG).await;
        assert_eq!((resolution.outcome, resolution.http_status), (Outcome::Refused, Some(code)));
        assert_eq!(server.posts().len(), 1);
    }
    assert!(elsewhere.received().is_empty(), "not a byte went there");
}

#[tokio::test]
async fn of_a_huge_body_no_more_than_the_limit_is_read() {
    // 64 MiB announced, one sent: if more than the limit were wanted, the answer would never be whole.
    let mut bytes = b"HTTP/1.1 202 Accepted\r\nContent-Length: 67108864\r\n\r\n".to_vec();
    bytes.resize(1024 * 1024, b' ');
    let server = server(move |_| Reply::Drip(bytes.clone()));
    let resolution = approve(&server.url, 0, LONG).await;
    assert_eq!(resolution.outcome, Outcome::Accepted, "the head is whole, and the body is not wanted");
}

#[tokio::test]
async fn nothing_is_decompressed() {
    // What gzip would unpack to a COMMITTED is read as the bytes that it is.
    let server = server(|_| Reply::with(202, "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\x00garbage"));
    assert_eq!(approve(&server.url, 0, LONG).await.outcome, Outcome::Accepted);
}

#[tokio::test]
async fn larger_answers_are_for_those_who_ask_for_them() {
    let big = format!(r#"{{"a":"{}"}}"#, "x".repeat(100_000));
    let reply = Reply::json(200, &big);
    let server = FaultServer::start(move |_, _| reply.clone());
    let client = AegisClient::builder().base_url(&server.url).tenant_id("t").build().unwrap();
    let small = client.fetch(&**client.transport(), "/hitl/actions/a").await.unwrap();
    assert_eq!(small.body().len(), 64 * 1024);
    let through = HttpTransport::new(client.base_url(), LONG).unwrap().body_limit(1 << 20);
    let whole = client.fetch(&through, "/hitl/actions/a").await.unwrap();
    assert_eq!(&whole.body()[..], big.as_bytes());
    assert!(server.received()[1].is("GET /api/v1/hitl/actions/a"));
}

#[tokio::test]
async fn no_more_than_64_requests_are_on_their_way_and_the_next_is_known_not_to_be() {
    let (asked, mut came) = tokio::sync::mpsc::unbounded_channel();
    let server = FaultServer::start(move |_, _| {
        asked.send(()).unwrap();
        Reply::Hang
    });
    let transport = HttpTransport::new(&server.url.parse().unwrap(), LONG).unwrap();
    let request = || http::Request::post(format!("{}/", server.url)).body(Bytes::from_static(b"{}")).unwrap();
    let mut on_their_way = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (transport, request) = (transport.clone(), request());
        on_their_way.spawn(async move { transport.send(request, Duration::from_secs(600)).await });
    }
    for _ in 0..64 {
        came.recv().await.unwrap();
    }
    let error = transport.send(request(), SHORT).await.unwrap_err();
    assert_eq!(error.class, TransportClass::NotSent, "{error}");
    assert!(came.try_recv().is_err());

    on_their_way.abort_all();
    let last = request();
    let sent = tokio::spawn(async move { transport.send(last, Duration::from_secs(600)).await });
    came.recv().await.expect("those who have given up make room");
    sent.abort();
}
