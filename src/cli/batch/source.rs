//! Where a batch's lines come from: a file, read whole and checked before anything is sent, or standard input, line by
//! line as they come.

use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What a file may hold: a million lines of 256 bytes.
const FILE_LIMIT: u64 = 256 * 1024 * 1024;
/// What a line may hold: a payload at its limit and what stands beside it.
const LINE_LIMIT: u64 = 1024 * 1024 + 64 * 1024;
/// Lines of standard input that wait for the journal.
const WAITING: usize = 256;

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    StandardInput,
}

/// A line and its number, 1 for the first; blank ones are left out and counted.
pub(super) type Numbered = (usize, io::Result<String>);

impl Source {
    pub(super) fn new(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::StandardInput } else { Self::File(path.to_owned()) }
    }

    /// The name, for errors.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => crate::domain::Visible::of(&path.to_string_lossy()).plain(),
            Self::StandardInput => "standard input".into(),
        }
    }
}

/// Every line of a file.
///
/// # Errors
/// The file cannot be read or is too large.
pub(super) fn read_file(source: &Source, path: &Path) -> anyhow::Result<Vec<(usize, String)>> {
    let name = source.name();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text));
    read.with_context(|| format!("cannot read the batch {name}"))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > FILE_LIMIT) {
        bail!("the batch {name} is larger than {FILE_LIMIT} bytes: split it, or pipe it to `--batch -`");
    }
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    Ok(lines.map(|(number, line)| (number, line.to_owned())).collect())
}

/// The lines of standard input, as they come, read on a thread of their own; the channel ends with them. A line that
/// cannot be read is the last.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn standard_input() -> io::Result<mpsc::Receiver<Numbered>> {
    let (lines, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new().name("batch-input".into()).spawn(move || {
        let mut input = BufReader::new(io::stdin());
        for number in 1.. {
            let line = match read_line(&mut input) {
                Ok(None) => return,
                Ok(Some(line)) if line.trim().is_empty() => continue,
                Ok(Some(line)) => Ok(line),
                Err(error) => Err(error),
            };
            let last = line.is_err();
            if lines.blocking_send((number, line)).is_err() || last {
                return;
            }
        }
    })?;
    Ok(receiver)
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = input.take(LINE_LIMIT + 1).read_line(&mut line)?;
    if u64::try_from(read).is_ok_and(|read| read > LINE_LIMIT) {
        return Err(io::Error::other(format!("a line is longer than {LINE_LIMIT} bytes")));
    }
    Ok((read > 0).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_too_long_a_one_is_an_error() {
        let mut input = "a\nb".as_bytes();
        let mut next = || read_line(&mut input).unwrap();
        assert_eq!([next(), next(), next()], [Some("a\n".into()), Some("b".into()), None]);
        let limit = usize::try_from(LINE_LIMIT).unwrap();
        assert!(read_line(&mut "x".repeat(limit).as_bytes()).unwrap().is_some());
        assert!(read_line(&mut "x".repeat(limit + 1).as_bytes()).unwrap_err().to_string().contains("longer"));
        assert!(read_line(&mut [b'a', 0xff, b'\n'].as_slice()).is_err());
    }

    #[test]
    fn blank_lines_of_a_file_are_left_out_and_counted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a\n\n  \r\nb").unwrap();
        let source = Source::new(file.path());
        assert_eq!(read_file(&source, file.path()).unwrap(), [(1, "a".into()), (4, "b".into())]);
        let none = Path::new("/nowhere/b.jsonl");
        let error = read_file(&Source::new(none), none).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/b.jsonl"));
    }
}
