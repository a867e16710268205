//! The runtime in a real pseudo-terminal: what it does to the terminal is undone on every way out.
//!
//! The program in the terminal is this test binary itself, started again with [`CHILD`] set: then [`child`] runs a tiny
//! program on the runtime instead of being a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aegis_console::console::runtime::{self, Input, Keyboard, Now, Program};
use crossterm::event::KeyCode;
use portable_pty::CommandBuilder;
use ratatui::Frame;
use ratatui::style::Stylize;
use ratatui::text::Line;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::pty::{PATIENCE, Pty};

const CHILD: &str = "AEGIS_CONSOLE_TEST_CHILD";
const OWNER: &str = "AEGIS_CONSOLE_TEST_OWNER";
const ARGUMENTS: [&str; 4] = ["child", "--exact", "--nocapture", "--test-threads=1"];

/// Shows the last thing that happened and every key so far, and obeys a few keys.
struct Tiny {
    shown: String,
    keys: String,
    flush: bool,
    over: bool,
    changed: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Do {
    PanicElsewhere,
}

impl Program for Tiny {
    type Message = Input;
    type Effect = Do;

    fn update(&mut self, message: Input, _: Now) -> Vec<Do> {
        self.changed = true;
        let mut effects = Vec::new();
        if let Input::Key(key) = &message {
            self.keys += &match key.code {
                KeyCode::Char(c) => c.to_string(),
                code => format!("{code:?}"),
            };
        }
        self.shown = match message {
            Input::Key(key) => match key.code {
                KeyCode::Char('q') => {
                    self.over = true;
                    "bye".into()
                }
                KeyCode::Char('f') => {
                    self.flush = true;
                    "flushed".into()
                }
                KeyCode::Char('p') => panic!("on purpose"),
                KeyCode::Char('b') => {
                    effects.push(Do::PanicElsewhere);
                    "asked".into()
                }
                code => format!("key {code:?} {:?}", key.modifiers),
            },
            Input::TaskPanicked(words) => format!("elsewhere: {words}"),
            other => format!("{other:?}"),
        };
        effects
    }

    fn view(&self, frame: &mut Frame<'_>, _: Now) {
        let keys = format!("keys [{}]", self.keys);
        let lines = vec![Line::from(self.shown.as_str().red().reversed()), Line::from(keys)];
        frame.render_widget(ratatui::text::Text::from(lines), frame.area());
    }

    fn painted(&mut self, _: Now) {}

    fn next_deadline(&self, _: Now) -> Option<Duration> {
        None
    }

    fn dirty(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn finished(&self) -> bool {
        self.over
    }

    fn flush_input(&mut self) -> bool {
        std::mem::take(&mut self.flush)
    }

    fn input(event: Input) -> Input {
        event
    }
}

/// Not a test by itself: the program in the terminal.
#[test]
fn child() {
    let Some(keyboard) = std::env::var_os(CHILD) else { return };
    let keyboard = if keyboard == "tty" { Keyboard::ControllingTerminal } else { Keyboard::StandardInput };
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut program =
        Tiny { shown: "ready".into(), keys: String::new(), flush: false, over: false, changed: true };
    let (_sender, messages) = tokio::sync::mpsc::channel(1);
    let exit = rt.block_on(async {
        let effects = |_: Do| drop(tokio::spawn(async { panic!("in the back\u{1b}[2J") }));
        runtime::run(&mut program, keyboard, messages, effects).await
    });
    let code = match exit {
        Ok(exit) => i32::from(exit.code()),
        Err(error) => {
            eprintln!("{error}");
            77
        }
    };
    std::process::exit(code);
}

fn command() -> CommandBuilder {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS);
    command.env(CHILD, "stdin");
    command.env("RUST_BACKTRACE", "0");
    command
}

fn started() -> Pty {
    let pty = Pty::start(command(), (60, 12));
    pty.wait_for("ready", PATIENCE);
    pty
}

fn signal(pty: &Pty, name: &str) {
    let status = Command::new("kill").args([name, &pty.process_id().to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn keys_arrive_and_quitting_restores_the_terminal() {
    let mut pty = started();
    pty.with_screen(|screen| assert!(screen.alternate_screen() && screen.hide_cursor()));
    pty.send_keys("x");
    pty.wait_for("key Char('x')", PATIENCE);
    pty.send(b"\x1b[A");
    pty.wait_for("key Up", PATIENCE);
    pty.send(b"\x1b[200~a\x1b[31mb\r\x1b[201~");
    pty.wait_for("Paste(\"a\\u{1b}[31mb\\r\")", PATIENCE);
    pty.send(b"aaaaaaaaaaaa");
    pty.wait_for("Paste(\"aaaaaaaaaaaa\")", PATIENCE);
    pty.send(b"\x1b[O");
    pty.wait_for("FocusLost", PATIENCE);
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    pty.assert_restored();
    pty.assert_cooked();
}

/// Presses the key until it is told: right after half a sequence it may be taken for the rest of it.
fn press_until_told(pty: &mut Pty, key: &str) {
    for _ in 0..100 {
        pty.send_keys(key);
        std::thread::sleep(Duration::from_millis(50));
        if pty.screen().contains(&format!("key Char('{key}')")) {
            return;
        }
    }
    pty.wait_for(&format!("key Char('{key}')"), PATIENCE);
}

#[test]
fn no_reply_is_a_key() {
    for reply in [
        "\x1b]11;rgb:aaaa/aaaa/aaaa\x1b\\",
        "\x1b]11;rgb:aaaa/aaaa/aaaa\x07",
        "\x1bP>|a\rterminal\x1b\\",
        "\x1b_Gi=1;a\r\x1b\\",
        "\x1b[12;40R",
        "\x1b[?62;22c",
        "\x1b[0n",
        "aaaaaaaaaaaa",
    ] {
        let mut pty = started();
        // What comes after it in the same breath is what it is.
        pty.send(format!("{reply}\x1b[I\x1b[B").as_bytes());
        pty.wait_for("key Down", PATIENCE);
        pty.wait_for("keys [Down]", PATIENCE);
    }
    for unended in ["\x1b]11;rgb:aaaa", "\x1bP1$r\r", "\x1b_a", "\x1b[1;", "\x1bO"] {
        let mut pty = started();
        pty.send(unended.as_bytes());
        press_until_told(&mut pty, "z");
        let screen = pty.screen();
        let (_, keys) = screen.split_once("keys [").unwrap();
        assert!(keys.trim_end().trim_end_matches(']').chars().all(|c| c == 'z'), "{unended:?}: {keys}");
    }
}

#[test]
fn ctrl_c_gets_through_half_of_anything() {
    for half in [b"\x1b[1;".as_slice(), b"\x1bO", b"\x1b]11;rgb:", b"\x1bP", b"\xe2\x82", b"\x1b"] {
        let mut pty = started();
        pty.send(half);
        pty.send(b"\x03");
        pty.wait_for("key Char('c') KeyModifiers(CONTROL)", PATIENCE);
    }
    let mut pty = started();
    pty.send(b"\x1b[200~half a paste");
    std::thread::sleep(Duration::from_millis(60));
    pty.send(b"\x03");
    pty.wait_for("keys [c]", PATIENCE);
    pty.wait_for("Paste(\"half a paste\")", PATIENCE);
}

#[test]
fn a_paste_with_its_end_inside_is_one_paste() {
    let mut pty = started();
    pty.send(b"\x1b[200~safe\x1b[201~a\r\x1b[201~");
    pty.wait_for("Paste(\"safe\\u{1b}[201~a\\r\")", PATIENCE);
    pty.wait_for("keys []", PATIENCE);
    pty.send(b"\x1b[200~without an end");
    pty.wait_for("Paste(\"without an end\")", PATIENCE);
    pty.send_keys("x");
    pty.wait_for("keys [x]", PATIENCE);
}

#[test]
fn what_was_typed_before_a_flush_is_gone() {
    let mut pty = started();
    // `f` is certain when the arrow comes, and both come together.
    pty.send(b"f\x1b[B\x1b[A");
    pty.wait_for("flushed", PATIENCE);
    press_until_told(&mut pty, "x");
    pty.wait_for("keys [fx", PATIENCE);
}

#[test]
fn a_new_size_arrives_and_the_frame_follows() {
    let mut pty = started();
    pty.resize((40, 8));
    pty.wait_for("Resize(40, 8)", PATIENCE);
    // Half an escape sequence must not hold up the size.
    pty.send(b"\x1b[1;");
    pty.resize((50, 9));
    pty.wait_for("Resize(50, 9)", PATIENCE);
}

#[test]
fn signals_restore_the_terminal() {
    for (name, code) in [("-TERM", 143), ("-HUP", 129)] {
        let mut pty = started();
        signal(&pty, name);
        assert_eq!(pty.exit_code(PATIENCE), code, "{name}");
        pty.assert_restored();
        pty.assert_cooked();
    }
}

#[test]
fn sigint_is_ctrl_c() {
    let mut pty = started();
    signal(&pty, "-INT");
    pty.wait_for("key Char('c') KeyModifiers(CONTROL)", PATIENCE);
    pty.send_keys("x");
    pty.wait_for("key Char('x')", PATIENCE);
    pty.send(b"\x03");
    pty.wait_for("key Char('c') KeyModifiers(CONTROL)", PATIENCE);
}

#[test]
fn a_panic_restores_the_terminal_and_is_then_printed() {
    let mut pty = started();
    pty.send_keys("p");
    assert_ne!(pty.exit_code(PATIENCE), 0);
    pty.assert_restored();
    pty.assert_cooked();
    let bytes = String::from_utf8_lossy(&pty.bytes()).into_owned();
    let (_, after) = bytes.rsplit_once("\x1b[?1049l").unwrap();
    assert!(after.contains("panicked at") && after.contains("on purpose"), "{after}");
}

#[test]
fn a_panic_elsewhere_leaves_the_screen_and_becomes_a_message() {
    let mut pty = started();
    pty.send_keys("b");
    pty.wait_for("elsewhere: in the back␛[2J (tests/terminal.rs:", PATIENCE);
    pty.with_screen(|screen| assert!(screen.alternate_screen()));
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("panicked at"));
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    pty.assert_restored();
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut pty = started();
    pty.send(b"\x1b[I");
    pty.wait_for("FocusGained", PATIENCE);
    let before = pty.bytes().len();
    // The same again: the frame is the same.
    pty.send(b"\x1b[I");
    pty.send(b"\x1b[O");
    pty.wait_for("FocusLost", PATIENCE);
    let sent = String::from_utf8_lossy(&pty.bytes()[before..]).into_owned();
    // Of three events only the last one changed a frame, and of that only a word.
    assert_eq!(sent, "\x1b[1;6HLost\x1b[27m  ", "{sent:?}");
}

#[test]
fn the_style_survives_no_color() {
    let mut command = command();
    command.env("NO_COLOR", "1");
    let mut pty = Pty::start(command, (60, 12));
    pty.wait_for("ready", PATIENCE);
    // crossterm by itself would send `ESC[m` in place of the colour, and wipe the reversal with it.
    assert!(pty.with_screen(|screen| screen.cell(0, 0).unwrap().inverse()));
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
}

/// Not a test by itself: owns the terminal of a program that SIGHUP does not reach, until it is killed.
#[test]
fn owner() {
    let Some(exit) = std::env::var_os(OWNER) else { return };
    let mut shell = CommandBuilder::new("sh");
    // Where the shell ignores the signal and the program's handler has it, only the line itself tells.
    shell.args(["-c", "trap '' HUP; setsid -w \"$PROGRAM\" $ARGUMENTS <&1 2>&1; echo $? > \"$EXIT\""]);
    shell.env("PROGRAM", std::env::current_exe().unwrap());
    shell.env("ARGUMENTS", ARGUMENTS.join(" "));
    shell.env("EXIT", exit);
    shell.env(CHILD, "stdin");
    shell.env_remove(OWNER);
    let pty = Pty::start(shell, (60, 12));
    pty.wait_for("ready", PATIENCE);
    println!("ready");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let exit = directory.path().join("exit");
    let mut owner = Command::new(std::env::current_exe().unwrap());
    owner.args(["owner", "--exact", "--nocapture", "--test-threads=1"]).env(OWNER, &exit);
    let mut owner = owner.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let code = loop {
        match std::fs::read_to_string(&exit) {
            Ok(code) if code.ends_with('\n') => break code,
            _ => assert!(Instant::now() < deadline, "the program goes on without its terminal"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(code.trim(), "129");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(ARGUMENTS).env(CHILD, "stdin");
    let output = alone.output().unwrap();
    assert_eq!(output.status.code(), Some(77));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("needs a terminal") && words.contains("aegis-console list"), "{words}");
}

#[test]
fn keys_come_from_the_terminal_where_standard_input_is_the_queue() {
    let mut shell = CommandBuilder::new("sh");
    shell.args(["-c", "echo '{}' | \"$PROGRAM\" child --exact --nocapture --test-threads=1"]);
    shell.env("PROGRAM", std::env::current_exe().unwrap());
    shell.env(CHILD, "tty");
    let mut pty = Pty::start(shell, (60, 12));
    pty.wait_for("ready", PATIENCE);
    pty.send_keys("x");
    pty.wait_for("key Char('x')", PATIENCE);
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    pty.assert_restored();

    let mut direct = command();
    direct.env(CHILD, "tty");
    let mut pty = Pty::start(direct, (60, 12));
    pty.wait_for("pipe them in", PATIENCE);
    assert_eq!(pty.exit_code(PATIENCE), 77);
}
