//! What a reviewer is shown of a tool call: the tool's input byte for byte and the working directory; a line for the list;
//! labels. This file must not leave anything out of the payload, and must not put two different calls into the same one.

use super::Event;
use crate::domain::Visible;
use crate::domain::json::{Value, quote};
use std::collections::BTreeMap;

/// Words to filter by.
pub(super) type Labels = BTreeMap<String, String>;

/// The session's working directory among the members of the tool's input.
const CWD: &str = "cwd";
/// The same where the tool has an argument of that name.
const CWD_BESIDE: &str = "cwd of the session";

/// Columns of a summary; a row shows less.
const SUMMARY: usize = 160;
/// Columns of a label.
const LABEL: usize = 64;

/// The members of a tool's input that say most of what it would do, most telling first: the ones of the built-in tools of
/// both agents, then what MCP tools often have.
const TELLING: [&str; 14] = [
    "command",
    "file_path",
    "notebook_path",
    "url",
    "query",
    "pattern",
    "path",
    "plan",
    "description",
    "prompt",
    "skill",
    "title",
    "name",
    "id",
];

/// The members of the tool's input as they stand in the source, so that rules find them where the tool has them
/// (`/command`), and after them the working directory. A tool that has a `cwd` of its own keeps it, and the session's
/// stands beside it under a name that no tool has: from the payload it can always be told which is which.
pub(super) fn arguments(input: &Value, source: &str, cwd: &str) -> Result<String, &'static str> {
    let name = match (input.get(CWD), input.get(CWD_BESIDE)) {
        (_, Some(_)) => {
            return Err("has a member in its tool_input that is named as this program names its own");
        }
        (Some(_), None) => CWD_BESIDE,
        (None, None) => CWD,
    };
    let text = input.text(source);
    let members = text.strip_suffix('}').ok_or("has no tool_input that is an object")?;
    let comma = if input.as_object().is_some_and(<[_]>::is_empty) { "" } else { "," };
    Ok(format!("{members}{comma}{}:{}}}", quote(name), quote(cwd)))
}

/// The first line of what says most. A command of more lines says how many follow, so that no row is taken for the whole.
pub(super) fn summary(input: &Value) -> Option<String> {
    let known =
        TELLING.iter().find_map(|name| input.get(name)?.as_str().filter(|text| !text.trim().is_empty()));
    let question = || input.get("questions")?.as_array()?.first()?.get("question")?.as_str();
    let text = known.or_else(question)?.trim_end();
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let first = Visible::of(lines.next()?.trim()).cut(SUMMARY).plain();
    Some(match (lines.count(), input.get("edits").and_then(Value::as_array)) {
        (0, Some(edits)) => format!("{first} ({} edits)", edits.len()),
        (0, None) => first,
        (more, _) => format!("{first} … (and {more} more lines)"),
    })
}

/// In what mode the agent is, which of its subagents asks, and whether it would have asked its user.
pub(super) fn labels(event: Event, value: &Value) -> Labels {
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut labels: Labels = [("mode", "permission_mode"), ("subagent", "agent_type"), ("model", "model")]
        .into_iter()
        .filter_map(|(label, name)| Some((label.to_owned(), Visible::of(text(name)?).cut(LABEL).plain())))
        .collect();
    if event == Event::PermissionRequest {
        labels.insert("event".to_owned(), event.name().to_owned());
    }
    labels
}
