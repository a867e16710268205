//! How often and for how long: the numbers of the background (reliability.md, 3.4 and 3.5).

use crate::domain::Outcome;
use std::time::Duration;

/// When a dispatcher asks again, and when it leaves a decision to the reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Requests for decisions that are on their way at the same time. More would not be faster: servers collapse long
    /// before.
    pub in_flight: usize,
    /// The pause before a decision that may have landed is asked about and sent again for the first time; it doubles.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// How often such a decision is sent again, beyond the tries that the reviewer waits for. After that it is only
    /// asked about.
    pub redeliveries: u32,
    /// How long after the first try that may have reached the server it is sent again at all, unless the server is known
    /// to have nothing of it.
    pub resend_for: Duration,
    /// How long after the decision it is asked about, and how long a decision that the server could not be given is put off.
    /// Must be shorter than the server keeps its keys.
    pub redeliver_for: Duration,
    /// How long an accepted decision, or one in progress, is watched.
    pub follow_for: Duration,
    /// The pauses between looks at an approval that waits for another reviewer: the first, which doubles, and the longest.
    /// The server tells by its events; looks are for those that were missed.
    pub counted_pauses: (Duration, Duration),
    /// How long such an approval is watched. No window is longer.
    pub counted_for: Duration,
    /// How often a journal that another process carries out is looked at, while something of ours is open.
    pub poll: Duration,
    /// What a try on its way is given to end when the dispatcher is shut down.
    pub shutdown: Duration,
}

impl Pace {
    /// How long a decision that ended so is watched after that.
    pub(super) fn watched_for(&self, outcome: &Outcome) -> Duration {
        match outcome {
            Outcome::Accepted | Outcome::InProgress => self.follow_for,
            Outcome::Counted(_) => self.counted_for,
            _ => Duration::ZERO,
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            in_flight: super::IN_FLIGHT,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(60),
            redeliveries: 8,
            resend_for: super::RESEND_FOR,
            redeliver_for: Duration::from_secs(30 * 60),
            follow_for: Duration::from_secs(10 * 60),
            counted_pauses: (Duration::from_secs(15), Duration::from_secs(300)),
            counted_for: Duration::from_secs(24 * 60 * 60),
            poll: Duration::from_millis(250),
            shutdown: Duration::from_secs(2),
        }
    }
}
