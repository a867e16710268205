//! One line of a batch: which key, whose, what is decided. Read strictly: a member that is not known may be a misspelt
//! one, and a payload that was left out by mistake must not be approved as an empty one.

use crate::client::{AegisClient, ClientError, DecisionCall};
use crate::domain::json::{self, JsonError, Limits, Value};
use crate::domain::{Untrusted, Verdict};

/// What one line asks for. Nothing in it has been checked against what the wire can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: String,
    pub(super) tenant: Option<String>,
    pub(super) thread: String,
    pub(super) verdict: Verdict,
    /// The payload's own bytes.
    pub(super) payload: String,
}

/// Why a line cannot be used. Its words are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadLine {
    #[error("it is not valid JSON: {0}")]
    Json(#[from] JsonError),
    #[error(
        "it must be a JSON object with key, thread, decision and, where they are needed, tenant and payload"
    )]
    NotAnObject,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} must be a string")]
    NotText(&'static str),
    #[error("decision must be \"approve\" or \"reject\"")]
    NoVerdict,
    #[error("there is no member {}; a line has key, tenant, thread, decision and payload", visible(.0))]
    Unknown(String),
    #[error("{0}")]
    Call(#[from] ClientError),
    #[error("line {0} has the same tenant, thread and key and says something else")]
    Contradicts(usize),
    #[error("{0}: a key is decided once")]
    Decided(String),
}

fn visible(text: &str) -> String {
    Untrusted::from(text).visible().cut(64).plain()
}

impl Line {
    /// Reads a line.
    pub(super) fn read(text: &str) -> Result<Self, BadLine> {
        let value = json::parse_unique(text.as_bytes(), Limits::SEALED)?;
        let members = value.as_object().ok_or(BadLine::NotAnObject)?;
        let known = ["key", "tenant", "thread", "decision", "payload"];
        if let Some(member) = members.iter().find(|member| !known.contains(&member.name.as_str())) {
            return Err(BadLine::Unknown(member.name.clone()));
        }
        let optional = |name: &'static str| match value.get(name).filter(|value| !value.is_null()) {
            Some(value) => value.as_str().map(|text| Some(text.to_owned())).ok_or(BadLine::NotText(name)),
            None => Ok(None),
        };
        let needed = |name: &'static str| optional(name)?.ok_or(BadLine::Missing(name));
        let word = needed("decision")?;
        // Not by `FromStr`, which takes more words than these two.
        let verdict = [Verdict::Approve, Verdict::Reject].into_iter().find(|verdict| verdict.word() == word);
        let payload = value.get("payload").filter(|value: &&Value| !value.is_null());
        Ok(Self {
            key: needed("key")?,
            tenant: optional("tenant")?,
            thread: needed("thread")?,
            verdict: verdict.ok_or(BadLine::NoVerdict)?,
            payload: payload.map_or("{}", |payload| payload.text(text)).to_owned(),
        })
    }

    /// The call that carries it out.
    pub(super) fn call(&self, client: &AegisClient) -> DecisionCall {
        let call = client.decide(self.verdict, &*self.key).thread_id(&self.thread).payload(&*self.payload);
        match &self.tenant {
            Some(tenant) => call.tenant_id(tenant),
            None => call,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_its_payload_keeps_its_bytes() {
        let whole = r#"{"key":"k","tenant":"t","thread":"h","decision":"reject","payload":{ "n": 1.10 }}"#;
        let line = Line::read(whole).unwrap();
        assert_eq!(line.payload, r#"{ "n": 1.10 }"#);
        assert_eq!((line.verdict, line.tenant.as_deref()), (Verdict::Reject, Some("t")));
        let least = Line::read(r#"{"key":"k","thread":"h","decision":"approve","tenant":null}"#).unwrap();
        assert_eq!((least.payload.as_str(), least.tenant, least.verdict), ("{}", None, Verdict::Approve));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("", "not valid JSON"),
            ("[]", "JSON object"),
            (r#"{"thread":"h","decision":"approve"}"#, "key is missing"),
            (r#"{"key":"k","decision":"approve"}"#, "thread is missing"),
            (r#"{"key":"k","thread":"h"}"#, "decision is missing"),
            (r#"{"key":"k","thread":"h","decision":"approved"}"#, "\"approve\" or \"reject\""),
            (r#"{"key":7,"thread":"h","decision":"approve"}"#, "key must be a string"),
            (r#"{"key":"k","thread":"h","decision":"approve","paylaod":{}}"#, "no member paylaod"),
            (r#"{"key":"k","thread":"h","decision":"approve","\u001b[2J":{}}"#, "no member ␛[2J"),
            (r#"{"key":"k","key":"l","thread":"h","decision":"approve"}"#, "not valid JSON"),
        ] {
            let error = Line::read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
