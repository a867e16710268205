//! What is found in what an action shows: hidden characters, letters that pass for others, keys that stand twice, numbers
//! that no double holds, opaque values. Findings are data; they raise the risk and never refuse anything.
//!
//! | file | what it owns |
//! |---|---|
//! | `search` | going over the texts and the JSON of an action |
//! | `number` | whether a double gives a number back |
//! | `opaque` | long values in base64 or hex, and what they decode to |

mod number;
mod opaque;
mod search;

pub use number::is_exact;
pub use opaque::{Form, Opaque, opaque};
pub(super) use search::{of, of_text};

use super::{Risk, Untrusted, Visible};

/// Something that a reviewer should know of, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How many: characters, keys, numbers, values.
    pub count: usize,
    /// Where: `payload`, `summary`, `label`, `claims`, …
    pub place: &'static str,
    /// The JSON pointer of the first one, where the place holds JSON: RFC 6901, with the agent's own keys.
    pub first: Option<Untrusted>,
}

/// The kinds of finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// Invisible characters, bidirectional ones, controls; but for line feeds and tabs in running text.
    Hidden,
    /// ASCII hidden in tag characters.
    TagText,
    /// More than four combining marks on one base, or marks without a base.
    Marks,
    /// Blanks that were folded.
    Blanks,
    /// Letters that run from right to left beside what does not.
    RightToLeft,
    /// Letters of another script than the word that they stand in.
    MixedScripts,
    /// A key that stands twice in one object.
    DuplicateKey,
    /// A number that a double does not give back.
    UnsafeNumber,
    /// A long value that says nothing to a reader.
    OpaqueBlob,
    /// A name that looks like another one.
    LookAlike {
        /// The name that was there before.
        of: Untrusted,
    },
}

impl FindingKind {
    /// The least risk of an action in which this is found.
    pub fn raises(&self) -> Risk {
        match self {
            Self::UnsafeNumber | Self::OpaqueBlob => Risk::Medium,
            _ => Risk::High,
        }
    }

    /// Whether what is found counts among the hidden characters.
    pub fn hides(&self) -> bool {
        match self {
            Self::Hidden
            | Self::TagText
            | Self::Marks
            | Self::Blanks
            | Self::RightToLeft
            | Self::MixedScripts => true,
            Self::DuplicateKey | Self::UnsafeNumber | Self::OpaqueBlob | Self::LookAlike { .. } => false,
        }
    }

    /// The word for other programs, in JSON output.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::TagText => "tag-text",
            Self::Marks => "marks",
            Self::Blanks => "blanks",
            Self::RightToLeft => "right-to-left",
            Self::MixedScripts => "mixed-scripts",
            Self::DuplicateKey => "duplicate-key",
            Self::UnsafeNumber => "unsafe-number",
            Self::OpaqueBlob => "opaque",
            Self::LookAlike { .. } => "look-alike",
        }
    }

    /// What it is, for people.
    fn words(&self) -> &'static str {
        match self {
            Self::Hidden => "hidden characters",
            Self::TagText => "hidden text in tag characters",
            Self::Marks => "stacked combining marks",
            Self::Blanks => "folded blanks",
            Self::RightToLeft => "right-to-left letters beside others",
            Self::MixedScripts => "letters of another script inside a word",
            Self::DuplicateKey => "duplicate keys",
            Self::UnsafeNumber => "numbers that a double cannot hold",
            Self::OpaqueBlob => "opaque values",
            Self::LookAlike { .. } => "names that look like another",
        }
    }
}

impl Finding {
    /// What, how many and where, in the program's own words: `hidden characters: 2 in the payload`.
    pub fn words(&self) -> String {
        format!("{}: {} in the {}", self.kind.words(), self.count, self.place)
    }

    /// One sentence without its full stop: `hidden characters: 2 in the payload, first at "/to"`.
    pub fn sentence(&self) -> Visible {
        let mut sentence = Visible::of(&self.words());
        if let Some(first) = &self.first {
            sentence.append(&Visible::of(", first at "));
            sentence.append(&Visible::quoted(first.raw()).cut(64));
        }
        if let FindingKind::LookAlike { of } = &self.kind {
            sentence.append(&Visible::of(", like "));
            sentence.append(&Visible::quoted(of.raw()).cut(64));
        }
        sentence
    }
}

#[cfg(test)]
mod tests;
