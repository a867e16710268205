//! Deterministic simulation: consoles (the real client, dispatcher and journal), a server with the real one's manners, and
//! the line between them, in one process, on one clock that moves only when everybody waits, by one seed. Whatever is
//! drawn goes wrong; afterwards there is one effect at most for an action, every word is true, and everything is at an end.
//!
//! ```text
//! SIM_SEED=17 cargo test --test simulation -- --nocapture many        one seed, with all that happens in it
//! SIM_SEEDS=1..100000 cargo test --test simulation -- many            as many as you like
//! ```
//!
//! | file | what |
//! |---|---|
//! | `plan` | what a seed stands for |
//! | `world` | one run |
//! | `console` | a reviewer's console: real but for its server; killed, quit, cut off |
//! | `disk` | its journal's thread on the simulation's clock |
//! | `network`, `server` | the line; the server with its ledger, its crashes and its janitor |
//! | `audit` | what must never be |
//! | `wrong` | consoles that are wrong on purpose: each must be caught |
#![cfg(all(feature = "console", feature = "gateway", debug_assertions))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod audit;
mod console;
mod disk;
mod network;
mod plan;
mod server;
mod world;
mod wrong;

use std::collections::BTreeMap;
use std::ops::Range;
use world::{Run, run};
use wrong::Variant;

/// Seeds that are run where nobody asks for others.
const SEEDS: Range<u64> = 1..151;

fn asked_for() -> Range<u64> {
    let number = |text: &str| text.parse::<u64>().expect("SIM_SEED=N or SIM_SEEDS=FROM..TO");
    match (std::env::var("SIM_SEED"), std::env::var("SIM_SEEDS")) {
        (Ok(one), _) => number(&one)..number(&one) + 1,
        (_, Ok(many)) => {
            let (from, to) = many.split_once("..").expect("SIM_SEEDS=FROM..TO");
            number(from)..number(to)
        }
        _ => SEEDS,
    }
}

fn must_be_right(run: &Run) {
    if run.findings.is_empty() {
        return;
    }
    let commit = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit =
        commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let seed = run.seed;
    panic!(
        "seed {seed} at commit {commit}: {:?}\nAll that happened: SIM_SEED={seed} cargo test --test simulation -- --nocapture many\n{}",
        run.found(),
        run.findings.iter().map(|(wrong, what)| format!("{wrong:?}: {what}\n")).collect::<String>()
    );
}

#[test]
fn many_seeds() {
    let mut words = BTreeMap::<_, usize>::new();
    let (mut sent, mut executed, mut swept, mut seeds) = (0, 0, 0, 0);
    for seed in asked_for() {
        let run = run(seed, Variant::Right);
        must_be_right(&run);
        for (word, count) in &run.words {
            *words.entry(*word).or_default() += count;
        }
        (sent, executed, swept, seeds) =
            (sent + run.sent, executed + run.executed, swept + run.swept, seeds + 1);
    }
    println!(
        "{seeds} seeds: {sent} calls, {executed} effects, {swept} rows given up by the janitor; {words:?}"
    );
}

#[test]
fn a_seed_is_the_same_every_time() {
    for seed in 1..9 {
        let (first, again) = (run(seed, Variant::Right), run(seed, Variant::Right));
        let differs = first.trace.iter().zip(&again.trace).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first, again, "seed {seed}");
    }
}
