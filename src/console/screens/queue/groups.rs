//! Groups: rows under which several actions stand, with their number, their highest risk and what differs between them.
//!
//! A group holds what shows under it, filtered; it keeps its place while it has a member, so that no row moves.

use super::entries::Slot;
use super::order::{GroupKey, Place};
use crate::domain::action::Silence;
use crate::domain::shape::Shape;
use crate::domain::{Headline, Risk, Untrusted};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// The number of a group; it is never given out anew while the grouping lasts.
pub(super) type GroupId = u32;

/// What stands together.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it has in common.
    pub key: GroupKey,
    pub(super) place: Place,
    /// By deadline.
    members: BTreeSet<(Timestamp, Slot)>,
    /// The highest risk among what has stood under it.
    pub risk: Risk,
    /// The worst that silence does to any that has stood under it.
    pub silence: Silence,
    /// Whether its actions are listed one by one under its row.
    pub open: bool,
    /// The payload of the first, which the others are compared with.
    first: Shape,
    /// The members of the payload that differ, as bits.
    differing: u32,
    /// The names of the members of the payload, once somebody has looked.
    pub(super) names: Option<Vec<Untrusted>>,
}

impl Group {
    /// How many stand under it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// When the first of them expires.
    pub fn expires_at(&self) -> Timestamp {
        self.members.first().map_or(Timestamp::MAX, |(expires_at, _)| *expires_at)
    }

    /// The names of the members in which the payloads differ, where all have the same form. The last of many stands for
    /// what comes behind it.
    pub fn differing(&self) -> impl Iterator<Item = &Untrusted> {
        let names = self.names.iter().flatten().enumerate();
        names.filter(|(number, _)| self.differing & (1 << number.min(&31)) != 0).map(|(_, name)| name)
    }

    /// By deadline.
    pub(super) fn slots(&self) -> impl DoubleEndedIterator<Item = Slot> + '_ {
        self.members.iter().map(|(_, slot)| *slot)
    }
}

/// Every group.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    by_key: HashMap<GroupKey, GroupId>,
}

impl Groups {
    pub(super) fn get(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id as usize)
    }

    pub(super) fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(id as usize)
    }

    /// The group of that key, made where there is none yet. Floods begin closed, all else open.
    pub(super) fn id(&mut self, key: GroupKey, first: &Headline) -> GroupId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = GroupId::try_from(self.groups.len()).unwrap_or(GroupId::MAX);
        self.by_key.insert(key.clone(), id);
        self.groups.push(Group {
            open: !matches!(key, GroupKey::Flood(_)),
            key,
            place: Place::of(first),
            members: BTreeSet::new(),
            risk: first.risk,
            silence: first.silence,
            first: Shape::default(),
            differing: 0,
            names: None,
        });
        id
    }

    pub(super) fn find(&self, key: &GroupKey) -> Option<&Group> {
        self.get(*self.by_key.get(key)?)
    }

    /// It stands under this group's row from now on; returns whether it is the first.
    pub(super) fn add(&mut self, id: GroupId, slot: Slot, headline: &Headline) -> bool {
        let Some(group) = self.get_mut(id) else { return false };
        let first = group.members.is_empty();
        if first {
            group.place = Place::of(headline);
            (group.risk, group.first, group.differing) = (headline.risk, headline.shape.clone(), 0);
            (group.names, group.silence) = (None, headline.silence);
        }
        group.risk = group.risk.max(headline.risk);
        group.silence = group.silence.max(headline.silence);
        for number in group.first.differing(&headline.shape) {
            group.differing |= 1 << number.min(31);
        }
        group.members.insert((headline.expires_at, slot));
        first
    }

    /// It no longer does; returns whether it was the last.
    pub(super) fn remove(&mut self, id: GroupId, slot: Slot, expires_at: Timestamp) -> bool {
        let Some(group) = self.get_mut(id) else { return false };
        let was_there = group.members.remove(&(expires_at, slot));
        let last = was_there && group.members.is_empty();
        if last && matches!(group.key, GroupKey::Flood(_)) {
            group.open = false;
        }
        last
    }

    /// Takes every member out, for a list that is made anew.
    pub(super) fn empty(&mut self) {
        self.groups.iter_mut().for_each(|group| group.members.clear());
    }
}
