//! Writing a sealed text. The payload and the claims go in byte for byte; nothing here judges or reads them.

use super::Source;
use crate::domain::json::quote;
use crate::domain::{Risk, timestamp};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

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
    /// The way that it came in, where the agent says so; nothing is written of none.
    pub source: Option<&'a Source>,
    /// How many reviewers must approve.
    pub reviewers_needed: u32,
    /// How long a decision is held at least before it is sent, in whole seconds; nothing is written of none.
    pub grace: Duration,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Draft<'_> {
    /// Writes the sealed text. [`Action::read`](super::Action::read) reads it back.
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
        if let Some(source) = self.source {
            member("source", &source.seal());
        }
        member("reviewers_needed", &self.reviewers_needed.to_string());
        if self.grace > Duration::ZERO {
            member("grace_s", &self.grace.as_secs().to_string());
        }
        member("created_at", &quote(&timestamp::format(self.created_at)));
        member("expires_at", &quote(&timestamp::format(self.expires_at)));
        out.push('}');
        out
    }
}
