//! Floods: an agent that asks faster than a person can read has what it asks gathered under one row with its number; the
//! rest of the list stays as it is.
//!
//! Pure bookkeeping of who asked how often, by the times that the gateway sealed. What stands where is the list's.

use crate::domain::{Field, Headline, Untrusted};
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How often an agent may ask within a minute before what it asks is gathered, where nothing else is set.
pub const DEFAULT_LIMIT: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// Agents whose past is remembered. They come and go; nobody's past is worth more memory than this.
const AGENTS: usize = 10_000;

/// Who asked how often.
#[derive(Debug, Clone)]
pub(super) struct Floods {
    pub(super) limit: usize,
    /// When each agent asked last, as often as the limit.
    asked: HashMap<Untrusted, VecDeque<Timestamp>>,
}

impl Default for Floods {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT as usize, asked: HashMap::new() }
    }
}

impl Floods {
    /// An action has come; returns whether its agent had asked as often as it may in the minute before.
    pub(super) fn arrived(&mut self, headline: &Headline) -> bool {
        let agent = headline.raw(Field::Agent);
        if self.asked.len() > AGENTS {
            self.asked.clear();
        }
        let asked = self.asked.entry(agent.into()).or_default();
        let since = headline.created_at.checked_sub(MINUTE).unwrap_or(Timestamp::MIN);
        asked.retain(|at| *at > since);
        let too_fast = asked.len() >= self.limit;
        if too_fast {
            asked.pop_front();
        }
        asked.push_back(headline.created_at);
        too_fast
    }
}
