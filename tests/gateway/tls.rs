//! TLS: who is let in and how far, certificates that are renewed, and files that cannot be used.

use crate::authority::{Authority, private};
use crate::support::{Fixture, config, http, https};
use aegis_console::gateway::{Gateway, TlsFiles};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The first bytes of a handshake that is never finished.
const BEGUN: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

async fn over_tls(authority: &Authority, dir: &TempDir) -> Fixture {
    let (certificate, key) = authority.files(dir.path());
    Fixture::with(|config| config.tls = Some(TlsFiles { certificate, key })).await
}

/// A plain socket with TLS on top, for what no HTTP client does.
type Line = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

fn connect(addr: SocketAddr, authority: &Authority) -> Line {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    rustls::StreamOwned::new(connection, socket)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_its_authority_is_served_over_https_and_nobody_else() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let fixture = over_tls(&authority, &dir).await;
    let list = format!("{}/api/v1/hitl/actions", fixture.gateway.url());
    assert!(list.starts_with("https://127.0.0.1:"), "{list}");
    let answer = https(authority.pem()).get(&list).bearer_auth(&fixture.reviewer).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), r#"{"actions":[],"next":null,"allowed_by_rule":0}"#);
    for stranger in [https(Authority::new().pem()), http()] {
        let error = stranger.get(&list).bearer_auth(&fixture.reviewer).send().await.unwrap_err();
        assert!(error.is_connect() && format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    }
}

#[tokio::test]
async fn who_speaks_plain_http_there_is_told_so() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let fixture = over_tls(&authority, &dir).await;
    let plain = format!("http://{}/healthz", fixture.gateway.addr());
    let answer = http().get(plain).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.text().await.unwrap(), "this gateway speaks https: call it by that\n");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let fixture = over_tls(&authority, &dir).await;
    let mut slow = tokio::net::TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    slow.write_all(BEGUN).await.unwrap();
    // Once this is answered, the one before it has been accepted too.
    let health = format!("{}/healthz", fixture.gateway.url());
    assert_eq!(https(authority.pem()).get(health).send().await.unwrap().status(), 200);
    let mut rest = Vec::new();
    let mut cut = std::pin::pin!(slow.read_to_end(&mut rest));
    for (seconds, over) in [(8, false), (3, true)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        let patience = Duration::from_millis(if over { 5_000 } else { 300 });
        let ended = tokio::time::timeout(patience, &mut cut).await;
        assert_eq!(ended.is_ok(), over, "after {seconds} s more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_and_a_body_that_never_end_are_cut_off_over_tls_too() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Arc::new(Authority::new()));
    let fixture = over_tls(&authority, &dir).await;
    let (addr, token) = (fixture.gateway.addr(), fixture.agent.clone());
    let head = "POST /aap/v1/requests HTTP/1.1\r\nHost: localhost\r\n";
    let whole =
        format!("{head}Authorization: Bearer {token}\r\nIdempotency-Key: k\r\nContent-Length: 9\r\n\r\n{{");
    let slow = [(head.to_owned(), ""), (whole, "slow_body")].map(|(sent, says)| {
        let authority = Arc::clone(&authority);
        blocking(move || {
            let mut stream = connect(addr, &authority);
            stream.write_all(sent.as_bytes()).unwrap();
            let (started, mut rest) = (Instant::now(), String::new());
            let ended = stream.read_to_string(&mut rest);
            // Who is answered is told that this is the end; who has not even asked is cut off.
            assert_eq!(ended.is_ok(), !says.is_empty(), "{ended:?}");
            assert!(rest.contains(says), "{rest}");
            started.elapsed()
        })
    });
    for took in futures_util::future::join_all(slow).await {
        assert!((Duration::from_secs(6)..Duration::from_secs(15)).contains(&took), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_never_finishes_its_handshake_keeps_no_reviewer_out() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (certificate, key) = authority.files(dir.path());
    let fixture = Fixture::with(|config| {
        config.tls = Some(TlsFiles { certificate, key });
        config.bounds.connections = 8;
    })
    .await;
    let addr = fixture.gateway.addr();
    let crowd = blocking(move || {
        let join = |_| {
            let mut socket = TcpStream::connect(addr).unwrap();
            // One that has had to leave already says so here.
            let _ = socket.write_all(BEGUN);
            socket
        };
        (0..40).map(join).collect::<Vec<_>>()
    });
    let crowd = crowd.await;
    let (client, url) = (https(authority.pem()), format!("{}/api/v1/hitl/actions", fixture.gateway.url()));
    for _ in 0..3 {
        // Sooner than a handshake is cut off by itself.
        let list = client.get(&url).bearer_auth(&fixture.reviewer).timeout(Duration::from_secs(8)).send();
        assert_eq!(list.await.unwrap().status(), 200);
    }
    drop(crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_sends_too_much_reads_why_over_tls_too() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Arc::new(Authority::new()));
    let fixture = over_tls(&authority, &dir).await;
    let (addr, token) = (fixture.gateway.addr(), fixture.agent.clone());
    let answers = (0..5).map(|_| {
        let (authority, token) = (Arc::clone(&authority), token.clone());
        blocking(move || {
            let mut stream = connect(addr, &authority);
            let head = format!(
                "POST /aap/v1/requests HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
                 Idempotency-Key: k\r\nContent-Length: 4194304\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&vec![b'x'; 4 * 1024 * 1024]).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
    });
    for answer in futures_util::future::join_all(answers).await {
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too_large"), "{answer}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_for_who_comes_and_a_bad_one_is_not() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let fixture = over_tls(&authority, &dir).await;
    let health = format!("{}/healthz", fixture.gateway.url());
    let (old, next) = (https(authority.pem()), Authority::new());
    let answers = async |client: &reqwest::Client| client.get(&health).send().await.is_ok();
    assert!(answers(&old).await);
    next.files(dir.path());
    fixture.gateway.reload_tls().unwrap();
    assert!(answers(&https(next.pem())).await);
    assert!(!answers(&https(authority.pem())).await, "who comes now is shown the new one");
    assert!(answers(&old).await, "a connection that stands goes on");
    std::fs::write(dir.path().join("tls.crt"), "nothing").unwrap();
    let error = fixture.gateway.reload_tls().unwrap_err().to_string();
    assert!(error.contains("tls.crt"), "{error}");
    assert!(answers(&https(next.pem())).await, "what was in use stays in use");
}

#[tokio::test]
async fn each_kind_of_bad_file_is_named_and_nothing_is_touched() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let path = |name: &str| dir.path().join(name);
    let write = |name: &str, text: &str| {
        private(&path(name), text);
        path(name)
    };
    let (good, key) = authority.files(dir.path());
    let (_, other) = authority.certify();
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let cut = |text: String| text.lines().next().unwrap().to_owned() + "\nMIIB\n";
    let no_der = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let cases = [
        (path("none.crt"), key.clone(), "cannot read the TLS certificate", "none.crt"),
        (good.clone(), path("none.key"), "cannot read the TLS key", "none.key"),
        (dir.path().to_owned(), key.clone(), "cannot read the TLS certificate", "directory"),
        (write("empty.crt", ""), key.clone(), "no TLS certificate", "empty.crt"),
        (key.clone(), key.clone(), "no TLS certificate", "BEGIN CERTIFICATE"),
        (good.clone(), good.clone(), "no TLS key", "BEGIN PRIVATE KEY"),
        (write("cut.crt", &cut(text(&good))), key.clone(), "cannot be used", "-----END"),
        (good.clone(), write("cut.key", &cut(text(&key))), "cannot be used", "-----END"),
        (write("no.crt", no_der), key.clone(), "the TLS certificate in", "no.crt"),
        (write("large.crt", &"x".repeat(1024 * 1024 + 1)), key.clone(), "large.crt", "1 MiB"),
        (good.clone(), write("other.key", &other), "is not that of the certificate", "other.key"),
    ];
    for (certificate, key, says, names) in cases {
        let mut config = config(&path("data"));
        config.tls = Some(TlsFiles { certificate, key });
        let error = Gateway::start(config).await.err().unwrap().to_string();
        assert!(error.contains(says) && error.contains(names), "{error}");
        assert!(!error.contains("MIIB") && !error.contains('\n'), "{error}");
    }
    assert!(!path("data").exists());
}
