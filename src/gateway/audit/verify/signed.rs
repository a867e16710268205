//! Checkpoints over as many rows as have been read: whether the rows are those that were signed.

use super::super::note::Note;
use super::{EVERY, Verifier, What, Witness};

impl Verifier {
    /// Compares the checkpoints over as many rows as have been read.
    pub(super) fn checkpoints(&mut self) {
        if self.stopped {
            return;
        }
        let (size, root) = (self.head.size(), self.head.root());
        let before = self.good;
        let mut met = false;
        let mut rewritten = None;
        while let Some(next) =
            self.stored.front().filter(|next| u64::try_from(next.size).unwrap_or(0) <= size)
        {
            let note = next.note.as_deref().and_then(Note::parse);
            let row = u64::try_from(next.size).unwrap_or(0);
            self.stored.pop_front();
            let note = note.filter(|note| note.checkpoint.size == row && row == size);
            let Some(note) = note else {
                self.tell(row, What::NoNote(Witness::Stored));
                continue;
            };
            if let Err(why) = note.check(&self.keys) {
                self.tell(row, What::Unsigned(Witness::Stored, why));
                continue;
            }
            if note.checkpoint.root == root {
                self.report.stored = (self.report.stored.0 + 1, size);
                self.good = size;
            } else {
                rewritten = Some(What::Rewritten(size, Witness::Stored));
            }
            met = true;
        }
        while let Some(next) = self.elsewhere.front().filter(|next| next.note.checkpoint.size <= size) {
            let witness = Witness::Elsewhere(next.place.clone());
            let (checked, note) = (next.note.check(&self.keys).map(drop), next.note.checkpoint.clone());
            self.elsewhere.pop_front();
            match checked {
                Err(why) => self.tell(note.size, What::Unsigned(witness, why)),
                Ok(()) if note.root == root && note.size == size => {
                    self.report.elsewhere = (self.report.elsewhere.0 + 1, size);
                    self.good = size;
                }
                // Both were signed: the log went on from an older copy of itself.
                Ok(()) if met && rewritten.is_none() => {
                    rewritten = Some(What::RolledBack(note.size, witness));
                }
                Ok(()) => rewritten = rewritten.or(Some(What::Rewritten(size, witness))),
            }
        }
        match rewritten {
            Some(what) => self.stop(before + 1, what),
            None if size > 0 && size.is_multiple_of(EVERY) && !met => self.missing(size),
            None => {}
        }
    }

    /// Told once for each place, also where what stands there does not count.
    fn missing(&mut self, size: u64) {
        if !self.report.troubles.iter().any(|trouble| trouble.row == size) {
            self.tell(size, What::NoCheckpoint);
        }
    }
}
