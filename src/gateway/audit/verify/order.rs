//! Rows that do not stand where they must: whether they were deleted, inserted or moved. What can only be told from a
//! later row waits for it.

use super::super::entry::Entry;
use super::super::tree::{self, Hash};
use super::{Verifier, What};
use std::collections::VecDeque;

/// How far back a row is known again.
const BACK: usize = 1024;

/// The hashes of the last rows, with their places.
#[derive(Default)]
pub(super) struct Recent(VecDeque<(u64, Hash)>);

impl Recent {
    pub(super) fn push(&mut self, place: u64, hash: Hash) {
        if self.0.len() == BACK {
            self.0.pop_front();
        }
        self.0.push_back((place, hash));
    }

    fn at(&self, place: u64) -> Option<&Hash> {
        self.0.iter().rev().find(|(number, _)| *number == place).map(|(_, hash)| hash)
    }
}

/// What waits for a later row to be told.
pub(super) enum Pending {
    /// The row of this place is not there: deleted up to that one, unless it stands somewhere further on.
    Moved { place: u64, to: u64, says: Option<u64> },
    /// This row does not follow the one before it: one of the two was changed together with its hash.
    Link { place: u64, hash: Hash },
}

impl Verifier {
    /// The next number in the table is not the next.
    pub(super) fn misplaced(&mut self, place: u64, seq: i64) {
        match u64::try_from(seq).ok().filter(|seq| *seq > place) {
            Some(seq) => self.wait(Pending::Moved { place, to: seq - 1, says: None }),
            None => self.stop(place, What::Damaged(format!("it comes after a row numbered {seq}"))),
        }
    }

    /// The entry belongs to another place.
    pub(super) fn elsewhere_in_order(&mut self, place: u64, entry: &Entry, hash: &Hash) {
        if entry.seq > place {
            let says = Some(entry.seq);
            return self.wait(Pending::Moved { place, to: entry.seq - 1, says });
        }
        if self.recent.at(entry.seq) == Some(hash) {
            // A copy of a row that was here already.
            return self.stop(place, What::Inserted(place));
        }
        let before = entry.seq.checked_sub(1).map(|place| match place {
            0 => Some(String::new()),
            place => self.recent.at(place).map(tree::hex),
        });
        match before.flatten() {
            // It is bound to the row before what stands in its place: what stands there was put in.
            Some(before) if before == entry.prev => self.stop(entry.seq, What::Inserted(place - 1)),
            _ => self.stop(place, What::Reordered(entry.seq)),
        }
    }

    /// The row names another one as the one before it.
    pub(super) fn unlinked(&mut self, place: u64, hash: Hash) {
        if place == 1 {
            return self.stop(place, What::EditedWithHash);
        }
        self.wait(Pending::Link { place, hash });
    }

    fn wait(&mut self, pending: Pending) {
        self.stopped = true;
        self.pending = Some(pending);
    }

    /// Looks at a later row for what was left open.
    pub(super) fn resolve(&mut self, seq: i64, entry: &Entry) {
        match self.pending.take() {
            Some(Pending::Moved { place, says, .. }) if entry.seq == place => {
                // It was moved; what stands in its place is known only where something does.
                self.stop(place, says.map_or(What::Moved(seq), What::Reordered));
            }
            Some(Pending::Link { place, hash }) => self.linked(place, entry.prev == tree::hex(&hash)),
            other => self.pending = other,
        }
    }

    /// Where the row after it names the row as it is, the one before it was changed.
    fn linked(&mut self, place: u64, vouched: bool) {
        self.stop(if vouched { place - 1 } else { place }, What::EditedWithHash);
    }

    /// No row comes any more. `last` is the hash that the end of the log names.
    pub(super) fn unresolved(&mut self, last: Option<&str>) {
        match self.pending.take() {
            Some(Pending::Moved { place, to, .. }) => self.stop(place, What::Deleted(to)),
            Some(Pending::Link { place, hash }) => self.linked(place, last == Some(&tree::hex(&hash))),
            None => {}
        }
    }
}
