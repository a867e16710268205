//! The one text that an agent understands as yes or as no.
//!
//! Claude Code (code.claude.com/docs/en/hooks, "PreToolUse decision control", "PermissionRequest decision control"): JSON on
//! standard output and exit code 0. Exit code 2 stops a tool at PreToolUse, but "isn't honored" at PermissionRequest,
//! "deny through the `decision` object instead"; so a no is always JSON where the event is known.
//!
//! Codex (`codex-rs/hooks/src/engine/output_parser.rs`, `events/*.rs`): the same texts with these differences, each of
//! which turns the answer into a "failed hook", after which the tool runs (PreToolUse) or is refused (PermissionRequest):
//! - PreToolUse has no yes: `permissionDecision: "allow"` is "unsupported" without a rewritten input, which is never sent.
//!   `{}` is no objection, and Codex goes on as its own approval policy says.
//! - no field that it does not know; a no needs words that are not blank;
//! - never `updatedInput`, `updatedPermissions` or `interrupt` at PermissionRequest.

use super::{Agent, Event};
use crate::agent::Answer;
use crate::domain::Visible;
use crate::domain::json::quote;

/// Characters of a reason that are handed on. The whole text must fit into a pipe that nobody reads yet (64 KiB).
const LONGEST: usize = 4_000;

/// What is said to the agent. Whether it is a yes cannot be seen from outside: [`text`](Self::text) is all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    agent: Agent,
    event: Event,
    allowed: bool,
    words: String,
}

impl Reply {
    /// What the gateway's answer means to the agent. Only an approval that was taken is a yes.
    pub fn to(agent: Agent, event: Event, answer: &Answer) -> Self {
        let allowed = matches!(answer, Answer::Allowed(_));
        let words = match answer {
            Answer::Allowed(approval) => match approval.note.as_ref().filter(|note| !note.is_empty()) {
                // Not by whom: a rule of the gateway's may have allowed it.
                Some(note) => format!("Approved: {}", note.visible().plain()),
                None => "Approved.".to_owned(),
            },
            no => no.words(),
        };
        Self { agent, event, allowed, words }
    }

    /// A no, for what never got as far as an answer.
    pub fn no(agent: Agent, event: Event, why: &str) -> Self {
        let why = Visible::of(why).plain();
        Self {
            agent,
            event,
            allowed: false,
            words: format!("No approval could be had, so it was not run: {why}."),
        }
    }

    /// The text for standard output, on one line; the exit code with it is 0.
    pub fn text(&self) -> String {
        let event = self.event.name();
        let words = quote(&head(&self.words));
        let specific = match (self.event, self.agent, self.allowed) {
            (Event::PreToolUse, Agent::Codex, true) => return "{}".to_owned(),
            (Event::PreToolUse, _, allowed) => {
                let decision = if allowed { "allow" } else { "deny" };
                format!("\"permissionDecision\":\"{decision}\",\"permissionDecisionReason\":{words}")
            }
            (Event::PermissionRequest, _, true) => "\"decision\":{\"behavior\":\"allow\"}".to_owned(),
            (Event::PermissionRequest, _, false) => {
                format!("\"decision\":{{\"behavior\":\"deny\",\"message\":{words}}}")
            }
        };
        format!("{{\"hookSpecificOutput\":{{\"hookEventName\":\"{event}\",{specific}}}}}")
    }
}

fn head(words: &str) -> String {
    let Some((end, _)) = words.char_indices().nth(LONGEST) else { return words.to_owned() };
    format!("{}…", &words[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the agent must read, member by member.
    #[test]
    fn a_no_is_a_whole_text_for_each_event_of_each_agent() {
        for agent in [Agent::ClaudeCode, Agent::Codex] {
            let text = Reply::no(agent, Event::PreToolUse, "the \"gateway\" is\nmute").text();
            assert_eq!(
                text,
                r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"No approval could be had, so it was not run: the \"gateway\" is␊mute."}}"#
            );
            let text = Reply::no(agent, Event::PermissionRequest, "x").text();
            assert_eq!(
                text,
                r#"{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"No approval could be had, so it was not run: x."}}}"#
            );
        }
    }

    #[test]
    fn however_long_the_words_it_fits_into_a_pipe() {
        let text =
            Reply::no(Agent::Codex, Event::PreToolUse, &"\u{1f468}\u{200d}\u{1f469}\u{1b}".repeat(100_000))
                .text();
        assert!(text.len() < 60_000, "{}", text.len());
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn every_answer_but_one_is_a_no() {
        let request_id = uuid::Uuid::nil();
        let error = crate::agent::AapError::Paused;
        for answer in [
            Answer::Denied { request_id, reason: Some("not on a \u{1b}[1mFriday".into()) },
            Answer::Denied { request_id, reason: None },
            Answer::Expired { request_id },
            Answer::Cancelled { request_id },
            Answer::AlreadyConsumed { request_id },
            Answer::Error { request_id: None, error },
        ] {
            for agent in [Agent::ClaudeCode, Agent::Codex] {
                for event in Event::ALL {
                    let text = Reply::to(agent, event, &answer).text();
                    assert!(text.contains("\"deny\"") && !text.contains("allow"), "{text}");
                }
            }
        }
    }
}
