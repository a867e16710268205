//! An action as it was sealed: every field that a reviewer judges by, fixed for ever when the action is created.
//!
//! One JSON text is written once by the gateway ([`Draft::seal`]), its bytes are kept, the digest is over those bytes,
//! and everything that is shown is parsed from those bytes ([`Action::read`]). What cannot be read is an action too, of
//! which only the text can be shown ([`Action::unreadable`]). Nothing here may change a byte of a payload, or fill in
//! what a reviewer would take for the agent's word.

mod draft;
mod fields;
mod source;
mod unreadable;

pub use draft::Draft;
pub use fields::{LONGEST_GRACE, UnreadableAction, is_id};
pub use source::{BadSource, Covers, Silence, Source};
pub use unreadable::Unreadable;

use super::findings::{self, Finding};
use super::json::{self, Limits};
use super::{Digest, Risk, Untrusted};
use fields::{FIELDS, Fields};
use jiff::Timestamp;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

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
    /// How much harm it could do: what was sealed, or more where what was found in it says so.
    pub risk: Risk,
    /// The risk that was sealed.
    pub sealed_risk: Risk,
    /// What was found in what it shows: why the risk may be higher than what was sealed.
    pub findings: Vec<Finding>,
    /// Why it cannot be read, where that is so; then only its text can be shown, and it can only be rejected.
    pub unreadable: Option<Unreadable>,
    /// Why the sealed risk is what it is.
    pub risk_reasons: Vec<Untrusted>,
    /// Names and values for filters.
    pub labels: Vec<(Untrusted, Untrusted)>,
    /// The way that it came in, and what that way can carry, where whoever asked says so.
    pub source: Option<Source>,
    /// How many reviewers must approve.
    pub reviewers_needed: u32,
    /// How long a decision on it is held at least, so that it can be taken back.
    pub grace: Duration,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Undecided at this time, it expires: what then, [`silence`](Self::silence) says.
    pub expires_at: Timestamp,
    /// Members of the sealed text that this version does not know, `claims` among them, to be shown as they stand.
    pub others: Vec<(Untrusted, Range<usize>)>,
    payload: Range<usize>,
}

impl Action {
    /// Reads a sealed text, computes its digest and looks at what it shows.
    ///
    /// # Errors
    /// [`UnreadableAction`]: then [`Action::unreadable`] is what can be shown of it.
    pub fn read(sealed: impl Into<Arc<str>>) -> Result<Self, UnreadableAction> {
        Self::read_value(sealed).map(|(action, _)| action)
    }

    /// [`read`](Self::read), with the JSON that it was read from, for what else wants to look at it.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_value(sealed: impl Into<Arc<str>>) -> Result<(Self, json::Value), UnreadableAction> {
        let sealed = sealed.into();
        let value = json::parse(sealed.as_bytes(), Limits::SEALED)?;
        let members = value.as_object().ok_or(UnreadableAction::NotAnObject)?;
        let fields = Fields { value: &value };
        fields.unique()?;
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
        let risk = fields.risk()?;
        let others = || {
            let is_other = |member: &&json::Member| match member.name.as_str() {
                "claims" => true,
                "source" => Source::has_more(&member.value),
                name => !FIELDS.contains(&name),
            };
            members.iter().filter(is_other)
        };
        let mut action = Self {
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
            risk,
            sealed_risk: risk,
            findings: Vec::new(),
            unreadable: None,
            risk_reasons: fields.texts("risk_reasons")?,
            labels: fields.labels()?,
            source: fields.source()?,
            reviewers_needed: fields.reviewers_needed()?,
            grace: fields.grace()?,
            created_at: fields.time("created_at")?,
            expires_at: fields.time("expires_at")?,
            others: others().map(|member| (member.name.as_str().into(), member.value.span.clone())).collect(),
            payload: payload.span.clone(),
            sealed: Arc::clone(&sealed),
        };
        for finding in findings::of(&action, payload, others()) {
            action.found(finding);
        }
        Ok((action, value))
    }

    /// Takes in what was found about it, here or by somebody who knows more (a look-alike name): the risk goes up where
    /// that asks for it, and never down.
    pub fn found(&mut self, finding: Finding) {
        self.risk = self.risk.max(finding.kind.raises());
        self.findings.push(finding);
    }

    /// What happens when nobody decides. Where nothing says, it is not run: no tool runs on an approval that was not given.
    pub fn silence(&self) -> Silence {
        self.source.as_ref().map(|source| source.silence).unwrap_or_default()
    }

    /// Whether one yes covers more than this call.
    pub fn covers_many_calls(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.covers == Covers::ManyCalls)
    }

    /// The source that cannot carry a reviewer's words back, where it says that it cannot.
    pub fn mute(&self) -> Option<&Untrusted> {
        self.source.as_ref().filter(|source| !source.reason).map(|source| &source.name)
    }

    /// How many characters of all that it shows are not drawn as they are, or not at all.
    pub fn hidden_characters(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind.hides()).map(|finding| finding.count).sum()
    }

    /// The payload exactly as the agent sent it; the whole text, where the action cannot be read.
    pub fn payload(&self) -> &str {
        &self.sealed[self.payload.clone()]
    }

    /// The text of one of [`others`](Self::others), exactly as it stands.
    pub fn other(&self, span: &Range<usize>) -> &str {
        &self.sealed[span.clone()]
    }
}

#[cfg(test)]
mod tests;
