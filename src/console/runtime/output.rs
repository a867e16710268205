//! Where frames are written to: the terminal, without a buffer of its own, so that one frame is one write, and without
//! waiting, so that a terminal that takes nothing (ctrl-s, a slow link) keeps nobody from a signal.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write, stdout};
use std::os::fd::AsFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How long a terminal that takes nothing is waited for once the program has nothing else to do.
const LAST_PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Something that frames can be written to. A write may say that it would block; then it is tried again once
/// [`writable`](Self::writable) is over.
pub trait Output: Write {
    /// Waits until something can be written.
    fn writable(&self) -> impl Future<Output = io::Result<()>> {
        std::future::ready(Ok(()))
    }
}

impl Output for Vec<u8> {}

/// The process's terminal.
#[derive(Debug)]
pub(super) struct TerminalOutput(AsyncFd<File>);

impl TerminalOutput {
    /// Must be called inside a runtime.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe, for types that close their descriptor at will; a file does not"
    )]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(AsyncFd::with_interest(terminal()?, Interest::WRITABLE)?))
    }
}

impl Write for TerminalOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_ref().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for TerminalOutput {
    async fn writable(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.writable().await?;
            if poll(&mut [PollFd::new(self.0.get_ref(), PollFlags::OUT)], Some(&Timespec::default()))? > 0 {
                return Ok(());
            }
            ready.clear_ready();
        }
    }
}

/// Standard output's terminal, opened anew where that can be: then that it does not wait concerns nobody else who has it
/// open. Where it cannot, a write waits.
pub(super) fn terminal() -> io::Result<File> {
    if !stdout().is_terminal() {
        return Err(io::Error::other("standard output is not a terminal"));
    }
    let own = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new()).and_then(|name| {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::open(name.as_c_str(), flags, Mode::empty())
    });
    match own {
        Ok(own) => Ok(File::from(own)),
        Err(_) => Ok(File::from(stdout().as_fd().try_clone_to_owned()?)),
    }
}

/// Writes the last words: all of them, unless the terminal takes nothing for a while.
pub(super) fn write_last(mut terminal: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match terminal.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if poll(&mut [PollFd::new(terminal, PollFlags::OUT)], Some(&LAST_PATIENCE))? == 0 {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
