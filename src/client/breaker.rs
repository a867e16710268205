//! Whether one server is worth asking at all: after five tries in a row that it did not answer, nothing is sent but one
//! probe after 1, 2, 4 … 30 s, until it answers (reliability.md, 3.4).
//!
//! Pure: the time comes in, as the time since the breaker was made. It must not decide what becomes of a decision that
//! is held off: that is the caller's.

use std::time::Duration;

/// Tries in a row without an answer that open it.
const OPENS_AT: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whether a try may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Free,
    /// It may, as the one that finds out; its end must be told.
    Probe,
    /// Not before that time has passed.
    Wait(Duration),
}

/// Closed (everything goes) or open (probes only).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    unanswered: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    pause: Duration,
    probe_at: Duration,
    probing: bool,
}

impl Breaker {
    /// May a try go out now?
    pub(crate) fn admit(&mut self, now: Duration) -> Admission {
        let Some(open) = &mut self.open else { return Admission::Free };
        let wait = open.probe_at.saturating_sub(now);
        if open.probing || !wait.is_zero() {
            // While a probe is out it is not known when the next one goes.
            return Admission::Wait(if open.probing { wait.max(FIRST_PAUSE) } else { wait });
        }
        open.probing = true;
        Admission::Probe
    }

    /// How long nothing but a probe goes out; `None` where everything does, or a probe is due.
    pub(crate) fn holds_off(&self, now: Duration) -> Option<Duration> {
        let open = self.open.as_ref()?;
        let wait = open.probe_at.saturating_sub(now);
        if open.probing { Some(wait.max(FIRST_PAUSE)) } else { (!wait.is_zero()).then_some(wait) }
    }

    /// The server answered, whatever it said.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A try did not reach the server, or got no answer in its time. Of those that were out already when it opened,
    /// nothing is learned.
    pub(crate) fn unanswered(&mut self, probe: bool, now: Duration) {
        match &mut self.open {
            Some(open) if probe => {
                let pause = (open.pause * 2).min(LONGEST_PAUSE);
                *open = Open { pause, probe_at: now + pause, probing: false };
            }
            Some(_) => {}
            None => {
                self.unanswered += 1;
                if self.unanswered >= OPENS_AT {
                    let (pause, probe_at) = (FIRST_PAUSE, now + FIRST_PAUSE);
                    self.open = Some(Open { pause, probe_at, probing: false });
                }
            }
        }
    }

    /// A probe ended without finding out: the next one may go at once.
    pub(crate) fn probe_left(&mut self, now: Duration) {
        if let Some(open) = &mut self.open {
            (open.probing, open.probe_at) = (false, open.probe_at.min(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..OPENS_AT {
            assert_eq!(breaker.admit(s(0)), Admission::Free);
            breaker.unanswered(false, s(0));
        }
        breaker
    }

    #[test]
    fn five_in_a_row_open_it_and_an_answer_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            (0..4).for_each(|_| breaker.unanswered(false, s(0)));
            assert_eq!(breaker.admit(s(0)), Admission::Free);
            breaker.answered();
        }
        assert_eq!(opened().admit(s(0)), Admission::Wait(s(1)));
    }

    #[test]
    fn one_probe_at_a_time_at_growing_pauses() {
        let mut breaker = opened();
        let mut now = s(0);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(breaker.admit(now), Admission::Wait(s(pause)));
            assert_eq!(breaker.holds_off(now), Some(s(pause)));
            now += s(pause);
            assert_eq!(breaker.holds_off(now), None);
            assert_eq!(breaker.admit(now), Admission::Probe);
            assert_eq!(breaker.admit(now), Admission::Wait(s(1)), "one probe is out");
            breaker.unanswered(false, now);
            assert_eq!(breaker.holds_off(now), Some(s(1)), "an old try's end changes nothing");
            breaker.unanswered(true, now);
        }
    }

    #[test]
    fn an_answer_closes_it_and_a_probe_that_left_is_followed_by_another() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(s(1)), Admission::Probe);
        breaker.probe_left(s(1));
        assert_eq!(breaker.admit(s(1)), Admission::Probe);
        breaker.answered();
        assert_eq!((breaker.admit(s(1)), breaker.holds_off(s(1))), (Admission::Free, None));
        breaker.probe_left(s(1));
        assert_eq!(breaker, Breaker::default());
    }
}
