//! What a server's answer says about the decision that stands, as far as it can be read at all.
//!
//! Bodies differ: this project's gateway nests a `decision`, others put the same fields at the top, under `existing`
//! or under `detail`, and many send no JSON. This file reads; what it means for a decision is `resolve`'s work.

use super::transport::BodyCut;
use crate::domain::json::{self, Limits, Value};
use crate::domain::{Count, RowStatus, Standing, Untrusted, action, timestamp};
use bytes::Bytes;

/// One whole answer: its status and what its body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) facts: Facts,
    pub(crate) retry_after: Option<std::time::Duration>,
}

impl Answer {
    pub(crate) fn read(response: &http::Response<Bytes>) -> Self {
        let cut = response.extensions().get::<BodyCut>().is_some();
        Self {
            status: response.status().as_u16(),
            facts: if cut { Facts::default() } else { Facts::read(response.body()) },
            retry_after: super::retry_after::read(response.headers(), std::time::SystemTime::now()),
        }
    }
}

/// What a body says. All of it may be hostile, and all of it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// The decision that stands.
    pub(crate) standing: Standing,
    /// The server's own words.
    pub(crate) detail: Option<Untrusted>,
    /// The server's words say that the key's first call is still at work.
    pub(crate) outstanding: bool,
    /// This project's gateway says that nothing was decided and nothing will be: expired, or withdrawn.
    pub(crate) closed: bool,
    /// The idempotency key, the action and the request id that a status answer repeats.
    pub(crate) idempotency_key: Option<Untrusted>,
    pub(crate) action_id: Option<Untrusted>,
    pub(crate) asked_request_id: Option<Untrusted>,
}

impl Facts {
    /// Reads a body. What is not one JSON object without duplicate keys says nothing.
    pub(crate) fn read(body: &[u8]) -> Self {
        match json::parse_unique(body, Limits::ANSWER) {
            Ok(value) if value.as_object().is_some() => Self::of(&value),
            _ => Self { detail: plain_words(body), ..Self::default() },
        }
    }

    fn of(top: &Value) -> Self {
        let own = |name: &str| top.get(name).and_then(Value::as_str).map(Untrusted::from);
        let detail = words(top);
        let outstanding = ["title", "detail", "message", "error"].iter().any(|name| {
            let text = top.get(name).and_then(Value::as_str);
            text.is_some_and(|text| text.to_ascii_lowercase().contains("outstanding"))
        });
        let mut standing = records(top).map(standing).find(is_record).unwrap_or_default();
        if standing.status == Some(RowStatus::Pending) && standing.count.is_none() {
            // Beside the decision that it speaks of.
            standing.count = counted(top);
        }
        Self {
            standing,
            detail,
            outstanding,
            closed: is_closed(top),
            idempotency_key: own("idempotency_key"),
            action_id: own("action_id"),
            asked_request_id: own("asked_request_id"),
        }
    }
}

/// The objects in which the standing decision may be, the most telling first. Only one of them is read: fields of two
/// objects may speak of two things.
fn records(top: &Value) -> impl Iterator<Item = &Value> {
    let within = |name: &str| top.get(name).filter(|value| value.as_object().is_some());
    let (existing, detail) = (within("existing"), within("detail"));
    let nested = [Some(top), existing, detail]
        .into_iter()
        .flatten()
        .filter_map(|outer| outer.get("decision").filter(|value| value.as_object().is_some()));
    nested.chain(existing).chain(detail).chain([top])
}

fn standing(record: &Value) -> Standing {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let verdict = text("verdict").or_else(|| text("decision"));
    Standing {
        verdict: verdict.and_then(|word| word.to_ascii_lowercase().parse().ok()),
        reviewer: text("reviewer").or_else(|| text("decided_by")).map(Untrusted::from),
        request_id: text("request_id").filter(|id| action::is_id(id)).map(str::to_owned),
        decided_at: text("decided_at").and_then(timestamp::parse),
        // In a problem document `status` is a number: the HTTP status, not the row's.
        status: text("status").and_then(RowStatus::parse),
        count: text("status")
            .filter(|word| RowStatus::parse(word) == Some(RowStatus::Pending))
            .and(counted(record)),
    }
}

/// `"detail": "1 of 2"`: what counts of what an action needs.
fn counted(value: &Value) -> Option<Count> {
    value.get("detail").and_then(Value::as_str).and_then(Count::parse)
}

/// From any other server `"decision": null` may mean no more than that it does not say.
fn is_closed(top: &Value) -> bool {
    let ours = top.get("type").and_then(Value::as_str);
    ours.is_some_and(|name| name.starts_with("urn:aegis-console:"))
        && top.get("decision").is_some_and(Value::is_null)
}

/// Many servers repeat the caller's request id in every error. By itself it says nothing about what stands.
fn is_record(standing: &Standing) -> bool {
    standing.verdict.is_some()
        || standing.status.is_some()
        || standing.decided_at.is_some()
        || standing.reviewer.is_some()
}

/// The server's words for a person, where it has some.
fn words(top: &Value) -> Option<Untrusted> {
    let named = |value: &Value| {
        ["detail", "message", "error", "title"]
            .iter()
            .find_map(|name| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()))
            .map(Untrusted::from)
    };
    named(top).or_else(|| ["error", "detail"].iter().find_map(|name| top.get(name).and_then(named)))
}

/// The words of a body that is not JSON; a web page is not words.
fn plain_words(body: &[u8]) -> Option<Untrusted> {
    let text = std::str::from_utf8(body).ok()?.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Verdict;

    const ID: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    fn read(body: &str) -> Facts {
        Facts::read(body.as_bytes())
    }

    #[test]
    fn the_standing_decision_is_found_wherever_servers_put_it() {
        let record = format!(
            r#"{{"verdict":"reject","reviewer":"alice","request_id":"{ID}","decided_at":"2026-11-23T12:03:11Z","status":"COMMITTED"}}"#
        );
        let theirs = format!(r#"{{"decision":"rejected","decided_by":"alice","request_id":"{ID}"}}"#);
        let whole = Standing {
            verdict: Some(Verdict::Reject),
            reviewer: Some("alice".into()),
            request_id: Some(ID.into()),
            decided_at: timestamp::parse("2026-11-23T12:03:11Z"),
            status: Some(RowStatus::Committed),
            count: None,
        };
        for body in [
            format!(r#"{{"status":409,"title":"duplicate","request_id":"echo","decision":{record}}}"#),
            format!(r#"{{"detail":{{"decision":{record}}}}}"#),
            format!(r#"{{"existing":{record}}}"#),
            record.clone(),
        ] {
            assert_eq!(read(&body).standing, whole, "{body}");
        }
        for body in [theirs.clone(), format!(r#"{{"detail":{theirs}}}"#)] {
            let standing = read(&body).standing;
            assert_eq!(standing, Standing { decided_at: None, status: None, ..whole.clone() }, "{body}");
        }
    }

    #[test]
    fn what_counts_is_read_where_nothing_is_decided_yet() {
        let own = r#"{"verdict":"approve","status":"PENDING"}"#;
        for (body, count) in [
            (r#"{"status":"PENDING","verdict":"approve","detail":"1 of 2"}"#.to_owned(), Some("1 of 2")),
            (format!(r#"{{"status":409,"detail":"2 of 3","decision":{own}}}"#), Some("2 of 3")),
            (r#"{"decision":{"status":"PENDING","detail":"1 of 2"}}"#.to_owned(), Some("1 of 2")),
            (r#"{"status":"COMMITTED","detail":"1 of 2"}"#.to_owned(), None),
            (r#"{"status":"PENDING","detail":"1 of 1"}"#.to_owned(), None),
            (r#"{"status":"PENDING","detail":{"n":"1 of 2"}}"#.to_owned(), None),
            (r#"{"detail":"1 of 2"}"#.to_owned(), None),
        ] {
            let read = read(&body).standing.count.map(|count| count.to_string());
            assert_eq!(read.as_deref(), count, "{body}");
        }
    }

    #[test]
    fn an_echo_of_the_request_id_is_no_record() {
        for body in [
            format!(r#"{{"error":"duplicate","request_id":"{ID}"}}"#),
            format!(r#"{{"status":409,"request_id":"{ID}"}}"#),
        ] {
            assert_eq!(read(&body).standing, Standing::default(), "{body}");
        }
    }

    #[test]
    fn fields_of_two_objects_are_never_mixed() {
        let body = format!(r#"{{"request_id":"{ID}","decision":{{"verdict":"approve"}}}}"#);
        assert_eq!(read(&body).standing.request_id, None);
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for body in [
            "",
            "[]",
            "true",
            "<html>COMMITTED</html>",
            r#"{"status":"COMMITTED","status":"FAILED"}"#,
            r#"{"status":1,"verdict":[],"decision":7,"request_id":{}}"#,
            r#"{"request_id":"../../x","status":null}"#,
            &"[".repeat(60_000),
        ] {
            assert_eq!(read(body).standing, Standing::default(), "{body}");
        }
    }

    #[test]
    fn the_words_are_the_servers() {
        for (body, words) in [
            (r#"{"title":"Conflict","detail":"decided\u001b[2J"}"#, Some("decided\u{1b}[2J")),
            (r#"{"error":{"message":"no"}}"#, Some("no")),
            (r#"{"message":"m","error":"e"}"#, Some("m")),
            ("  plain  ", Some("plain")),
            ("<html>no</html>", None),
            ("{}", None),
        ] {
            assert_eq!(read(body).detail, words.map(Untrusted::from), "{body}");
        }
    }
}
