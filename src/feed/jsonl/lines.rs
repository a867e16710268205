//! Lines: cutting them, reading them, and seeing to it that an id stands for one action.

use crate::domain::json::{JsonError, Limits, Problem};
use crate::domain::{Action, Digest, Kept, Listed, Queued, Texts, Untrusted};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// Bytes of a line, its end left out.
pub(super) const LINE_BYTES: usize = Limits::SEALED.bytes;

/// A line as it was cut.
#[derive(Debug)]
pub(super) struct Cut {
    /// Counted from 1.
    number: usize,
    /// The place of its first byte.
    at: u64,
    /// Its bytes without its end; `None` where there are too many.
    bytes: Option<Vec<u8>>,
}

/// What a line holds.
#[derive(Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every line is an action: a box would cost one allocation for each"
)]
pub(super) enum Line {
    Action { line: usize, listed: Listed },
    Broken { line: usize, reason: Untrusted },
}

/// Cuts lines, never more than one of them in memory.
pub(super) struct Cutter<R> {
    reader: R,
    number: usize,
    at: u64,
}

impl<R: BufRead> Cutter<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0, at: 0 }
    }

    /// The next line that is not blank; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Cut>> {
        loop {
            let mut bytes = Vec::new();
            // Two more for the line's end, one more to see that it is too long.
            let room = LINE_BYTES as u64 + 3;
            let count = self.reader.by_ref().take(room).read_until(b'\n', &mut bytes)?;
            if count == 0 {
                return Ok(None);
            }
            let at = self.at;
            (self.number, self.at) = (self.number + 1, at + count as u64);
            let ended = bytes.last() == Some(&b'\n');
            if ended {
                bytes.pop();
                if bytes.last() == Some(&b'\r') {
                    bytes.pop();
                }
            }
            if bytes.len() > LINE_BYTES {
                if !ended {
                    self.at += skip_line(&mut self.reader)?;
                }
                return Ok(Some(Cut { number: self.number, at, bytes: None }));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Cut { number: self.number, at, bytes: Some(bytes) }));
            }
        }
    }

    /// The next lines: at most so many, and no more once they have so many bytes. With the error that ended them early.
    pub(super) fn share(&mut self, most: usize, most_bytes: usize) -> (Vec<Cut>, Option<io::Error>) {
        let (mut share, from) = (Vec::new(), self.at);
        while share.len() < most && self.at - from < most_bytes as u64 {
            match self.next() {
                Ok(Some(cut)) => share.push(cut),
                Ok(None) => break,
                Err(error) => return (share, Some(error)),
            }
        }
        (share, None)
    }
}

/// The action of a line; one that cannot be read is one too. It is kept in `texts`, where its place in the source is its
/// place there, else in memory.
pub(super) fn read(cut: Cut, texts: Option<&Arc<dyn Texts>>) -> Line {
    let Cut { number: line, at, bytes } = cut;
    let Some(bytes) = bytes else {
        return Line::Broken { line, reason: format!("it is longer than {LINE_BYTES} bytes").into() };
    };
    let length = u32::try_from(bytes.len()).ok();
    let kept = texts.zip(length).map(|(texts, length)| Kept::There { texts: Arc::clone(texts), at, length });
    let read = match (std::str::from_utf8(&bytes), kept) {
        (Ok(text), Some(kept)) => Listed::read(text, kept),
        (Ok(text), None) => Action::read(text).map(|action| Queued::pending(action).into()),
        (Err(error), _) => Err(JsonError { at: error.valid_up_to(), problem: Problem::NotUtf8 }.into()),
    };
    let listed = read
        .unwrap_or_else(|error| Queued::pending(Action::unreadable(&bytes, &error, Timestamp::now())).into());
    Line::Action { line, listed }
}

/// The line and the digest of each id.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<Digest, (usize, Digest)>);

impl Seen {
    /// The line, if it holds something new.
    pub(super) fn take(&mut self, line: Line) -> Option<Line> {
        let Line::Action { line: number, listed } = line else { return Some(line) };
        // An id may have 128 bytes, and there may be many.
        let (id, digest) = (Digest::of(listed.headline.id().as_bytes()), listed.headline.digest);
        match self.0.get(&id) {
            Some((_, known)) if *known == digest => None,
            Some((first, _)) => {
                let reason =
                    format!("its id {:?} stands in line {first} with another content", listed.headline.id());
                Some(Line::Broken { line: number, reason: reason.into() })
            }
            None => {
                self.0.insert(id, (number, digest));
                Some(Line::Action { line: number, listed })
            }
        }
    }
}

/// Reads past the end of the line and keeps nothing of it. Returns how many bytes that were.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let bytes = reader.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (count, over) = end.map_or((bytes.len(), bytes.is_empty()), |at| (at + 1, true));
        reader.consume(count);
        skipped += count as u64;
        if over {
            return Ok(skipped);
        }
    }
}
