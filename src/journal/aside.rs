//! Moving a journal aside that cannot be used any more, so that a new one can begin. Nothing is deleted.

use super::error::JournalError;
use super::file;
use jiff::Timestamp;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Renames the journal and what SQLite keeps beside it to `NAME.set-aside-<time>` and returns that name.
///
/// # Errors
///
/// [`JournalError::InUse`] while a console holds it, [`JournalError::Missing`] where there is none.
pub fn set_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let error = |why| JournalError::io(path, &why);
    let there = |name: &Path| name.symlink_metadata().is_ok();
    // The file first: what is left without it is not taken for a journal, and a second run moves the rest.
    let parts = ["", "-wal", "-journal", "-shm"];
    if !parts[..3].iter().any(|end| there(&file::beside(path, end))) {
        return Err(JournalError::Missing(path.to_owned()));
    }
    let Some(lock) = file::lock(path)? else { return Err(JournalError::InUse(path.to_owned())) };
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let name = |nth: u32| match nth {
        1 => file::beside(path, &format!(".set-aside-{time}")),
        nth => file::beside(path, &format!(".set-aside-{time}-{nth}")),
    };
    let free = |aside: &PathBuf| !parts.iter().any(|end| there(&file::beside(aside, end)));
    let aside = (1..1000).map(name).find(free);
    let aside = aside.ok_or_else(|| error(io::ErrorKind::AlreadyExists.into()))?;
    for end in parts {
        match std::fs::rename(file::beside(path, end), file::beside(&aside, end)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(error(why)),
            _ => {}
        }
    }
    file::unmark(&lock).map_err(error)?;
    let directory = aside.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))
        .and_then(|directory| directory.sync_all())
        .map_err(error)?;
    Ok(aside)
}
