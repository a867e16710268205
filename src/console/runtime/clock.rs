//! The one place where the console reads a clock.

use super::Now;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// Tells the time to a [`Program`](super::Program).
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    /// Where the time of day is made up: the time at the start.
    fixed: Option<Timestamp>,
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Self {
        Self { start: Instant::now(), fixed: None }
    }

    /// A clock that starts at that time of day and follows tokio's clock, which tests may pause.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: Instant::now(), fixed: Some(wall) }
    }

    /// The time now.
    pub fn now(&self) -> Now {
        self.at(Instant::now())
    }

    /// The time at an instant that is past, or now.
    pub fn at(&self, instant: Instant) -> Now {
        let tick = instant.saturating_duration_since(self.start);
        let wall = match self.fixed {
            Some(start) => start.saturating_add(tick),
            // The time of day is asked for afresh each time: the system may have slept or been set.
            None => Timestamp::now().saturating_sub(Instant::now().saturating_duration_since(instant)),
        };
        Now { wall: wall.unwrap_or(Timestamp::MAX), tick }
    }

    /// The instant of a tick.
    pub fn instant(&self, tick: Duration) -> Instant {
        self.start + tick
    }
}
