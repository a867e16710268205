//! The bar that asks: which action, and what would be decided. Nothing is decided here; the guard and `update` do that.

pub(super) mod view;

use crate::domain::json::{self, Kind, Limits, Value};
use crate::domain::{Action, Verdict, Visible};
use crossterm::event::{Event, KeyEvent};
use std::sync::Arc;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

/// A reason has at most this many bytes; the gateway's door would refuse a much longer one.
const LONGEST_REASON: usize = 2_000;

/// The open bar. It names one action, frozen when it opened.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The action that would be decided.
    pub action: Arc<Action>,
    /// What would be decided.
    pub verdict: Verdict,
    /// The text field for the reason; approving has none.
    pub reason: Option<Input>,
}

impl Bar {
    /// Opens the bar for an action.
    pub fn new(action: Arc<Action>, verdict: Verdict) -> Self {
        Self { action, verdict, reason: (verdict == Verdict::Reject).then(Input::default) }
    }

    /// What was typed as the reason, where anything was.
    pub fn reason(&self) -> Option<String> {
        self.reason.as_ref().map(|input| input.value().to_owned()).filter(|reason| !reason.is_empty())
    }

    /// A key that is text, or edits it; `false` where the field is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        let Some(input) = &mut self.reason else { return true };
        let before = input.clone();
        input.handle_event(&Event::Key(key));
        let fits = input.value().len() <= LONGEST_REASON;
        if !fits {
            *input = before;
        }
        fits
    }

    /// Pasted text: line breaks become blanks, other controls are dropped; `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        let Some(input) = &mut self.reason else { return true };
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if c.is_control() {
                continue;
            }
            if input.value().len() + c.len_utf8() > LONGEST_REASON {
                return false;
            }
            input.handle(tui_input::InputRequest::InsertChar(c));
        }
        true
    }
}

/// The members that most often say what an action is aimed at, most telling first.
const TARGETS: [&str; 18] = [
    "to",
    "recipient",
    "beneficiary",
    "account",
    "command",
    "cmd",
    "file_path",
    "path",
    "table",
    "query",
    "sql",
    "url",
    "host",
    "environment",
    "service",
    "symbol",
    "user",
    "name",
];

/// What the action is aimed at, as `name: value` from its payload: a well-known member, else the first plain one.
pub fn target(action: &Action) -> Option<Visible> {
    let payload = json::parse(action.payload().as_bytes(), Limits::SEALED).ok()?;
    let plain = |value: &Value| match &value.kind {
        Kind::String(text) | Kind::Number(text) => Some(text.clone()),
        Kind::Array(elements) => {
            let first = elements.first()?.as_str()?;
            let more = elements.len() - 1;
            Some(if more == 0 { first.to_owned() } else { format!("{first} and {more} more") })
        }
        _ => None,
    };
    let known = |name: &&str| payload.get(name).and_then(plain).map(|value| ((*name).to_owned(), value));
    let first = || {
        let members = payload.as_object()?;
        members.iter().find_map(|member| plain(&member.value).map(|value| (member.name.clone(), value)))
    };
    let (name, value) = TARGETS.iter().find_map(known).or_else(first)?;
    Some(Visible::of(&format!("{name}: {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(payload: &str) -> Arc<Action> {
        let sealed = format!(
            r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
            "payload":{payload},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
        );
        Arc::new(Action::read(sealed).unwrap())
    }

    #[test]
    fn the_target_is_what_says_most() {
        let target = |payload: &str| target(&action(payload)).map(|target| target.plain());
        assert_eq!(target(r#"{"subject":"s","to":"a@b.example"}"#).as_deref(), Some("to: a@b.example"));
        assert_eq!(target(r#"{"to":["a","b","c"]}"#).as_deref(), Some("to: a and 2 more"));
        assert_eq!(target(r#"{"deep":{},"amount":1.10}"#).as_deref(), Some("amount: 1.10"));
        assert_eq!(target(r#"{"command":"rm\n-rf"}"#).as_deref(), Some("command: rm␊-rf"));
        assert_eq!(target("{}"), None);
    }

    #[test]
    fn pasted_text_is_only_text_and_has_a_limit() {
        let mut bar = Bar::new(action("{}"), Verdict::Reject);
        assert!(bar.paste("no\nthanks\u{1b}[2J\r"));
        assert_eq!(bar.reason().as_deref(), Some("no thanks[2J "));
        assert!(!bar.paste(&"x".repeat(LONGEST_REASON)));
        assert_eq!(bar.reason().map(|reason| reason.len()), Some(LONGEST_REASON));
        let mut approve = Bar::new(action("{}"), Verdict::Approve);
        approve.paste("yes");
        assert_eq!(approve.reason(), None);
    }
}
