//! The way that an action came in, and what that way can carry: whether a reviewer's words get back, what one yes covers,
//! what happens when nobody decides. Whoever asked says so, and nobody can check it: nothing here makes a risk lower or a
//! decision easier.

use crate::domain::Untrusted;
use crate::domain::json::{Kind, Value, quote};

/// The longest name of a source, in bytes: it stands in lines of the console's own words.
const LONGEST_NAME: usize = 64;

/// The members that a source has.
const MEMBERS: [&str; 4] = ["name", "reason", "covers", "silence"];

/// What the way in can carry, as whoever asked says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name: `ask`, `claude-code`, `mcp`, `opencode`, …
    pub name: Untrusted,
    /// Whether the reviewer's words reach whoever asked.
    pub reason: bool,
    /// What one yes covers.
    pub covers: Covers,
    /// What happens when nobody decides.
    pub silence: Silence,
}

/// What one yes covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// This one call.
    OneCall,
    /// Whatever the agent does under it: a plan, not a call.
    ManyCalls,
}

/// What happens to the action when nobody decides; the worst of several is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Silence {
    /// It is not run: what holds where nobody says anything else, since nothing is consumed that was not approved.
    #[default]
    NotRun,
    /// Whoever asked here asks a person elsewhere too, who may still decide.
    AskedElsewhere,
    /// It runs.
    Runs,
}

impl Covers {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OneCall, Self::ManyCalls];

    /// The word of the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::OneCall => "one_call",
            Self::ManyCalls => "many_calls",
        }
    }

    /// What one yes covers, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::OneCall => "one yes covers one call",
            Self::ManyCalls => "one yes covers many calls",
        }
    }
}

impl Silence {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NotRun, Self::AskedElsewhere, Self::Runs];

    /// The word of the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRun => "not_run",
            Self::AskedElsewhere => "asked_elsewhere",
            Self::Runs => "runs",
        }
    }

    /// What stands behind `then:`.
    pub fn then(self) -> &'static str {
        match self {
            Self::NotRun => "not run",
            Self::AskedElsewhere => "asked elsewhere",
            Self::Runs => "runs",
        }
    }

    /// The same where there is room for four columns.
    pub fn short(self) -> &'static str {
        match self {
            Self::NotRun => "no",
            Self::AskedElsewhere => "else",
            Self::Runs => "RUNS",
        }
    }
}

/// Why a source is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSource {
    /// The member.
    pub member: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

impl Source {
    /// Reads it; it has to be whole. Members of other names are nobody's here.
    ///
    /// # Errors
    /// [`BadSource`], which names the first member that is missing or wrong.
    pub fn read(value: &Value) -> Result<Self, BadSource> {
        let bad = |member, expected| BadSource { member, expected };
        let word = |member| value.get(member).and_then(Value::as_str);
        let name = word("name").filter(|name| is_name(name));
        let reason = match value.get("reason").map(|value| &value.kind) {
            Some(Kind::Bool(reason)) => Some(*reason),
            _ => None,
        };
        let covers = Covers::ALL.into_iter().find(|covers| word("covers") == Some(covers.word()));
        let silence = Silence::ALL.into_iter().find(|silence| word("silence") == Some(silence.word()));
        Ok(Self {
            name: name.ok_or(bad("name", "1 to 64 of A-Z a-z 0-9 . _ : -"))?.into(),
            reason: reason.ok_or(bad("reason", "true or false"))?,
            covers: covers.ok_or(bad("covers", "one_call or many_calls"))?,
            silence: silence.ok_or(bad("silence", "not_run, runs or asked_elsewhere"))?,
        })
    }

    /// What it says of itself, for people: `one yes covers one call, no reason gets back`. That reasons get back is what
    /// everybody expects, and is not said.
    pub fn words(&self) -> String {
        let back = if self.reason { "" } else { ", no reason gets back" };
        format!("{}{back}", self.covers.words())
    }

    /// Whether it has members that are not read here: then it is shown as it stands, too.
    pub(super) fn has_more(value: &Value) -> bool {
        let members = value.as_object().unwrap_or_default();
        members.iter().any(|member| !MEMBERS.contains(&member.name.as_str()))
    }

    /// The JSON object that is sealed.
    pub(super) fn seal(&self) -> String {
        let (name, reason) = (quote(self.name.raw()), self.reason);
        let (covers, silence) = (self.covers.word(), self.silence.word());
        format!(r#"{{"name":{name},"reason":{reason},"covers":"{covers}","silence":"{silence}"}}"#)
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && super::is_id(text)
}
