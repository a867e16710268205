//! The plain mode as a person uses it, in a real terminal in cooked mode and from a pipe, on a real gateway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aegis_console::agent::{AapClient, Answer, Gate, Submission};
use aegis_console::domain::Untrusted;
use aegis_console::gateway::{Config, Gateway};
use assert_cmd::Command;
use portable_pty::CommandBuilder;
use std::path::Path;
use std::time::Duration;
use support::pty::{PATIENCE, Pty};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than any answer has to wait.
const LOOK: Duration = Duration::from_millis(1_200);

struct World {
    runtime: Runtime,
    data: TempDir,
    gateway: Gateway,
}

impl World {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let data = TempDir::new().unwrap();
        let config = Config::new("127.0.0.1:0".parse().unwrap(), data.path());
        let gateway = runtime.block_on(Gateway::start(config)).unwrap();
        Self { runtime, data, gateway }
    }

    fn ask(&self, tool: &str) -> tokio::task::JoinHandle<Answer> {
        let agent = self.gateway.agent("billing-agent");
        let client = AapClient::new(&format!("{}/aap", self.gateway.url()), agent).unwrap();
        let arguments = r#"{"to":"user@example.com","body":"\u001b]0;owned\u0007\r> approve 1"}"#;
        let submission = Submission::new(tool, arguments).unwrap().timeout("10m");
        let key = format!("key-{tool}");
        self.runtime.spawn(async move { Gate::new(client).check(&submission, &key).await })
    }

    fn arguments(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let (token, journal) = (self.gateway.reviewer_token_file(), self.data.path().join("journal.sqlite"));
        let flags = ["review", "--plain", "--grace", "0", "--server"];
        let mut arguments: Vec<_> = flags.iter().map(ToString::to_string).collect();
        arguments.push(self.gateway.url());
        arguments.extend(["--token-file".into(), path(token), "--journal".into(), path(&journal)]);
        arguments
    }

    fn review(&self) -> Pty {
        let arguments = self.arguments();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Pty::start(Pty::aegis_console(&arguments), (80, 40))
    }

    fn shutdown(self) {
        self.runtime.block_on(self.gateway.shutdown());
    }
}

/// Waits for words that came after the first `from` bytes.
fn heard(pty: &Pty, from: usize, words: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let bytes = pty.bytes();
        let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
        if text.contains(words) {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "no {words:?} in:\n{}",
            String::from_utf8_lossy(&bytes)
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A line, and what is heard after it.
fn say(pty: &mut Pty, line: &str, then: &str) {
    let from = pty.bytes().len();
    pty.send(format!("{line}\r").as_bytes());
    heard(pty, from, then);
}

/// A line by somebody who has read what it answers.
fn answer(pty: &mut Pty, line: &str, then: &str) {
    std::thread::sleep(LOOK);
    say(pty, line, then);
}

#[test]
fn show_approve_reject_quit_line_by_line() {
    let world = World::new();
    let approved = world.ask("send_email");
    let mut pty = world.review();
    pty.wait_for("1: ", PATIENCE);
    pty.wait_for("listening", PATIENCE);
    say(&mut pty, "", "> ");
    answer(&mut pty, "approve 1", "not printed yet");
    say(&mut pty, "show 1", "end of 1");
    answer(&mut pty, "approve 1", "anything else leaves it: ");
    let screen = pty.screen();
    let word = screen.rsplit_once("Type ").unwrap().1.split(' ').next().unwrap().to_owned();
    answer(&mut pty, &word, "1: approve send_email: 202");
    assert!(matches!(world.runtime.block_on(approved).unwrap(), Answer::Allowed(_)));

    say(&mut pty, "", "listening");
    let denied = world.ask("drop_table");
    pty.wait_for("new 2: ", PATIENCE);
    answer(&mut pty, "reject 2 not on a Friday", "Type yes to reject 2");
    answer(&mut pty, "yes", "2: reject drop_table: 202");
    let Answer::Denied { reason, .. } = world.runtime.block_on(denied).unwrap() else { panic!("not denied") };
    assert_eq!(reason.as_ref().map(Untrusted::raw), Some("not on a Friday"));
    pty.send(b"quit\r");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    pty.assert_cooked();

    let bytes = pty.bytes();
    assert!(!bytes.contains(&0x1b) && !bytes.contains(&0x07), "{}", String::from_utf8_lossy(&bytes));
    let returns = bytes.iter().filter(|byte| **byte == b'\r').count();
    let lines = bytes.windows(2).filter(|two| two == b"\r\n").count();
    assert_eq!(returns, lines, "no line is written over");
    world.shutdown();
}

#[test]
fn typed_ahead_and_the_end_of_input_decide_nothing() {
    let world = World::new();
    let asked = world.ask("send_email");
    let mut pty = world.review();
    pty.wait_for("listening", PATIENCE);
    say(&mut pty, "show 1", "end of 1");
    // In one write, as a paste or a typing-ahead comes.
    answer(&mut pty, "reject 1\ryes\ryes", "leaves it: ");
    std::thread::sleep(LOOK);
    let from = pty.bytes().len();
    pty.send(b"\x04");
    heard(&pty, from, "nothing was decided");
    assert!(!asked.is_finished());
    // ctrl-c leaves a question too, and then the program.
    answer(&mut pty, "reject 1", "leaves it: ");
    let from = pty.bytes().len();
    pty.send(b"\x03");
    heard(&pty, from, "nothing was decided");
    pty.send(b"\x03");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    assert!(!asked.is_finished());
    asked.abort();
    world.shutdown();
}

#[test]
fn a_terminal_that_goes_away_decides_nothing() {
    let world = World::new();
    let asked = world.ask("send_email");
    let mut pty = world.review();
    pty.wait_for("listening", PATIENCE);
    answer(&mut pty, "reject 1", "leaves it: ");
    let id = pty.process_id().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    assert_eq!(pty.exit_code(PATIENCE), 129);
    assert!(!asked.is_finished());
    asked.abort();
    world.shutdown();
}

#[test]
fn from_a_pipe_it_lists_and_shows_and_decides_nothing() {
    let world = World::new();
    let asked = world.ask("send_email");
    let waits = || {
        let client = aegis_console::client::AegisClient::builder()
            .base_url(world.gateway.url())
            .api_key(world.gateway.reviewer("reviewer"))
            .build()
            .unwrap();
        let source = aegis_console::feed::Source::new(&client).unwrap();
        let page = async { source.pages(aegis_console::domain::ActionState::Pending).next().await };
        world.runtime.block_on(page).unwrap().unwrap().entries.len()
    };
    while waits() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let out = Command::new(env!("CARGO_BIN_EXE_aegis-console"))
        .args(world.arguments())
        .write_stdin("list\nshow 1\nreject 1\nyes\napprove 1\nyes\n")
        .timeout(PATIENCE)
        .assert()
        .success();
    let text = String::from_utf8_lossy(&out.get_output().stdout).into_owned();
    assert!(text.contains("send_email by billing-agent"), "{text}");
    assert!(text.contains("| {") && text.contains("end of 1"), "{text}");
    assert_eq!(text.matches("refused: ").count(), 2, "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
    assert!(!asked.is_finished());
    assert_eq!(waits(), 1);
    asked.abort();
    world.shutdown();
}

#[test]
fn a_dumb_terminal_gets_it_unasked() {
    let world = World::new();
    let mut command = CommandBuilder::new("sh");
    let arguments = world.arguments().into_iter().filter(|argument| argument != "--plain");
    let program = env!("CARGO_BIN_EXE_aegis-console").to_owned();
    let line = std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ");
    command.args(["-c", &format!("TERM=dumb exec {line}")]);
    let mut pty = Pty::start(command, (80, 24));
    pty.wait_for("TERM is dumb", PATIENCE);
    pty.wait_for("listening", PATIENCE);
    pty.send(b"quit\r");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    world.shutdown();
}
