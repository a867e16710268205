//! In which order actions stand, and what stands together.

pub use crate::config::{Group as Grouping, Order};
use crate::domain::{Field, Headline, Risk, Untrusted};
use jiff::Timestamp;
use std::cmp::Ordering;

/// Two are only equal where they are the same action, so that every console shows the same order.
pub(super) fn compare(order: Order, one: &Rank<'_>, other: &Rank<'_>) -> Ordering {
    let first = match order {
        Order::Deadline => Ordering::Equal,
        Order::Risk => other.risk.cmp(&one.risk),
        Order::Age => one.created_at.cmp(&other.created_at),
        Order::Agent => one.agent.cmp(other.agent),
    };
    first.then(one.expires_at.cmp(&other.expires_at)).then_with(|| one.id.cmp(other.id))
}

/// The group of an action.
pub(super) fn group_of(grouping: Grouping, headline: &Headline) -> Option<GroupKey> {
    let text = |field| Untrusted::from(headline.raw(field));
    match grouping {
        Grouping::None => None,
        Grouping::Thread => Some(GroupKey::Thread(text(Field::Thread))),
        Grouping::Agent => Some(GroupKey::Agent(text(Field::Agent))),
        Grouping::Alike => Some(GroupKey::Alike {
            agent: text(Field::Agent),
            action: text(Field::Action),
            form: headline.shape.form,
        }),
    }
}

/// What the actions of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// This agent asked them faster than anybody could read.
    Flood(Untrusted),
    /// They belong to this conversation, run or order.
    Thread(Untrusted),
    /// This agent asks them.
    Agent(Untrusted),
    /// They are alike.
    Alike {
        /// The agent.
        agent: Untrusted,
        /// What it wants to do.
        action: Untrusted,
        /// The form of the payload.
        form: u64,
    },
}

impl GroupKey {
    /// The one agent that they are from, where the group says so.
    pub fn agent(&self) -> Option<&Untrusted> {
        match self {
            Self::Flood(agent) | Self::Agent(agent) | Self::Alike { agent, .. } => Some(agent),
            Self::Thread(_) => None,
        }
    }
}

/// What an order looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rank<'a> {
    expires_at: Timestamp,
    created_at: Timestamp,
    risk: Risk,
    agent: &'a str,
    id: &'a str,
}

impl<'a> Rank<'a> {
    pub(super) fn of(headline: &'a Headline) -> Self {
        Self {
            expires_at: headline.expires_at,
            created_at: headline.created_at,
            risk: headline.risk,
            agent: headline.raw(Field::Agent),
            id: headline.id(),
        }
    }
}

/// A rank that outlives the action that it was of: where a group stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    expires_at: Timestamp,
    created_at: Timestamp,
    risk: Risk,
    agent: Box<str>,
    id: Box<str>,
}

impl Place {
    pub(super) fn of(headline: &Headline) -> Self {
        let Rank { expires_at, created_at, risk, agent, id } = Rank::of(headline);
        Self { expires_at, created_at, risk, agent: agent.into(), id: id.into() }
    }

    pub(super) fn rank(&self) -> Rank<'_> {
        let Self { expires_at, created_at, risk, agent, id } = self;
        Rank { expires_at: *expires_at, created_at: *created_at, risk: *risk, agent, id }
    }
}
