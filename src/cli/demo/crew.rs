//! The demo's agents: they ask over real HTTP, wait for the decision, take it, work for a while and say how it went.
//!
//! They go through [`crate::agent`] like any other agent. This file must not decide, and must not touch the gateway but
//! over HTTP.

use super::actions::{Deck, OPENING, Wish};
use crate::agent::{Answer, Gate, Status};
use fastrand::Rng;
use std::ops::Range;
use std::time::Duration;
use tokio::task::JoinSet;

/// The roles of `assets/demo/`. With more agents than roles, more than one has the same.
pub(super) const ROLES: [&str; 4] = ["billing-agent", "ops-agent", "trading-desk", "code-agent"];

/// Between two actions of the opening: quick, and still in an order that one can see.
const OPENING_PACE: Duration = Duration::from_millis(60);
/// So many may wait for a decision at once; then no agent asks more until one is decided.
const WAITING: usize = 500;
const WORK_MS: Range<u64> = 1_000..4_000;

/// One agent: its name, and its own credential in the gate.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) name: String,
    pub(super) gate: Gate,
}

/// The name of the agent with that number.
pub(super) fn name(number: usize) -> String {
    let role = ROLES[number % ROLES.len()];
    if number < ROLES.len() { role.to_owned() } else { format!("{role}-{}", number / ROLES.len() + 1) }
}

/// What happens to one action, drawn before it is asked, so that the seed alone decides it.
#[derive(Debug)]
struct Fate {
    work: Duration,
    goes_well: bool,
    withdrawn_after: Option<Duration>,
    timeout: Option<Duration>,
}

impl Fate {
    fn draw(number: usize, rng: &mut Rng) -> Self {
        let withdrawn = number > OPENING && rng.u8(..20) == 0;
        Self {
            work: Duration::from_millis(rng.u64(WORK_MS)),
            goes_well: rng.u8(..6) != 0,
            withdrawn_after: withdrawn.then(|| Duration::from_secs(rng.u64(15..30))),
            // The third and every eighth after it does not wait long: an expiry is part of the job.
            timeout: (number % 8 == 2).then(|| Duration::from_secs(rng.u64(25..41))),
        }
    }
}

/// Lets the agents ask, `rate` new actions a minute over all of them, for as long as it is polled.
pub(super) async fn work(agents: Vec<Agent>, mut deck: Deck, rate: u32, mut rng: Rng) -> anyhow::Result<()> {
    let mut at_work = JoinSet::new();
    let pause = Duration::from_secs(60) / rate.max(1);
    for number in 0.. {
        let (wish, fate) = (deck.draw()?, Fate::draw(number, &mut rng));
        let role = ROLES.iter().position(|role| *role == wish.role).unwrap_or_default();
        // With fewer agents than roles each has several; with more, those of one role take turns.
        let same_role = (0..agents.len()).filter(|agent| agent % ROLES.len() == role).count();
        let turn = if same_role == 0 { 0 } else { rng.usize(..same_role) };
        let agent = &agents[(role + turn * ROLES.len()) % agents.len()];
        let key = format!("demo-{number}-{:016x}", rng.u64(..));
        tracing::debug!(agent = agent.name, number, "asks");
        at_work.spawn(one(agent.gate.clone(), wish, key, fate));
        let wait = if number < OPENING { OPENING_PACE } else { pause.mul_f64(0.5 + rng.f64()) };
        tokio::time::sleep(wait).await;
        while at_work.try_join_next().is_some() {}
        if at_work.len() >= WAITING {
            at_work.join_next().await;
        }
    }
    Ok(())
}

/// One action from asking to its end.
async fn one(gate: Gate, wish: Wish, key: String, fate: Fate) {
    let submission = match fate.timeout {
        Some(timeout) => wish.submission.timeout(format!("{}s", timeout.as_secs())),
        None => wish.submission,
    };
    let mut asked = match gate.ask(&submission, &key).await {
        Ok(asked) => asked,
        Err(error) => return tracing::warn!(%error, "an agent could not ask"),
    };
    if let Some(patience) = fate.withdrawn_after
        && tokio::time::timeout(patience, asked.decided()).await.is_err()
        && asked.withdraw().await.is_ok()
    {
        return;
    }
    match asked.answer().await {
        Answer::Allowed(approval) => {
            tokio::time::sleep(fate.work).await;
            let (status, note) = match fate.goes_well {
                true => (Status::Succeeded, wish.succeeded),
                false => (Status::Failed, wish.failed),
            };
            if let Err(error) = approval.report(status, Some(&note)).await {
                tracing::warn!(%error, "an agent could not report");
            }
        }
        no => tracing::debug!(words = no.words(), "not run"),
    }
}
