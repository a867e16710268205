//! The list of what waits for a decision: entries by id, their order, and a cursor that is held by id and digest.
//!
//! A new arrival never moves the row under the cursor; when that row goes, the cursor rests on nothing until the next
//! move. What an entry's change means for a decision is not known here.

pub mod floods;
mod list;
mod marks;
mod named;
pub(super) mod view;

#[cfg(test)]
mod tests;

use self::floods::{Flood, Floods};
use self::list::Cursor;
use crate::console::widgets::Scroll;
use crate::domain::lookalike::Names;
use crate::domain::{Action, ActionState, Digest, Queued, Untrusted};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What waits for a decision.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    entries: HashMap<String, Queued>,
    /// The rows, in order: by deadline, then by what they are.
    order: Vec<(Timestamp, RowKey)>,
    /// How many entries wait with no decision on its way, in rows of their own or not.
    waiting: usize,
    floods: Floods,
    /// The names seen so far, to tell those that look like them.
    names: Names,
    /// Entries that are not listed, because a decision on them is on its way.
    out: HashSet<String>,
    /// Whether a listing is complete, and the link has held since. Then nothing needs to be kept for the next one.
    listed: bool,
    /// Entries that were settled while a listing was not complete: an older page must not bring them back.
    settled: HashSet<String>,
    /// Entries that were told live while a listing was not complete, which that listing may not name.
    fresh: HashSet<String>,
    cursor: Option<Cursor>,
    /// What is marked, by id and digest.
    marks: HashMap<String, Digest>,
    /// Where the cursor was when its row went.
    near: usize,
    /// Whether the cursor was ever on something: the first arrival gets it, no later one does.
    started: bool,
    /// Whether the reviewer has ever moved the cursor: until then the first rows of all are worth more than the line
    /// that the first of them came to stand on.
    moved: bool,
    scroll: Scroll,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RowKey {
    /// What this agent asked too fast.
    Flood(Untrusted),
    /// The action with this id.
    Action(String),
}

/// A row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// One action.
    Action(&'a Queued),
    /// What one agent asked faster than anybody could read.
    Flood {
        /// The agent.
        agent: &'a Untrusted,
        /// What of it waits.
        flood: &'a Flood,
    },
}

/// What news of one entry came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It is new and waits.
    Arrived,
    /// Nothing that the list shows has changed.
    Unchanged,
    /// It waited and no longer does: the entry as it now stands.
    Settled(Box<Queued>),
    /// It bears the id of a known action, and other bytes: the known one stays.
    Differs,
}

impl Queue {
    /// Takes in news of one entry. `live` where it was told as it happened, not by a listing.
    pub fn apply(&mut self, mut entry: Queued, live: bool) -> Applied {
        let id = entry.action.id.clone();
        if live && !self.listed {
            self.fresh.insert(id.clone());
        }
        let Some(known) = self.entries.get_mut(&id) else {
            if entry.state != ActionState::Pending {
                self.remember_settled(&id);
                return Applied::Unchanged;
            }
            if self.settled.contains(&id) {
                return Applied::Unchanged;
            }
            self.floods.arrived(&entry.action);
            let alike = self.names.look_at(&entry.action);
            if !alike.is_empty() {
                let action = Arc::make_mut(&mut entry.action);
                alike.into_iter().for_each(|finding| action.found(finding));
            }
            if !self.out.contains(&id) {
                self.enlist(&entry.action);
            }
            self.entries.insert(id, entry);
            return Applied::Arrived;
        };
        if known.action.digest != entry.action.digest {
            return Applied::Differs;
        }
        known.merge(&entry);
        if known.state == ActionState::Pending {
            return Applied::Unchanged;
        }
        match self.forget(&id) {
            Some(entry) => Applied::Settled(Box::new(entry)),
            None => Applied::Unchanged,
        }
    }

    /// An entry has other bytes than those known under its id, and is to be taken in as it is: as one that nobody has
    /// seen.
    pub fn replace(&mut self, entry: Queued) {
        let id = entry.action.id.clone();
        if self.entries.get(&id).is_some_and(|known| known.action.digest == entry.action.digest) {
            return;
        }
        self.forget(&id);
        self.settled.remove(&id);
        self.apply(entry, true);
    }

    /// The action that is known under this id.
    pub fn known(&self, id: &str) -> Option<&Action> {
        self.entries.get(id).map(|entry| &*entry.action)
    }

    /// A listing is complete: returns the entries that waited and that it does not name.
    pub fn complete(&mut self, pending: &HashSet<String>) -> Vec<Queued> {
        let gone: Vec<_> = self
            .entries
            .keys()
            .filter(|id| !pending.contains(*id) && !self.fresh.contains(*id))
            .cloned()
            .collect();
        self.settled.clear();
        self.fresh.clear();
        self.listed = true;
        gone.iter().filter_map(|id| self.forget(id)).collect()
    }

    /// The link broke: what waits is as the next listing says, not as it was told before.
    pub fn unlinked(&mut self) {
        self.listed = false;
        self.fresh.clear();
    }

    fn remember_settled(&mut self, id: &str) {
        if !self.listed {
            self.settled.insert(id.to_owned());
        }
    }

    /// Entries whose time is over, taken out of the list. For sources without a server to say so.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Queued> {
        let over = self.order.iter().take_while(|(expires_at, _)| *expires_at <= now);
        let mut ids: Vec<_> = over
            .filter_map(|(_, key)| if let RowKey::Action(id) = key { Some(id.clone()) } else { None })
            .collect();
        ids.extend(self.floods.expired(now));
        ids.iter()
            .filter_map(|id| self.forget(id))
            .map(|entry| Queued { state: ActionState::Expired, ..entry })
            .collect()
    }

    fn forget(&mut self, id: &str) -> Option<Queued> {
        let action = Arc::clone(&self.entries.get(id)?.action);
        self.remember_settled(id);
        if !self.out.remove(id) {
            self.delist(&action);
        }
        self.floods.gone(&action);
        self.entries.remove(id)
    }

    /// Takes an entry out of the list while a decision on it is on its way; also one that is not known yet, because
    /// the decision was found in the journal.
    pub fn take_out(&mut self, id: &str) {
        if self.out.insert(id.to_owned())
            && let Some(action) = self.entries.get(id).map(|entry| Arc::clone(&entry.action))
        {
            self.delist(&action);
        }
    }

    /// Puts an entry back in the list: the decision on it came to nothing, and it still waits.
    pub fn put_back(&mut self, id: &str) {
        if self.out.remove(id)
            && let Some(action) = self.entries.get(id).map(|entry| Arc::clone(&entry.action))
        {
            self.enlist(&action);
        }
    }

    /// Whether the entry is known to wait, listed or with a decision on its way.
    pub fn is_pending(&self, id: &str) -> bool {
        self.entries.contains_key(id)
    }

    /// What waits and stands under an agent's row, by deadline.
    pub fn flooded(&self, agent: &Untrusted) -> Vec<Arc<Action>> {
        let ids = self.floods.get(agent).into_iter().flat_map(Flood::ids);
        ids.filter_map(|(_, id)| self.entries.get(id)).map(|entry| Arc::clone(&entry.action)).collect()
    }

    /// How often an agent may ask within a minute before what it asks is gathered under one row.
    pub fn set_flood_limit(&mut self, limit: usize) {
        self.floods.limit = limit;
    }
}
