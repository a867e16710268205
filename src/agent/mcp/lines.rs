//! Lines of bytes out of a stream, none longer than a limit, and none lost where a read is given up half-way.
//!
//! It must not look into them.

use std::io;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// What the stream gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A line without its end.
    Line(Vec<u8>),
    /// One that was longer than the limit; it has been dropped.
    TooLong,
    /// The stream is at its end.
    End,
}

/// The lines of a stream.
#[derive(Debug)]
pub(super) struct Lines<R> {
    read: BufReader<R>,
    limit: usize,
    /// The beginning of the line that comes next.
    line: Vec<u8>,
    /// Whether that line has been told as too long already.
    dropping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(read: R, limit: usize) -> Self {
        Self { read: BufReader::new(read), limit, line: Vec::new(), dropping: false }
    }

    /// The next line. May be dropped at any time: what has been read of it stays. A last line needs no end.
    pub(super) async fn next(&mut self) -> io::Result<Read> {
        loop {
            let buffer = self.read.fill_buf().await?;
            if buffer.is_empty() {
                let last = std::mem::take(&mut self.line);
                return Ok(if last.is_empty() { Read::End } else { Read::Line(last) });
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let taken = part.len() + usize::from(end.is_some());
            let fits = !self.dropping && self.line.len() + part.len() <= self.limit;
            if fits {
                self.line.extend_from_slice(part);
            } else {
                self.line = Vec::new();
            }
            self.read.consume(taken);
            let told = std::mem::replace(&mut self.dropping, !fits && end.is_none());
            match (fits, end) {
                (true, Some(_)) => return Ok(Read::Line(std::mem::take(&mut self.line))),
                (false, _) if !told => return Ok(Read::TooLong),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    async fn all(bytes: &[u8], limit: usize) -> Vec<Read> {
        let mut lines = Lines::new(bytes, limit);
        let mut read = Vec::new();
        while read.last() != Some(&Read::End) {
            read.push(lines.next().await.unwrap());
        }
        read
    }

    #[tokio::test]
    async fn lines_and_what_is_too_long() {
        let line = |text: &str| Read::Line(text.into());
        assert_eq!(all(b"", 4).await, [Read::End]);
        assert_eq!(all(b"a\n\nbcde\nf", 4).await, [line("a"), line(""), line("bcde"), line("f"), Read::End]);
        assert_eq!(all(b"abcde\nf\n", 4).await, [Read::TooLong, line("f"), Read::End]);
        let long = [vec![b'x'; 100_000], b"\nok\n".to_vec()].concat();
        assert_eq!(all(&long, 4).await, [Read::TooLong, line("ok"), Read::End], "it is told once");
        assert_eq!(all(&[b'x'; 100_000], 4).await, [Read::TooLong, Read::End]);
    }

    #[tokio::test]
    async fn a_read_that_was_given_up_loses_nothing() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut lines = Lines::new(server, 64);
        client.write_all(b"half a ").await.unwrap();
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(20), lines.next()).await;
        assert!(given_up.is_err());
        client.write_all(b"line\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), Read::Line(b"half a line".to_vec()));
    }
}
