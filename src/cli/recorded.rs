//! The journal that a command works with, and what it already holds of a decision that is about to be made: nothing, this
//! very decision, or another one under the same key.

use crate::client::AegisClient;
use crate::domain::{Outcome, Visible};
use crate::journal::{self, Entry, Holder, Intent, Journal, JournalError, Stage};
use anyhow::bail;
use std::path::{Path, PathBuf};

/// A decision that is about to be made, beside what the journal holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Planned {
    /// To be recorded.
    New(Box<Intent>),
    /// Recorded by an earlier run.
    Known(Box<Entry>),
}

impl Planned {
    /// Looks for it in the journal. `Err` within: another decision stands there under this key, and it may have had an
    /// effect.
    pub(super) fn of(journal: &Journal, intent: Intent) -> Result<Result<Self, Box<Entry>>, JournalError> {
        let found = journal.by_key(intent.tenant_id.as_deref(), &intent.thread_id, &intent.key)?;
        Ok(match found {
            None => Ok(Self::New(intent.into())),
            Some(entry) if matches!(entry.stage, Stage::Dropped | Stage::Returned) => {
                Ok(Self::New(intent.into()))
            }
            Some(entry) if is_same(&entry.intent, &intent) => Ok(Self::Known(entry.into())),
            Some(entry) if had_no_effect(&entry) => Ok(Self::New(intent.into())),
            Some(entry) => Err(entry.into()),
        })
    }

    pub(super) fn intent(&self) -> &Intent {
        match self {
            Self::New(intent) => intent,
            Self::Known(entry) => &entry.intent,
        }
    }
}

/// Whether they say the same about the same. The bytes of a decision on a queue's action hold the time of it, but its
/// digest says what was decided on.
pub(super) fn is_same(one: &Intent, other: &Intent) -> bool {
    let about = match (one.digest, other.digest) {
        (Some(digest), Some(other)) => digest == other,
        _ => one.body == other.body,
    };
    about && one.verdict == other.verdict && one.base_url == other.base_url
}

fn had_no_effect(entry: &Entry) -> bool {
    let outcome = entry.resolution.as_ref().map(|resolution| &resolution.outcome);
    entry.stage == Stage::Ended && matches!(outcome, Some(Outcome::NotSent | Outcome::Refused))
}

/// What the journal holds instead, for a sentence.
pub(super) fn instead(entry: &Entry) -> String {
    let Intent { verdict, request_id, base_url, .. } = &entry.intent;
    let url = Visible::of(base_url).plain();
    format!(
        "the journal holds another decision under this key ({verdict}, request id {request_id}, for {url})"
    )
}

/// How the journal names this client's server; the dispatcher names it so too.
pub(super) fn base_url(client: &AegisClient) -> String {
    client.base_url().as_str().trim_end_matches('/').to_owned()
}

/// The journal's file: the one that was given, else the server's own.
///
/// # Errors
/// There is no directory to keep it in.
pub(super) fn path(given: Option<&Path>, client: &AegisClient) -> anyhow::Result<PathBuf> {
    match given {
        Some(path) => Ok(path.to_owned()),
        None => Ok(journal::default_path(client.base_url().as_str())?),
    }
}

/// Opens the journal, to carry out what is in it, or to hand that to the process that does already.
///
/// # Errors
/// It cannot be opened, or another process carries it out for another server.
pub(super) fn open(path: &Path, client: &AegisClient) -> anyhow::Result<Journal> {
    let journal = Journal::open(path)?;
    let server = base_url(client);
    if journal.is_dispatcher() {
        journal.carries_for(&server);
    } else if let Some(Holder { process, server: Some(theirs) }) = journal.holder()
        && theirs != server
    {
        bail!(
            "another aegis-console (process {process}) carries out the decisions in {} for {}, and not for {}: give another file with --journal",
            Visible::of(&path.to_string_lossy()).plain(),
            Visible::of(&theirs).plain(),
            Visible::of(&server).plain(),
        );
    }
    Ok(journal)
}

/// A client that is not asked to send anything: for the server's name alone.
///
/// # Errors
/// The base URL cannot be used.
pub(super) fn nobody(url: &str) -> anyhow::Result<AegisClient> {
    Ok(AegisClient::builder().base_url(url).build()?)
}
