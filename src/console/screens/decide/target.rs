//! What an action is aimed at, in a few words from its payload: for the line of a bar that names it.

use crate::domain::json::{self, Kind, Limits, Value};
use crate::domain::{Action, Visible};

/// The members that most often say what an action is aimed at, most telling first.
const TARGETS: [&str; 18] = [
    "to",
    "recipient",
    "beneficiary",
    "account",
    "command",
    "cmd",
    "file_path",
    "path",
    "table",
    "query",
    "sql",
    "url",
    "host",
    "environment",
    "service",
    "symbol",
    "user",
    "name",
];

/// What the action is aimed at, as `name: value` from its payload: a well-known member, else the first plain one.
pub(in crate::console) fn target(action: &Action) -> Option<Visible> {
    let payload = json::parse(action.payload().as_bytes(), Limits::SEALED).ok()?;
    let plain = |value: &Value| match &value.kind {
        Kind::String(text) | Kind::Number(text) => Some(text.clone()),
        Kind::Array(elements) => {
            let first = elements.first()?.as_str()?;
            let more = elements.len() - 1;
            Some(if more == 0 { first.to_owned() } else { format!("{first} and {more} more") })
        }
        _ => None,
    };
    let known = |name: &&str| payload.get(name).and_then(plain).map(|value| ((*name).to_owned(), value));
    let first = || {
        let members = payload.as_object()?;
        members.iter().find_map(|member| plain(&member.value).map(|value| (member.name.clone(), value)))
    };
    let (name, value) = TARGETS.iter().find_map(known).or_else(first)?;
    Some(Visible::of(&format!("{name}: {value}")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::action;
    use super::*;

    #[test]
    fn the_target_is_what_says_most() {
        let target = |payload: &str| target(&action("medium", payload)).map(|target| target.plain());
        assert_eq!(target(r#"{"subject":"s","to":"a@b.example"}"#).as_deref(), Some("to: a@b.example"));
        assert_eq!(target(r#"{"to":["a","b","c"]}"#).as_deref(), Some("to: a and 2 more"));
        assert_eq!(target(r#"{"deep":{},"amount":1.10}"#).as_deref(), Some("amount: 1.10"));
        assert_eq!(target(r#"{"command":"rm\n-rf"}"#).as_deref(), Some("command: rm␊-rf"));
        assert_eq!(target("{}"), None);
    }
}
