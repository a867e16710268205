//! Settings that are one of a few words, and what each word means.

use super::value::{Value, quoted};
use std::fmt::Write as _;
use toml::de::DeValue;

/// One of a few words.
pub trait Word: Copy + Sized + 'static {
    /// Every word.
    const NAMES: &'static [&'static str];
    /// The word.
    fn name(self) -> &'static str;
    /// Reads it.
    fn parse(name: &str) -> Option<Self>;
}

/// `"a", "b" or "c"`.
pub(super) fn listed(words: &[&str]) -> String {
    let mut out = String::new();
    for (number, word) in words.iter().enumerate() {
        out.push_str(match number {
            0 => "",
            n if n + 1 == words.len() => " or ",
            _ => ", ",
        });
        let _ = write!(out, "\"{word}\"");
    }
    out
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl Word for $name {
            const NAMES: &'static [&'static str] = &[$($word,)*];

            fn name(self) -> &'static str {
                $name::name(self)
            }

            fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }
        }

        impl Value for $name {
            fn wanted() -> String {
                listed(Self::NAMES)
            }

            fn from_text(text: &str) -> Option<Self> {
                Self::parse(text)
            }

            fn toml(&self) -> String {
                quoted(self.name())
            }

            fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
                Self::parse(value.as_str()?)
            }

            fn words() -> &'static [&'static str] {
                Self::NAMES
            }
        }
    )*};
}

words! {
    /// When to use colour.
    Color {
        /// Unless NO_COLOR is set to something, or the terminal has none.
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }

    /// How the row under the cursor is shown.
    Highlight {
        /// By a mark at its left: few bytes for a move.
        Gutter = "gutter",
        /// By the whole row.
        Row = "row",
    }

    /// What stands first in the list.
    Order {
        /// What expires first.
        Deadline = "deadline",
        /// The highest risk.
        Risk = "risk",
        /// What has waited longest.
        Age = "age",
        /// The agent, by name.
        Agent = "agent",
    }

    /// What stands together in the list.
    Group {
        /// Nothing.
        None = "none",
        /// What belongs to one thread.
        Thread = "thread",
        /// What one agent asks.
        Agent = "agent",
        /// The same action of the same agent in the same shape.
        Alike = "alike",
    }

    /// How attention is asked for.
    Notify {
        /// The terminal's bell.
        Bell = "bell",
        /// A notification as iTerm2 has it, and the bell.
        Osc9 = "osc9",
        /// A notification as urxvt has it, and the bell.
        Osc777 = "osc777",
        /// A notification as kitty has it, and the bell.
        Osc99 = "osc99",
        /// Not at all.
        None = "none",
    }

    /// What attention is asked for.
    Occasion {
        /// A colleague decided the opposite.
        Conflict = "conflict",
        /// The server refused a decision.
        Refusal = "refusal",
        /// Nobody decided in time.
        Expiry = "expiry",
        /// Something of high risk or above has come.
        HighRisk = "high-risk",
    }

    /// How a copied text gets to the clipboard.
    Clipboard {
        /// By tmux inside of tmux, else by OSC 52.
        Auto = "auto",
        /// By OSC 52.
        Osc52 = "osc52",
        /// By `tmux load-buffer -w`.
        Tmux = "tmux",
        /// Not at all.
        Off = "off",
    }
}
