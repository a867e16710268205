//! The bar that asks: which action or which marked ones, what would be decided, and what has to be typed for it. Nothing
//! is decided here; the guard and `update` do that.

pub mod table;
pub(in crate::console) mod target;
pub(super) mod view;

pub use table::Table;
pub(in crate::console) use view::rows;

use crate::console::widgets::TextField;
use crate::domain::{Action, Risk, Verdict};
use crossterm::event::KeyEvent;
use std::sync::Arc;
use uuid::Uuid;

/// A reason has at most this many bytes; the gateway's door would refuse a much longer one.
const LONGEST_REASON: usize = 2_000;

/// What a bar asks about. It is frozen when the bar opens.
#[derive(Debug, Clone)]
pub enum Subject {
    /// What the cursor was on.
    One(Arc<Action>),
    /// What was marked.
    Marked(Box<Table>),
}

/// The letters that have to be typed before a high risk is approved: a terminal's reply, a paste or a cat on the keyboard
/// does not know them.
#[derive(Debug, Clone)]
pub struct Letters {
    /// What the bar shows.
    pub wanted: String,
    /// What was typed.
    pub typed: TextField,
}

impl Letters {
    /// Whether they were typed as they are shown.
    pub fn are_right(&self) -> bool {
        self.typed.value() == self.wanted
    }
}

/// The text fields of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The letters.
    Letters,
    /// The reason.
    Reason,
}

/// The open bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Of this bar alone: what it asks never changes, so that whoever has seen the bar has seen that.
    pub id: Uuid,
    /// What would be decided about.
    pub subject: Subject,
    /// What would be decided.
    pub verdict: Verdict,
    /// The letters, where they have to be typed.
    pub letters: Option<Letters>,
    /// The text field for the reason, where there is one.
    pub reason: Option<TextField>,
    /// Where typed text goes.
    pub field: Option<Field>,
}

impl Bar {
    /// Opens the bar for one action. What approving asks goes by its risk (screen.md, *Deciding* 5).
    pub fn one(id: Uuid, action: Arc<Action>, verdict: Verdict, letters: impl FnOnce() -> String) -> Self {
        let (reject, risk) = (verdict == Verdict::Reject, action.risk);
        let letters = (!reject && risk >= Risk::High).then(|| {
            let wanted = letters();
            Letters { typed: TextField::new(wanted.len()), wanted }
        });
        let reason = (reject || risk >= Risk::Critical).then(|| TextField::new(LONGEST_REASON));
        Self::new(id, Subject::One(action), verdict, letters, reason)
    }

    /// The same bar, with letters to be typed also where its risk would not ask for them.
    #[must_use]
    pub fn with_letters(mut self, letters: impl FnOnce() -> String) -> Self {
        if self.letters.is_none() {
            let wanted = letters();
            self.letters = Some(Letters { typed: TextField::new(wanted.len()), wanted });
            self.field = Some(Field::Letters);
        }
        self
    }

    /// A whole line in the field that is typed into, in place of what was in it; `false` where it does not fit.
    pub fn fill(&mut self, text: &str) -> bool {
        // Letters are those that were typed or none: what a field would leave out does not make them right.
        let (field, longest, exact) = match (self.field, &mut self.letters, &mut self.reason) {
            (Some(Field::Letters), Some(letters), _) => (&mut letters.typed, letters.wanted.len(), true),
            (Some(Field::Reason), _, Some(reason)) => (reason, LONGEST_REASON, false),
            _ => return true,
        };
        *field = TextField::new(longest);
        let fits = field.paste(text) && (!exact || field.value() == text);
        if !fits {
            *field = TextField::new(longest);
        }
        fits
    }

    /// Opens the bar for what is marked.
    pub fn marked(id: Uuid, table: Table, verdict: Verdict) -> Self {
        let reason = (verdict == Verdict::Reject).then(|| TextField::new(LONGEST_REASON));
        Self::new(id, Subject::Marked(Box::new(table)), verdict, None, reason)
    }

    fn new(
        id: Uuid,
        subject: Subject,
        verdict: Verdict,
        letters: Option<Letters>,
        reason: Option<TextField>,
    ) -> Self {
        let field = match (&letters, &reason) {
            (Some(_), _) => Some(Field::Letters),
            (None, Some(_)) => Some(Field::Reason),
            (None, None) => None,
        };
        Self { id, subject, verdict, letters, reason, field }
    }

    /// What would be decided, in order.
    pub fn actions(&self) -> &[Arc<Action>] {
        match &self.subject {
            Subject::One(action) => std::slice::from_ref(action),
            Subject::Marked(table) => table.taken(),
        }
    }

    /// Whether it cannot be decided without a reason.
    pub fn needs_reason(&self) -> bool {
        self.verdict == Verdict::Approve && self.reason.is_some()
    }

    /// What was typed as the reason, where anything but blanks was.
    pub fn reason(&self) -> Option<String> {
        self.reason.as_ref().map(|input| input.value().to_owned()).filter(|reason| !reason.trim().is_empty())
    }

    /// Whether text is typed into it.
    pub fn has_fields(&self) -> bool {
        self.field.is_some()
    }

    /// Goes to the other field, where there are two.
    pub fn next_field(&mut self) {
        self.field = match (self.field, &self.letters, &self.reason) {
            (Some(Field::Letters), _, Some(_)) => Some(Field::Reason),
            (Some(Field::Reason), Some(_), _) => Some(Field::Letters),
            (field, ..) => field,
        };
    }

    /// A key that is text, or edits it; `false` where the field is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        match (self.field, &mut self.letters, &mut self.reason) {
            (Some(Field::Letters), Some(letters), _) => letters.typed.edit(key),
            (Some(Field::Reason), _, Some(reason)) => reason.edit(key),
            _ => true,
        }
    }

    /// Whether pasted text can go where text is typed now: into a reason, never among the letters.
    pub fn takes_pastes(&self) -> bool {
        self.field == Some(Field::Reason)
    }

    /// Pasted text; `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        match &mut self.reason {
            Some(reason) if self.field == Some(Field::Reason) => reason.paste(text),
            _ => true,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    pub(crate) fn action(risk: &str, payload: &str) -> Arc<Action> {
        let sealed = format!(
            r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
            "risk":"{risk}","payload":{payload},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
        );
        Arc::new(Action::read(sealed).unwrap())
    }

    fn bar(risk: &str, verdict: Verdict) -> Bar {
        Bar::one(Uuid::nil(), action(risk, "{}"), verdict, || "kmtw".into())
    }

    fn typed(bar: &mut Bar, text: &str) {
        for c in text.chars() {
            bar.edit(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    #[test]
    fn what_is_asked_goes_by_the_risk() {
        for (risk, verdict, letters, reason, needed) in [
            ("low", Verdict::Approve, false, false, false),
            ("medium", Verdict::Approve, false, false, false),
            ("high", Verdict::Approve, true, false, false),
            ("critical", Verdict::Approve, true, true, true),
            ("low", Verdict::Reject, false, true, false),
            ("critical", Verdict::Reject, false, true, false),
        ] {
            let bar = bar(risk, verdict);
            let asked = (bar.letters.is_some(), bar.reason.is_some(), bar.needs_reason());
            assert_eq!(asked, (letters, reason, needed), "{risk} {verdict:?}");
        }
    }

    #[test]
    fn letters_come_before_the_reason_and_are_typed_one_by_one() {
        let mut bar = bar("critical", Verdict::Approve);
        assert!(!bar.takes_pastes() && bar.paste("kmtw"));
        typed(&mut bar, "kmtx");
        assert!(bar.letters.as_ref().is_some_and(|letters| !letters.are_right()));
        bar.edit(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        typed(&mut bar, "www");
        assert!(bar.letters.as_ref().is_some_and(Letters::are_right), "no more than four fit");
        bar.next_field();
        typed(&mut bar, " ");
        assert_eq!(bar.reason(), None, "blanks are no reason");
        typed(&mut bar, "agreed");
        assert_eq!(bar.reason().as_deref(), Some(" agreed"));
    }

    #[test]
    fn pasted_text_is_only_text_and_has_a_limit() {
        let mut bar = bar("low", Verdict::Reject);
        assert!(bar.paste("no\nthanks\u{1b}[2J\r"));
        assert_eq!(bar.reason().as_deref(), Some("no thanks[2J "));
        assert!(!bar.paste(&"x".repeat(LONGEST_REASON)));
        assert_eq!(bar.reason().map(|reason| reason.len()), Some(LONGEST_REASON));
    }
}
