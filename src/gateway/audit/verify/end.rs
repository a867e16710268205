//! The end of the log: what says that there must be more rows, and which of them.

use super::super::head::{Head, NoHead};
use super::super::note::Note;
use super::{Verifier, What, Witness};

impl Verifier {
    /// All rows have been read.
    pub(super) fn end(&mut self, head: Result<Head, NoHead>) {
        self.checkpoints();
        let last = head.as_ref().ok().map(Head::hash);
        self.unresolved(last.as_deref());
        if self.stopped {
            return;
        }
        let rows = self.head.size();
        match head {
            Err(why) => self.tell(rows, What::Head(why.0)),
            Ok(head) if head.size() > rows => self.stop(rows + 1, What::CutOff(head.size(), Witness::Head)),
            Ok(head) if head.size() < rows => self.stop(head.size() + 1, What::Inserted(rows)),
            Ok(head) if head.hash() != self.head.hash() => self.tell(rows, What::Head("hash")),
            Ok(head) if head != self.head => self.tell(rows, What::Head("peaks")),
            Ok(_) => {}
        }
        self.beyond(rows);
    }

    /// Checkpoints over more rows than there are.
    fn beyond(&mut self, rows: u64) {
        let stored: Vec<_> = self.stored.drain(..).collect();
        for next in stored {
            let row = u64::try_from(next.size).unwrap_or(0);
            let note = next.note.as_deref().and_then(Note::parse);
            let Some(note) = note.filter(|note| note.checkpoint.size == row) else {
                self.tell(row, What::NoNote(Witness::Stored));
                continue;
            };
            match note.check(&self.keys) {
                Err(why) => self.tell(row, What::Unsigned(Witness::Stored, why)),
                Ok(_) if self.stopped => {}
                Ok(_) => self.stop(rows + 1, What::CutOff(row, Witness::Stored)),
            }
        }
        // The one over the most rows says most.
        while let Some(next) = self.elsewhere.pop_back() {
            let (size, witness) = (next.note.checkpoint.size, Witness::Elsewhere(next.place));
            match next.note.check(&self.keys) {
                Err(why) => self.tell(size, What::Unsigned(witness, why)),
                Ok(_) if self.stopped => {}
                Ok(_) => self.stop(rows + 1, What::RolledBack(size, witness)),
            }
        }
    }
}
