//! The rows of the outcomes: by age, found by their id and by their action without looking at the others, because ten
//! thousand may be decided in one stroke.

use super::{Kind, Row};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Rows that are kept; the oldest that need nobody go first.
pub(super) const KEPT: usize = 5_000;
/// How many of the oldest are looked at for one that needs nobody.
const LOOKED_AT: usize = 64;

/// Where a row stands: by when it came about, then by when it was told of.
pub(super) type Place = (Timestamp, u64);

/// Rows, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    by_age: BTreeMap<Place, Row>,
    by_id: HashMap<Uuid, Place>,
    by_action: HashMap<String, Vec<Place>>,
    next: u64,
    /// How many went because there were too many.
    forgotten: usize,
}

impl Rows {
    /// Puts a row before all others: it came about just now, whatever the time of day is.
    pub(super) fn push(&mut self, row: Row) {
        let newest = self.by_age.last_key_value().map_or(row.at, |((at, _), _)| *at);
        self.put(newest.max(row.at), row);
    }

    /// Puts a row where its time is.
    pub(super) fn file(&mut self, row: Row) {
        self.put(row.at, row);
    }

    fn put(&mut self, at: Timestamp, row: Row) {
        let place = (at, self.next);
        self.next += 1;
        self.by_id.insert(row.id, place);
        let of_action = self.by_action.entry(row.action.id.clone()).or_default();
        of_action.insert(of_action.partition_point(|other| *other < place), place);
        self.by_age.insert(place, row);
        if self.by_age.len() > KEPT {
            let over = |row: &Row| match &row.kind {
                Kind::Ours(ours) => ours.is_over(),
                Kind::Elsewhere(_) => true,
            };
            let oldest = self.by_age.iter().take(LOOKED_AT).find(|(_, row)| over(row));
            if let Some(place) = oldest.map(|(place, _)| *place) {
                self.forget(place);
            }
        }
    }

    fn forget(&mut self, place: Place) {
        let Some(row) = self.by_age.remove(&place) else { return };
        self.forgotten += 1;
        self.by_id.remove(&row.id);
        if let Some(places) = self.by_action.get_mut(&row.action.id) {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.by_action.remove(&row.action.id);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    pub(super) fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// Newest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.by_age.values().rev()
    }

    /// Newest first, each with its place.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, &Row)> {
        self.by_age.iter().rev().map(|(place, row)| (*place, row))
    }

    pub(super) fn at(&self, place: Place) -> Option<&Row> {
        self.by_age.get(&place)
    }

    pub(super) fn place_of(&self, id: Uuid) -> Option<Place> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Row> {
        self.by_age.get(self.by_id.get(&id)?)
    }

    pub(super) fn get_mut(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_age.get_mut(self.by_id.get(&id)?)
    }

    /// Newest first.
    pub(super) fn of_action(&self, action: &str) -> impl Iterator<Item = &Row> {
        let places = self.by_action.get(action).into_iter().flatten();
        places.rev().filter_map(|place| self.by_age.get(place))
    }

    /// Changes every row of an action; whether there was any.
    pub(super) fn change(&mut self, action: &str, mut change: impl FnMut(&mut Row)) -> bool {
        let places = self.by_action.get(action);
        for place in places.into_iter().flatten() {
            if let Some(row) = self.by_age.get_mut(place) {
                change(row);
            }
        }
        places.is_some()
    }
}
