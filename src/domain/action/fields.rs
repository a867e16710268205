//! The members of a sealed text, read one by one, with errors that name the member.

use super::source::Source;
use crate::domain::json::{self, JsonError, Problem, Value};
use crate::domain::{Risk, Untrusted, timestamp};
use jiff::Timestamp;
use std::time::Duration;

/// The members of a sealed text, version 1 (wire.md, part 3).
pub(super) const FIELDS: [&str; 20] = [
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
    "source",
    "reviewers_needed",
    "grace_s",
    "created_at",
    "expires_at",
];

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
    /// It was read once, and its text cannot be had again as it was.
    #[error("its text cannot be read back: {0}")]
    Lost(String),
    /// The digest that came with it is not the digest of its bytes.
    #[error("the digest given is not that of the bytes given")]
    DigestDiffers,
}

/// The members of one sealed object, read field by field with errors that name the field.
pub(super) struct Fields<'v> {
    pub(super) value: &'v Value,
}

impl Fields<'_> {
    /// No member stands twice, and none of those that are names and values themselves. What the agent sent as JSON may
    /// hold a key twice: that is shown.
    pub(super) fn unique(&self) -> Result<(), UnreadableAction> {
        let of = |name| self.value.get(name).and_then(Value::as_object).unwrap_or_default();
        let members = self.value.as_object().unwrap_or_default();
        match members.iter().chain(of("labels")).chain(of("source")).find(|member| member.duplicate) {
            None => Ok(()),
            Some(member) => {
                let problem = Problem::DuplicateKey(member.name.clone());
                Err(JsonError { at: member.value.span.start, problem }.into())
            }
        }
    }

    pub(super) fn required(&self, field: &'static str) -> Result<&Value, UnreadableAction> {
        self.value.get(field).ok_or(UnreadableAction::Missing(field))
    }

    pub(super) fn text(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let text = self.required(field)?.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
            .ok_or(UnreadableAction::Wrong { field, expected: "a string that is not empty" })
    }

    pub(super) fn optional_text(&self, field: &'static str) -> Result<Option<Untrusted>, UnreadableAction> {
        match self.value.get(field) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text.into())),
                None => Err(UnreadableAction::Wrong { field, expected: "a string" }),
            },
        }
    }

    /// An id goes into URLs, so its alphabet is narrow.
    pub(super) fn id(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let id = self.text(field)?;
        let wrong = UnreadableAction::Wrong { field, expected: "1 to 128 of A-Z a-z 0-9 . _ : -" };
        if is_id(&id) { Ok(id) } else { Err(wrong) }
    }

    /// A key goes into a header, so it is visible ASCII.
    pub(super) fn key(&self, field: &'static str) -> Result<String, UnreadableAction> {
        let key = self.text(field)?;
        let fits = key.len() <= 255 && key.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong = UnreadableAction::Wrong { field, expected: "1 to 255 visible ASCII characters" };
        if fits { Ok(key) } else { Err(wrong) }
    }

    pub(super) fn time(&self, field: &'static str) -> Result<Timestamp, UnreadableAction> {
        timestamp::parse(&self.text(field)?)
            .ok_or(UnreadableAction::Wrong { field, expected: "an RFC 3339 time in UTC" })
    }

    pub(super) fn risk(&self) -> Result<Risk, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "risk", expected: "low, medium, high or critical" };
        self.optional_text("risk")?.map_or(Ok(Risk::default()), |word| word.raw().parse().map_err(|_| wrong))
    }

    pub(super) fn texts(&self, field: &'static str) -> Result<Vec<Untrusted>, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field, expected: "an array of strings" };
        let Some(value) = self.value.get(field) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|elements| {
            elements.iter().map(|element| element.as_str().map(Untrusted::from)).collect()
        });
        texts.ok_or(wrong)
    }

    pub(super) fn labels(&self) -> Result<Vec<(Untrusted, Untrusted)>, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "labels", expected: "an object of strings" };
        let Some(value) = self.value.get("labels") else { return Ok(Vec::new()) };
        let pair = |member: &json::Member| Some((member.name.as_str().into(), member.value.as_str()?.into()));
        value.as_object().and_then(|members| members.iter().map(pair).collect()).ok_or(wrong)
    }

    pub(super) fn source(&self) -> Result<Option<Source>, UnreadableAction> {
        let expected = "an object of name, reason, covers and silence";
        let wrong = |_| UnreadableAction::Wrong { field: "source", expected };
        self.value.get("source").map(Source::read).transpose().map_err(wrong)
    }

    pub(super) fn reviewers_needed(&self) -> Result<u32, UnreadableAction> {
        let wrong = UnreadableAction::Wrong { field: "reviewers_needed", expected: "a whole number from 1" };
        match self.value.get("reviewers_needed").map(|value| &value.kind) {
            None => Ok(1),
            Some(json::Kind::Number(text)) => text.parse().ok().filter(|&count| count >= 1).ok_or(wrong),
            Some(_) => Err(wrong),
        }
    }

    pub(super) fn grace(&self) -> Result<Duration, UnreadableAction> {
        let wrong =
            UnreadableAction::Wrong { field: "grace_s", expected: "a whole number of seconds from 0 to 600" };
        let within = |grace: &Duration| *grace <= LONGEST_GRACE;
        match self.value.get("grace_s").map(|value| &value.kind) {
            None => Ok(Duration::ZERO),
            Some(json::Kind::Number(text)) => {
                text.parse().ok().map(Duration::from_secs).filter(within).ok_or(wrong)
            }
            Some(_) => Err(wrong),
        }
    }
}

/// The longest time for which a sealed action can ask that a decision be held.
pub const LONGEST_GRACE: Duration = Duration::from_secs(600);

/// Whether the text may be an id: `[A-Za-z0-9._:-]{1,128}` (wire.md, part 3).
pub fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}
