//! Where pending actions come from: a gateway over HTTP and its events, or JSON Lines from a file or standard input.
//!
//! A feed only brings news; it keeps no list and decides nothing. What it says is a [`FeedEvent`], sent over a bounded
//! channel, so that a flood waits at the source.

mod agents;
mod events;
pub mod gateway;
pub mod jsonl;
mod page;
mod presence;
mod source;
mod spool;
mod trouble;

pub use agents::AgentState;
pub use page::{Entry, RawPage};
pub use presence::Looking;
pub use source::{Pages, Source};
pub use trouble::{Kind as TroubleKind, Trouble};

use crate::domain::{Listed, Queued, Untrusted};
use jiff::Timestamp;

/// News about what waits for a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent {
    /// How the connection to the source is now.
    Link(Link),
    /// Entries of a listing, or of a file; each may be known already.
    Entries(Vec<Listed>),
    /// The listing is complete: every pending entry has been told since the link came up. An entry that was
    /// pending before, and is not among `pending`, was settled while nobody listened.
    Complete {
        /// The ids that the listing named as pending.
        pending: std::collections::HashSet<String>,
    },
    /// One entry is new or has changed.
    Changed(Listed),
    /// One entry as the source has it now, fetched because it was asked for ([`Source::fetch`]): where its bytes are
    /// others than those known under its id, it stands in their place and has not been seen.
    Replaced(Queued),
    /// How these agents are: each that the source knows after the link came up, and each that was paused or resumed
    /// since. Of others nothing new is known. Sources that cannot pause agents never tell it.
    Agents(Vec<AgentState>),
    /// Who looks at which action now, this reviewer left out. What was told before counts no more.
    Looking(Vec<Looking>),
    /// So many actions rules have allowed without a person, in the last 24 hours when the listing was read and since.
    AllowedByRule(u64),
    /// Something came that cannot be shown as an action, not even as one that cannot be read; the rest goes on.
    Unreadable {
        /// Where it stood: `line 3`, or the id that the server gave it.
        place: String,
        /// Why, in words; they may quote the source.
        reason: Untrusted,
    },
}

impl FeedEvent {
    /// Entries whose actions are in memory.
    pub fn entries(entries: impl IntoIterator<Item = Queued>) -> Self {
        Self::Entries(entries.into_iter().map(Listed::from).collect())
    }

    /// News of one entry whose action is in memory.
    pub fn changed(entry: Queued) -> Self {
        Self::Changed(entry.into())
    }
}

/// How the connection to the source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The first try is under way. Entries may come already; what was settled meanwhile is known with `Complete`.
    Connecting,
    /// The listing is complete, and news comes as it happens.
    Live,
    /// The link broke and is tried again at that time.
    Reconnecting {
        /// When the next try starts.
        next: Timestamp,
        /// Since when nothing was heard.
        since: Timestamp,
        /// Why, in plain words; they may quote the server.
        reason: Untrusted,
    },
    /// The source has ended (a file was read to its end): what was told stays as it is.
    Ended,
}
