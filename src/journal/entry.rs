//! What the journal keeps of one decision: the intent, which never changes, and how far it is.
//!
//! Plain data. No credential has a place in it: a base URL that holds one is refused when it is recorded.

use super::stage::Stage;
use crate::domain::{Digest, Resolution, Verdict};
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// A decision as it was made. It is on disk before the first byte of it is sent, and it never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The decision's own id.
    pub id: Uuid,
    /// The `X-Request-Id` of every try, over restarts too.
    pub request_id: Uuid,
    /// What was decided.
    pub verdict: Verdict,
    /// The tenant, where the call names one.
    pub tenant_id: Option<String>,
    /// The thread.
    pub thread_id: String,
    /// The `Idempotency-Key` of every try.
    pub key: String,
    /// The server that it is for. It must not hold a user name or a password.
    pub base_url: String,
    /// The exact bytes that every try sends.
    pub body: String,
    /// The action as it was shown, where there was one.
    pub sealed: Option<Arc<str>>,
    /// The digest of those bytes.
    pub digest: Option<Digest>,
    /// What the reviewer wrote.
    pub reason: Option<String>,
    /// Who decided, where the console knows.
    pub reviewer: Option<String>,
    /// When.
    pub decided_at: Timestamp,
    /// Until when it is held and can be taken back; `None` where there is no grace.
    pub hold_until: Option<Timestamp>,
}

/// A decision and how far it is, as it stands on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What was decided.
    pub intent: Intent,
    /// How far it is.
    pub stage: Stage,
    /// Whether it may have landed without anybody knowing. After a restart that is so for everything that was being
    /// sent.
    pub maybe: bool,
    /// When the first try started of those that may have reached the server, where one may have.
    pub reached_at: Option<Timestamp>,
    /// Tries that were started, in all.
    pub tries: u32,
    /// When it goes on by itself, where it waits for a time.
    pub next_at: Option<Timestamp>,
    /// How it ended; `Some` exactly where `stage` is [`Stage::Ended`].
    pub resolution: Option<Resolution>,
    /// Whether the reviewer has seen how it ended.
    pub acknowledged: bool,
    /// Why it was not sent; `Some` exactly where `stage` is [`Stage::Returned`].
    pub returned: Option<String>,
    /// When the journal last wrote any of this.
    pub updated_at: Timestamp,
}
