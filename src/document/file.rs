//! Reading a file of the user's: whole, no longer than a person writes, and UTF-8.

use super::{Mistake, Mistakes};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Nobody writes a longer one by hand; a file beyond it is the wrong file.
const LIMIT: u64 = 1024 * 1024;

/// Reads a file that was named.
///
/// # Errors
/// It is not there, is no file of text, or cannot be read.
pub fn read(path: &Path) -> Result<String, Mistakes> {
    let text = read_if_there(path)?;
    text.ok_or_else(|| Mistake::of(&path.to_string_lossy(), "there is no such file").into())
}

/// Reads a file that may be missing.
///
/// # Errors
/// It is there and is no file of text, or cannot be read.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Mistakes> {
    let name = path.to_string_lossy();
    let wrong = |message: String| Mistakes::from(Mistake::of(&name, message));
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(LIMIT + 1).read_to_end(&mut bytes) {
        return Err(wrong(format!("cannot be read: {error}")));
    }
    if bytes.len() as u64 > LIMIT {
        return Err(wrong("is longer than 1 MiB, which no file of this kind is".into()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            Err(wrong(format!("is not UTF-8 (line {line})")))
        }
    }
}
