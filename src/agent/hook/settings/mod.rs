//! An agent's settings file with this program's hook in it, or without: from text to text, the rest byte for byte.
//!
//! Both agents keep hooks in the same form: `hooks` → event → groups of `matcher` and `hooks` → `type`, `command`,
//! `timeout`. Claude Code: code.claude.com/docs/en/hooks, "Configuration". Codex: `codex-rs/config/src/hook_config.rs` (its
//! `hooks.json`; an object beside `hooks` and a member that it does not know are passed over).
//!
//! Nothing here may read or write a file but [`SettingsFile`].

mod file;
mod text;

pub use file::SettingsFile;

use super::{Agent, Event, Reply};
use crate::domain::json::{self, JsonError, Limits, Value, quote};
use std::path::Path;
use text::Place;

/// Longer than anybody's settings, with all that they allow written out.
const LIMITS: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 64, values: 100_000 };

/// Why a settings file is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSettings {
    /// No JSON. It is the user's to mend.
    #[error("it is no JSON: {0}")]
    Json(#[from] JsonError),
    /// JSON in which no hook can be put.
    #[error("{0} in it is not {1}")]
    Shape(String, &'static str),
}

/// One hook of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is for.
    pub event: Event,
    /// Which tools, as the agent's matchers go; `None` is every tool.
    pub matcher: Option<String>,
    /// The [shell command](command).
    pub command: String,
    /// Seconds that the agent waits for it.
    pub timeout: u64,
}

/// The shell command that runs these words, and where they cannot be run at all, or are killed, still says no: a program that
/// is gone would let the tool run in Codex, and in Claude Code before 2.1.295. Words and `||` are the same in every shell.
///
/// # Errors
/// A word holds a NUL.
pub fn command(agent: Agent, event: Event, words: &[String]) -> Result<String, &'static str> {
    let quoted =
        |words: &[&str]| shlex::try_join(words.iter().copied()).map_err(|_| "a path holds a NUL character");
    let no =
        Reply::no(agent, event, "aegis-console could not answer; its command in the hook settings says why")
            .text();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    Ok(format!("{} || {}", quoted(&words)?, quoted(&["printf", "%s\\n", &no])?))
}

/// The text with exactly these hooks of this program in it. One that is there already stays as it is; one that is there
/// with other flags is replaced where it stands.
///
/// # Errors
/// It is not a settings file as the agent documents it. Nothing is guessed.
pub fn with(text: &str, agent: Agent, entries: &[Entry]) -> Result<String, NotSettings> {
    let mut text = text.to_owned();
    for event in Event::ALL {
        text = match entries.iter().find(|entry| entry.event == event) {
            Some(entry) => put(text, agent, entry)?,
            None => take(text, agent, event)?,
        };
    }
    Ok(text)
}

/// The text without any hook of this program.
///
/// # Errors
/// As [`with`].
pub fn without(text: &str, agent: Agent) -> Result<String, NotSettings> {
    with(text, agent, &[])
}

/// Whether a hook of this program is in it.
///
/// # Errors
/// As [`with`].
pub fn is_in(text: &str, agent: Agent) -> Result<bool, NotSettings> {
    Ok(without(text, agent)? != text)
}

fn put(text: String, agent: Agent, entry: &Entry) -> Result<String, NotSettings> {
    let group = group(agent, entry);
    let value = read(&text)?;
    let groups = groups(&value, entry.event)?;
    let own: Vec<_> = groups.iter().enumerate().filter(|(_, group)| owned(group, agent) > 0).collect();
    if let [(at, found)] = own[..]
        && owned(found, agent) == handlers(found).len()
    {
        let same = json::parse_unique(group.lines.join("\n").as_bytes(), LIMITS)?.same(found);
        let path = [Place::Member("hooks"), Place::Member(entry.event.name()), Place::Element(at)];
        return Ok(if same { text } else { text::replace(&text, &value, &path, &group) });
    }
    let text = take(text, agent, entry.event)?;
    let value = read(&text)?;
    Ok(text::append(&text, &value, &["hooks", entry.event.name()], &group))
}

/// Takes this program's hooks out of one event, one after the other, and what is empty then.
fn take(mut text: String, agent: Agent, event: Event) -> Result<String, NotSettings> {
    loop {
        let value = read(&text)?;
        let groups = groups(&value, event)?;
        let own = |group: &Value| handlers(group).iter().position(|handler| is_own(handler, agent));
        let found = groups.iter().enumerate().find_map(|(at, group)| Some((at, own(group)?)));
        let Some((group, handler)) = found else { return Ok(text) };
        let path = [
            Place::Member("hooks"),
            Place::Member(event.name()),
            Place::Element(group),
            Place::Member("hooks"),
            Place::Element(handler),
        ];
        // What holds nothing else goes with it.
        let holds_more = [
            handlers(&groups[group]).len() > 1,
            groups.len() > 1,
            value.get("hooks").and_then(Value::as_object).is_some_and(|events| events.len() > 1),
        ];
        let depth = match holds_more {
            [true, ..] => 5,
            [_, true, _] => 3,
            [_, _, true] => 2,
            _ => 1,
        };
        text = text::remove(&text, &value, &path[..depth]);
    }
}

fn read(text: &str) -> Result<Value, NotSettings> {
    let value = json::parse_unique(text.as_bytes(), LIMITS)?;
    let shape = |what: &str, is: &'static str| Err(NotSettings::Shape(what.to_owned(), is));
    match value.as_object().map(|_| value.get("hooks")) {
        None => shape("what stands", "an object"),
        Some(Some(hooks)) if hooks.as_object().is_none() => shape("`hooks`", "an object"),
        Some(_) => Ok(value),
    }
}

fn groups(value: &Value, event: Event) -> Result<&[Value], NotSettings> {
    let Some(groups) = value.get("hooks").and_then(|hooks| hooks.get(event.name())) else { return Ok(&[]) };
    let shape = || NotSettings::Shape(format!("`hooks.{}`", event.name()), "a list of groups of hooks");
    let groups = groups.as_array().ok_or_else(shape)?;
    let is_group = |group: &Value| group.get("hooks").is_some_and(|hooks| hooks.as_array().is_some());
    if groups.iter().all(is_group) { Ok(groups) } else { Err(shape()) }
}

fn handlers(group: &Value) -> &[Value] {
    group.get("hooks").and_then(Value::as_array).unwrap_or_default()
}

fn owned(group: &Value, agent: Agent) -> usize {
    handlers(group).iter().filter(|handler| is_own(handler, agent)).count()
}

/// `…/aegis-console hook AGENT …`
fn is_own(handler: &Value, agent: Agent) -> bool {
    let words = handler.get("command").and_then(Value::as_str).and_then(shlex::split).unwrap_or_default();
    let [program, hook, name, ..] = &words[..] else { return false };
    let program = Path::new(program).file_name().and_then(|name| name.to_str());
    program.is_some_and(|program| program.starts_with("aegis-console"))
        && hook == "hook"
        && name == agent.name()
}

/// The group as it is written.
fn group(agent: Agent, entry: &Entry) -> text::Lines {
    let mut lines = vec!["{".to_owned()];
    lines.extend(entry.matcher.as_deref().map(|matcher| format!("\t\"matcher\": {},", quote(matcher))));
    lines.extend(["\t\"hooks\": [", "\t\t{", "\t\t\t\"type\": \"command\","].map(str::to_owned));
    lines.push(format!("\t\t\t\"command\": {},", quote(&entry.command)));
    match agent {
        // Claude Code from 2.1.295 on (its CHANGELOG): "a hook that can't start, times out, or exits with an unexpected
        // code blocks the action instead of letting it through". On the hook itself; on the group it does nothing. 2.1.294
        // and 2.1.284 were seen to pass over it and to let the tool run, so it costs nothing there and helps nothing.
        Agent::ClaudeCode => {
            lines.push(format!("\t\t\t\"timeout\": {},", entry.timeout));
            lines.push("\t\t\t\"onFailure\": \"block\"".to_owned());
        }
        // Codex has nothing like it (openai/codex#41979).
        Agent::Codex => lines.push(format!("\t\t\t\"timeout\": {}", entry.timeout)),
    }
    lines.extend(["\t\t}", "\t]", "}"].map(str::to_owned));
    text::Lines { lines }
}

#[cfg(test)]
mod tests;
