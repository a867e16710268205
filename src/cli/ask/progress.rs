//! The one line that a person at a terminal sees while it is waited: what waits, since when, how long is left. Where
//! standard error is no terminal it says nothing. It must not know what is decided.

use crate::clock;
use crate::domain::{Visible, timestamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cell::Cell;
use std::convert::Infallible;
use std::io::Write as _;
use std::time::Duration;

/// How often it looks whether the line says something else by now.
const PACE: Duration = Duration::from_millis(250);
/// Where the terminal does not say how wide it is.
const WIDTH: u16 = 80;

/// A request that waits for a decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Since when.
    pub(super) since: Timestamp,
    /// Until when it can be decided.
    pub(super) until: Timestamp,
}

/// The line; gone when this is dropped.
pub(super) struct Progress {
    action: String,
    server: String,
    watched: bool,
    zone: TimeZone,
    waiting: Cell<Option<Waiting>>,
    /// Columns that the line takes now.
    drawn: Cell<usize>,
}

impl Progress {
    pub(super) fn new(action: &str, server: &str) -> Self {
        Self {
            action: Visible::of(action).cut(40).plain(),
            server: Visible::of(server).cut(80).plain(),
            watched: super::is_watched(),
            zone: clock::zone(),
            waiting: Cell::new(None),
            drawn: Cell::new(0),
        }
    }

    /// The request is the gateway's now.
    pub(super) fn waits(&self, waiting: Waiting) {
        self.waiting.set(Some(waiting));
    }

    /// Keeps the line up to date.
    pub(super) async fn count(&self) -> Infallible {
        if !self.watched {
            std::future::pending::<()>().await;
        }
        let mut last = String::new();
        loop {
            let text = self.text(Timestamp::now());
            if text != last {
                self.draw(&text);
                last = text;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn text(&self, now: Timestamp) -> String {
        match self.waiting.get() {
            None => format!("{}: asking {}", self.action, self.server),
            Some(Waiting { since, until }) => format!(
                "{}: waiting for a decision since {}, {} left; Ctrl-C withdraws it",
                self.action,
                since.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S"),
                timestamp::countdown(timestamp::between(now, until)),
            ),
        }
    }

    /// By a carriage return and blanks alone: every terminal knows these.
    fn draw(&self, text: &str) {
        let size = rustix::termios::tcgetwinsize(std::io::stderr());
        let columns = size.ok().map(|size| size.ws_col).filter(|columns| *columns > 0).unwrap_or(WIDTH);
        // A line that reaches the last column may break.
        let text = Visible::of(text).cut(usize::from(columns).saturating_sub(1));
        let drawn = self.drawn.replace(text.width()).min(usize::from(columns).saturating_sub(1));
        let blanks = drawn.saturating_sub(text.width());
        let mut err = std::io::stderr().lock();
        // The terminal may be gone; the signal that says so is heard elsewhere.
        let _ = write!(err, "\r{}{:blanks$}", text.plain(), "");
        let _ = err.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.get() > 0 {
            // The `^C` that the terminal echoes too.
            self.drawn.set(self.drawn.get() + 2);
            self.draw("");
            let _ = write!(std::io::stderr(), "\r");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_waits_since_when_and_how_long_is_left() {
        let at = |text: &str| timestamp::parse(text).unwrap();
        let mut progress = Progress::new("deploy\u{1b}[2J", "http://localhost:8000");
        progress.zone = TimeZone::UTC;
        assert_eq!(progress.text(Timestamp::UNIX_EPOCH), "deploy␛[2J: asking http://localhost:8000");
        progress.waits(Waiting { since: at("2026-11-23T12:03:11Z"), until: at("2026-11-23T12:33:11Z") });
        for (now, left) in [
            ("2026-11-23T12:03:11Z", "30:00"),
            ("2026-11-23T12:03:12.5Z", "29:58"),
            ("2026-11-23T13:00:00Z", "00:00"),
        ] {
            let expected = format!(
                "deploy␛[2J: waiting for a decision since 12:03:11, {left} left; Ctrl-C withdraws it"
            );
            assert_eq!(progress.text(at(now)), expected);
        }
    }
}
