//! Where the log ends, and what that gives the next row: its place, the hash of the row before it, the tree so far.
//! No storage: whoever keeps the head writes it in the transaction of the rows.

use super::entry::{self, Happened};
use super::tree::{self, Hash, Tree};
use jiff::Timestamp;

/// A row of the table `audit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// From 1, without gaps.
    pub seq: u64,
    /// Whose.
    pub tenant: String,
    /// What.
    pub kind: String,
    /// The action.
    pub action_id: Option<String>,
    /// Microseconds since 1970.
    pub at: i64,
    /// The exact bytes that are hashed; they say all of the above again.
    pub entry: String,
    /// The hash of those, in hex.
    pub hash: String,
}

/// The end of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    tree: Tree,
    last: Option<Hash>,
}

/// Why a stored head is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored end of the audit log cannot be read: its {0} is none")]
pub struct NoHead(pub &'static str);

impl Head {
    /// Reads the row of the table `audit_head`.
    ///
    /// # Errors
    /// [`NoHead`], where the three do not make the end of a log.
    pub fn read(size: i64, hash: &str, peaks: &str) -> Result<Self, NoHead> {
        let size = u64::try_from(size).map_err(|_| NoHead("size"))?;
        let last = match hash {
            "" => None,
            hash => Some(tree::unhex(hash).ok_or(NoHead("hash"))?),
        };
        if last.is_some() != (size > 0) {
            return Err(NoHead("hash"));
        }
        let peaks = match peaks {
            "" => Some(Vec::new()),
            peaks => peaks.split(' ').map(tree::unhex).collect(),
        };
        let tree = peaks.and_then(|peaks| Tree::of_peaks(size, peaks)).ok_or(NoHead("peaks"))?;
        Ok(Self { tree, last })
    }

    /// How many rows there are.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The hash of the last row, as the table has it: empty before the first.
    pub fn hash(&self) -> String {
        self.last.as_ref().map(tree::hex).unwrap_or_default()
    }

    /// The roots of the perfect subtrees, as the table has them.
    pub fn peaks(&self) -> String {
        self.tree.peaks().iter().map(tree::hex).collect::<Vec<_>>().join(" ")
    }

    /// The Merkle root over all rows.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Gives the next row its place.
    pub fn append(&mut self, at: Timestamp, what: &Happened<'_>) -> Row {
        let seq = self.size() + 1;
        let entry = entry::text(seq, &self.hash(), at, what);
        let hash = self.add(&entry);
        Row {
            seq,
            tenant: what.tenant.to_owned(),
            kind: what.kind.word().to_owned(),
            action_id: what.action_id.map(str::to_owned),
            at: at.as_microsecond(),
            entry,
            hash,
        }
    }

    /// Takes in the next row as it is, and returns its hash.
    pub(super) fn add(&mut self, entry: &str) -> String {
        let hash = tree::leaf(entry.as_bytes());
        self.tree.append(hash);
        self.last = Some(hash);
        tree::hex(&hash)
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Facts, Kind};
    use super::*;

    #[test]
    fn rows_are_bound_to_the_one_before_and_the_head_reads_back() {
        let mut head = Head::default();
        let mut before = String::new();
        for number in 1..=70 {
            let facts = Facts::default().number("number", number);
            let what = Happened { kind: Kind::Seen, tenant: "t", by: "dana", action_id: Some("a"), facts };
            let row = head.append(Timestamp::UNIX_EPOCH, &what);
            let entry = Entry::read(&row.entry).unwrap();
            assert_eq!((i64::try_from(row.seq), entry.seq), (Ok(number), row.seq));
            assert_eq!(entry.prev, before);
            assert_eq!(row.hash, tree::hex(&tree::leaf(row.entry.as_bytes())));
            before = row.hash;
            let stored = Head::read(number, &head.hash(), &head.peaks());
            assert_eq!(stored, Ok(head.clone()));
        }
        assert_eq!(Head::read(0, "", ""), Ok(Head::default()));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let hash = "0".repeat(64);
        for (size, hash, peaks, what) in [
            (-1, "", "", "size"),
            (1, "", &*hash, "hash"),
            (0, &*hash, "", "hash"),
            (1, "zz", &*hash, "hash"),
            (1, &*hash, "", "peaks"),
            (2, &*hash, &*format!("{hash} {hash}"), "peaks"),
            (1, &*hash, &*format!("{hash} "), "peaks"),
        ] {
            assert_eq!(Head::read(size, hash, peaks), Err(NoHead(what)), "{size} {hash} {peaks}");
        }
    }
}
