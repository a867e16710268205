//! What can be wrong with a log, and the sentence that says it. How it is found is in `mod`.

use super::super::note::Unsigned;
use std::fmt;

/// Who says how long the log must be, and what its root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// The row that says where the log ends.
    Head,
    /// A checkpoint in the database.
    Stored,
    /// A checkpoint from elsewhere, with the name of that place.
    Elsewhere(String),
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("the database's own record of where its log ends"),
            Self::Stored => f.write_str("a checkpoint in the database"),
            Self::Elsewhere(place) => write!(f, "the checkpoint in {place}"),
        }
    }
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The first row that it concerns; where rows are missing, the number of the first of them.
    pub row: u64,
    /// What it is.
    pub what: What,
}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The database says that it is damaged there, or a row is no row.
    Damaged(String),
    /// The database finds damage in its own pages.
    File(String),
    /// The entry is not the one that was hashed, or the hash is another.
    Edited,
    /// The row was changed together with its hash: what comes after it still names the old one.
    EditedWithHash,
    /// A column says something else than the entry.
    Column(&'static str),
    /// Rows are gone, up to that one.
    Deleted(u64),
    /// Rows were put in, up to that one.
    Inserted(u64),
    /// The row of another place stands here.
    Reordered(u64),
    /// The row stands in another place, and nothing in its own.
    Moved(i64),
    /// Rows are gone from the end: so many there were.
    CutOff(u64, Witness),
    /// The record of where the log ends is not what the rows give.
    Head(&'static str),
    /// The rows up to that one are not those that were signed.
    Rewritten(u64, Witness),
    /// An older copy of the database was put in the place of the one that had so many rows.
    RolledBack(u64, Witness),
    /// A checkpoint does not count.
    Unsigned(Witness, Unsigned),
    /// A checkpoint is none.
    NoNote(Witness),
    /// A checkpoint that every log has at this place is not there.
    NoCheckpoint,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row;
        let span = |to: u64| if to > row { format!("rows {row} to {to}") } else { format!("row {row}") };
        let were = |to: u64| if to > row { "were" } else { "was" };
        match &self.what {
            What::Damaged(why) => write!(f, "row {row}: damaged: {why}"),
            What::File(why) => write!(f, "the database finds damage in its own pages: {why}"),
            What::Edited => write!(f, "row {row}: edited: its hash is not that of its entry"),
            What::EditedWithHash => {
                write!(
                    f,
                    "row {row}: edited together with its hash: it is no longer what the rows beside it are bound to"
                )
            }
            What::Column(name) => {
                write!(f, "row {row}: edited: its column {name} says something else than its entry")
            }
            What::Deleted(to) => write!(f, "{}: deleted", span(*to)),
            What::Inserted(to) => write!(f, "{}: inserted: {} never part of this log", span(*to), were(*to)),
            What::Reordered(says) => {
                write!(f, "row {row}: reordered: the entry of row {says} stands in its place")
            }
            What::Moved(to) => write!(f, "row {row}: reordered: it stands in the place of row {to}"),
            What::CutOff(size, by) => {
                write!(f, "{}: cut off from the end: {by} is over {size} rows", span(*size))
            }
            What::Head(what) => {
                write!(
                    f,
                    "the database's own record of where its log ends is wrong after row {row}: its {what}"
                )
            }
            What::Rewritten(to, by) => write!(
                f,
                "{}: rewritten, or written after an older copy of the database was put back: they hold among themselves, \
                 but {by} was signed over other rows",
                span(*to)
            ),
            What::RolledBack(size, by) => write!(
                f,
                "row {row}: rolled back: an older copy of the database was put back; {by} was signed over {size} rows, \
                 and from row {row} on they are not here"
            ),
            What::Unsigned(by, why) => write!(f, "{by} over {row} rows does not count: {why}"),
            What::NoNote(by) => write!(f, "{by} over {row} rows cannot be read"),
            What::NoCheckpoint => write!(f, "the checkpoint over the first {row} rows was taken away"),
        }
    }
}
