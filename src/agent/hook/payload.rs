//! What a reviewer is shown of a tool call: the tool's input byte for byte and the working directory; a line for the list;
//! labels. This file must not leave anything out of the payload, and must not put two different calls into the same one.

use super::Event;
use crate::domain::json::{Value, quote};
use std::collections::BTreeMap;

/// Words to filter by.
pub(super) type Labels = BTreeMap<String, String>;

/// The session's working directory among the members of the tool's input.
const CWD: &str = "cwd";
/// The same where the tool has an argument of that name.
const CWD_BESIDE: &str = "cwd of the session";

/// Characters of a summary; a row shows less.
const SUMMARY: usize = 200;
/// Characters of a label.
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

/// The beginning of what says most, its line ends in it: a row shows them as signs, so no command is taken for a shorter one.
pub(in crate::agent) fn summary(input: &Value) -> Option<String> {
    let known =
        TELLING.iter().find_map(|name| input.get(name)?.as_str().filter(|text| !text.trim().is_empty()));
    let question = || input.get("questions")?.as_array()?.first()?.get("question")?.as_str();
    let text = head(known.or_else(question)?.trim(), SUMMARY);
    Some(match input.get("edits").and_then(Value::as_array) {
        Some(edits) => format!("{text} ({} edits)", edits.len()),
        None => text,
    })
}

/// As it came: whoever shows it makes it visible. Three full stops, because `…` is a sign of the console's own.
fn head(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else { return text.to_owned() };
    format!("{}...", &text[..end])
}

/// In what mode the agent is, which of its subagents asks, and whether it would have asked its user.
pub(super) fn labels(event: Event, value: &Value) -> Labels {
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut labels: Labels = [("mode", "permission_mode"), ("subagent", "agent_type"), ("model", "model")]
        .into_iter()
        .filter_map(|(label, name)| Some((label.to_owned(), head(text(name)?, LABEL))))
        .collect();
    if event == Event::PermissionRequest {
        labels.insert("event".to_owned(), event.name().to_owned());
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::{Limits, parse_unique};

    fn value(text: &str) -> Value {
        parse_unique(text.as_bytes(), Limits::DOOR).unwrap()
    }

    fn shown(input: &str, cwd: &str) -> Result<String, &'static str> {
        arguments(&value(input), input, cwd)
    }

    #[test]
    fn the_input_is_shown_byte_for_byte_and_the_directory_after_it() {
        for (input, expected) in [
            ("{}", r#"{"cwd":"/a"}"#),
            ("{ }", r#"{ "cwd":"/a"}"#),
            (r#"{"n": 1.10, "s":"\u0041"}"#, r#"{"n": 1.10, "s":"\u0041","cwd":"/a"}"#),
            (r#"{"cwd":"/b"}"#, r#"{"cwd":"/b","cwd of the session":"/a"}"#),
            (r#"{"c\u0077d":"/b" }"#, r#"{"c\u0077d":"/b" ,"cwd of the session":"/a"}"#),
        ] {
            assert_eq!(shown(input, "/a").as_deref(), Ok(expected));
        }
        assert!(shown(r#"{"cwd of the session":"/b"}"#, "/a").is_err());
    }

    /// From what is shown the input and the directory can be told again, so no two calls are shown alike.
    #[test]
    fn no_two_calls_are_shown_alike() {
        let inputs = [
            "{}",
            r#"{"cwd":"/a"}"#,
            r#"{"cwd":"/b"}"#,
            r#"{"a":1}"#,
            r#"{"a":1,"cwd":"/a"}"#,
            r#"{"a":1.0}"#,
            r#"{"a":"\n"}"#,
            r#"{"a":"\\n"}"#,
        ];
        let all = inputs
            .iter()
            .flat_map(|input| ["/a", "/b", "/b\",\"x\":\"", ""].map(|cwd| shown(input, cwd).unwrap()));
        let mut all: Vec<_> = all.collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_row_says_what_it_is_about() {
        let long = format!(r#"{{"command":"{}"}}"#, "é".repeat(300));
        let cut = format!("{}...", "é".repeat(200));
        for (input, expected) in [
            (r#"{"description":"tidy up","command":"set -e\nrm -rf /"}"#, Some("set -e\nrm -rf /")),
            (r#"{"file_path":"/a","content":"x"}"#, Some("/a")),
            (r#"{"file_path":"/a","edits":[{},{}]}"#, Some("/a (2 edits)")),
            (r#"{"url":"https://a","prompt":"p"}"#, Some("https://a")),
            (r#"{"questions":[{"question":"Which?"}]}"#, Some("Which?")),
            (r#"{"command":["a","b"],"query":7,"path":" "}"#, None),
            ("{}", None),
            (&long, Some(&cut)),
        ] {
            assert_eq!(summary(&value(input)).as_deref(), expected, "{input}");
        }
    }
}
