//! The file itself: created 0600 in 0700, never opened but by SQLite, on a local disk, not moved while in use; and the
//! lock beside it. Nothing here knows what is in it.
//!
//! Opening and closing the database file by other means would drop the locks that SQLite has on it in this process, so
//! what is asked about it is asked by name.

use super::error::JournalError;
use rustix::fs::StatFs;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What the lock's name ends in.
const LOCK: &str = ".lock";
/// The first line of a lock whose journal has had a commit.
const IN_USE: &str = "in use\n";

/// The process that carries a journal's decisions out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub process: u32,
    /// The server that it carries them out for, once it has said so.
    pub server: Option<String>,
}

/// The name with something at its end: `journal.sqlite` and `-wal` make `journal.sqlite-wal`.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// Sees to it that there is a file which is the owner's alone, and refuses what SQLite should not be let near.
pub(super) fn prepare(path: &Path) -> Result<(), JournalError> {
    let error = |why| JournalError::io(path, &why);
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(error)?;
    if let Some(kind) = rustix::fs::statfs(directory).ok().and_then(|system| network(&system)) {
        return Err(JournalError::Network { path: path.to_owned(), kind });
    }
    let log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let emptied = |why: &str| Err(JournalError::Corrupt { path: path.to_owned(), why: why.into() });
    // Asked before the file is: that grows first.
    let used = std::fs::metadata(beside(path, LOCK)).is_ok_and(|lock| lock.len() > 0);
    const LOG_WITHOUT_FILE: &str = "it is empty or gone, and its write-ahead log is not";
    match std::fs::metadata(path) {
        // SQLite would delete the log, and what was committed with it.
        Ok(file) if file.is_file() && file.len() == 0 && log => emptied(LOG_WITHOUT_FILE),
        Ok(file) if file.is_file() && file.len() == 0 && used => {
            emptied("it is empty, and it was not before")
        }
        Ok(file) if file.is_file() => close_to_others(path, &file).map_err(error),
        Ok(_) => Err(error(io::Error::other("it is not a file"))),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound && log => emptied(LOG_WITHOUT_FILE),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            // SQLite gives its log and index the mode of the database, so the database gets it before SQLite sees it.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
                Err(why) if why.kind() != io::ErrorKind::AlreadyExists => Err(error(why)),
                _ => Ok(()),
            }
        }
        Err(why) => Err(error(why)),
    }
}

/// Takes what others may do; what the owner may do stays as the owner chose it.
fn close_to_others(path: &Path, file: &Metadata) -> io::Result<()> {
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
    }
}

/// The exclusive lock beside the journal; `None` where another holds it. It goes with the process, however that ends.
pub(super) fn lock(path: &Path) -> Result<Option<File>, JournalError> {
    let name = beside(path, LOCK);
    let error = |why| JournalError::io(&name, &why);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&name).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(why)) => Err(error(why)),
    }
}

/// Notes in the lock that there is no journal any more.
pub(super) fn unmark(lock: &File) -> io::Result<()> {
    lock.set_len(0)
}

/// Notes in the lock that the journal has had its first commit, which process holds it, and for which server.
pub(super) fn mark(mut lock: &File, server: Option<&str>) -> io::Result<()> {
    let text = format!("{IN_USE}{}\n{}\n", std::process::id(), server.unwrap_or_default());
    // Never empty on the way: that would say that there is no journal.
    lock.seek(io::SeekFrom::Start(0))?;
    lock.write_all(text.as_bytes())?;
    lock.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))
}

/// Who holds the lock, as far as they have said; of what is left behind it says who held it last.
pub(super) fn holder(path: &Path) -> Option<Holder> {
    let text = std::fs::read_to_string(beside(path, LOCK)).ok()?;
    let mut lines = text.strip_prefix(IN_USE)?.lines();
    let process = lines.next()?.parse().ok()?;
    Some(Holder { process, server: lines.next().filter(|server| !server.is_empty()).map(str::to_owned) })
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    /// Of the file that has the name now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|file| Self(file.dev(), file.ino()))
    }

    /// Whether the name is still that file's.
    pub(super) fn check(self, path: &Path) -> Result<(), rusqlite::Error> {
        match Self::of(path) {
            Ok(now) if now == self => Ok(()),
            _ => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
                Some("the file was moved or deleted while it was in use".into()),
            )),
        }
    }
}

#[cfg(target_os = "linux")]
fn network(system: &StatFs) -> Option<&'static str> {
    // The types are of different widths on different processors; all of these fit 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::unnecessary_cast)]
    let magic = system.f_type as u32;
    remote(magic)
}

/// By the magic numbers of the kernel (`linux/magic.h`).
#[cfg(target_os = "linux")]
fn remote(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517B => "SMB",
        0xFF53_4D42 => "CIFS",
        0xFE53_4D42 => "SMB2",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x00C3_6400 => "Ceph",
        0x7375_7245 => "Coda",
        0x564C => "NCP",
        0x0BD0_0BD0 => "Lustre",
        0x4750_4653 => "GPFS",
        _ => return None,
    })
}

#[cfg(target_vendor = "apple")]
fn network(system: &StatFs) -> Option<&'static str> {
    const MNT_LOCAL: u32 = 0x1000;
    (system.f_flags & MNT_LOCAL == 0).then_some("not local")
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn network(_: &StatFs) -> Option<&'static str> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (magic, kind) in [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x517B, "SMB")]
        {
            assert_eq!(remote(magic), Some(kind));
        }
        // ext4, xfs, btrfs, tmpfs, overlayfs, zfs
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1] {
            assert_eq!(remote(local), None, "{local:x}");
        }
        assert_eq!(network(&rustix::fs::statfs(std::env::temp_dir()).unwrap()), None);
    }
}
