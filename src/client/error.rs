//! What is wrong with a call before anything is sent, and what a transport says when no whole answer came.
//!
//! No message here may hold a secret, or a text of a server that has not been made visible.

use crate::domain::Visible;
use crate::domain::json::JsonError;
use std::fmt;

/// Why a call was not made. Nothing has been sent when one of these is returned, except for
/// [`ClientError::Transport`], which only a status call gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Neither an API key nor a tenant is known.
    #[error("tenant_id is required where there is no API key: set it on the client or on the call")]
    MissingTenant,
    /// No thread is known.
    #[error("thread_id is required: set it on the client or on the call")]
    MissingThread,
    /// [`execute`](super::AegisClient::execute) knows two actions.
    #[error("the action must be 'approve' or 'reject', not {0:?}")]
    UnknownAction(String),
    /// The key cannot be sent in its header.
    #[error("the idempotency key must be 1 to 255 visible ASCII characters")]
    BadKey,
    /// A value cannot be sent in its header.
    #[error("{0} cannot be sent in a header: it must be visible ASCII without blanks at its ends")]
    NotForAHeader(&'static str),
    /// A request id that cannot stand in a path.
    #[error("the request id must be 1 to 128 of A-Z a-z 0-9 . _ : -")]
    BadRequestId,
    /// The payload or body is not a JSON object.
    #[error("the payload must be a JSON object")]
    PayloadNotAnObject,
    /// The payload or body is not JSON that a server would take.
    #[error("the payload is not valid JSON: {0}")]
    BadPayload(#[from] JsonError),
    /// The base URL cannot be used.
    #[error("the base URL {url:?} cannot be used: {problem}")]
    BadBaseUrl {
        /// The URL as it was given; never one that holds a password.
        url: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The prefix or a path cannot be part of a URL.
    #[error("the path {0:?} cannot be used: give something like /api/v1")]
    BadPath(String),
    /// A time of zero would end every call before it starts.
    #[error("the {0} must be more than zero")]
    ZeroTime(&'static str),
    /// The HTTP client cannot be set up, for want of certificates for example.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
    /// The authorities to trust cannot be.
    #[error("the authorities to trust cannot be used: {0}")]
    Authorities(String),
    /// A status call got no whole answer.
    #[error("no answer: {0}")]
    Transport(#[from] TransportError),
}

/// Whether a request may have reached the server although no whole answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportClass {
    /// It never left: the name was not found, nobody listened, TLS failed.
    NotSent,
    /// It may have arrived: the answer was lost, cut, late or not HTTP.
    Lost,
}

/// No whole answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Whether the request may have arrived.
    pub class: TransportClass,
    /// What happened, in plain words. May quote a server; [`Display`](fmt::Display) makes it visible.
    pub words: String,
}

impl TransportError {
    /// The request never left.
    pub fn not_sent(words: impl Into<String>) -> Self {
        Self { class: TransportClass::NotSent, words: words.into() }
    }

    /// The request may have arrived.
    pub fn lost(words: impl Into<String>) -> Self {
        Self { class: TransportClass::Lost, words: words.into() }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Visible::of(&self.words).plain())
    }
}

impl std::error::Error for TransportError {}
