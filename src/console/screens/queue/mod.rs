//! The list of what waits for a decision: entries by id, their order, and a cursor that is held by id and digest.
//!
//! A new arrival never moves the row under the cursor; when that row goes, the cursor rests on nothing until the next
//! move. What an entry's change means for a decision is not known here.
//!
//! | file | what it owns |
//! |---|---|
//! | `entries` | every entry, and its texts for the filter |
//! | `order`, `groups`, `floods` | what comes first, and what stands under a row of its own |
//! | `filter` | what a filter means |
//! | `list` | the lines: what comes and goes |
//! | `asked` | another order, other groups, a filter |
//! | `cursor` | the cursor, and the window on the lines |
//! | `marks` | what is to be decided together |
//! | `named` | the list by id instead of by row |
//! | `note` | what a row says of other reviewers |

mod asked;
mod cursor;
mod entries;
mod filter;
pub mod floods;
mod groups;
mod list;
mod marks;
mod named;
mod note;
mod order;
pub(super) mod view;

#[cfg(test)]
mod tests;

pub use self::filter::Filter;
pub use self::groups::Group;
pub use self::order::{GroupKey, Grouping, Order};

use self::cursor::Cursor;
use self::entries::{Entries, Slot};
use self::floods::Floods;
use self::groups::Groups;
use self::list::Line;
use self::marks::Range;
use crate::config::Filters;
use crate::console::widgets::{Scroll, Search};
use crate::domain::lookalike::Names;
use crate::domain::{Action, ActionState, Finding, Headline, Listed, Queued, Review};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What waits for a decision.
#[derive(Debug, Clone)]
pub struct Queue {
    entries: Entries,
    order: Order,
    grouping: Grouping,
    filter: Filter,
    /// Where the filter is typed.
    search: Search,
    /// Filters that have a name.
    named: Filters,
    /// When the filter was last asked.
    now: Timestamp,
    /// All that waits with no decision on its way, in order.
    sorted: Vec<Slot>,
    /// Which of the entries the filter keeps, by their numbers.
    hits: Vec<bool>,
    /// What shows, in order.
    lines: Vec<Line>,
    groups: Groups,
    /// What has come and is not listed yet, while many come together.
    late: Option<Vec<Slot>>,
    floods: Floods,
    /// The names seen so far, to tell those that look like them.
    names: Names,
    /// What was found in an entry beside what is found in its text.
    found: HashMap<String, Vec<Finding>>,
    /// Entries that are not listed, because a decision on them is on its way.
    out: HashSet<String>,
    /// Whether a listing is complete, and the link has held since. Then nothing needs to be kept for the next one.
    listed: bool,
    /// Entries that were settled while a listing was not complete: an older page must not bring them back.
    settled: HashSet<String>,
    /// Entries that were told live while a listing was not complete, which that listing may not name.
    fresh: HashSet<String>,
    cursor: Option<Cursor>,
    /// What the cursor is on, in full.
    loaded: Option<Arc<Action>>,
    marks: HashSet<Slot>,
    range: Option<Range>,
    /// Where the cursor was when its row went.
    near: usize,
    /// Whether the cursor was ever on something: the first arrival gets it, no later one does.
    started: bool,
    /// Whether the reviewer has ever done anything: until then the first rows of all are worth more than the line that
    /// the first of them came to stand on.
    moved: bool,
    scroll: Scroll,
    /// Whether another pane stands beside the list.
    beside: bool,
    /// No entry expires before this.
    next_expiry: Option<Timestamp>,
}

/// A row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// One action.
    Action {
        /// What is held of it.
        headline: &'a Headline,
        /// Whether it stands under a group's row.
        under: bool,
        /// Whether it is marked.
        marked: bool,
        /// How far it is, where it needs more than one reviewer.
        review: Option<&'a Review>,
    },
    /// Several that stand together.
    Group(&'a Group),
}

impl Row<'_> {
    /// From when its age counts, and when it expires.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Action { headline, .. } => (headline.created_at, headline.expires_at),
            // A group has no age: a moment without an end stands for it.
            Self::Group(group) => (Timestamp::MIN, group.expires_at()),
        }
    }
}

/// What news of one entry came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It is new and waits.
    Arrived,
    /// Nothing that the list shows has changed.
    Unchanged,
    /// Another approval counts, or one counts no more.
    Reviewed,
    /// It waited and no longer does: the entry as it now stands.
    Settled(Box<Queued>),
    /// It bears the id of a known action, and other bytes: the known one stays.
    Differs,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            entries: Entries::default(),
            order: Order::Deadline,
            grouping: Grouping::None,
            filter: Filter::default(),
            search: Search::default(),
            named: Filters::new(),
            now: Timestamp::UNIX_EPOCH,
            sorted: Vec::new(),
            hits: Vec::new(),
            lines: Vec::new(),
            groups: Groups::default(),
            late: None,
            floods: Floods::default(),
            names: Names::default(),
            found: HashMap::new(),
            out: HashSet::new(),
            listed: false,
            settled: HashSet::new(),
            fresh: HashSet::new(),
            cursor: None,
            loaded: None,
            marks: HashSet::new(),
            range: None,
            near: 0,
            started: false,
            moved: false,
            scroll: Scroll::default(),
            beside: false,
            next_expiry: None,
        }
    }
}

impl Queue {
    /// Many entries come together: they are listed when [`all_came`](Self::all_came) says that they are here.
    pub fn many_come(&mut self) {
        self.late.get_or_insert_default();
    }

    /// See [`many_come`](Self::many_come).
    pub fn all_came(&mut self) {
        self.enlist_late();
        self.late = None;
    }

    /// Takes in news of one entry. `live` where it was told as it happened, not by a listing.
    pub fn apply(&mut self, entry: impl Into<Listed>, live: bool) -> Applied {
        let Listed { mut headline, names, state, decision, execution, review } = entry.into();
        let id = &*headline.id().to_owned();
        if live && !self.listed {
            self.fresh.insert(id.to_owned());
        }
        let Some(slot) = self.entries.slot(id) else {
            if state != ActionState::Pending {
                self.remember_settled(id);
                return Applied::Unchanged;
            }
            if self.settled.contains(id) {
                return Applied::Unchanged;
            }
            let flooded = self.floods.arrived(&headline);
            let alike = self.names.look_at(&names);
            if !alike.is_empty() {
                let raised = alike.iter().map(|finding| finding.kind.raises()).max().unwrap_or_default();
                headline.risk = headline.risk.max(raised);
                self.found.insert(id.to_owned(), alike);
            }
            let out = self.out.contains(id);
            self.next_expiry = self.next_expiry.into_iter().chain([headline.expires_at]).min();
            let slot = self.entries.insert(headline, flooded);
            if let Some(entry) = self.entries.get_mut(slot) {
                entry.review = review;
            }
            if !out {
                self.enlist(slot);
            }
            return Applied::Arrived;
        };
        let known = self.entries.get(slot).map(|entry| entry.headline.digest);
        if known != Some(headline.digest) {
            return Applied::Differs;
        }
        if state == ActionState::Pending {
            let entry = self.entries.get_mut(slot).filter(|entry| review.is_some() && entry.review != review);
            let Some(entry) = entry else { return Applied::Unchanged };
            entry.review = review;
            return Applied::Reviewed;
        }
        match self.forget(id) {
            Some(entry) => {
                let review = review.or_else(|| entry.review.clone());
                Applied::Settled(Box::new(Queued { state, decision, execution, review, ..entry }))
            }
            None => Applied::Unchanged,
        }
    }

    /// An entry has other bytes than those known under its id, and is to be taken in as it is: as one that nobody has
    /// seen.
    pub fn replace(&mut self, entry: Queued) {
        let id = entry.action.id.clone();
        let known = self.entries.slot(&id).and_then(|slot| self.entries.get(slot));
        if known.is_some_and(|known| known.headline.digest == entry.action.digest) {
            return;
        }
        self.forget(&id);
        self.settled.remove(&id);
        self.apply(entry, true);
    }

    /// The action that is known under this id, in full.
    pub fn known(&self, id: &str) -> Option<Arc<Action>> {
        let entry = self.entries.get(self.entries.slot(id)?)?;
        Some(self.read(&entry.headline))
    }

    /// The action of a headline, with what was found in it here.
    fn read(&self, headline: &Headline) -> Arc<Action> {
        let mut action = headline.action();
        if let Some(found) = self.found.get(headline.id()) {
            let action = Arc::make_mut(&mut action);
            found.iter().cloned().for_each(|finding| action.found(finding));
        }
        action
    }

    /// A listing is complete: returns the entries that waited and that it does not name.
    pub fn complete(&mut self, pending: &HashSet<String>) -> Vec<Queued> {
        let ids = self.entries.iter().map(|(_, entry)| entry.headline.id());
        let gone = ids.filter(|id| !pending.contains(*id) && !self.fresh.contains(*id));
        let gone: Vec<_> = gone.map(str::to_owned).collect();
        self.all_listed();
        gone.iter().filter_map(|id| self.forget(id)).collect()
    }

    /// A listing is complete, and nothing that waited can have gone meanwhile.
    pub fn all_listed(&mut self) {
        self.settled.clear();
        self.fresh.clear();
        self.listed = true;
        self.begin_at_the_first();
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
        if self.next_expiry.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut over: Vec<_> = self.entries.iter().map(|(_, entry)| &entry.headline).collect();
        over.retain(|headline| headline.expires_at <= now);
        over.sort_by_key(|headline| headline.expires_at);
        // A decision that is on its way ends by its own answer.
        over.retain(|headline| !self.out.contains(headline.id()));
        let ids: Vec<_> = over.into_iter().map(|headline| headline.id().to_owned()).collect();
        let gone: Vec<_> = ids
            .iter()
            .filter_map(|id| self.forget(id))
            .map(|entry| Queued { state: ActionState::Expired, ..entry })
            .collect();
        let left = self.entries.iter().map(|(_, entry)| entry.headline.expires_at);
        self.next_expiry = left.filter(|at| *at > now).min();
        gone
    }

    /// No entry expires before this.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.next_expiry
    }

    fn forget(&mut self, id: &str) -> Option<Queued> {
        let slot = self.entries.slot(id)?;
        self.remember_settled(id);
        if !self.out.remove(id) {
            self.delist(slot);
        }
        let entry = self.entries.remove(slot)?;
        let action = self.read(&entry.headline);
        self.found.remove(id);
        self.compact();
        let (decision, execution, review) = (None, None, entry.review);
        Some(Queued { action, state: ActionState::Pending, decision, execution, review })
    }

    /// Gives the entries new numbers once too many are in vain.
    fn compact(&mut self) {
        let Some(numbers) = self.entries.compact() else { return };
        let new = |slot: &Slot| numbers.get(*slot as usize).copied().flatten();
        self.sorted = self.sorted.iter().filter_map(new).collect();
        self.marks = self.marks.iter().filter_map(new).collect();
        self.late = self.late.take().map(|late| late.iter().filter_map(new).collect());
        self.range = None;
        if let Some(Cursor::Action(slot, _)) = &mut self.cursor {
            match new(slot) {
                Some(number) => *slot = number,
                None => self.cursor = None,
            }
        }
        // The lines bear the old numbers until they are made anew, so where the cursor stands is told by hand.
        let line = |line: &Line| match line {
            Line::Action(slot) => new(slot).map(Line::Action),
            group @ Line::Group(_) => Some(*group),
        };
        self.lines = self.lines.iter().filter_map(line).collect();
        self.hits = self.filter.hits(&self.entries, None, self.now);
        self.relist();
    }

    /// Takes an entry out of the list while a decision on it is on its way; also one that is not known yet, because
    /// the decision was found in the journal.
    pub fn take_out(&mut self, id: &str) {
        if self.out.insert(id.to_owned())
            && let Some(slot) = self.entries.slot(id)
        {
            self.delist(slot);
        }
    }

    /// Puts an entry back in the list: the decision on it came to nothing, and it still waits.
    pub fn put_back(&mut self, id: &str) {
        if self.out.remove(id)
            && let Some(slot) = self.entries.slot(id)
        {
            let expires_at = self.entries.get(slot).map(|entry| entry.headline.expires_at);
            self.next_expiry = self.next_expiry.into_iter().chain(expires_at).min();
            self.enlist(slot);
        }
    }

    /// How far this action is, where it needs more than one reviewer.
    pub fn review(&self, id: &str) -> Option<&Arc<Review>> {
        self.entries.get(self.entries.slot(id)?)?.review.as_ref()
    }

    /// Whether the entry is known to wait, listed or with a decision on its way.
    pub fn is_pending(&self, id: &str) -> bool {
        self.entries.slot(id).is_some()
    }

    /// How often an agent may ask within a minute before what it asks is gathered under one row.
    pub fn set_flood_limit(&mut self, limit: usize) {
        self.floods.limit = limit;
    }
}
