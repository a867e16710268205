//! One file as it is now: how long it is and the SHA-256 of its bytes, or why that cannot be told.
//!
//! Nothing but regular files is opened for long, and no more is read than was agreed.

use jiff::Timestamp;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Bytes of all files of one command that are hashed: a second or two, and again before it runs. What goes beyond is told by its length and its time.
pub const HASHED_AT_MOST: u64 = 256 * 1024 * 1024;
const BLOCK: usize = 64 * 1024;

/// A regular file, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Its path as it was given, or where it was found.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// What is known of its bytes.
    pub content: Content,
}

/// What is known of a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Their SHA-256, in hex, eight digits and a blank.
    Sha256(String),
    /// Nothing but when they were last written.
    Unknown {
        /// Why.
        why: String,
        /// The last time.
        modified: Option<Timestamp>,
    },
}

/// Looks at what is at `path`; `None` where that is no regular file. `left` is how many bytes may still be hashed.
pub(super) fn look(path: &Path, told_as: &str, left: &mut u64) -> Option<FileSeen> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let unknown = |why: String| {
        let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        let content = Content::Unknown { why, modified };
        Some(FileSeen { path: told_as.to_owned(), bytes: metadata.len(), content })
    };
    if metadata.len() > *left {
        return unknown(format!("more than {HASHED_AT_MOST} bytes in all are not hashed"));
    }
    match open(path).and_then(|file| hash(file, *left)) {
        Ok(Some((bytes, sha256))) => {
            *left = left.saturating_sub(bytes);
            Some(FileSeen { path: told_as.to_owned(), bytes, content: Content::Sha256(sha256) })
        }
        Ok(None) => unknown("it grows while it is read".to_owned()),
        Err(error) => unknown(format!("it cannot be read: {}", words(&error))),
    }
}

/// Opens a regular file, and waits for nothing: not for a pipe's other end, whatever stands there by now.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    // Of the file that was opened, not of whatever the name means a moment later.
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::Error::other("it is no regular file")) }
}

/// The length and the hash; `None` where there is more than `most`.
fn hash(mut file: File, most: u64) -> std::io::Result<Option<(u64, String)>> {
    let (mut hasher, mut block, mut bytes) = (Sha256::new(), vec![0; BLOCK], 0_u64);
    loop {
        let read = match file.read(&mut block) {
            Ok(0) => return Ok(Some((bytes, hex(&hasher.finalize())))),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes = bytes.saturating_add(read as u64);
        if bytes > most {
            return Ok(None);
        }
        hasher.update(&block[..read]);
    }
}

/// The SHA-256 of these bytes, as [`look`] tells it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Why a file cannot be had: the words of the machine's own kind of error, else its own.
pub(super) fn words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

/// Hex in groups of eight digits: a reader compares these, and 64 in a row are an opaque word, which raises the risk and keeps
/// rules from allowing it.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().enumerate().fold(String::new(), |mut out, (at, byte)| {
        let gap = if at > 0 && at.is_multiple_of(4) { " " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{gap}{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad";

    #[test]
    fn only_what_is_a_regular_file_is_told_and_no_more_is_read_than_was_agreed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let mut left = 5;
        let seen = look(&path, "./abc", &mut left).unwrap();
        assert_eq!((seen.path.as_str(), seen.bytes, left), ("./abc", 3, 2));
        assert_eq!((seen.content, sha256(b"abc").as_str()), (Content::Sha256(ABC.into()), ABC));
        let seen = look(&path, "abc", &mut left).unwrap();
        let Content::Unknown { why, modified: Some(_) } = &seen.content else { panic!("{seen:?}") };
        assert!(why.contains("not hashed") && seen.bytes == 3 && left == 2, "{seen:?}");

        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for other in [dir.path(), &pipe, Path::new("/dev/null"), &dir.path().join("nothing")] {
            assert_eq!(look(other, "x", &mut 5), None, "{}", other.display());
        }
        std::os::unix::fs::symlink("abc", dir.path().join("link")).unwrap();
        assert_eq!(look(&dir.path().join("link"), "x", &mut 5).unwrap().content, Content::Sha256(ABC.into()));
    }

    #[test]
    fn a_file_that_grows_is_not_read_without_end() {
        let zero = File::open("/dev/zero").unwrap();
        assert_eq!(hash(zero, 100_000).unwrap(), None);
    }
}
