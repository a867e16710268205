//! What stands at the door: `Host`, `Origin`, sizes, slow callers, tenant mode. Credentials and routes: `roles`.

use crate::support::{Call, Fixture, call, http};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

#[tokio::test]
async fn host_and_origin_come_before_everything_else() {
    let fixture = Fixture::with(|config| config.allowed_hosts.push("gate.example".into())).await;
    let port = fixture.gateway.addr().port();
    let list =
        |host: &str| call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer).header("Host", host);
    for good in
        [&format!("127.0.0.1:{port}"), &format!("localhost:{port}"), &format!("[::1]:{port}"), "gate.example"]
    {
        assert_eq!(fixture.send(list(good)).await.status, 200, "{good}");
    }
    for bad in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1:1", "", "localhost.evil.example"]
    {
        let answer = fixture.send(list(bad)).await;
        assert_eq!((answer.status, answer.code().as_str()), (421, "wrong_host"), "{bad}");
        let answer = fixture.send(call("GET", "/healthz").header("Host", bad)).await;
        assert_eq!(answer.status, 421, "{bad}");
    }
    let twice = list("localhost").header("Host", "evil.example");
    assert_eq!(fixture.send(twice).await.status, 421);
    for origin in ["http://evil.example", &fixture.gateway.url(), "null"] {
        let answer = fixture.send(list(&format!("localhost:{port}")).header("Origin", origin)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "foreign_origin"), "{origin}");
        let ask = call("POST", "/aap/v1/requests").header("Origin", origin);
        assert_eq!(fixture.send(ask).await.json()["error"]["code"], "foreign_origin");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_its_credential_is_looked_at_first() {
    let fixture = Fixture::start().await;
    let large = |limit: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(limit));
    let decide = |token: &str| call("POST", "/api/v1/hitl/approve").bearer(token).key("t", "k");
    let answer = fixture.send(decide(&fixture.reviewer).body(large(1024 * 1024))).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let answer = fixture.send(decide("nobody").body(large(1024 * 1024))).await;
    assert_eq!(answer.status, 401);
    let answer = fixture.ask("k", large(256 * 1024)).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let answer = fixture.send(decide(&fixture.reviewer).body(large(1000 * 1000))).await;
    assert_eq!(answer.status, 202, "just below the limit: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_sends_too_much_reads_why_and_that_the_connection_closes() {
    let fixture = Fixture::start().await;
    let (addr, token) = (fixture.gateway.addr(), fixture.agent.clone());
    let send = move || {
        let mut socket = std::net::TcpStream::connect(addr).unwrap();
        let size = 4 * 1024 * 1024;
        let head = format!(
            "POST /aap/v1/requests HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: k\r\nContent-Length: {size}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&vec![b'x'; size]).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };
    for _ in 0..20 {
        let answer = tokio::task::spawn_blocking(send.clone()).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("connection: close") && answer.contains("too_large"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_cut_off() {
    let fixture = Fixture::start().await;
    let addr = fixture.gateway.addr();
    let slow = tokio::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(addr).unwrap();
        let started = Instant::now();
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).unwrap();
        started.elapsed()
    });
    let took = slow.await.unwrap();
    assert!((Duration::from_secs(6)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

/// Five hundred connections at once, from one thread on a busy machine: the last ones wait long for their first byte.
#[tokio::test]
async fn a_caller_may_take_longer_to_begin_than_to_end_its_head() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    const CALL: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    async fn read(mut socket: TcpStream) -> String {
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }
    let fixture = Fixture::start().await;
    let connect = async || TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    for (silent_for, answered) in [(20, true), (40, false)] {
        let (mut silent, mut later) = (connect().await, connect().await);
        // Once this is answered, the one before it has been accepted too.
        later.write_all(CALL).await.unwrap();
        assert!(read(later).await.starts_with("HTTP/1.1 200 "));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(silent_for)).await;
        tokio::time::resume();
        if answered {
            silent.write_all(CALL).await.unwrap();
        }
        let answer = read(silent).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200 "), answered, "{silent_for} s: {answer:?}");
    }
}

#[tokio::test]
async fn tenant_mode_lets_a_tenant_decide_without_a_credential_and_only_it() {
    let open = Fixture::with(|config| config.tenant_mode = true).await;
    let decide = |headers: &[(&str, &str)]| {
        let base =
            call("POST", "/api/v1/hitl/approve").key("t", "k").header("X-Request-Id", "r-1").body("{}");
        headers.iter().fold(base, |call: Call, (name, value)| call.header(name, *value))
    };
    assert_eq!(open.send(decide(&[])).await.status, 401);
    assert_eq!(
        open.send(decide(&[("Authorization", "Bearer wrong"), ("Tenant-Id", "acme")])).await.status,
        401
    );
    let answer = open.send(decide(&[("Tenant-Id", "acme")])).await;
    assert_eq!(
        (answer.status, answer.json()["reviewer"].as_str()),
        (202, Some("tenant:acme")),
        "{}",
        answer.text
    );
    for call in [
        call("GET", "/api/v1/hitl/status/r-1"),
        call("GET", "/api/v1/hitl/status/r-1").header("Tenant-Id", "acme"),
    ] {
        assert_eq!(open.send(call).await.json()["status"], "COMMITTED");
    }
    let other = call("GET", "/api/v1/hitl/status/r-1").header("Tenant-Id", "other");
    assert_eq!(open.send(other).await.status, 404, "another tenant's");
    assert_eq!(open.status("r-1").await.status, 404, "the credential's tenant is another");
    assert_eq!(open.send(call("GET", "/api/v1/hitl/actions").header("Tenant-Id", "acme")).await.status, 401);

    let closed = Fixture::start().await;
    assert_eq!(closed.send(decide(&[("Tenant-Id", "acme")])).await.status, 401);
    assert_eq!(
        closed.send(call("GET", "/api/v1/hitl/status/r-1").header("Tenant-Id", "acme")).await.status,
        401
    );
    let foreign = decide(&[("Tenant-Id", "acme")]).bearer(&closed.reviewer);
    assert_eq!(closed.send(foreign).await.code(), "other_tenant");
    assert_eq!(closed.send(decide(&[("Tenant-Id", "default")]).bearer(&closed.reviewer)).await.status, 202);
}

#[tokio::test]
async fn a_busy_gateway_answers_every_one_of_many_connections() {
    let fixture = Fixture::start().await;
    let (client, url) = (http(), format!("{}/healthz", fixture.gateway.url()));
    let calls = (0..200).map(|_| client.get(&url).send());
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
}
