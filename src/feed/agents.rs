//! What a gateway says about its agents, read strictly. Names and reviewers are text from a server: hostile.

use crate::domain::json::{self, Kind, Limits, Value};
use crate::domain::{Untrusted, timestamp};
use jiff::Timestamp;

/// An agent's credential, as the gateway has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentState {
    /// The credential's name: the `agent` of its actions.
    pub name: Untrusted,
    /// Whether it is paused: then it asks and consumes nothing.
    pub paused: bool,
    /// Who paused it, where it is.
    pub paused_by: Option<Untrusted>,
    /// Since when, where it is.
    pub paused_at: Option<Timestamp>,
}

/// Agents that a list may have; past that it is not believed to be one.
const MOST: usize = 10_000;

/// The limits for the list, and for one agent.
pub(super) const LIMITS: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 8, values: 100_000 };

/// Reads `{"agents": […]}`.
pub(super) fn read_list(bytes: &[u8]) -> Result<Vec<AgentState>, Untrusted> {
    let value = json::parse_unique(bytes, LIMITS).map_err(|error| error.to_string())?;
    let agents = value.get("agents").and_then(Value::as_array);
    let agents = agents.filter(|agents| agents.len() <= MOST).ok_or("its JSON has no array \"agents\"")?;
    agents.iter().map(read_value).collect()
}

/// Reads one agent.
pub(super) fn read(bytes: &[u8]) -> Result<AgentState, Untrusted> {
    read_value(&json::parse_unique(bytes, LIMITS).map_err(|error| error.to_string())?)
}

fn read_value(value: &Value) -> Result<AgentState, Untrusted> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let name = text("name").ok_or("an agent without a \"name\"")?;
    let paused = match value.get("paused").map(|value| &value.kind) {
        Some(Kind::Bool(paused)) => *paused,
        _ => return Err("an agent without \"paused\": true or false".into()),
    };
    Ok(AgentState {
        name: name.into(),
        paused,
        paused_by: text("paused_by").map(Untrusted::from),
        paused_at: text("paused_at").and_then(timestamp::parse),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_names_as_they_are() {
        let list = r#"{"agents":[{"name":"a\u001b[2J/..","paused":false,"more":1},
            {"name":"b","paused":true,"paused_by":"dana","paused_at":"2026-11-23T12:00:00Z"}]}"#;
        let agents = read_list(list.as_bytes()).unwrap();
        assert_eq!((agents[0].name.raw(), agents[0].paused), ("a\u{1b}[2J/..", false));
        assert_eq!(agents[1].paused_by, Some("dana".into()));
        assert_eq!(agents[1].paused_at, "2026-11-23T12:00:00Z".parse().ok());
    }

    #[test]
    fn what_is_no_list_of_agents_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"actions":[],"next":null}"#,
            r#"{"agents":{}}"#,
            r#"{"agents":[1]}"#,
            r#"{"agents":[{"paused":true}]}"#,
            r#"{"agents":[{"name":"a"}]}"#,
            r#"{"agents":[{"name":"a","paused":"true"}]}"#,
            r#"{"agents":[{"name":"a","paused":true,"paused":false}]}"#,
        ] {
            assert!(read_list(text.as_bytes()).is_err(), "{text}");
        }
        let many = vec![r#"{"name":"a","paused":true}"#; MOST + 1].join(",");
        assert!(read_list(format!(r#"{{"agents":[{many}]}}"#).as_bytes()).is_err());
    }
}
