//! The demo as its console sees it: a full screen at once, every outcome within ten decisions, agents that carry out
//! what they may, and nothing left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/reviewing.rs"]
mod reviewing;

use aegis_console::cli::demo::{Options, Scenario};
use aegis_console::domain::{ExecutionState, Outcome, Queued, Untrusted, Verdict};
use reviewing::Reviewer;
use std::collections::HashSet;
use std::time::{Duration, Instant};

fn reviewer(scenario: &Scenario) -> Reviewer {
    Reviewer::new(scenario.client().unwrap())
}

/// Asks again and again until there is an answer; the demo works in real time, over sockets.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        match ask().await {
            Some(answer) => return answer,
            None => assert!(started.elapsed() < Duration::from_secs(30), "{what}"),
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_comes_within_ten_decisions() {
    let options = Options { agents: 4, rate: 600, seed: 3 };
    let scenario = Scenario::start(options).await.unwrap();
    let data = scenario.data().to_owned();
    assert!(data.join("gateway").is_dir());
    assert!(scenario.what_is_simulated().contains("seed 3"));
    let reviewer = reviewer(&scenario);

    let (mut outcomes, mut decided, mut allowed) = (Vec::new(), HashSet::new(), Vec::new());
    for number in 0..10 {
        let action = until("there is always something to decide", async || {
            let fresh = |entry: &Queued| !decided.contains(&entry.action.id);
            reviewer.pending().await.into_iter().find(fresh).map(|entry| entry.action)
        });
        let action = action.await;
        decided.insert(action.id.clone());
        let verdict = if number % 3 == 2 { Verdict::Reject } else { Verdict::Approve };
        let resolution = reviewer.decide(&action, verdict, "").await;
        let statuses: Vec<_> = resolution.tries.iter().map(|tried| tried.http_status).collect();
        if verdict == Verdict::Approve && resolution.outcome.is_ours() {
            allowed.push(action.id.clone());
        }
        if let Outcome::Same | Outcome::Conflict = resolution.outcome {
            let standing = resolution.standing.as_ref().and_then(|standing| standing.reviewer.as_ref());
            assert_eq!(standing.map(Untrusted::raw), Some("alice"));
        }
        outcomes.push((resolution.outcome, statuses));
    }

    let seen = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|(outcome, _)| wanted(outcome)).count();
    assert!(matches!(outcomes[0], (Outcome::Accepted | Outcome::Committed, _)), "{outcomes:?}");
    assert!(seen(|outcome| matches!(outcome, Outcome::Accepted | Outcome::Committed)) >= 4, "{outcomes:?}");
    assert!(seen(|outcome| *outcome == Outcome::Mine) >= 1, "{outcomes:?}");
    assert!(seen(|outcome| *outcome == Outcome::Same) >= 1, "{outcomes:?}");
    assert!(seen(|outcome| *outcome == Outcome::Conflict) >= 1, "{outcomes:?}");
    let retried = outcomes.iter().any(|(_, statuses)| *statuses == [Some(503), Some(503), Some(202)]);
    assert!(retried, "{outcomes:?}");

    // What was allowed is taken, worked on, and reported with words.
    let done = until("an agent reports how it went", async || {
        for id in &allowed {
            let execution = reviewer.entry(id).await.execution;
            if let Some(execution) =
                execution.filter(|execution| execution.state >= ExecutionState::Succeeded)
            {
                return Some(execution);
            }
        }
        None
    });
    assert!(done.await.note.is_some());

    scenario.shutdown().await.unwrap();
    assert!(!data.exists(), "the data is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_is_full_at_once_and_the_seed_decides_with_what() {
    let mut openings = Vec::new();
    for _ in 0..2 {
        let scenario = Scenario::start(Options { agents: 2, rate: 1, seed: 11 }).await.unwrap();
        let reviewer = reviewer(&scenario);
        let full = async || Some(reviewer.pending().await).filter(|all| all.len() >= 9);
        let entries = until("the opening", full).await;
        let agents: HashSet<_> = entries.iter().map(|entry| entry.action.agent.raw().to_owned()).collect();
        assert_eq!(agents, HashSet::from(["billing-agent".to_owned(), "ops-agent".to_owned()]));
        // The oldest: on a busy machine the agents may have gone on to ask before the screen was looked at.
        let opening = entries.iter().take(9);
        let mut payloads: Vec<_> = opening.map(|entry| entry.action.payload().to_owned()).collect();
        payloads.sort();
        openings.push(payloads);
        scenario.shutdown().await.unwrap();
    }
    assert_eq!(openings[0], openings[1]);
}
