//! What OpenCode waits for leave to do, as its server lists it. It is an agent's word like any other: what is not
//! understood here goes to the reviewer whole, and what cannot be named is not asked at all.

use crate::agent::{BadSubmission, Context, Covers, Silence, Source, Submission};
use crate::domain::action::is_id;
use crate::domain::json::{self, Limits, Member, Value, quote};
use std::collections::HashMap;

/// The limits for what OpenCode's server lists. What the gateway's door takes of one of them is less.
pub(super) const LIMITS: Limits = Limits { bytes: 8 * 1024 * 1024, depth: 128, values: 200_000 };
/// Of more than so many at once nobody asks a person: those behind them wait until some are answered.
const MOST: usize = 500;
/// Characters of a summary; the patterns stand in full in the payload.
const SUMMARY: usize = 300;
/// The members that say most come first in the payload, the others behind them in their own order.
const FIRST: [&str; 2] = ["patterns", "metadata"];

/// One thing that OpenCode asks leave for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission {
    /// Names it in OpenCode, once and for all; it goes into a path.
    pub(super) id: String,
    /// The kind of thing: `bash`, `edit`, `webfetch`, …
    pub(super) name: String,
    session: Option<String>,
    summary: Option<String>,
    payload: String,
}

/// Reads the list: what can be asked of it, and how many entries cannot.
pub(super) fn read_list(bytes: &[u8]) -> Result<(Vec<Permission>, usize), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its list is not UTF-8".to_owned())?;
    let value = json::parse(bytes, LIMITS).map_err(|error| format!("its list cannot be read: {error}"))?;
    let entries = value.as_array().ok_or("its list is no JSON array")?;
    let read: Vec<_> = entries.iter().filter_map(|entry| Permission::read(entry, text)).collect();
    let mut times: HashMap<String, usize> = HashMap::new();
    for permission in &read {
        *times.entry(permission.id.clone()).or_default() += 1;
    }
    // Two of one name cannot be told apart, so neither is asked.
    let once = |permission: &Permission| times.get(&permission.id) == Some(&1);
    let permissions: Vec<_> = read.into_iter().filter(once).take(MOST).collect();
    let odd = entries.len() - permissions.len();
    Ok((permissions, odd))
}

impl Permission {
    fn read(entry: &Value, source: &str) -> Option<Self> {
        let word = |name| entry.get(name).and_then(Value::as_str);
        let id = word("id").filter(|id| is_id(id) && !id.bytes().all(|byte| byte == b'.'))?;
        let name = word("permission").filter(|name| !name.is_empty())?;
        let patterns = entry.get("patterns").and_then(Value::as_array).unwrap_or_default();
        let summary: Vec<_> = patterns.iter().filter_map(Value::as_str).collect();
        let summary: String = summary.join(", ").chars().take(SUMMARY).collect();
        Some(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            session: word("sessionID").filter(|session| is_id(session)).map(str::to_owned),
            summary: Some(summary).filter(|summary| !summary.is_empty()),
            payload: payload(entry.as_object()?, source),
        })
    }

    /// What the gateway is asked: the same bytes for the same permission, whoever asks and however often.
    pub(super) fn submission(&self, timeout: &str) -> Result<Submission, BadSubmission> {
        // OpenCode's own question stands beside it: where no bridge is left to reject it in time, whoever sits there may say yes.
        let silence = Silence::AskedElsewhere;
        let source = Source { name: "opencode", reason: true, covers: Covers::OneCall, silence };
        let context = Context {
            thread_id: self.session.clone(),
            agent: Some("opencode".into()),
            summary: self.summary.clone(),
            source: Some(source),
            ..Context::default()
        };
        let submission = Submission::new(self.name.as_str(), self.payload.as_str())?;
        submission.server("opencode").timeout(timeout).context(context.to_json())
    }
}

/// Every member byte for byte, a key that stands twice too: then nobody can be asked, and nothing is.
fn payload(members: &[Member], source: &str) -> String {
    let first = FIRST.iter().flat_map(|name| members.iter().filter(move |member| member.name == *name));
    let others = members.iter().filter(|member| !FIRST.contains(&member.name.as_str()));
    let member = |member: &Member| format!("{}:{}", quote(&member.name), member.value.text(source));
    let members: Vec<_> = first.chain(others).map(member).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASH: &str = r#"{"id":"per_1","sessionID":"ses_a","permission":"bash","patterns":["rm -rf build","ls"],
        "metadata":{"n":1.10},"always":["rm *"],"tool":{"messageID":"msg_1","callID":"call_1"}}"#;

    #[test]
    fn what_is_asked_is_the_whole_permission_and_the_same_every_time() {
        let list = format!("[{BASH}]");
        let (permissions, odd) = read_list(list.as_bytes()).unwrap();
        assert_eq!((permissions.len(), odd, permissions[0].id.as_str()), (1, 0, "per_1"));
        let body = || permissions[0].submission("30m").unwrap().body();
        assert_eq!(body(), body());
        let payload = r#""arguments":{"patterns":["rm -rf build","ls"],"metadata":{"n":1.10},"id":"per_1","sessionID":"ses_a","permission":"bash","always":["rm *"],"tool":{"messageID":"msg_1","callID":"call_1"}}"#;
        assert!(body().contains(payload), "{}", body());
        for part in [
            r#""tool":"bash","server":"opencode""#,
            r#""thread_id":"ses_a""#,
            r#""summary":"rm -rf build, ls""#,
            r#""silence":"asked_elsewhere""#,
        ] {
            assert!(body().contains(part), "{part}: {}", body());
        }
    }

    #[test]
    fn what_cannot_be_named_is_counted_and_not_asked() {
        for (entry, odd) in [
            (BASH.replace("per_1", "../session"), 1),
            (BASH.replace("per_1", ".."), 1),
            (BASH.replace("\"per_1\"", "7"), 1),
            (BASH.replace("\"bash\"", "\"\""), 1),
            (format!("{BASH},{BASH}"), 2),
            ("null".into(), 1),
            ("[]".into(), 1),
        ] {
            let (permissions, found) = read_list(format!("[{entry}]").as_bytes()).unwrap();
            assert_eq!((permissions.len(), found), (0, odd), "{entry}");
        }
        // A session of another form names no thread; the rest stands.
        let (permissions, _) = read_list(format!("[{}]", BASH.replace("ses_a", "a b")).as_bytes()).unwrap();
        assert!(permissions[0].session.is_none());
        let many: Vec<_> =
            (0..MOST + 7).map(|number| BASH.replace("per_1", &format!("per_{number}"))).collect();
        let (permissions, odd) = read_list(format!("[{}]", many.join(",")).as_bytes()).unwrap();
        assert_eq!((permissions.len(), odd), (MOST, 7));
        for list in ["", "{}", "null", "[", "\"x\"", "<html>"] {
            assert!(read_list(list.as_bytes()).is_err(), "{list}");
        }
        assert!(read_list(b"[\"\xff\"]").is_err());
    }

    #[test]
    fn a_key_that_stands_twice_cannot_be_asked() {
        let twice = BASH.replace("\"metadata\":{\"n\":1.10}", "\"metadata\":{\"n\":1,\"n\":2}");
        let (permissions, _) = read_list(format!("[{twice}]").as_bytes()).unwrap();
        assert!(permissions[0].submission("30m").is_err());
    }
}
