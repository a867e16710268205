//! The menu of what can be copied of an action. What is copied is what a reader sees, sign by sign, and never the bytes
//! behind it: nothing that was made visible on the screen can act where it is put in.

pub(super) mod view;

use crate::console::widgets::RoleLine;
use crate::console::widgets::payload::{Folds, Sheet};
use crate::domain::{Action, Visible};
use std::sync::Arc;

/// Wide enough that no line of a payload is broken; what stands in it may be sealed up to a few MiB.
const UNBROKEN: usize = 1 << 24;

/// Something of an action that can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the agent wants to do it with, as it is shown, every fold open.
    Payload,
    /// Its id.
    Id,
    /// The digest of its bytes, in full.
    Digest,
    /// What every decision on it is sent under.
    Key,
    /// What it belongs to.
    Thread,
}

impl Part {
    /// In the order of the menu.
    pub const ALL: [Self; 5] = [Self::Payload, Self::Id, Self::Digest, Self::Key, Self::Thread];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Id => "id",
            Self::Digest => "digest",
            Self::Key => "key",
            Self::Thread => "thread",
        }
    }
}

/// The open menu: of one action, whatever the cursor is on by now.
#[derive(Debug, Clone)]
pub struct Menu {
    /// What is copied from.
    pub action: Arc<Action>,
    parts: Vec<(Part, String)>,
}

impl Menu {
    /// Opens it.
    pub fn new(action: Arc<Action>) -> Self {
        let parts = Part::ALL.map(|part| (part, text(&action, part))).to_vec();
        Self { action, parts }
    }

    /// The text of a part.
    pub fn text(&self, part: Part) -> &str {
        self.parts.iter().find(|(other, _)| *other == part).map_or("", |(_, text)| text)
    }
}

/// `412 bytes`, `75 KB`
pub fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".into(),
        0..2_048 => format!("{bytes} bytes"),
        _ => format!("{} KB", bytes.div_ceil(1_024)),
    }
}

/// What is shown of a part of an action: lines that can be drawn, a line feed between them.
pub fn text(action: &Action, part: Part) -> String {
    match part {
        Part::Payload => {
            let mut sheet = Sheet::json(action.payload());
            sheet.lay_out(UNBROKEN, Folds::Open);
            let lines = (0..sheet.len()).map(|number| sheet.line(number));
            lines.map(|line| RoleLine::text(&line)).collect::<Vec<_>>().join("\n")
        }
        Part::Id => Visible::of(&action.id).plain(),
        Part::Digest => action.digest.to_string(),
        Part::Key => Visible::of(&action.idempotency_key).plain(),
        Part::Thread => action.thread_id.visible().plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::screens::decide::tests::action;

    #[test]
    fn what_is_copied_is_what_is_seen() {
        let action = action("low", r#"{"a":"x\u001b[2J\u202e\ny","b":[1.10,{}]}"#);
        assert_eq!(
            text(&action, Part::Payload),
            "{\n  \"a\": \"x␛[2J‹U+202E›␊\n    y\",\n  \"b\": [\n    1.10,\n    {}\n  ]\n}"
        );
        assert_eq!((text(&action, Part::Id), text(&action, Part::Thread)), ("a".into(), "h".into()));
        assert!(text(&action, Part::Digest).starts_with("sha256:"));
    }

    #[test]
    fn nothing_that_acts_is_ever_copied() {
        let long = "\\u0007".repeat(70_000);
        for payload in [r#"{"\u001b]52;c;AAAA\u0007":"\u009b\r\u2028"}"#, &format!("{{\"a\":\"{long}\"}}")] {
            let text = text(&action("low", payload), Part::Payload);
            assert!(text.split('\n').all(|line| !line.chars().any(char::is_control)), "{payload}");
        }
    }
}
