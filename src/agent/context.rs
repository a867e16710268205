//! What an agent says about its run: the `context` of a submission, made in one place, so that every way in says the same
//! things by the same names (wire.md, part 2).
//!
//! All of it is the agent's word. Nothing here may read files or the environment.

pub use crate::domain::action::{Covers, Silence};

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The members of `context` that the gateway reads. What is not set is not sent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Context {
    /// The conversation or run that the call belongs to: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// What the agent calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// One line on what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// `low`, `medium`, `high` or `critical`; the gateway's rules may raise it and never lower it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// Free words to filter by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The way that the request came in, and what that way can carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// A way in, and what it can carry: the console offers a reviewer nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its name: `ask`, `claude-code`, `codex`, `mcp`, `opencode`, …
    pub name: &'static str,
    /// Whether the reviewer's words reach whoever asked.
    pub reason: bool,
    /// What one yes covers.
    #[serde(serialize_with = "covers")]
    pub covers: Covers,
    /// What happens when nobody decides.
    #[serde(serialize_with = "silence")]
    pub silence: Silence,
}

fn covers<S: Serializer>(covers: &Covers, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(covers.word())
}

fn silence<S: Serializer>(silence: &Silence, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(silence.word())
}

impl Context {
    /// The JSON object that is sent.
    pub fn to_json(&self) -> String {
        // Strings, booleans and maps of strings always serialise; were one not to, an empty context claims nothing.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_not_sent() {
        assert_eq!(Context::default().to_json(), "{}");
        let source = Source { name: "ask", reason: true, covers: Covers::OneCall, silence: Silence::NotRun };
        let context = Context { summary: Some("a \"b\"".into()), source: Some(source), ..Context::default() };
        assert_eq!(
            context.to_json(),
            r#"{"summary":"a \"b\"","source":{"name":"ask","reason":true,"covers":"one_call","silence":"not_run"}}"#
        );
    }
}
