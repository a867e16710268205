//! Why a queue cannot be read, in one sentence that names the address and says what to do.

use crate::domain::Untrusted;
use std::fmt;
use std::time::Duration;

/// What is wrong with a source of actions over HTTP. `Display` gives the sentence made visible, for plain output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The address that was asked.
    pub address: String,
    /// What is wrong.
    pub kind: Kind,
}

/// The kinds of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nobody answers; the words of the system.
    Unreachable(String),
    /// Connected, and no answer in that time.
    Slow(Duration),
    /// 401; whether a credential was sent.
    Unauthorized {
        /// Whether one was sent.
        sent: bool,
    },
    /// 403.
    Forbidden,
    /// 404 or 405: another server, or another prefix.
    NoQueue,
    /// 404 for one thing that was asked for, or asked to be changed: what it is, in words that may quote anybody.
    Missing(Untrusted),
    /// A web page.
    Html,
    /// A redirect, with its status.
    Redirect(u16),
    /// Another status, and the server's words.
    Status {
        /// The status.
        status: u16,
        /// What the server says about it.
        words: Untrusted,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// An answer, or one event, larger than that many bytes.
    TooLarge(usize),
    /// The listing is larger than any queue that a person could work through, or has no end.
    Endless,
    /// An answer that is no queue's, and why.
    Garbled(Untrusted),
    /// The connection broke while it was read.
    Broken(String),
    /// The stream of events ended.
    Closed,
    /// Nothing was heard on the stream for that long, not even a sign of life.
    Silent(Duration),
}

impl Trouble {
    /// The sentence. It may quote the server.
    pub fn sentence(&self) -> Untrusted {
        let address = &self.address;
        let token = "name a reviewer's token with --token-file, AEGIS_API_KEY_FILE or AEGIS_API_KEY";
        let text = match &self.kind {
            Kind::Unreachable(words) => format!(
                "no server answers at {address} ({words}): check the address, or start one with `aegis-console serve`"
            ),
            Kind::Slow(time) => format!("{address} gave no answer within {} s", time.as_secs()),
            Kind::Unauthorized { sent: false } => format!("{address} asks for a credential (401): {token}"),
            Kind::Unauthorized { sent: true } => {
                format!("{address} does not know this credential (401): {token}")
            }
            Kind::Forbidden => {
                format!(
                    "{address} does not let this credential see the queue (403): an agent's token will not do, {token}"
                )
            }
            Kind::NoQueue => format!(
                "{address} has no queue (404): for an AEGIS server without one use `review --queue FILE` or `decide --key`"
            ),
            Kind::Missing(what) => format!("{address} has no {} (404)", what.raw()),
            Kind::Html => format!("{address} answers a web page instead of a queue: check the address"),
            Kind::Redirect(status) => {
                format!(
                    "{address} answers with a redirect ({status}), which is never followed: name the address it leads to"
                )
            }
            Kind::Status { status, words, .. } if words.is_empty() => {
                format!("{address} answers {status}")
            }
            Kind::Status { status, words, .. } => format!("{address} answers {status}: {}", words.raw()),
            Kind::TooLarge(limit) => format!("{address} sends more than {limit} bytes at once"),
            Kind::Endless => format!("the queue at {address} is too large to be shown, or never ends"),
            Kind::Garbled(why) => format!("{address} does not answer as a queue does: {}", why.raw()),
            Kind::Broken(words) => format!("the connection to {address} broke: {words}"),
            Kind::Closed => format!("{address} closed the stream of events"),
            Kind::Silent(time) => format!("{address} has been silent for {} s", time.as_secs()),
        };
        text.into()
    }

    /// Whether asking again soon is of no use: a person must change something first.
    pub fn lasts(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unauthorized { .. }
                | Kind::Forbidden
                | Kind::NoQueue
                | Kind::Missing(_)
                | Kind::Html
                | Kind::Redirect(_)
        )
    }

    /// A 404 for one thing says that this thing is not there, not that there is no queue.
    pub(super) fn missing(self, what: impl FnOnce() -> String) -> Self {
        match self.kind {
            Kind::NoQueue => Self { kind: Kind::Missing(what().into()), ..self },
            _ => self,
        }
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            Kind::Status { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence().visible().plain())
    }
}

impl std::error::Error for Trouble {}
