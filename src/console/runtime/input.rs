//! The keyboard, on a thread of its own: it reads the terminal's bytes and says when they came. What they mean is the
//! decoder's to say; nothing here waits for the rest of anything.

use super::{EndOfInput, Input};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read};
use rustix::termios::{QueueSelector, tcflush};
use std::fs::File;
use std::io;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

/// Where keys are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyboard {
    /// Standard input, which must be a terminal.
    StandardInput,
    /// The terminal that the process belongs to, because standard input brings something else.
    ControllingTerminal,
}

/// Bytes as they came from the terminal, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBytes {
    /// The bytes of one read.
    pub bytes: Vec<u8>,
    /// When they were there to be read.
    pub at: Instant,
}

/// Reads that may wait for the loop. More than that was not pressed for what is on the screen, and is dropped.
const WAITING: usize = 1024;
/// The most bytes of one read.
const CHUNK: usize = 4096;

/// What the keyboard's thread has read, in order.
#[derive(Debug)]
pub struct Typed {
    reads: mpsc::Receiver<RawBytes>,
    /// The terminal, where there is one.
    terminal: Option<File>,
}

impl Typed {
    /// Bytes that somebody else reads from no terminal.
    pub fn new(reads: mpsc::Receiver<RawBytes>) -> Self {
        Self { reads, terminal: None }
    }

    /// Starts to read the terminal. The thread ends with the terminal, or with the first bytes after this is dropped: a
    /// blocked read cannot be called off.
    pub(super) fn start(terminal: File, urgent: mpsc::Sender<Input>) -> io::Result<Self> {
        let (sender, reads) = mpsc::channel(WAITING);
        let source = terminal.try_clone()?;
        std::thread::Builder::new().name("keyboard".into()).spawn(move || {
            if let Err(end) = read_into(&source, &sender) {
                // The receiver may be gone: then the loop has ended.
                let _ = urgent.blocking_send(Input::End(end));
            }
            // The channel stays open until the reason has been told.
            drop(sender);
        })?;
        Ok(Self { reads, terminal: Some(terminal) })
    }

    /// What was read next; `None` when nothing will come any more.
    pub(super) async fn next(&mut self) -> Option<RawBytes> {
        self.reads.recv().await
    }

    /// Whether everything that was read has been taken.
    pub(super) fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// Throws away what the terminal holds and nobody has read. What has been read is the caller's to judge, by its
    /// time: everything that was there before this call bears an earlier one than the end of the call.
    pub(super) fn discard_unread(&self) {
        if let Some(terminal) = &self.terminal {
            // A terminal that cannot even do this is told of by the reading thread.
            let _ = tcflush(terminal, QueueSelector::IFlush);
        }
    }
}

fn read_into(terminal: &File, reads: &mpsc::Sender<RawBytes>) -> Result<(), EndOfInput> {
    let failed = |error: Errno| EndOfInput::Error(format!("the terminal cannot be read: {error}"));
    let mut buffer = vec![0; CHUNK];
    loop {
        let mut wanted = [PollFd::new(terminal, PollFlags::IN)];
        match poll(&mut wanted, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(failed(error)),
            Ok(_) => {}
        }
        // Before the read: what is thrown away by its time must not be told too late a one.
        let at = Instant::now();
        match read(terminal, &mut buffer) {
            Ok(0) | Err(Errno::IO) => return Err(EndOfInput::Hangup),
            // Other programs on the terminal may have set it so.
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(failed(error)),
            Ok(count) => {
                let read = RawBytes { bytes: buffer[..count].to_vec(), at };
                if let Err(TrySendError::Closed(_)) = reads.try_send(read) {
                    return Ok(());
                }
            }
        }
    }
}
