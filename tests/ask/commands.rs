//! `ask -- COMMAND`: what is shown is what would run, and what runs is what was shown.

use crate::world::{World, until};
use aegis_console::domain::Verdict;
use rustix::process::Signal;
use serde_json::json;
use std::process::Stdio;

fn payload(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.payload()).unwrap()
}

#[test]
fn what_is_shown_is_the_command_and_it_runs_once() {
    let world = World::new();
    world.write(
        "run.sh",
        "printf '%s|' \"$STAGE\" \"${DRY-unset}\" \"${HIDDEN-unset}\" \"$@\" >> out; exit 7\n",
    );
    let args =
        ["--json", "--env", "STAGE", "--env", "DRY", "--show", "run.sh", "--payload", "{\"ticket\": 1.10}"];
    let ask = [&args[..], &["--", "sh", "run.sh", "a b", "--x=run.sh", ""]].concat();
    let mut command = world.command(&ask);
    command.env("STAGE", "prod\n").env("HIDDEN", "seen");
    let asking = world.spawn(command);
    let payload = payload(&world);
    let sealed = world.waiting().action.sealed.clone();
    assert!(sealed.contains(r#""payload":{"ticket": 1.10}"#), "as it came: {sealed}");
    let file = &payload["files"][0];
    assert_eq!(payload["argv"], json!(["sh", "run.sh", "a b", "--x=run.sh", ""]));
    assert_eq!(payload["cwd"].as_str().unwrap(), world.dir.path().canonicalize().unwrap().to_str().unwrap());
    assert_eq!(payload["env"], json!({"STAGE": "prod\n", "DRY": null}));
    assert_eq!(payload["stdin"], "nothing");
    assert_eq!((&payload["other_env"], &file["path"]), (&"inherited, not shown".into(), &"run.sh".into()));
    assert_eq!((&file["argument"], &payload["files"][1]["argument"]), (&1.into(), &3.into()));
    assert_eq!(
        (&payload["shown"][0]["sha256"], file["sha256"].as_str().unwrap().len()),
        (&file["sha256"], 71)
    );
    let lines: Vec<_> =
        payload["shown"][0]["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines.join("\n"), world.read("run.sh"));
    assert!(payload["program"]["path"].as_str().unwrap().ends_with("/sh"), "{payload}");
    assert_eq!(world.read("out"), "", "not before the yes");
    assert_eq!(world.waiting().action.name.raw(), "sh");

    let id = world.decide(Verdict::Approve, "");
    let done = asking.done();
    assert_eq!(done.code, Some(7), "{done:?}");
    assert_eq!((&done.json()["ran"], &done.json()["command"]["exit_code"]), (&true.into(), &7.into()));
    assert_eq!(world.read("out"), "prod\n|unset|seen|a b|--x=run.sh||");
    assert_eq!(world.outcome(&id), ("Failed".into(), "exit 7".into()));

    let mut again = world.command(&ask);
    again.env("STAGE", "prod\n").env("HIDDEN", "seen");
    let again = world.spawn(again).done();
    assert_eq!(again.code, Some(6), "{again:?}");
    assert_eq!(world.read("out").matches("unset").count(), 1, "it has run once");
}

#[test]
fn a_no_runs_nothing() {
    let world = World::new();
    let denied = world.decided(&["--", "touch", "out"], Verdict::Reject, "no");
    assert_eq!((denied.code, denied.err.as_str()), (Some(3), "aegis-console: touch: denied: no\n"));
    let expired = world.ask(&["--timeout", "5s", "--", "touch", "out"]);
    assert_eq!(expired.code, Some(4));
    assert!(!world.path("out").exists());
}

#[test]
fn its_end_is_the_end_of_ask() {
    let world = World::new();
    let done = world.decided(&["--", "sh", "-c", "echo out; echo err >&2"], Verdict::Approve, "go");
    let err = "aegis-console: sh: approved: go\nerr\n";
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(0), "out\n", err));
    let asking = world.start(&["--", "sh", "-c", "kill -9 $$"]);
    let id = world.decide(Verdict::Approve, "");
    assert_eq!(asking.done().code, Some(137));
    assert_eq!(world.outcome(&id), ("Failed".into(), "killed by signal 9".into()));

    let asking = world.start(&[
        "--json",
        "--",
        "sh",
        "-c",
        "trap 'exit 9' TERM; : > ready; while :; do sleep 0.1; done",
    ]);
    let id = world.decide(Verdict::Approve, "");
    until("it runs", || world.path("ready").exists());
    asking.signal(Signal::TERM);
    let done = asking.done();
    assert_eq!((done.code, &done.json()["command"]), (Some(9), &json!({"exit_code": 9, "signal": null})));
    assert_eq!(world.outcome(&id), ("Failed".into(), "exit 9".into()), "passed on, waited for, reported");

    world.write("no-program", "\u{1}");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(world.path("no-program"), mode).unwrap();
    let asking = world.start(&["--json", "--", "./no-program"]);
    let id = world.decide(Verdict::Approve, "");
    let done = asking.done();
    assert_eq!((done.code, &done.json()["ran"]), (Some(6), &false.into()), "{done:?}");
    assert!(world.outcome(&id).1.contains("could not be started"), "{done:?}");
}

#[test]
fn with_only_the_named_variables_it_gets_no_others() {
    let world = World::new();
    let mut command = world.command(&["--env", "STAGE", "--only-env", "--", "/usr/bin/env"]);
    command.env("STAGE", "prod").env("HIDDEN", "x");
    let asking = world.spawn(command);
    assert_eq!(payload(&world)["other_env"], "none");
    world.decide(Verdict::Approve, "");
    let done = asking.done();
    assert_eq!((done.code, done.out.as_str()), (Some(0), "STAGE=prod\n"));
}

/// What makes something else of it while it waits.
type Change = fn(&World);

#[test]
fn what_is_not_as_it_was_shown_does_not_run() {
    let moved = |world: &World| std::fs::rename(world.path("work"), world.path("moved")).unwrap();
    let cases: [(&str, Change, &str); 5] = [
        ("a script", |world| world.write("work/run.sh", "touch ../out; : other"), "run.sh has changed"),
        (
            "a file is gone",
            |world| std::fs::remove_file(world.path("work/data")).unwrap(),
            "data is not there",
        ),
        ("a file is new", |world| world.write("work/later", "x"), "later was not there before"),
        (
            "a program",
            |world| world.write("work/tool", "#!/bin/sh\n: > ../out\n: other\n"),
            "tool has changed",
        ),
        ("a directory", moved, "working directory"),
    ];
    for (what, change, words) in cases {
        let world = World::new();
        std::fs::create_dir(world.path("work")).unwrap();
        world.write("work/run.sh", "touch ../out");
        world.write("work/data", "x");
        world.write("work/tool", "#!/bin/sh\n: > ../out\n");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(world.path("work/tool"), mode).unwrap();
        let mut command = world.command(&["--json", "--", "./tool", "run.sh", "data", "later"]);
        command.current_dir(world.path("work"));
        let asking = world.spawn(command);
        world.waiting();
        change(&world);
        let id = world.decide(Verdict::Approve, "");
        let done = asking.done();
        assert_eq!(done.code, Some(6), "{what}: {done:?}");
        assert!(done.err.contains(words) && done.err.contains("not run"), "{what}: {done:?}");
        assert_eq!(
            (&done.json()["status"], &done.json()["ran"]),
            (&"approved".into(), &false.into()),
            "{what}"
        );
        assert!(!world.path("out").exists(), "{what}: it ran");
        let (state, note) = world.outcome(&id);
        assert!(state == "Failed" && note.contains(words), "{what}: {note}");
    }
}

#[test]
fn what_is_no_text_is_not_asked() {
    let world = World::new();
    let mut command = world.command(&["--", "touch"]);
    command.arg(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![0xff]));
    let done = world.spawn(command).done();
    assert!(done.code == Some(6) && done.err.contains("argument 1 is not UTF-8"), "{done:?}");
    assert!(world.pending().is_empty());
}

/// What stands on standard input can be the whole program, and nobody has seen it.
#[test]
fn standard_input_is_nothing_unless_it_is_named() {
    let world = World::new();
    world.write("input", "echo ran >> out");
    for (args, told, ran) in
        [(&["--", "sh"][..], "nothing", ""), (&["--stdin", "--", "sh"], "inherited, not shown", "ran\n")]
    {
        let mut command = world.command(args);
        command.stdin(Stdio::from(std::fs::File::open(world.path("input")).unwrap()));
        let asking = world.spawn(command);
        assert_eq!(payload(&world)["stdin"], told);
        world.decide(Verdict::Approve, "");
        let done = asking.done();
        assert_eq!((done.code, world.read("out").as_str()), (Some(0), ran), "{args:?}: {done:?}");
    }
}

#[test]
fn no_row_reads_as_a_shorter_command_than_it_is() {
    let world = World::new();
    let script = format!("ls {}; rm -rf /", "x".repeat(200));
    let mut asking = world.start(&["--", "sh", "-c", &script]);
    let sealed = world.waiting().action.sealed.clone();
    let expected = format!(r#""summary":"sh -c 'ls {}...""#, "x".repeat(190));
    assert!(sealed.contains(&expected), "{sealed}");
    assert!(asking.waits());
}
