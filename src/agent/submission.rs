//! What is asked: the submission, its bytes made once, and the check that an answer echoes it.
//!
//! This file must not change what it was given: arguments and context are sent byte for byte.

use crate::domain::json::{self, JsonError, Limits, Value, quote};
use std::fmt::Write as _;

/// What an agent asks leave for. Its bytes are made once, so that every try sends the same.
#[derive(Debug, Clone)]
pub struct Submission {
    tool: String,
    server: Option<String>,
    arguments: (String, Value),
    timeout: String,
    reasoning: Option<String>,
    context: Option<(String, Value)>,
}

/// The arguments or the context cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSubmission {
    /// Not JSON that a provider takes.
    #[error("the {0} must be a JSON object: {1}")]
    Json(&'static str, JsonError),
    /// JSON, but not an object.
    #[error("the {0} must be a JSON object")]
    NotAnObject(&'static str),
    /// The name of the tool is empty.
    #[error("the tool must have a name")]
    NoTool,
}

impl Submission {
    /// Asks for `tool` with these arguments: a JSON object as text, sent byte for byte. Undecided after ten minutes
    /// it expires, unless [`timeout`](Self::timeout) says otherwise.
    ///
    /// # Errors
    /// Where the arguments are no JSON object, or hold a key twice, or the tool has no name.
    pub fn new(tool: impl Into<String>, arguments: impl Into<String>) -> Result<Self, BadSubmission> {
        let tool = tool.into();
        if tool.is_empty() {
            return Err(BadSubmission::NoTool);
        }
        let arguments = object("arguments", arguments.into())?;
        let timeout = "10m".to_owned();
        Ok(Self { tool, server: None, arguments, timeout, reasoning: None, context: None })
    }

    /// The server that the tool belongs to.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into()).filter(|text| !text.is_empty());
        self
    }

    /// How long the request may wait for a decision: `45s`, `10m`, `24h`.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<String>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Why the agent wants it, in its own words.
    #[must_use]
    pub fn reasoning(mut self, reasoning: impl Into<String>) -> Self {
        self.reasoning = Some(reasoning.into()).filter(|text| !text.is_empty());
        self
    }

    /// What the agent says about its run: a JSON object as text. The gateway reads `thread_id`, `run_id`, `agent`,
    /// `summary`, `risk`, `labels` and `reviewers_needed` from it, and believes none of them more than the agent.
    ///
    /// # Errors
    /// Where it is no JSON object, or holds a key twice.
    pub fn context(mut self, context: impl Into<String>) -> Result<Self, BadSubmission> {
        self.context = Some(object("context", context.into())?);
        Ok(self)
    }

    /// The body, the same bytes every time.
    pub fn body(&self) -> String {
        let mut body = format!("{{\"tool\":{}", quote(&self.tool));
        let mut member = |name: &str, json: &str| {
            // Writing to a String cannot fail.
            let _ = write!(body, ",\"{name}\":{json}");
        };
        if let Some(server) = &self.server {
            member("server", &quote(server));
        }
        member("arguments", &self.arguments.0);
        member("timeout", &quote(&self.timeout));
        if let Some(reasoning) = &self.reasoning {
            member("agent_reasoning", &quote(reasoning));
        }
        if let Some((context, _)) = &self.context {
            member("context", context);
        }
        body.push('}');
        body
    }

    /// Whether every member of the submission stands in the answer as it was sent, numbers by their text.
    pub(super) fn is_echoed_by(&self, answer: &Value) -> bool {
        let same_text =
            |name: &str, sent: Option<&str>| answer.get(name).map(Value::as_str) == sent.map(Some);
        let same_value = |name: &str, sent: Option<&Value>| match (answer.get(name), sent) {
            (Some(echoed), Some(sent)) => echoed.same(sent),
            (None, None) => true,
            // An empty context and none at all are the same to the protocol.
            (Some(only), None) | (None, Some(only)) => only.as_object().is_some_and(<[_]>::is_empty),
        };
        same_text("tool", Some(&self.tool))
            && same_text("server", self.server.as_deref())
            && same_text("timeout", Some(&self.timeout))
            && same_text("agent_reasoning", self.reasoning.as_deref())
            && same_value("arguments", Some(&self.arguments.1))
            && same_value("context", self.context.as_ref().map(|(_, value)| value))
    }
}

fn object(what: &'static str, text: String) -> Result<(String, Value), BadSubmission> {
    let value = json::parse_unique(text.as_bytes(), Limits::DOOR)
        .map_err(|error| BadSubmission::Json(what, error))?;
    if value.as_object().is_none() {
        return Err(BadSubmission::NotAnObject(what));
    }
    Ok((text, value))
}
