//! The rows of the outcomes: by age, found by their id and by their action without looking at the others, because ten
//! thousand may be decided in one stroke.

use super::{Kind, Row};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Rows that are kept; the oldest that need nobody go first.
pub(super) const KEPT: usize = 1_000;
/// How many of the oldest are looked at for one that needs nobody.
const LOOKED_AT: usize = 64;

/// Rows, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    by_age: BTreeMap<u64, Row>,
    by_id: HashMap<Uuid, u64>,
    by_action: HashMap<String, Vec<u64>>,
    next: u64,
}

impl Rows {
    /// Puts a row before all others.
    pub(super) fn push(&mut self, row: Row) {
        let number = self.next;
        self.next += 1;
        self.by_id.insert(row.id, number);
        self.by_action.entry(row.action.id.clone()).or_default().push(number);
        self.by_age.insert(number, row);
        if self.by_age.len() > KEPT {
            let over = |row: &Row| match &row.kind {
                Kind::Ours(ours) => ours.is_over(),
                Kind::Elsewhere(_) => true,
            };
            let oldest = self.by_age.iter().take(LOOKED_AT).find(|(_, row)| over(row));
            if let Some(number) = oldest.map(|(number, _)| *number) {
                self.forget(number);
            }
        }
    }

    fn forget(&mut self, number: u64) {
        let Some(row) = self.by_age.remove(&number) else { return };
        self.by_id.remove(&row.id);
        if let Some(numbers) = self.by_action.get_mut(&row.action.id) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_action.remove(&row.action.id);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Newest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.by_age.values().rev()
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Row> {
        self.by_age.get(self.by_id.get(&id)?)
    }

    pub(super) fn get_mut(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_age.get_mut(self.by_id.get(&id)?)
    }

    /// Newest first.
    pub(super) fn of_action(&self, action: &str) -> impl Iterator<Item = &Row> {
        let numbers = self.by_action.get(action).into_iter().flatten();
        numbers.rev().filter_map(|number| self.by_age.get(number))
    }

    /// Changes every row of an action.
    pub(super) fn change(&mut self, action: &str, mut change: impl FnMut(&mut Row)) {
        for number in self.by_action.get(action).into_iter().flatten() {
            if let Some(row) = self.by_age.get_mut(number) {
                change(row);
            }
        }
    }
}
