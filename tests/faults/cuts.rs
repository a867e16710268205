//! The bytes of every try, and answers and requests cut after every byte there is.

use crate::aegis::{
    Act, AegisServer, Asked, Claim, Conflicts, Ending, KEY, Reply, Script, StatusCall, Step, check,
};
use aegis_console::client::{AegisClient, Builder, Jitter};
use aegis_console::domain::Verdict::{Approve, Reject};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Long: here no answer is late.
const TIMEOUT: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(45);
const AT_ONCE: usize = 48;

fn builder(url: &str) -> Builder {
    AegisClient::builder()
        .base_url(url)
        .tenant_id("acme")
        .thread_id("order-42")
        .timeout(TIMEOUT)
        .deadline(DEADLINE)
        .jitter(Jitter::Full)
}

/// Approves on each script; every word must be true, and one of those expected.
async fn every(scripts: impl Iterator<Item = (String, Script, &'static [&'static str])>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (name, script, expected) in scripts {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            let server = AegisServer::start(script);
            let started = Instant::now();
            let resolution = builder(&server.url).build().unwrap().approve(KEY).send().await.unwrap();
            let took = started.elapsed();
            let (ledger, claim) = (server.settled().await, Claim::of(Approve, &resolution));
            let lies = check(&ledger, None, Some(&claim), took, DEADLINE);
            assert!(lies.is_empty(), "{name}: {lies:?}: {resolution:?}: {ledger:?}");
            assert!(expected.contains(&claim.outcome.as_str()), "{name}: {resolution:?}");
        });
    }
    running.join_all().await;
}

/// How long the answer to the first decision is.
async fn answer_length(script: Script) -> usize {
    let server = AegisServer::start(script);
    builder(&server.url).build().unwrap().approve(KEY).send().await.unwrap();
    let decision = server.ledger().decisions().next().unwrap().clone();
    decision.written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_cut_after_every_byte_is_never_taken_for_a_whole_one() {
    let mut scripts = Vec::new();
    for (name, before, expected) in [
        ("202", None, &["mine"] as &[_]),
        ("409 same", Some(Approve), &["same"]),
        ("409 conflict", Some(Reject), &["conflict"]),
    ] {
        let script = |steps: Vec<Step>| match before {
            Some(verdict) => Script::new(steps).before(verdict, Act::Decide),
            None => Script::new(steps),
        };
        let length = answer_length(script(Vec::new())).await;
        assert!(length > 200, "{name}: {length}");
        for ending in [Ending::Closed, Ending::Reset] {
            for count in 0..length {
                let cut = script(vec![Step::new(Act::Decide, Reply::Cut(count, ending))]);
                scripts.push((format!("{name} cut after {count}, {ending:?}"), cut, expected));
            }
        }
        // All but the status call is well, and that is cut too: what is lost must come from the 409.
        for count in 0..length {
            let lost = Step::new(Act::Decide, Reply::Reset);
            let cut = script(vec![lost]).setting(StatusCall::Cut(count), Conflicts::Ours);
            scripts.push((format!("{name}, the status cut after {count}"), cut, expected));
        }
    }
    println!("{} cuts", scripts.len());
    every(scripts.into_iter()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cut_after_every_byte_is_sent_again() {
    let server = AegisServer::start(Script::new([]));
    builder(&server.url).build().unwrap().approve(KEY).send().await.unwrap();
    let whole = raw(server.ledger().decisions().next().unwrap()).len();
    assert!(whole > 250, "{whole}");
    let cuts = (0..=whole).map(|count| {
        (format!("reset after {count}"), Script::new([Step::cut_request(count)]), &["committed"] as &[_])
    });
    every(cuts).await;
}

#[tokio::test]
async fn a_large_request_that_is_reset_in_the_middle_is_sent_again() {
    let payload = format!(r#"{{"text":"{}"}}"#, "x".repeat(250_000));
    for read in [0, 1, 400, 100_000, 249_000] {
        let server = AegisServer::start(Script::new([Step::cut_request(read)]));
        let call = builder(&server.url).build().unwrap().approve(KEY).payload(&payload);
        let resolution = call.send().await.unwrap();
        let (ledger, claim) = (server.settled().await, Claim::of(Approve, &resolution));
        assert_eq!((claim.outcome.as_str(), claim.tries), ("committed", 2), "{read}");
        assert!(check(&ledger, None, Some(&claim), Duration::ZERO, DEADLINE).is_empty());
    }
}

/// A request as it came over the wire.
fn raw(asked: &Asked) -> Vec<u8> {
    [asked.head.as_bytes(), b"\r\n\r\n", &asked.body].concat()
}

/// As the golden files have it: lines end in `\n`, and what another run has differently is named.
fn golden(asked: &Asked, host: &str) -> String {
    let text = String::from_utf8(raw(asked)).unwrap();
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count(), "every line ends in both");
    let version = concat!("aegis-console/", env!("CARGO_PKG_VERSION"));
    text.replace("\r\n", "\n").replace(host, "HOST").replace(version, "aegis-console/VERSION") + "\n"
}

/// Four tries, each ended otherwise.
fn four_ways() -> Script {
    let nothing = |reply| Step::new(Act::Nothing, reply);
    let status = |code, headers: &str| Reply::Whole(code, headers.into(), b"{}".to_vec());
    Script::new([nothing(Reply::Reset), nothing(status(503, "")), nothing(status(429, "Retry-After: 0\r\n"))])
}

#[tokio::test]
async fn every_try_is_the_same_bytes_and_they_are_the_golden_ones() {
    let request_id: Uuid = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".parse().unwrap();
    let payload = r#"{ "amount": 1.10, "n": 9007199254740993, "to": "J\u00fcrgen" }"#;
    for (verdict, with_key, decision, look) in [
        (Approve, false, include_str!("../wire/approve.http"), include_str!("../wire/status.http")),
        (
            Reject,
            true,
            include_str!("../wire/reject_with_key.http"),
            include_str!("../wire/status_with_key.http"),
        ),
    ] {
        let server = AegisServer::start(four_ways());
        let host = server.url.trim_start_matches("http://").to_owned();
        let client = || {
            let builder = builder(&server.url);
            let builder = if with_key { builder.api_key("token-1".to_owned()) } else { builder };
            builder.build().unwrap()
        };
        let call = |client: AegisClient| client.decide(verdict, KEY).payload(payload).request_id(request_id);
        let resolution = call(client()).send().await.unwrap();
        assert_eq!((resolution.outcome.word(), resolution.tries.len()), ("committed", 4));
        // And once more after a restart, by another client on another connection.
        let again = call(client()).send().await.unwrap();
        assert_eq!(again.outcome.word(), "mine");

        let ledger = server.settled().await;
        let tries: Vec<_> = ledger.decisions().map(raw).collect();
        assert_eq!(tries.len(), 5);
        for (index, one) in tries.iter().enumerate() {
            assert_eq!(String::from_utf8_lossy(one), String::from_utf8_lossy(&tries[0]), "try {}", index + 1);
        }
        assert_eq!(golden(ledger.decisions().next().unwrap(), &host), decision);
        let looks: Vec<_> = ledger.asked.iter().filter(|asked| !asked.is_decision).collect();
        assert!(!looks.is_empty());
        for one in looks {
            assert_eq!(golden(one, &host), look);
        }
    }
}
