//! The Merkle tree over the rows (RFC 9162, 2.1), kept as the roots of its perfect subtrees: a row is added in
//! logarithmic time, and nothing but those few roots is ever held. No signatures, no storage.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of a row: of the byte 0 and the exact bytes of its entry.
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The tree over the first rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// One for each bit of the size that is set, the largest first.
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree with those perfect subtrees; `None` where their number is not that of the size.
    pub fn of_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Self { size, peaks })
    }

    /// Adds the hash of the next row.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            // There is one for each bit that is set.
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The hash that stands for all rows in their order; without rows that of nothing.
    pub fn root(&self) -> Hash {
        let folded = self.peaks.iter().rev().copied().reduce(|right, left| node(&left, &right));
        folded.unwrap_or_else(|| Sha256::digest(b"").into())
    }

    /// How many rows it is over.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }
}

/// The hash in lower-case hex.
pub fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads what [`hex`] writes, and no other form, so that equal hashes are equal texts.
pub fn unhex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves that the implementations of RFC 6962 and RFC 9162 test with, and the roots over the first n of them.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    /// The definition of RFC 9162, 2.1.1, word for word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [one] => *one,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node(&defined(&leaves[..half]), &defined(&leaves[half..]))
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_the_published_vectors() {
        let mut tree = Tree::default();
        assert_eq!(hex(&tree.root()), ROOTS[0]);
        for (bytes, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.append(leaf(bytes));
            assert_eq!(hex(&tree.root()), *root, "{}", tree.size());
        }
    }

    #[test]
    fn adding_row_by_row_is_the_definition_at_every_size() {
        let mut tree = Tree::default();
        let leaves: Vec<_> = (0..300_u16).map(|number| leaf(&number.to_be_bytes())).collect();
        for (count, hash) in (1..).zip(&leaves) {
            tree.append(*hash);
            assert_eq!(tree.root(), defined(&leaves[..count]), "{count}");
            let again = Tree::of_peaks(tree.size(), tree.peaks().to_vec()).unwrap();
            assert_eq!(again, tree);
        }
        assert_eq!(Tree::of_peaks(3, vec![[0; 32]]), None);
        assert_eq!(Tree::of_peaks(0, Vec::new()), Some(Tree::default()));
    }

    #[test]
    fn hex_reads_back_and_has_one_form() {
        let hash = leaf(b"x");
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        for bad in ["", "00", &hex(&hash).to_uppercase(), &format!("{}0", hex(&hash)), &"é".repeat(32)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
