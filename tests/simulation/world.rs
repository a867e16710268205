//! One run: a seed's plan carried out on a clock that stands still while anything happens, and what was wrong in it.

use crate::audit::{Finding, Wrong, effects};
use crate::console::Console;
use crate::disk;
use crate::network::{Network, Weather};
use crate::plan::Plan;
use crate::server::Server;
use crate::wrong::Variant;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What all parts of a run share.
pub(crate) struct World {
    pub(crate) start: Instant,
    pub(crate) plan: Plan,
    pub(crate) variant: Variant,
    pub(crate) network: Arc<Network>,
    pub(crate) server: Arc<Server>,
    clock: Clock,
    /// All that happens is printed as it happens: also where it never ends.
    aloud: bool,
    trace: Mutex<Vec<String>>,
    findings: Mutex<Vec<Finding>>,
    /// How often a decision on an action was sent again because its reviewer wanted it.
    presses: Mutex<BTreeMap<String, usize>>,
    words: Mutex<BTreeMap<&'static str, usize>>,
}

/// The time of day of all consoles: it goes with the simulation's clock, and is set by hand now and then.
#[derive(Clone)]
struct Clock {
    start: Instant,
    set_by: Arc<AtomicI64>,
}

impl Clock {
    fn now(&self) -> Timestamp {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        noon + self.start.elapsed() + SignedDuration::from_millis(self.set_by.load(Ordering::SeqCst))
    }
}

/// What a run came to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) trace: Vec<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) words: BTreeMap<&'static str, usize>,
    pub(crate) sent: usize,
    pub(crate) executed: usize,
    pub(crate) swept: usize,
}

impl Run {
    pub(crate) fn found(&self) -> Vec<Wrong> {
        let mut found: Vec<_> = self.findings.iter().map(|(wrong, _)| *wrong).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn say(&self, what: fmt::Arguments<'_>) {
        let at = self.start.elapsed().as_secs_f64();
        let line = format!("{at:10.3} {what}");
        if self.aloud {
            println!("{line}");
        }
        self.trace.lock().unwrap().push(line);
    }

    pub(crate) fn find(&self, finding: Option<Finding>) {
        if let Some((wrong, what)) = finding {
            self.say(format_args!("##### {wrong:?}: {what}"));
            self.findings.lock().unwrap().push((wrong, what));
        }
    }

    pub(crate) fn check(&self, holds: bool, wrong: Wrong, what: impl FnOnce() -> String) {
        self.find((!holds).then(|| (wrong, what())));
    }

    pub(crate) fn pressed(&self, action: &str) {
        *self.presses.lock().unwrap().entry(action.to_owned()).or_default() += 1;
    }

    pub(crate) fn met(&self, word: &'static str) {
        *self.words.lock().unwrap().entry(word).or_default() += 1;
    }

    async fn new(plan: Plan, variant: Variant) -> Arc<Self> {
        let start = Instant::now();
        let clock = Clock { start, set_by: Arc::default() };
        disk::prepare({
            let clock = clock.clone();
            move || clock.now()
        });
        let mut chance = fastrand::Rng::with_seed(plan.seed ^ 0x5eed);
        // The waits of the console itself.
        fastrand::seed(plan.seed);
        let server = Server::new(plan.manner.clone(), plan.temper.clone(), chance.fork(), {
            let clock = clock.clone();
            move || clock.now()
        });
        let network = Network::new(Arc::clone(&server), chance.fork());
        Arc::new(Self {
            start,
            plan,
            variant,
            network,
            server,
            clock,
            aloud: std::env::var_os("SIM_SEED").is_some(),
            trace: Mutex::default(),
            findings: Mutex::default(),
            presses: Mutex::default(),
            words: Mutex::default(),
        })
    }

    /// Weather, crashes and clocks, at their times.
    fn turns(self: &Arc<Self>) {
        for (at, weather) in self.plan.weather.clone() {
            self.at(at, move |world| {
                world.say(format_args!("{weather:?}"));
                world.network.weather(weather.clone());
            });
        }
        for (at, down) in self.plan.crashes.clone() {
            self.at(at, move |world| {
                world.say(format_args!("the server crashes for {down:?}"));
                world.server.crash(down);
            });
        }
        for (at, by) in self.plan.clock.clone() {
            self.at(at, move |world| {
                world.say(format_args!("the clock is set by {by:?}"));
                let millis = i64::try_from(by.as_millis()).unwrap();
                world.clock.set_by.fetch_add(millis, Ordering::SeqCst);
            });
        }
        self.at(self.plan.heals, |world| {
            world.say(format_args!("all is well"));
            world.network.weather(Weather::CALM);
            world.server.heal();
        });
    }

    fn at(self: &Arc<Self>, at: Duration, turn: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep_until(world.start + at).await;
            turn(&world);
        });
    }
}

/// Ends the test where the clock stands still for so long: then something runs round and round without ever waiting, and
/// nothing else would.
struct Watchdog(Arc<AtomicU64>);

const STANDS_STILL: Duration = Duration::from_secs(60);

impl Watchdog {
    /// Of a run whose thread counts in `waits` how often everybody waited.
    fn over(seed: u64, waits: Arc<AtomicU64>) -> Self {
        let over = Self(waits);
        let waits = Arc::downgrade(&over.0);
        std::thread::spawn(move || {
            let mut seen = (u64::MAX, std::time::Instant::now());
            while let Some(count) = waits.upgrade().map(|waits| waits.load(Ordering::SeqCst)) {
                if count != seen.0 {
                    seen = (count, std::time::Instant::now());
                } else if seen.1.elapsed() > STANDS_STILL {
                    // Past what a test's output is kept in: that would end with the process.
                    let says =
                        format!("##### seed {seed} runs round and round: SIM_SEED={seed} shows where\n");
                    let _ = std::io::stderr().write_all(says.as_bytes());
                    std::process::exit(101);
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        over
    }
}

/// However a run ends, nobody must wait for its disks.
struct Leave(usize);

impl Drop for Leave {
    fn drop(&mut self) {
        (0..self.0).for_each(disk::leave);
    }
}

/// Carries out a seed's plan.
pub(crate) fn run(seed: u64, variant: Variant) -> Run {
    let waits = Arc::<AtomicU64>::default();
    let watchdog = Watchdog::over(seed, Arc::clone(&waits));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // What the disks answer is looked at when nothing else is left to do, so that chance has no part in it.
        .global_queue_interval(u32::MAX)
        .on_thread_park(move || {
            waits.fetch_add(1, Ordering::SeqCst);
            disk::work();
        })
        .build()
        .unwrap();
    let plan = Plan::of(seed);
    let consoles = plan.consoles.len();
    let leave = Leave(consoles);
    let run = runtime.block_on(async move {
        let world = World::new(plan, variant).await;
        world.say(format_args!("{:?} {:?}", world.plan.manner, world.plan.temper));
        world.turns();
        let mut chance = fastrand::Rng::with_seed(seed ^ 0xc0);
        let lives = world
            .plan
            .consoles
            .clone()
            .into_iter()
            .enumerate()
            .map(|(me, deeds)| tokio::spawn(Console::new(&world, me, deeds, chance.fork()).live()));
        for life in lives.collect::<Vec<_>>() {
            life.await.unwrap();
        }
        let ledger = world.server.ledger();
        let presses = world.presses.lock().unwrap().clone();
        for finding in effects(&ledger, &world.network.sent(), &presses) {
            world.find(Some(finding));
        }
        Run {
            seed,
            sent: world.network.sent().len(),
            executed: ledger.executions.len(),
            swept: ledger.swept,
            words: world.words.lock().unwrap().clone(),
            findings: world.findings.lock().unwrap().clone(),
            trace: world.trace.lock().unwrap().clone(),
        }
    });
    drop((leave, runtime, watchdog));
    run
}
