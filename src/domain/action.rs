//! An action as it was sealed: every field that a reviewer judges by, fixed for ever when the action is created.
//!
//! One JSON text is written once by the gateway ([`Draft::seal`]), its bytes are kept, the digest is over those bytes,
//! and everything that is shown is parsed from those bytes ([`Action::read`]). This file must not change a byte of a
//! payload, and must not fill in what a reviewer would take for the agent's word.

use super::json::{self, JsonError, Limits, Value, quote};
use super::{Digest, Risk, Untrusted, timestamp};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

/// The members of a sealed text, version 1 (wire.md, part 3).
const FIELDS: [&str; 18] = [
    "v",
    "id",
    "tenant_id",
    "thread_id",
    "idempotency_key",
    "agent",
    "action",
    "server",
    "payload",
    "summary",
    "rationale",
    "claims",
    "risk",
    "risk_reasons",
    "labels",
    "reviewers_needed",
    "created_at",
    "expires_at",
];

/// An action that waits for a decision, read from its sealed bytes. Every text in it may be hostile: nothing here can
/// be drawn before it has been made [`Visible`](super::Visible).
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The sealed text, byte for byte.
    pub sealed: Arc<str>,
    /// The digest over those bytes, computed here.
    pub digest: Digest,
    /// The action's id; in the gateway's queue the UUID of the AAP request.
    pub id: String,
    /// The tenant that it belongs to.
    pub tenant_id: Untrusted,
    /// The conversation, run or order that it belongs to.
    pub thread_id: Untrusted,
    /// What every decision on this action is sent under, whoever decides.
    pub idempotency_key: String,
    /// The name of the agent's credential.
    pub agent: Untrusted,
    /// What the agent wants to do: the name of the tool.
    pub name: Untrusted,
    /// The tool's server, where it has one.
    pub server: Option<Untrusted>,
    /// The agent's words on what it is about.
    pub summary: Option<Untrusted>,
    /// The agent's words on why.
    pub rationale: Option<Untrusted>,
    /// How much harm it could do.
    pub risk: Risk,
    /// Why the risk is what it is.
    pub risk_reasons: Vec<Untrusted>,
    /// Names and values for filters.
    pub labels: Vec<(Untrusted, Untrusted)>,
    /// How many reviewers must approve.
    pub reviewers_needed: u32,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Undecided at this time, it expires and does not run.
    pub expires_at: Timestamp,
    /// Members of the sealed text that this version does not know, `claims` among them, to be shown as they stand.
    pub others: Vec<(Untrusted, Range<usize>)>,
    payload: Range<usize>,
}

/// Why a sealed text could not be read as an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableAction {
    /// It is not JSON that we take.
    #[error("not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// It is JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A field is missing that every action has.
    #[error("the field {0:?} is missing")]
    Missing(&'static str),
    /// A field has a value of the wrong form.
    #[error("the field {field:?} must be {expected}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// The digest that came with it is not the digest of its bytes.
    #[error("the digest given is not that of the bytes given")]
    DigestDiffers,
}

impl Action {
    /// Reads a sealed text and computes its digest.
    pub fn read(sealed: impl Into<Arc<str>>) -> Result<Self, UnreadableAction> {
        let sealed = sealed.into();
        let value = json::parse_unique(sealed.as_bytes(), Limits::SEALED)?;
        let members = value.as_object().ok_or(UnreadableAction::NotAnObject)?;
        let fields = Fields { value: &value };
        match &fields.required("v")?.kind {
            json::Kind::Number(version) if version == "1" => {}
            _ => {
                return Err(UnreadableAction::Wrong {
                    field: "v",
                    expected: "1, the version this program knows",
                });
            }
        }
        let payload = fields.required("payload")?;
        if payload.as_object().is_none() {
            return Err(UnreadableAction::Wrong { field: "payload", expected: "an object" });
        }
        let action = Self {
            digest: Digest::of(sealed.as_bytes()),
            id: fields.id("id")?,
            tenant_id: fields.text("tenant_id")?.into(),
            thread_id: fields.text("thread_id")?.into(),
            idempotency_key: fields.key("idempotency_key")?,
            agent: fields.text("agent")?.into(),
            name: fields.text("action")?.into(),
            server: fields.optional_text("server")?,
            summary: fields.optional_text("summary")?,
            rationale: fields.optional_text("rationale")?,
            risk: fields.risk()?,
            risk_reasons: fields.texts("risk_reasons")?,
            labels: fields.labels()?,
            reviewers_needed: fields.reviewers_needed()?,
            created_at: fields.time("created_at")?,
            expires_at: fields.time("expires_at")?,
            others: members
                .iter()
                .filter(|member| member.name == "claims" || !FIELDS.contains(&member.name.as_str()))
                .map(|member| (member.name.as_str().into(), member.value.span.clone()))
                .collect(),
            payload: payload.span.clone(),
            sealed,
        };
        Ok(action)
    }

    /// The payload exactly as the agent sent it.
    pub fn payload(&self) -> &str {
        &self.sealed[self.payload.clone()]
    }

    /// The text of one of [`others`](Self::others), exactly as it stands.
    pub fn other(&self, span: &Range<usize>) -> &str {
        &self.sealed[span.clone()]
    }
}

/// The members of one sealed object, read field by field with errors that name the field.
struct Fields<'v> {
    value: &'v Value,
}

impl Fields<'_> {
    fn required(&self, field: &'static str) -> Result<&Value, UnreadableAction> {
        self.value.get(field).ok_or(UnreadableAction::Missing(field))
    }

    fn text(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let text = self.required(field)?.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
            .ok_or(UnreadableAction::Wrong { field, expected: "a string that is not empty" })
    }

    fn optional_text(&self, field: &'static str) -> Result<Option<Untrusted>, UnreadableAction> {
        match self.value.get(field) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text.into())),
                None => Err(UnreadableAction::Wrong { field, expected: "a string" }),
            },
        }
    }

    /// An id goes into URLs, so its alphabet is narrow.
    fn id(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let id = self.text(field)?;
        let wrong = UnreadableAction::Wrong { field, expected: "1 to 128 of A-Z a-z 0-9 . _ : -" };
        if is_id(&id) { Ok(id) } else { Err(wrong) }
    }

    /// A key goes into a header, so it is visible ASCII.
    fn key(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let key = self.text(field)?;
        let fits = key.len() <= 255 && key.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong = UnreadableAction::Wrong { field, expected: "1 to 255 visible ASCII characters" };
        if fits { Ok(key) } else { Err(wrong) }
    }

    fn time(&self, field: &'static str) -> Result<Timestamp, UnreadableAction> {
        timestamp::parse(&self.text(field)?)
            .ok_or(UnreadableAction::Wrong { field, expected: "an RFC 3339 time in UTC" })
    }

    fn risk(&self) -> Result<Risk, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "risk", expected: "low, medium, high or critical" };
        self.optional_text("risk")?.map_or(Ok(Risk::default()), |word| word.raw().parse().map_err(|_| wrong))
    }

    fn texts(&self, field: &'static str) -> Result<Vec<Untrusted>, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field, expected: "an array of strings" };
        let Some(value) = self.value.get(field) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|elements| {
            elements.iter().map(|element| element.as_str().map(Untrusted::from)).collect()
        });
        texts.ok_or(wrong)
    }

    fn labels(&self) -> Result<Vec<(Untrusted, Untrusted)>, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "labels", expected: "an object of strings" };
        let Some(value) = self.value.get("labels") else { return Ok(Vec::new()) };
        let pair = |member: &json::Member| Some((member.name.as_str().into(), member.value.as_str()?.into()));
        value.as_object().and_then(|members| members.iter().map(pair).collect()).ok_or(wrong)
    }

    fn reviewers_needed(&self) -> Result<u32, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "reviewers_needed", expected: "a whole number from 1" };
        match self.value.get("reviewers_needed").map(|value| &value.kind) {
            None => Ok(1),
            Some(json::Kind::Number(text)) => text.parse().ok().filter(|&count| count >= 1).ok_or(wrong),
            Some(_) => Err(wrong),
        }
    }
}

/// Whether the text may be an id: `[A-Za-z0-9._:-]{1,128}` (wire.md, part 3).
pub fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

/// What the gateway seals. The payload and the claims are JSON texts as the agent sent them.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The AAP request's id.
    pub id: &'a str,
    /// The tenant of the agent's credential.
    pub tenant_id: &'a str,
    /// The thread that the agent claims, else the id.
    pub thread_id: &'a str,
    /// Derived from the id, one for one.
    pub idempotency_key: &'a str,
    /// The name of the agent's credential.
    pub agent: &'a str,
    /// The AAP `tool`.
    pub action: &'a str,
    /// The AAP `server`, where there is one.
    pub server: Option<&'a str>,
    /// The AAP `arguments`: a JSON object, byte for byte.
    pub payload: &'a str,
    /// The agent's words.
    pub summary: Option<&'a str>,
    /// The agent's words.
    pub rationale: Option<&'a str>,
    /// What the agent's `context` claims: a JSON object, byte for byte.
    pub claims: Option<&'a str>,
    /// The highest of what anybody says.
    pub risk: Risk,
    /// Why.
    pub risk_reasons: &'a [String],
    /// Names and values for filters.
    pub labels: &'a [(String, String)],
    /// How many reviewers must approve.
    pub reviewers_needed: u32,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Draft<'_> {
    /// Writes the sealed text. [`Action::read`] reads it back.
    pub fn seal(&self) -> String {
        let mut out = String::with_capacity(self.payload.len() + 1024);
        out.push_str("{\"v\":1");
        let mut member = |name: &str, json: &str| {
            // Writing to a String cannot fail.
            let _ = write!(out, ",{}:{json}", quote(name));
        };
        member("id", &quote(self.id));
        member("tenant_id", &quote(self.tenant_id));
        member("thread_id", &quote(self.thread_id));
        member("idempotency_key", &quote(self.idempotency_key));
        member("agent", &quote(self.agent));
        member("action", &quote(self.action));
        for (name, text) in
            [("server", self.server), ("summary", self.summary), ("rationale", self.rationale)]
        {
            if let Some(text) = text {
                member(name, &quote(text));
            }
        }
        member("payload", self.payload);
        if let Some(claims) = self.claims {
            member("claims", claims);
        }
        member("risk", &quote(self.risk.word()));
        member("risk_reasons", &serde_json::Value::from(self.risk_reasons).to_string());
        let labels: Vec<_> =
            self.labels.iter().map(|(name, value)| format!("{}:{}", quote(name), quote(value))).collect();
        member("labels", &format!("{{{}}}", labels.join(",")));
        member("reviewers_needed", &self.reviewers_needed.to_string());
        member("created_at", &quote(&timestamp::format(self.created_at)));
        member("expires_at", &quote(&timestamp::format(self.expires_at)));
        out.push('}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &str = r#"{ "to":"a@b.example", "amount": 1.10, "n":9007199254740993 }"#;

    fn sealed() -> String {
        Draft {
            id: "0197a1b2-0000-7000-8000-000000000001",
            tenant_id: "default",
            thread_id: "order-42",
            idempotency_key: "aap:0197a1b2-0000-7000-8000-000000000001",
            agent: "billing-agent",
            action: "send_email",
            server: None,
            payload: PAYLOAD,
            summary: Some("Refund\n\"mail\""),
            rationale: None,
            claims: Some(r#"{"run_id": 7}"#),
            risk: Risk::High,
            risk_reasons: &["the agent says so".into()],
            labels: &[("team".into(), "billing".into())],
            reviewers_needed: 1,
            created_at: "2026-11-23T12:00:00Z".parse().unwrap(),
            expires_at: "2026-11-23T12:10:00Z".parse().unwrap(),
        }
        .seal()
    }

    #[test]
    fn what_is_sealed_reads_back_byte_for_byte() {
        let sealed = sealed();
        let action = Action::read(sealed.as_str()).unwrap();
        assert_eq!(&*action.sealed, sealed);
        assert_eq!(action.digest, Digest::of(sealed.as_bytes()));
        assert_eq!(action.payload(), PAYLOAD);
        assert_eq!(action.summary.as_ref().map(Untrusted::raw), Some("Refund\n\"mail\""));
        assert_eq!((action.risk, action.reviewers_needed), (Risk::High, 1));
        assert_eq!(action.labels, [("team".into(), "billing".into())]);
        let (name, span) = &action.others[0];
        assert_eq!((name.raw(), action.other(span)), ("claims", r#"{"run_id": 7}"#));
    }

    #[test]
    fn every_field_that_is_missing_or_wrong_is_named() {
        let good = sealed();
        for (from, to, names) in [
            ("\"v\":1", "\"v\":2", "\"v\""),
            ("\"id\":\"0197", "\"id\":\"../0197", "\"id\""),
            ("\"agent\":\"billing-agent\"", "\"agent\":\"\"", "\"agent\""),
            ("\"agent\"", "\"Agent\"", "\"agent\" is missing"),
            ("\"risk\":\"high\"", "\"risk\":\"none\"", "\"risk\""),
            ("\"reviewers_needed\":1", "\"reviewers_needed\":0", "\"reviewers_needed\""),
            ("2026-11-23T12:10:00.000000Z", "tomorrow", "\"expires_at\""),
            ("\"idempotency_key\":\"aap", "\"idempotency_key\":\"a p", "\"idempotency_key\""),
            ("\"labels\":{\"team\":\"billing\"}", "\"labels\":{\"team\":1}", "\"labels\""),
            ("\"v\":1", "\"v\":1,\"v\":1", "stands twice"),
            ("\"payload\":{ ", "\"payload\":[{ ", "unexpected"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            let error = Action::read(bad).unwrap_err().to_string();
            assert!(error.contains(names), "{from} -> {to}: {error}");
        }
        assert_eq!(Action::read("[]"), Err(UnreadableAction::NotAnObject));
    }

    #[test]
    fn what_a_queue_file_may_leave_out() {
        let text = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
            "payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z","note":[1]}"#;
        let action = Action::read(text).unwrap();
        assert_eq!((action.risk, action.reviewers_needed), (Risk::Medium, 1));
        assert_eq!(action.others.len(), 1, "an unknown member is kept, to be shown");
    }
}
