//! That something is known at a time, whatever the work does: it may hang, panic or never have begun.
//!
//! The thread that waits does nothing else, so nothing that the work does can keep it from the answer.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Why there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The time is up. The work goes on for as long as the process.
    Late,
    /// It panicked, or could not be begun.
    Broken,
}

/// Does the work on a thread of its own and waits for it until then.
pub fn by<T: Send + 'static>(
    until: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Trouble> {
    let (done, result) = channel();
    let begun = std::thread::Builder::new().name("hook".into()).spawn(move || {
        // Whoever waited may have given up.
        let _ = done.send(work());
    });
    if begun.is_err() {
        return Err(Trouble::Broken);
    }
    result.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|error| match error {
        RecvTimeoutError::Timeout => Trouble::Late,
        RecvTimeoutError::Disconnected => Trouble::Broken,
    })
}

/// How the time of one run is spent.
///
/// ```text
/// start      input            expires   withdrawn   answered    the agent's own timeout
///   |----------|-----------------|----------|-----------|-----------|
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When the run began.
    start: Instant,
    whole: Duration,
}

impl Pace {
    /// The time between this program's answer and the moment when the agent gives up on it.
    pub const SPARE: Duration = Duration::from_secs(30);

    /// A run that began then and has that long, in whole seconds from 2.
    pub fn new(start: Instant, whole: Duration) -> Self {
        Self { start, whole }
    }

    /// Part of the time that is kept back for what comes after it.
    fn reserve(self) -> Duration {
        (self.whole / 5).min(Duration::from_secs(5))
    }

    /// When the input must have been read: an agent that never ends it is not waited for.
    pub fn input(self) -> Instant {
        self.start + (self.whole / 4).min(Duration::from_secs(10))
    }

    /// For how long reviewers are asked: a little less than there is, so that what their screens say is true. The same
    /// for every run with the same whole, because it is part of what is asked.
    pub fn asked_for(self) -> Duration {
        let seconds = self.whole.saturating_sub(self.reserve() * 2).as_secs();
        Duration::from_secs(seconds.max(1))
    }

    /// What is left until the request must be withdrawn.
    pub fn left(self) -> Duration {
        (self.start + self.whole - self.reserve()).saturating_duration_since(Instant::now())
    }

    /// When the answer must be out.
    pub fn answered(self) -> Instant {
        self.start + self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_work_does_something_is_known() {
        let soon = || Instant::now() + Duration::from_millis(50);
        let long = Instant::now() + Duration::from_secs(30);
        assert_eq!(by(long, || 7), Ok(7));
        assert_eq!(by(long, || -> u8 { panic!("on purpose") }), Err(Trouble::Broken));
        assert_eq!(by(soon(), || std::thread::sleep(Duration::from_secs(60))), Err(Trouble::Late));
        assert_eq!(by(Instant::now(), || std::thread::sleep(Duration::from_secs(60))), Err(Trouble::Late));
    }

    #[test]
    fn each_step_ends_before_the_next() {
        let start = Instant::now();
        for whole in [2, 3, 5, 10, 60, 570, 86_400].map(Duration::from_secs) {
            let pace = Pace::new(start, whole);
            assert!(pace.input() < start + pace.asked_for(), "{whole:?}");
            let withdrawn = start + whole - pace.reserve();
            assert!(start + pace.asked_for() < withdrawn && withdrawn < pace.answered(), "{whole:?}");
        }
        assert_eq!(Pace::new(start, Duration::from_secs(570)).asked_for(), Duration::from_secs(560));
    }
}
