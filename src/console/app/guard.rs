//! Every rule about which keys may decide, and when: what is decided is what was on the screen, and nothing else.
//!
//! Pure, and tested by itself. A key answers the frame that was on the screen when it was pressed, so each rule compares
//! what the model holds now with what the last painted frame showed.

use super::{Model, Now, Pane};
use crate::domain::{Action, Digest, Verdict};
use std::time::Duration;
use uuid::Uuid;

/// An action by what cannot change: its id and the digest of its bytes. Never by its row.
pub type Selection = (String, Digest);

/// The selection of an action.
pub fn selection(action: &Action) -> Selection {
    (action.id.clone(), action.digest)
}

/// What the last painted frame showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The action under the cursor.
    pub cursor: Option<Selection>,
    /// The action and the verdict that the open bar named.
    pub bar: Option<(Selection, Verdict)>,
    /// Since when, on the clock that only grows, it has been showing this.
    pub since: Duration,
    /// The outcome that keys meant, and since when.
    pub outcome: Option<(Uuid, Duration)>,
}

impl Shown {
    /// A frame of this model has reached the terminal.
    pub fn painted(&self, model: &Model, now: Now) -> Self {
        let hidden = model.layout.too_small || model.help.is_some() || model.leaving;
        let cursor = model.queue.cursor().filter(|_| !hidden).cloned();
        let bar = model.bar.as_ref().filter(|_| !hidden).map(|bar| (selection(&bar.action), bar.verdict));
        let since = if (&self.cursor, &self.bar) == (&cursor, &bar) { self.since } else { now.tick };
        let row = model.outcomes.selected().filter(|_| !hidden && model.focus == Pane::Outcomes);
        let outcome = row.map(|row| match self.outcome {
            Some((id, since)) if id == row.id => (id, since),
            _ => (row.id, now.tick),
        });
        Self { cursor, bar, since, outcome }
    }
}

/// Why a key was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The frame that the key answers showed something else.
    JustChanged,
    /// The cursor is on nothing.
    NothingSelected,
    /// The terminal is too small to show what would be decided.
    TooSmall,
    /// The journal has failed: a decision could not be kept, so none is taken.
    NoJournal,
}

impl Refusal {
    /// What the status line says.
    pub fn words(self) -> &'static str {
        match self {
            Self::JustChanged => "ignored: the screen had just changed",
            Self::NothingSelected => "the cursor is on nothing: move it first",
            Self::NoJournal => {
                "no decision can be taken: the journal has failed, and nothing is sent that is not on disk"
            }
            Self::TooSmall => "terminal too small (needs 40×12): nothing can be decided",
        }
    }
}

/// Whether an `a` or `r` that was read at this time may open the bar; then, for which action.
pub fn may_open(model: &Model, now: Now) -> Result<Selection, Refusal> {
    if model.layout.too_small {
        return Err(Refusal::TooSmall);
    }
    if model.journal_failed.is_some() {
        return Err(Refusal::NoJournal);
    }
    let cursor = model.queue.cursor().ok_or(Refusal::NothingSelected)?;
    if model.shown.cursor.as_ref() != Some(cursor) || now.tick < model.shown.since {
        return Err(Refusal::JustChanged);
    }
    Ok(cursor.clone())
}

/// Whether a key that was read at this time may do something about the outcome under the cursor: only where the last
/// frame showed the cursor on that very row.
pub fn may_act_on_outcome(model: &Model, now: Now) -> Result<(), Refusal> {
    let Some(row) = model.outcomes.selected() else { return Ok(()) };
    match model.shown.outcome {
        Some((id, since)) if id == row.id && since <= now.tick => Ok(()),
        _ => Err(Refusal::JustChanged),
    }
}

/// Whether an Enter that was read at this time may decide what the open bar names.
pub fn may_confirm(model: &Model, now: Now) -> Result<(), Refusal> {
    if model.layout.too_small {
        return Err(Refusal::TooSmall);
    }
    if model.journal_failed.is_some() {
        return Err(Refusal::NoJournal);
    }
    let named = model.bar.as_ref().map(|bar| (selection(&bar.action), bar.verdict));
    if named.is_none() || model.shown.bar != named || now.tick < model.shown.since {
        return Err(Refusal::JustChanged);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Settings;
    use crate::console::keymap::Keymap;
    use crate::console::screens::decide::Bar;
    use crate::console::screens::help::Help;
    use crate::console::theme::Theme;
    use crate::domain::Queued;
    use jiff::{Timestamp, tz::TimeZone};

    fn at(millis: u64) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::from_millis(millis) }
    }

    fn model() -> Model {
        let settings = Settings {
            identity: String::new(),
            reviewer: None,
            decisions_go_out: true,
            expires_here: false,
            grace: Duration::ZERO,
            how_to_ask: Vec::new(),
            simulated: None,
            time_zone: TimeZone::UTC,
            theme: Theme::named(),
            keymap: Keymap::shipped().unwrap(),
        };
        let mut model = Model::new(settings, (80, 24));
        let sealed = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
            "payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
        model.queue.apply(Queued::pending(Action::read(sealed).unwrap()), true);
        model
    }

    fn paint(model: &mut Model, millis: u64) {
        model.settle();
        model.shown = model.shown.painted(model, at(millis));
    }

    #[test]
    fn a_key_answers_a_painted_frame_or_nothing() {
        let mut model = model();
        assert_eq!(may_open(&model, at(5)), Err(Refusal::JustChanged), "never painted");
        paint(&mut model, 10);
        assert_eq!(may_open(&model, at(9)), Err(Refusal::JustChanged), "read before the frame");
        assert_eq!(may_open(&model, at(10)).map(|(id, _)| id), Ok("a".into()));
        paint(&mut model, 500);
        assert_eq!(
            model.shown.since,
            Duration::from_millis(10),
            "the same thing has been showing since then"
        );
        model.journal_failed = Some("disk full".into());
        assert_eq!(may_open(&model, at(600)), Err(Refusal::NoJournal));
        model.journal_failed = None;
        model.queue.take_out("a");
        assert_eq!(may_open(&model, at(600)), Err(Refusal::NothingSelected));
    }

    #[test]
    fn enter_decides_only_what_the_painted_bar_names() {
        let mut model = model();
        paint(&mut model, 0);
        assert_eq!(may_confirm(&model, at(1)), Err(Refusal::JustChanged), "no bar");
        let action = model.queue.selected().unwrap().action.clone();
        model.bar = Some(Bar::new(action.clone(), Verdict::Approve));
        assert_eq!(may_confirm(&model, at(1)), Err(Refusal::JustChanged), "not painted yet");
        paint(&mut model, 20);
        assert_eq!(may_confirm(&model, at(19)), Err(Refusal::JustChanged));
        assert_eq!(may_confirm(&model, at(20)), Ok(()));
        model.bar = Some(Bar::new(action, Verdict::Reject));
        assert_eq!(may_confirm(&model, at(30)), Err(Refusal::JustChanged), "it named the other verdict");
    }

    #[test]
    fn what_covers_the_screen_covers_the_rules_too() {
        let mut model = model();
        paint(&mut model, 0);
        model.bar = Some(Bar::new(model.queue.selected().unwrap().action.clone(), Verdict::Approve));
        model.help = Some(Help::default());
        paint(&mut model, 10);
        assert_eq!(may_confirm(&model, at(20)), Err(Refusal::JustChanged));
        model.help = None;
        model.size = (39, 12);
        paint(&mut model, 30);
        assert_eq!(may_confirm(&model, at(40)), Err(Refusal::TooSmall));
        model.size = (80, 24);
        model.focus = Pane::Detail;
        paint(&mut model, 50);
        assert_eq!(may_confirm(&model, at(60)), Ok(()));
    }
}
