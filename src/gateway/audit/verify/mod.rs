//! Whether a log holds, and where it does not: rows come in order, once, and no more than a few hashes of them are kept.
//! No storage and no words on a screen: [`Report`] says what was found.

mod end;
mod order;
mod signed;
mod trouble;

use super::entry::Entry;
use super::head::{Head, Row};
use super::key::PublicKey;
use super::note::Note;
use super::stored::{Log, LogError, StoredNote, StoredRow};
use super::tree;
use jiff::Timestamp;
use order::{Pending, Recent};
use std::collections::VecDeque;
pub use trouble::{Trouble, What, Witness};

/// Every so many rows there is a checkpoint in the database.
pub const EVERY: u64 = 64;
/// How many troubles are told.
const MOST: usize = 16;

/// A checkpoint that was kept elsewhere, with the name of that place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where it was kept.
    pub place: String,
    /// What stands there.
    pub note: Note,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that were read.
    pub rows: u64,
    /// When the first and the last of those that hold were written.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Checkpoints in the database that hold, and over how many rows the last of them is.
    pub stored: (u64, u64),
    /// Checkpoints from elsewhere that hold, and over how many rows the last of them is.
    pub elsewhere: (u64, u64),
    /// What does not hold; what concerns a row first, in the order of rows. Empty where all holds.
    pub troubles: Vec<Trouble>,
}

/// Reads the log and judges it.
///
/// # Errors
/// Where nobody could look; a damaged database is a trouble in the report.
pub fn verify(
    log: &mut dyn Log,
    keys: Vec<PublicKey>,
    elsewhere: Vec<Elsewhere>,
) -> Result<Report, LogError> {
    let mut verifier = Verifier::new(keys, elsewhere);
    match verifier.read(log) {
        Ok(()) => {}
        Err(LogError::Damaged(why)) => {
            verifier.unresolved(None);
            let row = verifier.head.size() + 1;
            verifier.tell(row, What::Damaged(why));
        }
        Err(error) => return Err(error),
    }
    Ok(verifier.report())
}

/// The state between two rows.
struct Verifier {
    keys: Vec<PublicKey>,
    /// What is still to be met, the fewest rows first.
    elsewhere: VecDeque<Elsewhere>,
    stored: VecDeque<StoredNote>,
    /// The log as its rows give it, as far as they hold.
    head: Head,
    recent: Recent,
    /// A row was found that does not hold. Later ones are looked at only to say how.
    pending: Option<Pending>,
    stopped: bool,
    /// Over how many rows the last checkpoint is that holds.
    good: u64,
    report: Report,
}

impl Verifier {
    fn new(keys: Vec<PublicKey>, mut elsewhere: Vec<Elsewhere>) -> Self {
        elsewhere.sort_by_key(|found| found.note.checkpoint.size);
        Self {
            keys,
            elsewhere: elsewhere.into(),
            stored: VecDeque::new(),
            head: Head::default(),
            recent: Recent::default(),
            pending: None,
            stopped: false,
            good: 0,
            report: Report::default(),
        }
    }

    fn read(&mut self, log: &mut dyn Log) -> Result<(), LogError> {
        let mut after = i64::MIN;
        loop {
            let rows = log.rows(after)?;
            let Some(last) = rows.last().map(|row| row.seq) else { break };
            if last <= after {
                return Err(LogError::Damaged("its rows come in no order".into()));
            }
            self.stored.extend(log.notes(after, last)?);
            rows.iter().for_each(|row| self.row(row));
            after = last;
        }
        self.stored.extend(log.notes(after, i64::MAX)?);
        let head = log.head()?;
        self.end(head);
        match log.sound() {
            Err(LogError::Damaged(why)) => {
                self.tell(0, What::File(why));
                Ok(())
            }
            other => other,
        }
    }

    fn row(&mut self, found: &StoredRow) {
        self.report.rows += 1;
        self.checkpoints();
        let place = self.head.size() + 1;
        let read = found.row.as_ref().map_err(|column| format!("its {column} cannot be read"));
        let read = read.and_then(|row| match Entry::read(&row.entry) {
            Ok(entry) => Ok((row, entry)),
            Err(why) if tree::hex(&tree::leaf(row.entry.as_bytes())) == row.hash => Err(why.to_string()),
            Err(_) => Err(String::new()),
        });
        if self.stopped {
            if let Ok((_, entry)) = read {
                self.resolve(found.seq, &entry);
            }
            return;
        }
        match read {
            // A gap comes first: the row after it is judged no more.
            _ if found.seq != i64::try_from(place).unwrap_or(i64::MAX) => self.misplaced(place, found.seq),
            Err(why) if why.is_empty() => self.stop(place, What::Edited),
            Err(why) => self.stop(place, What::Damaged(why)),
            Ok((row, entry)) => self.judge(place, row, &entry),
        }
    }

    /// A row that stands where the next one must stand.
    fn judge(&mut self, place: u64, row: &Row, entry: &Entry) {
        let hash = tree::leaf(row.entry.as_bytes());
        if tree::hex(&hash) != row.hash {
            return self.stop(place, What::Edited);
        }
        if entry.seq != place {
            return self.elsewhere_in_order(place, entry, &hash);
        }
        if entry.prev != self.head.hash() {
            return self.unlinked(place, hash);
        }
        let columns = [
            ("tenant", row.tenant == entry.tenant),
            ("kind", row.kind == entry.kind),
            ("action_id", row.action_id == entry.action_id),
            ("at", row.at == entry.at.as_microsecond()),
        ];
        if let Some((name, _)) = columns.iter().find(|(_, agrees)| !agrees) {
            return self.stop(place, What::Column(name));
        }
        self.head.add(&row.entry);
        self.recent.push(place, hash);
        let first = self.report.span.map_or(entry.at, |(first, _)| first);
        self.report.span = Some((first, entry.at));
    }

    fn tell(&mut self, row: u64, what: What) {
        if self.report.troubles.len() < MOST {
            self.report.troubles.push(Trouble { row, what });
        }
    }

    /// The first row that does not hold; nothing after it is believed.
    fn stop(&mut self, row: u64, what: What) {
        self.stopped = true;
        // Before what was told of checkpoints alone.
        self.report.troubles.insert(0, Trouble { row, what });
    }

    fn report(mut self) -> Report {
        self.report.troubles.truncate(MOST);
        self.report
    }
}

#[cfg(test)]
mod tests;
