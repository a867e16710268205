//! A file that notes are appended to, and reading the last ones back.

use super::super::note::Note;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How much of the end of a file is read for its last notes.
const TAIL: u64 = 64 * 1024;

/// Appends the note; when this returns, it is on the disk.
pub(super) async fn put(path: PathBuf, note: String) -> Result<(), String> {
    let work = move || append(&path, &note).map_err(|why| why.to_string());
    tokio::task::spawn_blocking(work).await.map_err(|why| why.to_string())?
}

fn append(path: &Path, note: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let end = file.metadata()?.len();
    let fresh = end == 0;
    let mut text = String::new();
    if !fresh {
        // What was cut short must not swallow this one.
        let mut last = [0];
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
        text.push_str(if last == *b"\n" { "\n" } else { "\n\n" });
    }
    text.push_str(note);
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if fresh {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// The last notes of such a file, in order; none where it is not there.
pub(in super::super) fn last(path: &Path) -> io::Result<Vec<Note>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(Note::all(&String::from_utf8_lossy(&bytes)).into_iter().flatten().collect())
}
