//! `ask` at a terminal: the line that counts, and Ctrl-C.

use crate::pty::{PATIENCE, Pty};
use crate::world::{World, until};
use aegis_console::domain::Verdict;

fn start(world: &World, args: &[&str], columns: u16) -> Pty {
    let mut command = Pty::aegis_console(&[&["ask"], args].concat());
    for (name, value) in world.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    command.cwd(world.dir.path());
    Pty::start(command, (columns, 10))
}

#[test]
fn a_line_counts_while_it_waits_and_ctrl_c_withdraws_it() {
    let world = World::new();
    let mut pty = start(&world, &["--action", "deploy", "--timeout", "10m"], 100);
    pty.wait_for("deploy: waiting for a decision since ", PATIENCE);
    pty.wait_for(", 09:5", PATIENCE);
    world.waiting();
    pty.send(b"\x03");
    assert_eq!(pty.exit_code(PATIENCE), 5);
    let screen = pty.screen();
    assert!(screen.contains("deploy: cancelled") && !screen.contains("waiting for"), "{screen}");
    assert!(!pty.bytes().contains(&0x1b), "no sequence that a terminal might not know");
    until("nothing waits", || world.pending().is_empty());
}

#[test]
fn in_a_narrow_terminal_it_is_still_one_line() {
    let world = World::new();
    let mut pty = start(&world, &["--action", "deploy"], 30);
    pty.wait_for("deploy: waiting for", PATIENCE);
    let from = pty.bytes().len();
    pty.bytes_after(from, PATIENCE);
    let second = pty.with_screen(|screen| screen.rows(0, 30).nth(1));
    assert_eq!(second.as_deref(), Some(""), "{}", pty.screen());
    world.decide(Verdict::Approve, "");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    assert_eq!(pty.screen().trim_end(), "aegis-console: deploy: approved");
}

#[test]
fn ctrl_c_is_the_commands_once_it_runs() {
    let world = World::new();
    let script = "trap 'echo caught; exit 5' INT; : > ready; while :; do sleep 0.1; done";
    let mut pty = start(&world, &["--", "sh", "-c", script], 100);
    let id = world.decide(Verdict::Approve, "");
    until("it runs", || world.path("ready").exists());
    pty.send(b"\x03");
    assert_eq!(pty.exit_code(PATIENCE), 5);
    assert!(pty.screen().contains("caught"), "{}", pty.screen());
    assert_eq!(world.outcome(&id), ("Failed".into(), "exit 5".into()), "it lived to report it");
}
