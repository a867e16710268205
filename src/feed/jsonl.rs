//! Actions from JSON Lines: a file, or standard input.
//!
//! A line holds one sealed object; the action's digest is that of the line's bytes. A line ends with LF or CR LF, and
//! neither belongs to it: so a file has the same digests whichever of the two an editor or a checkout wrote. Blank lines
//! are skipped. An id stands for one action: the same line again is the same action, another line with that id is
//! refused.

use super::{FeedEvent, Link};
use crate::domain::json::{JsonError, Limits, Problem};
use crate::domain::{Action, Digest, Queued, Untrusted, Visible};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use tokio::sync::mpsc;

/// Bytes of a line, its end left out.
const LINE_BYTES: usize = Limits::SEALED.bytes;
/// How many entries are told at once.
const BATCH: usize = 100;

/// Where the lines come from.
#[derive(Debug)]
pub enum Source {
    /// A file that has been read to its end ([`read_all`]).
    Entries(Vec<Queued>),
    /// Standard input: told line by line as they come.
    StandardInput,
}

/// Why a queue file cannot be used. Names the file and the line.
#[derive(Debug, thiserror::Error)]
pub enum QueueFileError {
    /// The file cannot be opened or read.
    #[error("the queue file {file} cannot be read: {source}")]
    File {
        /// Its name.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A line is too long, or gives the id of an action to another one.
    #[error("line {line} of the queue file {file} cannot be taken: {reason}; mend or remove the line")]
    Line {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// Why, made visible.
        reason: String,
    },
}

/// Reads a whole queue file; the first line that cannot be taken is an error.
///
/// # Errors
/// [`QueueFileError`], which names file and line.
pub fn read_all(path: &Path) -> Result<Vec<Queued>, QueueFileError> {
    let file = || Visible::of(&path.to_string_lossy()).plain();
    let opened = File::open(path).map_err(|source| QueueFileError::File { file: file(), source })?;
    let mut lines = Lines::new(BufReader::new(opened));
    let mut entries = Vec::new();
    loop {
        match lines.next() {
            Ok(None) => return Ok(entries),
            Ok(Some(Line::Action(queued))) => entries.push(queued),
            Ok(Some(Line::Broken { line, reason })) => {
                return Err(QueueFileError::Line { file: file(), line, reason: reason.visible().plain() });
            }
            Err(source) => return Err(QueueFileError::File { file: file(), source }),
        }
    }
}

/// Tells what the source holds, then that it has ended. From standard input, a broken line is told as such and the rest
/// goes on. Ends when the source does, or when the receiver is gone.
pub async fn run(source: Source, tx: mpsc::Sender<FeedEvent>) {
    match source {
        Source::Entries(entries) => {
            let pending = entries.iter().map(|entry| entry.action.id.clone()).collect();
            for batch in entries.chunks(BATCH) {
                if tx.send(FeedEvent::Entries(batch.to_vec())).await.is_err() {
                    return;
                }
            }
            // Where nobody listens, nobody misses the end.
            let _ = tx.send(FeedEvent::Complete { pending }).await;
            let _ = tx.send(FeedEvent::Link(Link::Ended)).await;
        }
        Source::StandardInput => {
            let listener = tx.clone();
            // A thread of its own: a read of standard input blocks and cannot be called off.
            let started = std::thread::Builder::new().name("queue".into()).spawn(move || {
                tell_lines(BufReader::new(io::stdin()), |event| listener.blocking_send(event).is_ok());
            });
            match started {
                Ok(_) => tx.closed().await,
                Err(error) => {
                    let reason = error.to_string().into();
                    let _ = tx.send(FeedEvent::Unreadable { place: "standard input".into(), reason }).await;
                }
            }
        }
    }
}

/// Tells each line as it comes, until there are no more or `tell` says that nobody listens.
pub fn tell_lines(reader: impl BufRead, mut tell: impl FnMut(FeedEvent) -> bool) {
    let mut lines = Lines::new(reader);
    let mut pending = HashSet::new();
    if !tell(FeedEvent::Link(Link::Live)) {
        return;
    }
    loop {
        let event = match lines.next() {
            Ok(Some(Line::Action(queued))) => {
                pending.insert(queued.action.id.clone());
                FeedEvent::Changed(queued)
            }
            Ok(Some(Line::Broken { line, reason })) => {
                FeedEvent::Unreadable { place: format!("line {line}"), reason }
            }
            Ok(None) => break,
            Err(error) => {
                let reason = error.to_string().into();
                tell(FeedEvent::Unreadable { place: "standard input".into(), reason });
                break;
            }
        };
        if !tell(event) {
            return;
        }
    }
    if tell(FeedEvent::Complete { pending }) {
        tell(FeedEvent::Link(Link::Ended));
    }
}

/// What a line holds.
#[derive(Debug, PartialEq)]
enum Line {
    Action(Queued),
    Broken { line: usize, reason: Untrusted },
}

/// Reads lines, never more than one of them in memory.
struct Lines<R> {
    reader: R,
    number: usize,
    buffer: Vec<u8>,
    /// The line and the digest of each id.
    seen: HashMap<String, (usize, Digest)>,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, number: 0, buffer: Vec::new(), seen: HashMap::new() }
    }

    /// The next line that holds something new; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            self.buffer.clear();
            // Two more for the line's end, one more to see that it is too long.
            let room = LINE_BYTES as u64 + 3;
            if self.reader.by_ref().take(room).read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let ended = self.buffer.ends_with(b"\n");
            let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
            let line = if ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
            if line.len() > LINE_BYTES {
                if !ended {
                    skip_line(&mut self.reader)?;
                }
                let reason = format!("it is longer than {LINE_BYTES} bytes").into();
                return Ok(Some(Line::Broken { line: self.number, reason }));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let action = action(line);
            match self.seen.get(&action.id) {
                Some((_, digest)) if *digest == action.digest => {}
                Some((first, _)) => {
                    let reason =
                        format!("its id {:?} stands in line {first} with another content", action.id);
                    return Ok(Some(Line::Broken { line: self.number, reason: reason.into() }));
                }
                None => {
                    self.seen.insert(action.id.clone(), (self.number, action.digest));
                    return Ok(Some(Line::Action(Queued::pending(action))));
                }
            }
        }
    }
}

/// The action of a line; one that cannot be read is one too.
fn action(line: &[u8]) -> Action {
    let read = match std::str::from_utf8(line) {
        Ok(text) => Action::read(text),
        Err(error) => Err(JsonError { at: error.valid_up_to(), problem: Problem::NotUtf8 }.into()),
    };
    read.unwrap_or_else(|error| Action::unreadable(line, &error, Timestamp::now()))
}

/// Reads past the end of the line and keeps nothing of it.
fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (count, over) = end.map_or((bytes.len(), bytes.is_empty()), |at| (at + 1, true));
        reader.consume(count);
        if over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
