//! How much may be asked again of one server, by all calls together: a bucket of tokens (reliability.md, 3.4).
//!
//! A token is one request beyond the first try of a decision. First tries are free; what is asked again is paid for
//! before it is sent, so that a server in trouble gets at most a bucketful more than there are decisions. What was
//! paid comes back where the server answers properly: asking again costs only those who get nothing for it. Pure: the
//! time comes in, as the time since the budget was made.

use std::time::Duration;

/// Millionths of a token, so that no sum is rounded.
const TOKEN: u64 = 1_000_000;
const FULL: u64 = 20 * TOKEN;
/// Half a token a second.
const MICROS_FOR_ONE: u64 = 2;
const PER_SUCCESS: u64 = TOKEN / 10;

/// The bucket. It starts full, with 20 tokens, and fills with half a token a second and a tenth for every success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    millionths: u64,
    at: Duration,
}

impl Budget {
    /// A full bucket at time zero.
    pub(crate) fn full() -> Self {
        Self { millionths: FULL, at: Duration::ZERO }
    }

    /// Takes `tokens`, or nothing where there are not so many.
    pub(crate) fn take(&mut self, tokens: u32, now: Duration) -> bool {
        self.fill(now);
        let cost = u64::from(tokens) * TOKEN;
        let enough = self.millionths >= cost;
        if enough {
            self.millionths -= cost;
        }
        enough
    }

    /// A request got a proper answer: what had been paid for it comes back, and a little more.
    pub(crate) fn succeeded(&mut self, paid: u32, now: Duration) {
        self.fill(now);
        self.millionths = (self.millionths + u64::from(paid) * TOKEN + PER_SUCCESS).min(FULL);
    }

    /// How long until there are `tokens`, if nobody else takes any.
    pub(crate) fn wait(&mut self, tokens: u32, now: Duration) -> Duration {
        self.fill(now);
        let lacking = (u64::from(tokens) * TOKEN).saturating_sub(self.millionths);
        Duration::from_micros(lacking * MICROS_FOR_ONE)
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        let gained = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX) / MICROS_FOR_ONE;
        self.millionths = self.millionths.saturating_add(gained).min(FULL);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What happens, when, and how many retries can be paid for after it.
    #[derive(Debug)]
    enum Step {
        Take(u32, bool),
        Success(u32),
        Wait(u32, Duration),
    }

    #[test]
    fn it_drains_and_fills() {
        use Step::{Success, Take, Wait};
        for (name, steps) in [
            ("twenty and no more", vec![(s(0), Take(20, true)), (s(0), Take(1, false))]),
            (
                "nothing is taken where there is not enough",
                vec![(s(0), Take(21, false)), (s(0), Take(20, true))],
            ),
            (
                "half a token a second",
                vec![
                    (s(0), Take(20, true)),
                    (s(1), Take(1, false)),
                    (s(2), Take(1, true)),
                    (s(3), Take(1, false)),
                ],
            ),
            ("never more than twenty", vec![(s(3_600), Take(21, false)), (s(3_600), Take(20, true))]),
            (
                "ten successes are a token",
                vec![
                    (s(0), Take(20, true)),
                    (s(0), Success(0)),
                    (s(0), Take(1, false)),
                    (s(0), Success(0)),
                    (s(0), Success(7)),
                    (s(0), Take(8, false)),
                    (s(0), Take(7, true)),
                ],
            ),
            (
                "how long to wait",
                vec![
                    (s(0), Wait(20, s(0))),
                    (s(0), Take(20, true)),
                    (s(0), Wait(2, s(4))),
                    (s(3), Wait(2, s(1))),
                ],
            ),
            (
                "a clock that goes back gains nothing",
                vec![(s(9), Take(20, true)), (s(1), Take(1, false)), (s(9), Take(1, false))],
            ),
        ] {
            let mut budget = Budget::full();
            for (now, step) in steps {
                match step {
                    Take(tokens, taken) => assert_eq!(budget.take(tokens, now), taken, "{name}: {step:?}"),
                    Success(paid) => budget.succeeded(paid, now),
                    Wait(tokens, time) => assert_eq!(budget.wait(tokens, now), time, "{name}: {step:?}"),
                }
            }
        }
        let mut budget = Budget::full();
        assert!(budget.take(20, s(0)));
        (0..10).for_each(|_| budget.succeeded(0, s(0)));
        assert!(budget.take(1, s(0)) && !budget.take(1, s(0)));
    }
}
