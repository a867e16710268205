//! What a seed stands for: who decides what, and everything that goes wrong, drawn before anything happens.

use crate::network::{Cut, Weather};
use crate::server::{Manner, StatusCall};
use aegis_console::domain::Verdict;
use jiff::SignedDuration;
use std::time::Duration;

/// How often the server does what, in per cent of its calls.
#[derive(Debug, Clone)]
pub(crate) struct Temper {
    pub(crate) slow: u8,
    pub(crate) overloaded: u8,
    /// Dies between the row and the effect.
    pub(crate) dies_before: u8,
    /// Dies between the effect and the end of the row.
    pub(crate) dies_after: u8,
    /// Its processing fails without an effect.
    pub(crate) fails: u8,
    /// It commits, and answers 500.
    pub(crate) stumbles: u8,
}

impl Temper {
    pub(crate) const CALM: Self =
        Self { slow: 0, overloaded: 0, dies_before: 0, dies_after: 0, fails: 0, stumbles: 0 };
}

/// What a console does, or what is done to it, at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    Decide {
        action: usize,
        verdict: Verdict,
        grace: Duration,
    },
    /// Its process is killed; what its disk had not done yet is lost, or is done. It is started again after that time.
    Kill {
        lost: bool,
        down: Duration,
    },
    /// It is quit and started again.
    Quit {
        down: Duration,
    },
    Link {
        up: bool,
    },
    Stall {
        stalled: bool,
    },
}

pub(crate) type At<T> = (Duration, T);

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) manner: Manner,
    pub(crate) temper: Temper,
    /// Each console's deeds, in order.
    pub(crate) consoles: Vec<Vec<At<Deed>>>,
    /// What the weather becomes.
    pub(crate) weather: Vec<At<Weather>>,
    /// The server is killed, and is down so long.
    pub(crate) crashes: Vec<At<Duration>>,
    /// Everybody's clock is set, by so much.
    pub(crate) clock: Vec<At<SignedDuration>>,
    /// From then on nothing goes wrong any more.
    pub(crate) heals: Duration,
}

fn seconds(chance: &mut fastrand::Rng, from: f64, to: f64) -> Duration {
    // Short ones as often as long ones.
    let (low, high) = (from.ln(), to.ln());
    Duration::from_secs_f64((low + (high - low) * chance.f64()).exp())
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let c = &mut chance;
        let heals = seconds(c, 30.0, 1_500.0);
        let within = |c: &mut fastrand::Rng| heals.mul_f64(c.f64());
        let status = [
            StatusCall::Full,
            StatusCall::Full,
            StatusCall::Minimal,
            StatusCall::Missing,
            StatusCall::Failing,
        ];
        let manner = Manner {
            status: status[c.usize(0..status.len())],
            says_whose: c.u8(0..3) > 0,
            accepts_first: c.u8(0..3) == 0,
            skew: SignedDuration::from_secs(c.i64(-7_200..7_200)),
        };
        let often = |c: &mut fastrand::Rng, most: u8| if c.bool() { c.u8(0..=most) } else { 0 };
        let temper = Temper {
            slow: often(c, 20),
            overloaded: often(c, 30),
            dies_before: often(c, 15),
            dies_after: often(c, 25),
            fails: often(c, 15),
            stumbles: often(c, 20),
        };
        let actions = c.usize(1..=4);
        let consoles = (0..c.usize(1..=3)).map(|_| Self::console(c, actions, heals)).collect();
        let mut weather = vec![(Duration::ZERO, Weather::of(c))];
        for _ in 0..c.usize(0..=4) {
            let (from, lasts) = (within(c), seconds(c, 0.5, 400.0));
            let cut = [Cut::Refused, Cut::Silent, Cut::AnswersOnly][c.usize(0..3)];
            weather.push((from, Weather::of(c).cut(cut)));
            weather.push((from + lasts, Weather::of(c)));
        }
        weather.retain(|(at, _)| *at < heals);
        weather.sort_by_key(|(at, _)| *at);
        let crashes = (0..c.usize(0..=3)).map(|_| (within(c), seconds(c, 0.05, 300.0))).collect();
        let clock =
            (0..c.usize(0..=2)).map(|_| (within(c), SignedDuration::from_secs(c.i64(-20..7_200)))).collect();
        Self { seed, manner, temper, consoles, weather, crashes, clock, heals }
    }

    fn console(c: &mut fastrand::Rng, actions: usize, heals: Duration) -> Vec<At<Deed>> {
        let within = |c: &mut fastrand::Rng| heals.mul_f64(c.f64());
        let mut deeds = Vec::new();
        for action in 0..actions {
            if c.u8(0..100) < 80 {
                let at = within(c).min(Duration::from_millis(c.u64(0..200_000)));
                let verdict = if c.u8(0..3) > 0 { Verdict::Approve } else { Verdict::Reject };
                let grace = if c.u8(0..3) == 0 { Duration::from_secs(3) } else { Duration::ZERO };
                deeds.push((at, Deed::Decide { action, verdict, grace }));
            }
        }
        for _ in 0..c.usize(0..=3) {
            deeds.push((within(c), Deed::Kill { lost: c.bool(), down: seconds(c, 0.01, 600.0) }));
        }
        if c.u8(0..4) == 0 {
            deeds.push((within(c), Deed::Quit { down: seconds(c, 0.01, 600.0) }));
        }
        for _ in 0..c.usize(0..=2) {
            let (at, lasts) = (within(c), seconds(c, 0.1, 300.0));
            deeds.extend([(at, Deed::Link { up: false }), (at + lasts, Deed::Link { up: true })]);
        }
        for _ in 0..c.usize(0..=2) {
            let (at, lasts) = (within(c), seconds(c, 0.01, 20.0));
            deeds.extend([(at, Deed::Stall { stalled: true }), (at + lasts, Deed::Stall { stalled: false })]);
        }
        deeds.retain(|(at, _)| *at < heals);
        // Whatever was cut off above is well again then.
        deeds.extend([(heals, Deed::Link { up: true }), (heals, Deed::Stall { stalled: false })]);
        deeds.sort_by_key(|(at, _)| *at);
        deeds
    }
}
