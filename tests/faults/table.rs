//! Runs the table in every setting: at most one execution, a true word, in time; and counts where more could have been
//! said.

use crate::aegis::checker::missed;
use crate::aegis::{Act, AegisServer, Claim, Conflicts, KEY, Ledger, Lie, Script, StatusCall, check};
use crate::cases::{self, Case};
use crate::paths;
use aegis_console::client::{AegisClient, Jitter};
use aegis_console::domain::timestamp::between;
use aegis_console::domain::{Resolution, Try, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(crate) const TIMEOUT: Duration = Duration::from_millis(200);
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);
/// What a busy machine may add. The client itself has none.
pub(crate) const SLACK: Duration = Duration::from_secs(2);
/// Cases that run at the same time. They mostly wait.
const AT_ONCE: usize = 64;
/// Tries that fit into the deadline: the waits are 0.5, 1 and 2 s.
const TRIES: usize = 3;

pub(crate) type Setting = (StatusCall, Conflicts);

/// How one case went.
pub(crate) struct Run {
    case: Arc<Case>,
    pub(crate) setting: Setting,
    pub(crate) resolution: Resolution,
    pub(crate) ledger: Ledger,
    took: Duration,
    /// What is not true.
    lies: Vec<Lie>,
    /// What could have been said instead.
    missed: Option<&'static [&'static str]>,
}

pub(crate) fn client(url: &str) -> AegisClient {
    AegisClient::builder()
        .base_url(url)
        .tenant_id("acme")
        .thread_id("order-42")
        .timeout(TIMEOUT)
        .deadline(DEADLINE)
        .jitter(Jitter::None)
        .build()
        .unwrap()
}

async fn run(case: Arc<Case>, setting: Setting) -> Run {
    let script = case.script.clone().setting(setting.0, setting.1);
    let elsewhere = script.redirects().then(|| AegisServer::start(Script::new([])));
    let url = elsewhere.as_ref().map_or("http://127.0.0.1:9", |server| &server.url).to_owned();
    let server = AegisServer::start_with(script.clone(), url);
    let client = client(&server.url);
    let started = Instant::now();
    let call = client.approve(KEY).payload(r#"{"amount": 1.10}"#);
    let resolution = call.send().await.unwrap();
    let took = started.elapsed();
    // What could have been known is what the server knew then; what is true, what it knows in the end.
    let known = server.ledger();
    let ledger = server.settled().await;
    let elsewhere = elsewhere.map(|server| server.ledger());
    let claim = Claim::of(Verdict::Approve, &resolution);
    let lies = check(&ledger, elsewhere.as_ref(), Some(&claim), took, DEADLINE + SLACK);
    let gone = script.steps.iter().any(|step| step.gone);
    let mut missed = missed(&known, &claim, setting, gone, TRIES);
    if setting == (StatusCall::Full, Conflicts::Ours) && !case.best.contains(&claim.outcome.as_str()) {
        missed = Some(case.best);
    }
    Run { case, setting, resolution, ledger, took, lies, missed }
}

/// The one thing that no client can help: a janitor opens a key again whose effect has happened, and every answer that
/// would have told of it came too late, because this machine was busy. (The real janitor comes after five minutes, long
/// after the deadline.) Such a run proves nothing, and is made again.
pub(crate) fn proves_nothing(script: &Script, lies: &[Lie], tries: &[Try]) -> bool {
    let late = tries.iter().any(|one| {
        one.error
            .as_deref()
            .is_some_and(|error| error.contains("timed out") || error.contains("no answer within"))
    });
    lies == [Lie::Twice] && late && script.sweeps_after_the_effect()
}

/// Whether a try came when the janitor had been already, because the look before it had been too slow for this machine.
/// Such a run is made again, too.
fn came_after_the_sweep(run: &Run) -> bool {
    let Some(first) = run.resolution.tries.first() else { return false };
    let sweep = run.case.script.steps.iter().find_map(|step| match step.act {
        Act::Swept { effect: true, after } => Some(after),
        _ => None,
    });
    let late = |after| run.resolution.tries.iter().any(|one| between(first.started, one.started) >= after);
    run.lies == [Lie::Twice] && sweep.is_some_and(late)
}

/// Runs those cases, so many at a time.
async fn run_all(which: Vec<(Arc<Case>, Setting)>, at_once: usize) -> Vec<Run> {
    let places = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    for (case, setting) in which {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            run(case, setting).await
        });
    }
    running.join_all().await
}

fn settings() -> impl Iterator<Item = Setting> {
    StatusCall::ALL.into_iter().flat_map(|status| Conflicts::ALL.map(|conflicts| (status, conflicts)))
}

fn line(run: &Run) -> String {
    let resolution = &run.resolution;
    let mut text = format!(
        "{:?}/{:?}  {}: {} after {} tries, {} looks, {:?}",
        run.setting.0,
        run.setting.1,
        run.case.name,
        resolution.outcome.word(),
        resolution.tries.len(),
        run.ledger.looks(),
        run.took
    );
    if !run.lies.is_empty() {
        let _ = write!(text, "\n    NOT TRUE: {:?}", run.lies);
        let _ =
            write!(text, "\n    {resolution:?}\n    {:?}\n    {:?}", run.ledger.rows, run.ledger.executions);
    }
    if let Some(best) = run.missed {
        let _ = write!(text, "  (better: {})", best.join(" or "));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_in_every_setting_has_at_most_one_effect_and_a_true_word() {
    let cases: Vec<_> = cases::all().into_iter().map(Arc::new).collect();
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    assert!(cases.len() >= 92, "{}", cases.len());
    let which = settings().flat_map(|setting| cases.iter().map(move |case| (Arc::clone(case), setting)));
    let which: Vec<_> = which.collect();
    let (started, memory) = (Instant::now(), peak_memory());
    let mut runs = run_all(which, AT_ONCE).await;
    let took = started.elapsed();
    let untrue = |runs: &[Run], last: bool| {
        let excused = |run: &Run| {
            let hopeless = proves_nothing(&run.case.script, &run.lies, &run.resolution.tries);
            (hopeless || came_after_the_sweep(run)) && !last
        };
        let untrue: Vec<_> =
            runs.iter().filter(|run| !run.lies.is_empty() && !excused(run)).map(line).collect();
        assert!(untrue.is_empty(), "{} of {} are not true:\n{}", untrue.len(), runs.len(), untrue.join("\n"));
    };
    untrue(&runs, false);

    // A busy machine makes a try time out that would have been answered, and a weaker word is right then. What said less
    // than it could is asked again with less going on.
    for at_once in [8, 1] {
        let again: Vec<_> = runs.extract_if(.., |run| run.missed.is_some() || !run.lies.is_empty()).collect();
        println!("{} are asked again, {at_once} at a time", again.len());
        let again = again.into_iter().map(|run| (run.case, run.setting)).collect();
        runs.extend(run_all(again, at_once).await);
        untrue(&runs, at_once == 1);
    }

    let mut ideal = BTreeMap::<Setting, usize>::new();
    for run in runs.iter().filter(|run| run.missed.is_none()) {
        *ideal.entry(run.setting).or_default() += 1;
    }
    println!("{} cases in {} settings, {took:?}", cases.len(), ideal.len());
    for ((status, conflicts), count) in &ideal {
        println!("status {status:?}, 409 {conflicts:?}: {count} of {} ideal", cases.len());
    }
    let less: Vec<_> = runs.iter().filter(|run| run.missed.is_some()).map(line).collect();
    assert!(less.is_empty(), "more could have been said:\n{}", less.join("\n"));
    paths::all_were_taken(&runs);

    let growth = peak_memory().saturating_sub(memory);
    println!("{growth} KiB at most for all that ran at once, both sides");
    assert!(growth < 128 * 1024, "{growth} KiB");
}

/// The most memory that this process has ever held, in KiB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}
