//! Who looks at which action now, as a gateway tells it. Names and ids are text from a server: hostile, and bounded here.

use crate::domain::json::{self, Limits, Value};
use crate::domain::{Digest, Untrusted, action};

/// Somebody else, and the action that they look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// The name of the reviewer's credential.
    pub reviewer: Untrusted,
    /// The action's id.
    pub action_id: String,
}

/// Reviewers that may look at the same time; past that it is not believed.
const MOST: usize = 1_000;
/// Bytes of a reviewer's name.
const NAME: usize = 256;

/// The limits for the list.
pub(super) const LIMITS: Limits = Limits { bytes: 512 * 1024, depth: 8, values: 10_000 };

/// Reads `{"looking": [{"reviewer", "action_id"}]}`.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Looking>, Untrusted> {
    let value = json::parse_unique(bytes, LIMITS).map_err(|error| error.to_string())?;
    let looking = value.get("looking").and_then(Value::as_array);
    let looking = looking.filter(|looking| looking.len() <= MOST);
    looking.ok_or("its JSON has no array \"looking\"")?.iter().map(read_one).collect()
}

fn read_one(value: &Value) -> Result<Looking, Untrusted> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let reviewer = text("reviewer").filter(|name| (1..=NAME).contains(&name.len()));
    let action_id = text("action_id").filter(|id| action::is_id(id));
    Ok(Looking {
        reviewer: reviewer.ok_or("one who looks without a \"reviewer\"")?.into(),
        action_id: action_id.ok_or("one who looks without an \"action_id\"")?.to_owned(),
    })
}

/// The body that says what this reviewer looks at.
pub(super) fn body(at: Option<(&str, &Digest)>) -> String {
    match at {
        Some((id, digest)) => format!(r#"{{"action_id":{},"digest":"{digest}"}}"#, json::quote(id)),
        None => r#"{"action_id":null}"#.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_is_read_with_names_as_they_are() {
        let list = r#"{"looking":[{"reviewer":"bob\u001b[2J","action_id":"a-1","more":1}],"more":[]}"#;
        let looking = read(list.as_bytes()).unwrap();
        assert_eq!((looking[0].reviewer.raw(), looking[0].action_id.as_str()), ("bob\u{1b}[2J", "a-1"));
        assert_eq!(read(br#"{"looking":[]}"#), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_such_list_is_refused() {
        let long = format!(r#"{{"looking":[{{"reviewer":"{}","action_id":"a"}}]}}"#, "x".repeat(NAME + 1));
        let many = vec![r#"{"reviewer":"b","action_id":"a"}"#; MOST + 1].join(",");
        for text in [
            "",
            "[]",
            "{}",
            r#"{"looking":{}}"#,
            r#"{"looking":[1]}"#,
            r#"{"looking":[{"reviewer":"b"}]}"#,
            r#"{"looking":[{"reviewer":"","action_id":"a"}]}"#,
            r#"{"looking":[{"reviewer":"b","action_id":"a b"}]}"#,
            r#"{"looking":[],"looking":[]}"#,
            &long,
            &format!(r#"{{"looking":[{many}]}}"#),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:.80}");
        }
    }

    #[test]
    fn what_is_said_names_the_action_and_its_digest_or_nothing() {
        let digest = Digest::of(b"x");
        assert_eq!(body(Some(("a-1", &digest))), format!(r#"{{"action_id":"a-1","digest":"{digest}"}}"#));
        assert_eq!(body(None), r#"{"action_id":null}"#);
    }
}
