//! Many at once against a gateway in this process: approvals a second with 64 to 500 calls in flight, and 500 calls at
//! once on one key. `cargo bench --bench at_once`; takes half a minute, most of it to compile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use aegis_console::client::AegisClient;
use aegis_console::domain::Outcome;
use aegis_console::gateway::{Config, Gateway};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const EACH: usize = 4_000;
const AT_ONCE: usize = 500;
const ROUNDS: usize = 10;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new("127.0.0.1:0".parse().unwrap(), dir.path().to_owned());
        let gateway = Gateway::start(config).await.unwrap();
        for in_flight in [16, 64, 128, 256, 500] {
            let took = spread(&client(&gateway), in_flight).await;
            println!(
                "{EACH} approvals, {in_flight:>3} in flight: {:>6.0} a second",
                EACH as f64 / took.as_secs_f64()
            );
        }
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            times.push(on_one_key(&client(&gateway), round).await);
        }
        times.sort_unstable();
        println!(
            "{AT_ONCE} at once on one key, {ROUNDS} times: {:.0} ms in the middle, {:.0} ms at most",
            times[ROUNDS / 2].as_secs_f64() * 1e3,
            times[ROUNDS - 1].as_secs_f64() * 1e3
        );
        gateway.shutdown().await;
    });
}

fn client(gateway: &Gateway) -> AegisClient {
    let builder = AegisClient::builder().base_url(gateway.url()).thread_id("bench");
    builder.api_key(gateway.reviewer("dana")).build().unwrap()
}

/// Each on a key of its own; all must be accepted.
async fn spread(client: &AegisClient, in_flight: usize) -> Duration {
    let room = Arc::new(Semaphore::new(in_flight));
    let started = Instant::now();
    let calls: Vec<_> = (0..EACH)
        .map(|number| {
            let (call, room) = (client.approve(format!("{in_flight}-{number}")), Arc::clone(&room));
            tokio::spawn(async move {
                let _permit = room.acquire().await.unwrap();
                call.send().await.unwrap().outcome
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Outcome::Committed);
    }
    started.elapsed()
}

/// 500 people decide the same: one is the first, all others are told that it is decided.
async fn on_one_key(client: &AegisClient, round: usize) -> Duration {
    let started = Instant::now();
    let calls: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let call = client.approve(format!("round-{round}"));
            tokio::spawn(async move { call.send().await.unwrap().outcome })
        })
        .collect();
    let mut first = 0;
    for call in calls {
        match call.await.unwrap() {
            Outcome::Committed => first += 1,
            outcome => assert_eq!(outcome, Outcome::Same),
        }
    }
    assert_eq!(first, 1);
    started.elapsed()
}
