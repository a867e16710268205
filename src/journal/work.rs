//! What is written: decisions recorded, steps noted. Everything is checked before the first row of it is written, so
//! that a job that is refused changes nothing, and an error of SQLite is always one of the disk.

use super::entry::Intent;
use super::error::JournalError;
use super::progress::Progress;
use super::rows;
use super::stage::Step;
use crate::domain::Try;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use url::Url;
use uuid::Uuid;

/// Decisions that are forgotten in one commit: others are not to wait for it.
const PORTION: usize = 256;

/// A piece of work, whole or not at all.
#[derive(Debug)]
pub(super) enum Work {
    /// Decisions that were made together.
    Record(Vec<Intent>),
    /// What happened to decisions, in order.
    Note(Vec<(Uuid, Step)>),
    /// A portion of what ended before then, and needs nobody any more, may be forgotten.
    Prune(Timestamp),
    /// This process carries the decisions out from now on.
    TakeOver,
}

impl Work {
    /// What is done by it, in the words of its steps.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        let (whole, steps): (_, &[_]) = match self {
            Self::Record(_) => (Some("recorded"), &[]),
            Self::Note(steps) => (None, steps),
            Self::Prune(_) => (Some("pruned"), &[]),
            Self::TakeOver => (Some("taken over"), &[]),
        };
        whole.into_iter().chain(steps.iter().map(|(_, step)| step.word()))
    }
}

/// Why a piece of work is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is wrong; nothing of it was written.
    Wrong(JournalError),
    /// The disk failed, and with it all that was to be committed.
    Disk(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        Self::Wrong(error)
    }
}

/// Does it within the open transaction. `dispatching` says whether this process carries the decisions out.
pub(super) fn run(db: &Connection, work: &Work, dispatching: bool, now: Timestamp) -> Result<(), Refusal> {
    match work {
        Work::Record(intents) => record(db, intents, now),
        Work::Note(steps) => note(db, steps, dispatching, now),
        Work::Prune(before) => Ok(rows::prune(db, *before, PORTION)?),
        Work::TakeOver => Ok(rows::doubt_what_was_being_sent(db, now)?),
    }
}

fn record(db: &Connection, intents: &[Intent], now: Timestamp) -> Result<(), Refusal> {
    let (mut ids, mut keys) = (HashSet::new(), HashMap::new());
    for intent in intents {
        refuse_credential(&intent.base_url)?;
        if !ids.insert(intent.id) || rows::is_known(db, intent)? {
            return Err(JournalError::Duplicate(intent.id).into());
        }
        if !ids.insert(intent.request_id) && intent.request_id != intent.id {
            return Err(JournalError::Duplicate(intent.id).into());
        }
        let key = (&intent.base_url, &intent.tenant_id, &intent.thread_id, &intent.key);
        let holder = match keys.insert(key, intent.id) {
            Some(by) => Some((by, Progress::new(intent.hold_until.is_some()).stage)),
            None => rows::holder_of_key(db, intent)?,
        };
        if let Some((by, stage)) = holder {
            return Err(JournalError::KeyTaken { key: intent.key.clone(), by, stage }.into());
        }
    }
    intents.iter().try_for_each(|intent| rows::insert(db, intent, now))?;
    Ok(())
}

/// No secret is ever written: a URL may hold one before its host.
fn refuse_credential(base_url: &str) -> Result<(), JournalError> {
    let clean = match Url::parse(base_url) {
        Ok(url) => url.username().is_empty() && url.password().is_none(),
        Err(_) => !base_url.contains('@'),
    };
    if clean { Ok(()) } else { Err(JournalError::BaseUrl("…".into())) }
}

/// Where a decision stands while its steps are being checked, and the tries to append.
struct Noted<'a> {
    seq: i64,
    now: Progress,
    tries: Vec<&'a Try>,
}

fn note(db: &Connection, steps: &[(Uuid, Step)], dispatching: bool, now: Timestamp) -> Result<(), Refusal> {
    let mut noted: HashMap<Uuid, Noted<'_>> = HashMap::new();
    for (id, step) in steps {
        let id = *id;
        if !dispatching && step.is_the_dispatchers() {
            return Err(JournalError::NotDispatcher { id, step: step.word() }.into());
        }
        if let std::collections::hash_map::Entry::Vacant(free) = noted.entry(id) {
            let (seq, now) = rows::standing(db, id)?.ok_or(JournalError::Unknown(id))?;
            free.insert(Noted { seq, now, tries: Vec::new() });
        }
        let Some(entry) = noted.get_mut(&id) else { continue };
        let refused = || JournalError::NotAllowed { id, stage: entry.now.stage, step: step.word() };
        let after = entry.now.after(step).ok_or_else(refused)?;
        if after.holds_key()
            && !entry.now.holds_key()
            && let Some((key, (by, stage))) = rows::rival(db, entry.seq)?
        {
            return Err(JournalError::KeyTaken { key, by, stage }.into());
        }
        entry.now = after;
        if let Step::Tried(one, _) = step {
            entry.tries.push(one);
        }
    }
    for entry in noted.values() {
        rows::save(db, entry.seq, &entry.now, now)?;
        entry.tries.iter().try_for_each(|one| rows::append_try(db, entry.seq, one))?;
    }
    Ok(())
}
