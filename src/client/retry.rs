//! Whether and when a decision is sent again: a pure function of what the last try yielded, its number, the server's
//! hint, a random number and the time that is left.
//!
//! This file must not wait, read a clock or draw a random number. What all calls share (a budget of retries, a
//! breaker) belongs beside it and is asked by `run` before a retry.

use super::classify::{Class, LONGEST_HINT};
use std::time::Duration;

/// How the waits between tries are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Jitter {
    /// Between half of the published wait and the whole: never longer than the published client's, never nothing.
    #[default]
    Equal,
    /// Between nothing and the published wait: kinder to a server with a fleet of clients.
    Full,
    /// The published client's exact waits.
    None,
}

/// What one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) deadline: Duration,
    pub(crate) jitter: Jitter,
}

impl Policy {
    /// Tries in all.
    pub(crate) fn of(&self) -> u32 {
        self.max_retries.saturating_add(1)
    }
}

/// What comes after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait so long, then send the same bytes again.
    Wait(Duration),
    /// Send nothing more by itself.
    Stop,
}

/// What comes after try `number` (1 for the first). `random` is from 0 up to 1; `left` is the time until the deadline.
pub(crate) fn next(
    class: Class,
    number: u32,
    hint: Option<Duration>,
    policy: &Policy,
    random: f64,
    left: Duration,
) -> Next {
    let too_long = hint.is_some_and(|hint| hint > LONGEST_HINT);
    if !class.is_retried() || number > policy.max_retries || too_long {
        return Next::Stop;
    }
    let wait = wait(number, hint, policy.jitter, random);
    if wait < left { Next::Wait(wait) } else { Next::Stop }
}

fn wait(number: u32, hint: Option<Duration>, jitter: Jitter, random: f64) -> Duration {
    let base = match number {
        0 | 1 => Duration::from_millis(500),
        2 => Duration::from_secs(1),
        _ => Duration::from_secs(2),
    };
    let random = random.clamp(0.0, 1.0);
    match (hint, jitter) {
        // A little later than asked, so that all who were told the same time do not come at once.
        (Some(hint), Jitter::None) => hint.max(base / 2),
        (Some(hint), _) => hint.max(base / 2).mul_f64(1.0 + random / 10.0),
        (None, Jitter::Equal) => base.mul_f64(0.5 + random / 2.0),
        (None, Jitter::Full) => base.mul_f64(random),
        (None, Jitter::None) => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: Policy = Policy {
        timeout: Duration::from_secs(10),
        max_retries: 3,
        deadline: Duration::from_secs(45),
        jitter: Jitter::None,
    };
    const LONG: Duration = Duration::from_secs(45);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_published_waits_four_tries_in_all() {
        let waits: Vec<_> =
            (1..=5).map(|number| next(Class::ServerError, number, None, &PUBLISHED, 0.9, LONG)).collect();
        let [a, b, c] = [500, 1000, 2000].map(|millis| Next::Wait(ms(millis)));
        assert_eq!(waits, [a, b, c, Next::Stop, Next::Stop]);
    }

    #[test]
    fn jitter_stays_inside_the_published_waits() {
        for (jitter, random, expected) in [
            (Jitter::Equal, 0.0, [250, 500, 1000]),
            (Jitter::Equal, 0.5, [375, 750, 1500]),
            (Jitter::Equal, 1.0, [500, 1000, 2000]),
            (Jitter::Full, 0.0, [0, 0, 0]),
            (Jitter::Full, 0.5, [250, 500, 1000]),
            (Jitter::Equal, 7.0, [500, 1000, 2000]),
        ] {
            let policy = Policy { jitter, ..PUBLISHED };
            let waits = [1, 2, 3].map(|number| next(Class::Lost, number, None, &policy, random, LONG));
            assert_eq!(waits, expected.map(|millis| Next::Wait(ms(millis))), "{jitter:?} {random}");
        }
        let many = Policy { max_retries: 9, ..PUBLISHED };
        assert_eq!(next(Class::Lost, 9, None, &many, 0.0, LONG), Next::Wait(ms(2000)));
    }

    #[test]
    fn the_servers_hint_is_honoured_and_never_undercut() {
        for (hint, jitter, random, expected) in [
            (0, Jitter::None, 0.0, Next::Wait(ms(250))),
            (2_000, Jitter::None, 0.9, Next::Wait(ms(2_000))),
            (2_000, Jitter::Equal, 0.0, Next::Wait(ms(2_000))),
            (2_000, Jitter::Equal, 1.0, Next::Wait(ms(2_200))),
            (2_000, Jitter::Full, 0.0, Next::Wait(ms(2_000))),
            (30_000, Jitter::None, 0.0, Next::Wait(ms(30_000))),
            (30_001, Jitter::None, 0.0, Next::Stop),
            (u64::MAX, Jitter::Equal, 1.0, Next::Stop),
        ] {
            let policy = Policy { jitter, ..PUBLISHED };
            let next = next(Class::Throttled, 1, Some(ms(hint)), &policy, random, LONG);
            assert_eq!(next, expected, "{hint} {jitter:?} {random}");
        }
    }

    #[test]
    fn the_deadline_and_the_classes_end_it() {
        assert_eq!(next(Class::Lost, 1, None, &PUBLISHED, 0.0, ms(500)), Next::Stop);
        assert_eq!(next(Class::Lost, 1, None, &PUBLISHED, 0.0, ms(501)), Next::Wait(ms(500)));
        let none = Policy { max_retries: 0, ..PUBLISHED };
        assert_eq!(next(Class::NotSent, 1, None, &none, 0.0, LONG), Next::Stop);
        for class in [Class::Accepted, Class::Refused, Class::Quota, Class::Duplicate, Class::InFlight] {
            assert_eq!(next(class, 1, None, &PUBLISHED, 0.0, LONG), Next::Stop, "{class:?}");
        }
    }
}
