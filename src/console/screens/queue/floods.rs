//! Floods: an agent that asks faster than a person can read has what it asks gathered under one row with its number; the
//! rest of the list stays as it is.
//!
//! Pure bookkeeping of who asked how often, by the times that the gateway sealed. What stands where is the list's.

use crate::domain::{Action, Risk, Untrusted};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

/// How often an agent may ask within a minute before what it asks is gathered, where nothing else is set.
pub const DEFAULT_LIMIT: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// What one agent asked faster than anybody could read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flood {
    /// By deadline.
    ids: BTreeSet<(Timestamp, String)>,
    /// Where its row stands: the deadline that came first when the row did. It stays there, so that no row moves.
    pub(super) place: Timestamp,
    /// The highest risk among what was gathered.
    pub risk: Risk,
    /// Whether its actions are listed one by one under its row.
    pub open: bool,
}

impl Flood {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// When the first of them expires.
    pub fn expires_at(&self) -> Timestamp {
        self.ids.first().map_or(self.place, |(expires_at, _)| *expires_at)
    }

    /// Its actions by deadline.
    pub fn ids(&self) -> impl Iterator<Item = &(Timestamp, String)> {
        self.ids.iter()
    }
}

/// Who asks too fast, and what of it waits.
#[derive(Debug, Clone)]
pub(super) struct Floods {
    pub(super) limit: usize,
    /// When each agent asked last, as often as the limit.
    asked: HashMap<Untrusted, VecDeque<Timestamp>>,
    /// The ids of what was gathered when it came.
    gathered: HashSet<String>,
    agents: HashMap<Untrusted, Flood>,
}

impl Default for Floods {
    fn default() -> Self {
        let (asked, gathered, agents) = Default::default();
        Self { limit: DEFAULT_LIMIT as usize, asked, gathered, agents }
    }
}

impl Floods {
    /// An action has come; it is gathered where its agent had asked as often as it may in the minute before.
    pub(super) fn arrived(&mut self, action: &Action) {
        let asked = self.asked.entry(action.agent.clone()).or_default();
        let since = action.created_at.checked_sub(MINUTE).unwrap_or(Timestamp::MIN);
        asked.retain(|at| *at > since);
        if asked.len() >= self.limit {
            self.gathered.insert(action.id.clone());
            asked.pop_front();
        }
        asked.push_back(action.created_at);
    }

    /// It is gone for good.
    pub(super) fn gone(&mut self, action: &Action) {
        self.gathered.remove(&action.id);
        if !self.agents.contains_key(&action.agent) && self.asked.len() > 10_000 {
            // Agents come and go; nobody's past is worth more memory than this.
            self.asked.clear();
        }
    }

    /// Whether it was gathered when it came.
    pub(super) fn has(&self, action: &Action) -> bool {
        self.gathered.contains(&action.id)
    }

    /// It waits under its agent's row: returns the flood, and whether its row is new.
    pub(super) fn add(&mut self, action: &Action) -> (&Flood, bool) {
        let flood = self.agents.entry(action.agent.clone()).or_insert_with(|| Flood {
            ids: BTreeSet::new(),
            place: action.expires_at,
            risk: action.risk,
            open: false,
        });
        let first = flood.ids.is_empty();
        flood.ids.insert((action.expires_at, action.id.clone()));
        flood.risk = flood.risk.max(action.risk);
        (flood, first)
    }

    /// It no longer waits under its agent's row: returns the flood as it was, and whether it was the last.
    pub(super) fn remove(&mut self, action: &Action) -> Option<(Flood, bool)> {
        let flood = self.agents.get_mut(&action.agent)?;
        flood.ids.remove(&(action.expires_at, action.id.clone()));
        let was = Flood { ids: BTreeSet::new(), ..*flood };
        let last = flood.ids.is_empty();
        if last {
            self.agents.remove(&action.agent);
        }
        Some((was, last))
    }

    pub(super) fn get(&self, agent: &Untrusted) -> Option<&Flood> {
        self.agents.get(agent)
    }

    /// Lists its actions one by one, or no longer: returns them and whether they are listed now.
    pub(super) fn toggle(&mut self, agent: &Untrusted) -> Option<(Vec<(Timestamp, String)>, bool)> {
        let flood = self.agents.get_mut(agent)?;
        flood.open = !flood.open;
        Some((flood.ids.iter().cloned().collect(), flood.open))
    }

    /// What is over by that time and stands under a closed row.
    pub(super) fn expired(&self, now: Timestamp) -> Vec<String> {
        let closed = self.agents.values().filter(|flood| !flood.open);
        closed
            .flat_map(|flood| flood.ids.iter().take_while(|(expires_at, _)| *expires_at <= now))
            .map(|(_, id)| id.clone())
            .collect()
    }
}
