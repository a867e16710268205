//! Every entry that waits, by a number of its own, with its texts in lower case in one piece, so that a filter can go over
//! all of them without looking at each.

use super::groups::GroupId;
use crate::domain::{Field, Headline, Review};
use memchr::memmem::Finder;
use std::collections::HashMap;
use std::sync::Arc;

/// The number of an entry; it stays the same until [`Entries::compact`].
pub(super) type Slot = u32;

/// Numbers that may be in vain before they are given out anew.
const IN_VAIN: usize = 4_096;

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) headline: Headline,
    /// Its agent had asked too fast when it came.
    pub(super) flooded: bool,
    /// Under which row it stands.
    pub(super) group: Option<GroupId>,
    /// How far it is, where it needs more than one reviewer.
    pub(super) review: Option<Arc<Review>>,
}

/// Where the texts of an entry are.
#[derive(Debug, Clone, Copy)]
struct Texts {
    start: usize,
    /// Where each field ends, from there.
    ends: [u16; Field::ALL.len()],
}

/// Every entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    slots: Vec<Option<Entry>>,
    by_id: HashMap<Box<str>, Slot>,
    /// The texts of all of them, in lower case, a line feed after each field.
    texts: String,
    places: Vec<Texts>,
}

impl Entries {
    pub(super) fn insert(&mut self, headline: Headline, flooded: bool) -> Slot {
        let slot = Slot::try_from(self.slots.len()).unwrap_or(Slot::MAX);
        self.by_id.insert(headline.id().into(), slot);
        self.write_texts(&headline);
        self.slots.push(Some(Entry { headline, flooded, group: None, review: None }));
        slot
    }

    fn write_texts(&mut self, headline: &Headline) {
        let start = self.texts.len();
        let ends = Field::ALL.map(|field| {
            let raw = headline.raw(field);
            if raw.is_ascii() {
                self.texts.extend(raw.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            } else {
                self.texts.push_str(&raw.to_lowercase());
            }
            self.texts.push('\n');
            u16::try_from(self.texts.len() - start).unwrap_or(u16::MAX)
        });
        self.places.push(Texts { start, ends });
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<Entry> {
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        self.by_id.remove(entry.headline.id());
        Some(entry)
    }

    pub(super) fn slot(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Every entry with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        self.slots.iter().zip(0..).filter_map(|(entry, slot)| Some((slot, entry.as_ref()?)))
    }

    /// How many numbers have been given out.
    pub(super) fn numbers(&self) -> usize {
        self.slots.len()
    }

    /// The text of a field in lower case; the texts of all of them for `None`.
    pub(super) fn text(&self, slot: Slot, field: Option<Field>) -> &str {
        let Some(Texts { start, ends }) = self.places.get(slot as usize).copied() else { return "" };
        let end = |field: usize| start + usize::from(ends[field]);
        match field.map(|field| field as usize) {
            None => &self.texts[start..end(ends.len() - 1)],
            Some(0) => &self.texts[start..end(0)],
            Some(field) => &self.texts[end(field - 1)..end(field)],
        }
    }

    /// Sets a mark for every number in whose texts the word stands. Goes over all texts in one sweep.
    pub(super) fn find(&self, word: &str, hits: &mut [bool]) {
        let finder = Finder::new(word);
        let (mut from, mut slot) = (0, 0);
        while let Some(at) = finder.find(&self.texts.as_bytes()[from..]) {
            let at = from + at;
            // Matches come in order, and most entries have none or one.
            while self.places.get(slot + 1).is_some_and(|next| next.start <= at) {
                slot += 1;
            }
            if let Some(hit) = hits.get_mut(slot) {
                *hit = true;
            }
            match self.places.get(slot + 1) {
                Some(next) => from = next.start,
                None => return,
            }
        }
    }

    /// Gives the numbers out anew where too many are in vain: returns the new number of each old one.
    pub(super) fn compact(&mut self) -> Option<Vec<Option<Slot>>> {
        if self.slots.len() - self.by_id.len() < IN_VAIN.max(self.by_id.len()) {
            return None;
        }
        let mut numbers = vec![None; self.slots.len()];
        let old = std::mem::take(self);
        for (number, entry) in old.slots.into_iter().enumerate() {
            if let Some(Entry { headline, flooded, group, review }) = entry {
                let slot = self.insert(headline, flooded);
                if let Some(entry) = self.get_mut(slot) {
                    (entry.group, entry.review) = (group, review);
                }
                numbers[number] = Some(slot);
            }
        }
        Some(numbers)
    }
}
