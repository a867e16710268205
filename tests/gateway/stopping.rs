//! The stop: whoever waits is answered, streams end, and nobody can hold it up; over TLS as in the clear.

use crate::authority::Authority;
use crate::support::{Fixture, call, http, https};
use aegis_console::gateway::TlsFiles;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::Value;
use std::io::Write as _;
use std::time::{Duration, Instant};

async fn stops(fixture: Fixture, client: reqwest::Client) {
    let entry = fixture.entry("k", "10m").await;
    let url = fixture.gateway.url();
    let wait = format!("{url}/aap/v1/requests/{}?wait=60s", entry.id);
    let waiting: Vec<_> =
        (0..20).map(|_| tokio::spawn(client.get(&wait).bearer_auth(&fixture.agent).send())).collect();
    let listen = || client.get(format!("{url}/api/v1/hitl/events")).bearer_auth(&fixture.reviewer).send();
    let streams = join_all((0..5).map(|_| listen())).await;
    // Nobody in these ever says what was begun.
    let mut silent = std::net::TcpStream::connect(fixture.gateway.addr()).unwrap();
    let half = std::net::TcpStream::connect(fixture.gateway.addr()).unwrap();
    silent.write_all(b"POST /aap/v1/requests HTTP/1.1\r\nHost: loc").unwrap();
    let held = async {
        while !fixture.send(call("GET", "/metrics")).await.text.contains("waiting_calls 20\n") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), held).await.expect("not all of them wait");
    let began = Instant::now();
    fixture.gateway.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for answer in join_all(waiting).await {
        let answer = answer.unwrap().expect("a waiting call was cut off");
        assert_eq!(answer.status(), 200);
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["status"], "pending");
    }
    for stream in streams {
        let mut stream = stream.unwrap().bytes_stream();
        while let Some(chunk) = stream.next().await {
            chunk.expect("a stream was cut off instead of ended");
        }
    }
    assert!(client.get(format!("{url}/healthz")).send().await.is_err(), "nobody listens any more");
    drop((silent, half));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_clear() {
    stops(Fixture::start().await, http()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (certificate, key) = authority.files(dir.path());
    let fixture = Fixture::with(|config| config.tls = Some(TlsFiles { certificate, key })).await;
    stops(fixture, https(authority.pem())).await;
}
