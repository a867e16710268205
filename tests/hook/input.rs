//! Standard input that is not what it should be, and standard output that nobody takes.

use crate::running::{Heard, Home, Input, feed, hear, run};
use aegis_console::agent::hook::{Agent, Call, Named};
use std::fs::File;
use std::time::Duration;

const NOWHERE: &str = "http://127.0.0.1:9";

fn garbage() -> Vec<(&'static str, Vec<u8>)> {
    let bash = Input::named("claude-code/bash").text;
    vec![
        ("nothing", Vec::new()),
        ("a line", b"allow\n".to_vec()),
        ("no object", b"[]".to_vec()),
        ("no event", b"{}".to_vec()),
        ("binary", (0..=255).collect()),
        ("half", bash.as_bytes()[..bash.len() / 2].to_vec()),
        ("two", format!("{bash}{bash}").into_bytes()),
        ("no UTF-8", bash.replace("Clean", "\u{1}").into_bytes()),
        ("half a pair", bash.replace("Clean", "\\ud800").into_bytes()),
        ("two events", bash.replacen('{', r#"{"hook_event_name":"PermissionRequest","#, 1).into_bytes()),
        ("an event that is no text", bash.replace("\"PreToolUse\"", "7").into_bytes()),
        ("nine megabytes", bash.replace("Clean", &"x".repeat(9 << 20)).into_bytes()),
    ]
}

/// The event is not known: in the form of the one that it is installed for, or by the exit code.
#[test]
fn what_cannot_be_read_is_a_no() {
    let home = Home::new("s3cret");
    for (what, bytes) in garbage() {
        for agent in ["claude-code", "codex"] {
            for event in ["PreToolUse", "PermissionRequest"] {
                let output = run(home.bare(&[agent, "--event", event, "--server", NOWHERE]), &bytes);
                assert!(matches!(hear(agent, event, &output), Heard::No(_)), "{what}: {output:?}");
            }
            let output = run(home.bare(&[agent, "--server", NOWHERE]), &bytes);
            assert!(matches!(hear(agent, "", &output), Heard::Stopped(_)), "{what}: {output:?}");
        }
    }
}

/// The event is known, the rest is not what it should be.
#[test]
fn a_call_that_makes_no_sense_is_a_no_of_its_event() {
    let home = Home::new("s3cret");
    let bash = Input::named("claude-code/bash").text;
    let permission = Input::named("codex/permission_bash").text;
    let with = |text: &str, old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    };
    for (event, text) in [
        ("PreToolUse", with(&bash, "8c35adc1-0b5e-4f0a-9d51-6f1f0a3e2b77\",\"prompt", "a b\",\"prompt")),
        ("PreToolUse", with(&bash, "\"session_id\"", "\"session\"")),
        ("PreToolUse", with(&bash, "\"Bash\"", "\"\"")),
        ("PreToolUse", with(&bash, "\"Bash\"", "null")),
        ("PreToolUse", with(&bash, "\"tool_input\"", "\"input\"")),
        ("PreToolUse", with(&bash, "\"tool_input\":{", "\"tool_input\":[],\"was\":{")),
        ("PreToolUse", with(&bash, "\"cwd\"", "\"dir\"")),
        ("PreToolUse", with(&bash, "\"tool_use_id\":\"", "\"tool_use_id\":7,\"was\":\"")),
        ("PreToolUse", with(&bash, "\"tool_use_id\":\"", &format!("\"tool_use_id\":\"{}", "x".repeat(300)))),
        ("PreToolUse", with(&bash, "\"command\":", "\"cwd of the session\":\"/\",\"command\":")),
        ("PreToolUse", with(&bash, "\"command\":", "\"command\":\"true\",\"command\":")),
        ("PreToolUse", with(&bash, "\"Clean rebuild\"", &format!("{}{}", "[".repeat(200), "]".repeat(200)))),
        ("PreToolUse", with(&bash, "\"Clean rebuild\"", &format!("[{}0]", "0,".repeat(50_000)))),
        ("PermissionRequest", with(&permission, "\"session_id\"", "\"session\"")),
        ("PermissionRequest", with(&permission, "\"command\":", "\"command\":1,\"command\":")),
    ] {
        for agent in ["claude-code", "codex"] {
            let output = run(home.bare(&[agent, "--server", NOWHERE]), text.as_bytes());
            let heard = hear(agent, event, &output);
            assert!(matches!(heard, Heard::No(_)), "{text:.300}: {output:?}");
        }
    }
}

/// What a gateway would not take is not sent, and the agent is told what to do about it.
#[test]
fn a_file_that_no_reviewer_is_shown_whole_is_a_no_with_its_size() {
    let home = Home::new("s3cret");
    let write = Input::named("claude-code/write");
    let large = write.text.replace("replicas", &"y".repeat(300 * 1024));
    let output = run(home.hook(&write, NOWHERE, "60s"), large.as_bytes());
    let Heard::No(reason) = hear("claude-code", "PreToolUse", &output) else { panic!("{output:?}") };
    assert!(
        reason.contains("larger than 262144 bytes") || reason.contains("no more than 262144"),
        "{reason}"
    );
}

/// An event that stops no tool, or that is not known, is never answered as if it were one that does.
#[test]
fn another_event_is_not_taken_for_a_tools() {
    let home = Home::new("s3cret");
    let bash = Input::named("claude-code/bash").text;
    for event in ["PostToolUse", "Stop", "SessionStart", "PreToolUseV2", "pretooluse", "", "\\u001b[2J"] {
        let text = bash.replace("PreToolUse", event);
        for args in [&["claude-code"][..], &["codex", "--event", "PreToolUse"]] {
            let output = run(home.bare(args), text.as_bytes());
            let Heard::Stopped(why) = hear(args[0], event, &output) else { panic!("{output:?}") };
            assert!(why.contains("take the hook off") && !why.contains('\u{1b}'), "{why}");
        }
    }
}

#[test]
fn an_input_that_never_ends_is_not_waited_for() {
    let home = Home::new("s3cret");
    for start in ["", "{\"hook_event_name\":\"PreToolUse\","] {
        let mut child =
            home.bare(&["codex", "--event", "PermissionRequest", "--timeout", "4s"]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, start.as_bytes()).unwrap();
        let began = std::time::Instant::now();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        let heard = hear("codex", "PermissionRequest", &output);
        assert!(matches!(&heard, Heard::No(why) if why.contains("does not end")), "{heard:?}");
    }
}

/// An answer that cannot be written is no answer: the exit code stops the tool, where it can.
#[test]
fn an_answer_that_nobody_takes_is_an_exit_with_2() {
    let home = Home::new("s3cret");
    let bash = Input::named("claude-code/bash");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = home.hook(&bash, NOWHERE, "2s");
    command.stdout(full());
    let output = run(command, bash.text.as_bytes());
    assert!(matches!(hear("claude-code", "PreToolUse", &output), Heard::Stopped(_)), "{output:?}");
    let mut child = home.hook(&bash, NOWHERE, "2s").spawn().unwrap();
    drop(child.stdout.take());
    let output = feed(child, bash.text.as_bytes()).wait_with_output().unwrap();
    assert!(matches!(hear("claude-code", "PreToolUse", &output), Heard::Stopped(_)), "{output:?}");
}

/// Every beginning of every recorded input, read in this process: cut short, none is a call.
#[test]
fn a_beginning_of_an_input_is_no_call() {
    for input in Input::all() {
        let agent = if input.agent == "codex" { Agent::Codex } else { Agent::ClaudeCode };
        let text = input.text.trim_end().as_bytes();
        assert!(Call::read(agent, text).is_ok(), "{}", input.name);
        for end in 0..text.len() {
            let unread = Call::read(agent, &text[..end]).unwrap_err();
            assert_eq!(unread.event, Named::Nothing, "{}: {end}", input.name);
        }
    }
}
