//! A program in a real pseudo-terminal, seen through a terminal emulator that answers no queries.
//!
//! Every byte that the program writes is kept, so that a test can look at what is shown ([`Pty::screen`]) and at what
//! was sent ([`Pty::bytes`]).

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Keys closer together than this look like a paste to the console (three letters within 15 ms).
const BETWEEN_KEYS: Duration = Duration::from_millis(25);

/// A running program and its terminal.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    emulator: Option<vt100::Parser>,
    bytes: Vec<u8>,
    ended: bool,
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Pty {
    /// The command line of the program under test.
    pub fn aegis_console(arguments: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(arguments);
        command
    }

    /// Starts the command in a terminal of that many columns and rows.
    pub fn start(mut command: CommandBuilder, columns_rows: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns_rows)).unwrap();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env_remove("NO_COLOR");
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let seen = Arc::new(Seen::default());
        let (columns, rows) = columns_rows;
        seen.state.lock().unwrap().emulator = Some(vt100::Parser::new(cells(rows), cells(columns), 0));
        thread::spawn({
            let seen = Arc::clone(&seen);
            move || seen.read(reader)
        });
        Self { master: pair.master, writer, child, seen }
    }

    /// The process's id.
    pub fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends each character as one key, slowly enough not to be taken for a paste. `\r` is Enter, `\x1b` Esc.
    pub fn send_keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.send(key.to_string().as_bytes());
            thread::sleep(BETWEEN_KEYS);
        }
    }

    /// Sends the bytes in one write: an escape sequence, or a paste.
    pub fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
        self.writer.flush().unwrap();
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns_rows: (u16, u16)) {
        let (columns, rows) = columns_rows;
        let mut state = self.seen.state.lock().unwrap();
        state.emulator.as_mut().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        drop(state);
        self.master.resize(size(columns_rows)).unwrap();
    }

    /// What the terminal shows, line by line, without the blanks at their ends.
    pub fn screen(&self) -> String {
        self.seen.state.lock().unwrap().screen()
    }

    /// Whatever the emulator knows of the screen: colours, cursor, modes.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.state.lock().unwrap().emulator.as_ref().unwrap().screen())
    }

    /// Every byte so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.state.lock().unwrap().bytes.clone()
    }

    /// The bytes after the first `from`, once there are any; none where the program has ended or the patience has.
    pub fn bytes_after(&self, from: usize, patience: Duration) -> Vec<u8> {
        let state = self.seen.state.lock().unwrap();
        let nothing = |state: &mut State| state.bytes.len() <= from && !state.ended;
        let state = self.seen.news.wait_timeout_while(state, patience, nothing).unwrap().0;
        state.bytes.get(from..).unwrap_or_default().to_vec()
    }

    /// Whether the program has closed its terminal.
    pub fn has_ended(&self) -> bool {
        self.seen.state.lock().unwrap().ended
    }

    /// Waits until the screen shows the text; panics with the screen after `patience`.
    pub fn wait_for(&self, text: &str, patience: Duration) -> String {
        self.wait_until(&format!("{text:?} on the screen"), patience, |state| state.screen().contains(text))
    }

    /// Waits until the screen no longer shows the text.
    pub fn wait_gone(&self, text: &str, patience: Duration) -> String {
        self.wait_until(&format!("{text:?} to go"), patience, |state| !state.screen().contains(text))
    }

    fn wait_until(&self, what: &str, patience: Duration, met: impl Fn(&State) -> bool) -> String {
        let deadline = Instant::now() + patience;
        let mut state = self.seen.state.lock().unwrap();
        loop {
            if met(&state) {
                return state.screen();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !state.ended,
                "waited for {what}; the terminal shows:\n{}",
                state.screen()
            );
            state = self.seen.news.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for the program to end and returns its exit code; panics with the screen if it does not.
    pub fn exit_code(&mut self, patience: Duration) -> u32 {
        let deadline = Instant::now() + patience;
        // There is no wait with a time limit; the process table is asked often.
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.drained();
                assert!(status.signal().is_none(), "killed by {:?}", status.signal());
                return status.exit_code();
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("still running; the terminal shows:\n{}", self.screen());
    }

    /// Waits until everything that was written has been read.
    fn drained(&self) {
        let mut state = self.seen.state.lock().unwrap();
        let deadline = Instant::now() + Duration::from_secs(2);
        while !state.ended && Instant::now() < deadline {
            state = self.seen.news.wait_timeout(state, Duration::from_millis(100)).unwrap().0;
        }
    }

    /// The terminal is as it was before: main screen, cursor shown, no bracketed paste, no focus reports, no mouse, and
    /// what was switched on was switched off, by the bytes.
    pub fn assert_restored(&self) {
        self.with_screen(|screen| {
            assert!(!screen.alternate_screen(), "still on the alternate screen");
            assert!(!screen.hide_cursor(), "the cursor is still hidden");
            assert!(!screen.bracketed_paste(), "bracketed paste is still on");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        });
        let bytes = self.bytes();
        for (mode, on, off) in [
            ("alternate screen", "\x1b[?1049h", "\x1b[?1049l"),
            ("bracketed paste", "\x1b[?2004h", "\x1b[?2004l"),
            ("focus reports", "\x1b[?1004h", "\x1b[?1004l"),
            ("cursor", "\x1b[?25l", "\x1b[?25h"),
            ("line wrap", "\x1b[?7l", "\x1b[?7h"),
        ] {
            let (on, off) = (last(&bytes, on), last(&bytes, off));
            assert!(on.is_some(), "{mode}: was never taken");
            assert!(on < off, "{mode}: not given back");
        }
    }

    /// The terminal is in cooked mode: lines are edited and echoed.
    pub fn assert_cooked(&self) {
        use nix_flags::{ECHO, ICANON};
        let local = self.master.get_termios().unwrap().local_flags.bits();
        assert_eq!(local & (ICANON | ECHO), ICANON | ECHO, "still in raw mode");
    }
}

/// The two bits of a Linux or BSD terminal's local modes that raw mode clears.
mod nix_flags {
    #[cfg(target_os = "linux")]
    pub(super) const ICANON: u32 = 0o2;
    #[cfg(target_os = "linux")]
    pub(super) const ECHO: u32 = 0o10;
    #[cfg(not(target_os = "linux"))]
    pub(super) const ICANON: u64 = 0x100;
    #[cfg(not(target_os = "linux"))]
    pub(super) const ECHO: u64 = 0x8;
}

/// Where the text stands last.
fn last(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).rposition(|window| window == text.as_bytes())
}

impl Seen {
    fn read(&self, mut reader: Box<dyn Read + Send>) {
        let mut buffer = [0; 16 * 1024];
        loop {
            // The other end is closed when the program ends: an error on Linux, an end elsewhere.
            let count = reader.read(&mut buffer).unwrap_or(0);
            let mut state = self.state.lock().unwrap();
            state.bytes.extend_from_slice(&buffer[..count]);
            state.emulator.as_mut().unwrap().process(&buffer[..count]);
            state.ended = count == 0;
            self.news.notify_all();
            if count == 0 {
                return;
            }
        }
    }
}

impl State {
    fn screen(&self) -> String {
        self.emulator.as_ref().unwrap().screen().contents()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A test that failed must not leave its program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
