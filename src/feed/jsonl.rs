//! Actions from JSON Lines: a file, or standard input.
//!
//! A line holds one sealed object; the action's digest is that of the line's bytes. A line ends with LF or CR LF, and
//! neither belongs to it: so a file has the same digests whichever of the two an editor or a checkout wrote. Blank lines
//! are skipped. An id stands for one action: the same line again is the same action, another line with that id is not
//! taken. A line that is not taken is told with its number, and the rest goes on.
//!
//! A file is told from its beginning while the rest of it is still read, on two threads, and read again for what the
//! reviewer looks at: a hundred thousand actions need not be in memory.

mod lines;

#[cfg(test)]
mod tests;

use self::lines::{Cutter, Line, Seen};
use super::spool::{Segment, Spool};
use super::{FeedEvent, Link};
use crate::domain::{Listed, Texts, Visible};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Lines that are told first, so that there is something to look at.
const FIRST: usize = 64;
/// Bytes that each thread reads in one go after that.
const SHARE: usize = 256 * 1024;

/// Where the lines come from.
#[derive(Debug)]
pub enum Source {
    /// A file that can be read ([`open`]).
    File(QueueFile),
    /// Standard input: told line by line as they come.
    StandardInput,
}

/// A queue file that has been opened.
#[derive(Debug)]
pub struct QueueFile {
    file: File,
    name: String,
}

/// The queue file cannot be opened or read.
#[derive(Debug, thiserror::Error)]
#[error("the queue file {file} cannot be read: {source}")]
pub struct QueueFileError {
    /// Its name.
    file: String,
    /// What the system says.
    source: io::Error,
}

/// Opens a queue file.
///
/// # Errors
/// [`QueueFileError`], which names the file.
pub fn open(path: &Path) -> Result<QueueFile, QueueFileError> {
    let name = Visible::of(&path.to_string_lossy()).plain();
    let opened = File::open(path).and_then(|file| {
        // A folder can be opened too, and says what it is when it is read.
        if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    });
    match opened {
        Ok(file) => Ok(QueueFile { file, name }),
        Err(source) => Err(QueueFileError { file: name, source }),
    }
}

/// Tells what the source holds, then that it has ended. Ends when the source does, or when the receiver is gone.
pub async fn run(source: Source, tx: mpsc::Sender<FeedEvent>) {
    let listener = tx.clone();
    let tell = move |event| listener.blocking_send(event).is_ok();
    // A thread of its own: a read of standard input blocks and cannot be called off.
    let thread = std::thread::Builder::new().name("queue".into());
    let started = match source {
        Source::File(file) => thread.spawn(move || tell_file(file, tell)),
        Source::StandardInput => thread.spawn(move || tell_lines(BufReader::new(io::stdin()), tell)),
    };
    match started {
        Ok(_) => tx.closed().await,
        Err(error) => {
            let reason = error.to_string().into();
            let _ = tx.send(FeedEvent::Unreadable { place: "the queue".into(), reason }).await;
        }
    }
}

/// Tells a file from its beginning, many lines at a time, until it ends or `tell` says that nobody listens.
pub fn tell_file(file: QueueFile, mut tell: impl FnMut(FeedEvent) -> bool) {
    let QueueFile { file, name } = file;
    let texts: Option<Arc<dyn Texts>> =
        file.try_clone().ok().map(|file| Arc::new(Segment::of(file)) as Arc<dyn Texts>);
    let mut cutter = Cutter::new(BufReader::with_capacity(SHARE, file));
    let mut seen = Seen::default();
    let mut first = true;
    loop {
        let (share, rest, error) = {
            let most = if first { FIRST } else { usize::MAX };
            let (share, error) = cutter.share(most, SHARE);
            let (rest, late) =
                if first || error.is_some() { (Vec::new(), None) } else { cutter.share(most, SHARE) };
            (share, rest, error.or(late))
        };
        first = false;
        let ended = share.is_empty();
        let read = |cut: Vec<lines::Cut>| -> Vec<Line> {
            cut.into_iter().map(|cut| lines::read(cut, texts.as_ref())).collect()
        };
        // Most of the time goes into reading the JSON, and most machines have more than one core.
        let (one, other) = std::thread::scope(|scope| {
            let other = (!rest.is_empty()).then(|| scope.spawn(|| read(rest)));
            let one = read(share);
            (one, other.and_then(|other| other.join().ok()).unwrap_or_default())
        });
        let mut entries = Vec::with_capacity(one.len() + other.len());
        for line in one.into_iter().chain(other).filter_map(|line| seen.take(line)) {
            let told = match line {
                Line::Action { listed, .. } => {
                    entries.push(listed);
                    true
                }
                Line::Broken { line, reason } => {
                    tell(FeedEvent::Unreadable { place: format!("line {line}"), reason })
                }
            };
            if !told {
                return;
            }
        }
        if let Some(error) = error {
            tell(FeedEvent::Unreadable { place: name.clone(), reason: error.to_string().into() });
        } else if !ended {
            if !tell(FeedEvent::Entries(entries)) {
                return;
            }
            continue;
        }
        tell(FeedEvent::Link(Link::Ended));
        return;
    }
}

/// Tells each line as it comes, until there are no more or `tell` says that nobody listens.
pub fn tell_lines(reader: impl BufRead, mut tell: impl FnMut(FeedEvent) -> bool) {
    let (mut cutter, mut seen, mut spool) = (Cutter::new(reader), Seen::default(), Spool::default());
    if !tell(FeedEvent::Link(Link::Live)) {
        return;
    }
    loop {
        let event = match cutter.next() {
            Ok(Some(cut)) => match seen.take(lines::read(cut, None)) {
                Some(Line::Action { listed, .. }) => FeedEvent::Changed(spooled(listed, &mut spool)),
                Some(Line::Broken { line, reason }) => {
                    FeedEvent::Unreadable { place: format!("line {line}"), reason }
                }
                None => continue,
            },
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
    tell(FeedEvent::Link(Link::Ended));
}

/// The entry with its text on disk. What cannot be read is nothing but its text, and stays in memory.
pub(super) fn spooled(mut listed: Listed, spool: &mut Spool) -> Listed {
    let action = listed.headline.action();
    if action.unreadable.is_none()
        && let Some(kept) = spool.keep(&action.sealed)
    {
        listed.headline.keep(kept);
    }
    listed
}
