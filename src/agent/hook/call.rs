//! One tool call as an agent's hook tells it on standard input, strictly read.
//!
//! Every byte of it was chosen by a model or by whoever wrote what the model read. This file must not talk to anybody, and
//! must say of an input that it cannot read whether at least the event is known: the answer's form hangs on that.

use super::payload::{self, Labels};
use super::{Agent, Event};
use crate::agent::{Context, Covers, Silence, Source, Submission};
use crate::domain::Visible;
use crate::domain::action::is_id;
use crate::domain::json::{self, Limits, Value};
use std::time::Duration;
use uuid::Uuid;

/// Bytes of standard input that are read. A gateway takes far less; but what is only too large for a gateway is told so,
/// and for that the whole of it must be read.
pub const INPUT_LIMIT: usize = Limits::SEALED.bytes;

const INPUT: Limits = Limits { bytes: INPUT_LIMIT, depth: 80, values: 40_000 };

/// Longer than any id that an agent gives a call.
const LONGEST_ID: usize = 256;

/// A tool call that somebody is to decide on.
#[derive(Debug)]
pub struct Call {
    agent: Agent,
    event: Event,
    session: String,
    id: Option<String>,
    tool: String,
    arguments: String,
    summary: Option<String>,
    labels: Labels,
}

/// What is known of the event of an input that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It is one of the two that are answered in JSON.
    Event(Event),
    /// It is another one, which is not to be taken for them.
    Other(String),
    /// It names none.
    Nothing,
}

/// An input that cannot be used. That is a no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The event.
    pub event: Named,
    /// What is wrong, safe to print.
    pub words: String,
}

impl Call {
    /// Reads the hook's input.
    ///
    /// # Errors
    /// It is no JSON, not that of a tool call, or its tool's input is more than a gateway takes.
    pub fn read(agent: Agent, bytes: &[u8]) -> Result<Self, Unread> {
        let unusable = |event, why: &str| Unread { event, words: format!("the hook's input {why}") };
        let value = match json::parse_unique(bytes, INPUT) {
            Ok(value) => value,
            Err(error) => {
                // Too deep or too many values: its own members can be read all the same.
                let named = json::outline(bytes).map_or(Named::Nothing, |value| named(&value));
                let why = Visible::of(&error.to_string()).plain();
                return Err(unusable(named, &format!("cannot be read: {why}")));
            }
        };
        let event = match named(&value) {
            Named::Event(event) => event,
            Named::Nothing => return Err(unusable(Named::Nothing, "names no event (hook_event_name)")),
            Named::Other(name) => {
                let why = format!(
                    "is of the event {}: only PreToolUse and PermissionRequest are answered, take the hook off the others",
                    Visible::name(&name).cut(64).plain()
                );
                return Err(unusable(Named::Other(name), &why));
            }
        };
        let bad = |why: &str| unusable(Named::Event(event), why);
        let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let session = text("session_id").filter(|id| is_id(id));
        let session = session.ok_or_else(|| bad("has no usable session_id"))?;
        let tool = text("tool_name").ok_or_else(|| bad("names no tool (tool_name)"))?;
        let cwd = text("cwd").ok_or_else(|| bad("names no working directory (cwd)"))?;
        let input = value.get("tool_input").filter(|input| input.as_object().is_some());
        let input = input.ok_or_else(|| bad("has no tool_input that is an object"))?;
        let id = match value.get("tool_use_id").filter(|id| !id.is_null()) {
            None => None,
            Some(id) => {
                let id = id.as_str().filter(|id| (1..=LONGEST_ID).contains(&id.len()));
                Some(id.ok_or_else(|| bad("has no usable tool_use_id"))?.to_owned())
            }
        };
        // `parse_unique` has found it to be UTF-8.
        let source = std::str::from_utf8(bytes).map_err(|_| bad("is not UTF-8"))?;
        let arguments = payload::arguments(input, source, cwd).map_err(bad)?;
        Ok(Self {
            agent,
            event,
            session: session.to_owned(),
            id,
            tool: tool.to_owned(),
            arguments,
            summary: payload::summary(input),
            labels: payload::labels(event, &value),
        })
    }

    /// The event.
    pub fn event(&self) -> Event {
        self.event
    }

    /// What is asked of the gateway, for at most that long.
    ///
    /// # Errors
    /// In plain words, where no gateway would take it.
    pub fn submission(&self, timeout: Duration) -> Result<Submission, String> {
        let source = Source {
            name: self.agent.name(),
            reason: true,
            covers: Covers::OneCall,
            silence: Silence::NotRun,
        };
        let context = Context {
            thread_id: Some(self.session.clone()),
            agent: Some(self.agent.title().to_owned()),
            summary: self.summary.clone(),
            risk: None,
            labels: self.labels.clone(),
            source: Some(source),
        };
        let submission = Submission::new(&self.tool, &self.arguments)
            .and_then(|submission| submission.context(context.to_json()))
            .map_err(|error| format!("this call is not what a gateway takes: {error}"))?
            .server(self.server())
            .timeout(crate::domain::timestamp::span_words(timeout));
        let (size, limit) = (submission.body().len(), Limits::DOOR.bytes);
        match size > limit {
            true => Err(format!(
                "this call is {size} bytes long, and a reviewer is shown no more than {limit}: make it smaller, in parts"
            )),
            false => Ok(submission),
        }
    }

    /// What this call is known by at the gateway: the same for the same call, for no other.
    ///
    /// The agent's own id for it, within its session and event. Where it gives none (PermissionRequest has none in either
    /// agent's documentation), every run of the hook is a call of its own: two equal calls in one session are two, and to
    /// ask a person twice is better than to run one yes twice.
    pub fn key(&self) -> String {
        let id = self.id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        [self.agent.name(), self.event.name(), &self.session, &id].join("\0")
    }

    /// The MCP server of a tool that is named `mcp__SERVER__TOOL`, as both agents name them; else the agent.
    fn server(&self) -> &str {
        let rest = self.tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
        rest.map(|(server, _)| server).filter(|server| !server.is_empty()).unwrap_or(self.agent.name())
    }
}

fn named(value: &Value) -> Named {
    let members = value.as_object().unwrap_or_default();
    let mut names = members.iter().filter(|member| member.name == "hook_event_name");
    match (names.next().and_then(|member| member.value.as_str()), names.next()) {
        (Some(name), None) => Event::parse(name).map_or_else(|| Named::Other(name.to_owned()), Named::Event),
        _ => Named::Nothing,
    }
}
