//! What follows a run of tries: its end, doubt, or another time. A pure function; `life` does what it says.

use super::Pace;
use crate::domain::Outcome;
use std::time::Duration;

/// How a run of tries ended.
#[derive(Debug, Clone)]
pub(super) struct Ran<'a> {
    pub(super) outcome: &'a Outcome,
    /// It was ended early, and may go on after that time; or the server has named one.
    pub(super) put_off: Option<Duration>,
    /// Whether anything was sent.
    pub(super) sent: bool,
    /// How long it has been put off so far.
    pub(super) put_off_for: Duration,
    /// How often it was sent again, or asked about, while it was in doubt.
    pub(super) rounds: u32,
    /// Since the decision.
    pub(super) age: Duration,
    pub(super) link_up: bool,
    /// From 0 up to 1.
    pub(super) random: f64,
}

/// What follows a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It has ended so.
    End,
    /// It may have landed: it is asked about after that time.
    Doubt(Duration),
    /// It has not landed, and goes out after that time.
    PutOff(Duration),
    /// It has reached nobody, and goes out when the link is back.
    AwaitLink,
}

/// What follows a run.
pub(super) fn after(ran: &Ran<'_>, pace: &Pace) -> After {
    match (ran.outcome, ran.put_off) {
        (Outcome::Unconfirmed, put_off) => {
            let pause = match put_off {
                // It was not its turn; the others that wait for theirs must not all come at the same instant.
                Some(_) if !ran.sent => pace.first_pause.mul_f64(ran.random),
                _ => pause(ran.rounds, ran.random, pace),
            };
            let wait = pause.max(put_off.unwrap_or_default());
            if ran.age.saturating_add(wait) < pace.redeliver_for { After::Doubt(wait) } else { After::End }
        }
        (Outcome::NotSent | Outcome::Refused | Outcome::Quota { .. }, Some(wait))
            if ran.put_off_for.saturating_add(wait) < pace.redeliver_for =>
        {
            // Not all at the same instant.
            After::PutOff(wait + Duration::from_millis(100).mul_f64(ran.random))
        }
        // It went down under way: a moment later it would not have been tried at all.
        (Outcome::NotSent, None) if !ran.link_up => After::AwaitLink,
        _ => After::End,
    }
}

/// The pause before the next look at a doubtful decision, a little less than the schedule so that it never grows past it.
fn pause(rounds: u32, random: f64, pace: &Pace) -> Duration {
    let doubled = pace.first_pause.saturating_mul(2_u32.saturating_pow(rounds));
    doubled.min(pace.longest_pause).mul_f64(0.75 + random.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn doubt_is_asked_about_at_growing_pauses_for_half_an_hour() {
        let ran = |rounds, age, random| Ran {
            outcome: &Outcome::Unconfirmed,
            put_off: None,
            sent: true,
            put_off_for: s(0),
            rounds,
            age,
            link_up: true,
            random,
        };
        let pace = Pace::default();
        let pauses: Vec<_> = (0..10).map(|n| after(&ran(n, s(0), 1.0), &pace)).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60, 60, 60, 60].map(|pause| After::Doubt(s(pause))));
        assert_eq!(after(&ran(0, s(0), 0.0), &pace), After::Doubt(Duration::from_millis(3_750)));
        assert_eq!(after(&ran(9, s(1_739), 1.0), &pace), After::Doubt(s(60)));
        assert_eq!(after(&ran(9, s(1_740), 1.0), &pace), After::End);
        let held_off = Ran { put_off: Some(s(30)), ..ran(0, s(0), 1.0) };
        assert_eq!(after(&held_off, &pace), After::Doubt(s(30)));
        let not_its_turn = Ran { put_off: Some(s(2)), sent: false, ..ran(4, s(0), 0.5) };
        assert_eq!(after(&not_its_turn, &pace), After::Doubt(Duration::from_millis(2_500)));
    }

    #[test]
    fn only_what_was_ended_early_is_put_off_and_not_for_ever() {
        let pace = Pace::default();
        let quota = Outcome::Quota { until: None };
        for outcome in [&Outcome::NotSent, &Outcome::Refused, &quota] {
            let ran = Ran {
                outcome,
                put_off: None,
                sent: false,
                put_off_for: s(0),
                rounds: 0,
                age: s(0),
                link_up: true,
                random: 0.0,
            };
            assert_eq!(after(&ran, &pace), After::End, "{outcome:?}");
            let down = Ran { link_up: false, ..ran.clone() };
            let waits = if *outcome == Outcome::NotSent { After::AwaitLink } else { After::End };
            assert_eq!(after(&down, &pace), waits, "{outcome:?}");
            let early = Ran { put_off: Some(s(9)), ..ran.clone() };
            assert_eq!(after(&early, &pace), After::PutOff(s(9)), "{outcome:?}");
            let long = Ran { put_off: Some(s(9)), put_off_for: s(1_795), ..ran };
            assert_eq!(after(&long, &pace), After::End, "{outcome:?}");
        }
        let ran = Ran {
            outcome: &Outcome::Conflict,
            put_off: Some(s(1)),
            sent: true,
            put_off_for: s(0),
            rounds: 0,
            age: s(0),
            link_up: true,
            random: 0.0,
        };
        assert_eq!(after(&ran, &pace), After::End);
    }
}
