//! A program in a pseudo-terminal, and the terminal it believes to be in: keeps every byte with the time at which it
//! came, and answers what terminals answer, directly or over a slow link.

use crate::link::Wire;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes, slow links included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// When nothing has come for so long after a key, its frame is complete.
const QUIET: Duration = Duration::from_millis(30);
/// A key that changes nothing is not waited for longer.
const NO_ANSWER: Duration = Duration::from_millis(600);

/// What the terminal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Nothing at all.
    Mute,
    /// Status requests (`CSI 5 n`); synchronized output is not known to it.
    Plain,
    /// The same, and synchronized output is (DEC 2026).
    Synchronized,
}

impl Manners {
    /// The questions that it knows, and its answers.
    fn answers(self) -> &'static [(&'static [u8], &'static [u8])] {
        match self {
            Self::Mute => &[],
            Self::Plain => &[(b"\x1b[5n", b"\x1b[0n"), (b"\x1b[?2026$p", b"\x1b[?2026;0$y")],
            Self::Synchronized => &[(b"\x1b[5n", b"\x1b[0n"), (b"\x1b[?2026$p", b"\x1b[?2026;2$y")],
        }
    }
}

/// Bytes that came together.
#[derive(Debug, Clone)]
struct Chunk {
    at: Instant,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Seen {
    chunks: Mutex<Vec<Chunk>>,
    news: Condvar,
}

/// How one key was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// From the key to the last byte.
    pub(crate) took: Duration,
    /// Bytes until then.
    pub(crate) bytes: usize,
}

/// A running program and its terminal.
pub(crate) struct Tester {
    child: Box<dyn Child + Send + Sync>,
    /// Held so that the terminal stays open.
    _master: Box<dyn MasterPty + Send>,
    keys: Wire,
    seen: Arc<Seen>,
    emulator: vt100::Parser,
    /// How many chunks the emulator has been given.
    read: usize,
    /// Just before the program was started.
    pub(crate) started: Instant,
}

impl Tester {
    /// Starts a command in a terminal of that size. With `slow`, a slow link lies between the two.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        home: &Path,
        (columns, rows): (u16, u16),
        manners: Manners,
        slow: bool,
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(home);
        for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"] {
            command.env(name, home);
        }
        for name in ["NO_COLOR", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "AEGIS_CONSOLE_NO_SYNC"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        if slow {
            // What sshd sets, and what a program may know its link by.
            command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
            command.env("SSH_TTY", "/dev/pts/0");
        }
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut writer = pair.master.take_writer().unwrap();
        let seen = Arc::new(Seen::default());
        let up = move |bytes: &[u8]| {
            // The program may be gone.
            let _ = writer.write_all(bytes).and_then(|()| writer.flush());
        };
        let keys = if slow { Wire::slow(up) } else { Wire::direct(up) };
        let mut terminal = Terminal {
            seen: Arc::clone(&seen),
            answers: manners.answers(),
            keys: keys.clone(),
            tail: Vec::new(),
        };
        let down = move |bytes: &[u8]| terminal.show(bytes);
        let down = if slow { Wire::slow(down) } else { Wire::direct(down) };
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            // The other end is closed when the program ends: an error on Linux, an end elsewhere.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                down.send(&buffer[..count]);
            }
        });
        let cells = |count| NonZeroU16::new(count).unwrap();
        let emulator = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self { child, _master: pair.master, keys, seen, emulator, read: 0, started }
    }

    /// The process's id.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the bytes of one key; does not wait.
    pub(crate) fn send(&self, key: &str) {
        self.keys.send(key.as_bytes());
    }

    /// Sends a key and waits until its frame is complete; `None` where it changes nothing.
    pub(crate) fn press(&mut self, key: &str) -> Option<Answered> {
        let (chunks, _) = self.so_far();
        let sent = Instant::now();
        self.send(key);
        self.quiet(chunks, QUIET, NO_ANSWER).map(|(at, bytes)| Answered { took: at - sent, bytes })
    }

    /// Chunks and bytes so far.
    pub(crate) fn so_far(&self) -> (usize, usize) {
        let chunks = self.seen.chunks.lock().unwrap();
        (chunks.len(), chunks.iter().map(|chunk| chunk.bytes.len()).sum())
    }

    /// Waits until nothing has come for `quiet` after the first `from` chunks, and says when the last byte came and how
    /// many bytes there were; `None` where nothing comes within `patience`.
    pub(crate) fn quiet(&self, from: usize, quiet: Duration, patience: Duration) -> Option<(Instant, usize)> {
        let began = Instant::now();
        let mut chunks = self.seen.chunks.lock().unwrap();
        loop {
            let until =
                chunks.get(from..).and_then(<[_]>::last).map_or(began + patience, |last| last.at + quiet);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let new = chunks.get(from..).unwrap_or_default();
                let bytes = new.iter().map(|chunk| chunk.bytes.len()).sum();
                return new.last().map(|last| (last.at, bytes));
            }
            chunks = self.seen.news.wait_timeout(chunks, left).unwrap().0;
        }
    }

    /// Waits until the screen is as asked for, and says when its last byte came. Panics with the screen where it does not
    /// come to that.
    pub(crate) fn wait_for(&mut self, what: &str, is: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let began = Instant::now();
        loop {
            while let Some(at) = self.advance() {
                if is(self.emulator.screen()) {
                    return at;
                }
            }
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {what}; the screen shows\n{}",
                self.screen().contents()
            );
            let chunks = self.seen.chunks.lock().unwrap();
            if chunks.len() == self.read {
                drop(self.seen.news.wait_timeout(chunks, Duration::from_millis(100)).unwrap());
            }
        }
    }

    /// Waits for the screen to stand still, and then says when it first was as it is now, but for digits.
    pub(crate) fn settled(&mut self, still: Duration) -> Instant {
        self.quiet(0, still, PATIENCE);
        let chunks = self.seen.chunks.lock().unwrap().clone();
        let (rows, columns) = self.screen().size();
        let filled = |screen: &vt100::Screen| {
            let text = screen.contents();
            (
                text.lines().filter(|line| !line.trim().is_empty()).count(),
                crate::rows_of_actions(&text).count(),
            )
        };
        self.screen_now();
        let last = filled(self.screen());
        let mut again = vt100::Parser::new(rows, columns, 0);
        for chunk in &chunks {
            again.process(&chunk.bytes);
            if filled(again.screen()) == last {
                return chunk.at;
            }
        }
        chunks.last().map_or(self.started, |chunk| chunk.at)
    }

    /// The screen after everything that has come.
    pub(crate) fn screen_now(&mut self) -> &vt100::Screen {
        while self.advance().is_some() {}
        self.emulator.screen()
    }

    /// The screen after what has been looked at.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    /// The bytes of the chunks after the first `from`.
    pub(crate) fn bytes(&self, from: usize) -> Vec<u8> {
        let chunks = self.seen.chunks.lock().unwrap();
        chunks.iter().skip(from).flat_map(|chunk| chunk.bytes.clone()).collect()
    }

    fn advance(&mut self) -> Option<Instant> {
        let chunk = self.seen.chunks.lock().unwrap().get(self.read).cloned()?;
        self.read += 1;
        self.emulator.process(&chunk.bytes);
        Some(chunk.at)
    }
}

impl Drop for Tester {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The person's side of the link.
struct Terminal {
    seen: Arc<Seen>,
    answers: &'static [(&'static [u8], &'static [u8])],
    keys: Wire,
    /// The last bytes, in which a question may have begun.
    tail: Vec<u8>,
}

impl Terminal {
    fn show(&mut self, bytes: &[u8]) {
        let at = Instant::now();
        let before = self.tail.len();
        self.tail.extend_from_slice(bytes);
        for end in before + 1..=self.tail.len() {
            for (question, answer) in self.answers {
                if self.tail[..end].ends_with(question) {
                    self.keys.send(answer);
                }
            }
        }
        self.tail.drain(..self.tail.len().saturating_sub(16));
        self.seen.chunks.lock().unwrap().push(Chunk { at, bytes: bytes.to_vec() });
        self.seen.news.notify_all();
    }
}
