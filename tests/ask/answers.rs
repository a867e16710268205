//! What `ask` says of each answer: its exit code, one line on standard error, the object of `--json`.

use crate::world::{World, until};
use aegis_console::domain::Verdict;
use rustix::process::Signal;
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn a_yes_is_0_and_the_payload_is_shown_as_it_came() {
    let world = World::new();
    let plan = "{\"n\": 9007199254740993, \"x\": 1e400,\n \"amount\": 1.10}";
    world.write("plan.json", plan);
    let asked = ["--action", "deploy", "--payload", "@plan.json", "--summary", "two changes", "--json"];
    let more = ["--risk", "high", "--label", "env=prod", "--label", "team=a=b", "--thread", "release-2"];
    let asking = world.start(&[&asked[..], &more].concat());
    let waiting = world.waiting();
    let action = &waiting.action;
    assert_eq!(action.payload(), plan);
    assert_eq!((action.name.raw(), action.thread_id.raw()), ("deploy", "release-2"));
    let sealed = &*action.sealed;
    for words in [
        r#""summary":"two changes""#,
        r#""env":"prod""#,
        r#""team":"a=b""#,
        r#""risk":"high""#,
        r#""source":{"name":"ask","reason":true,"covers":"one_call","silence":"not_run"}"#,
    ] {
        assert!(sealed.contains(words), "{words}: {sealed}");
    }
    let id = world.decide(Verdict::Approve, "go\u{1b}[2J ahead");
    let done = asking.done();
    assert_eq!((done.code, done.err.as_str()), (Some(0), "aegis-console: deploy: approved: go␛[2J ahead\n"));
    assert!(!done.out.contains('\u{1b}'), "{done:?}");
    let expected = serde_json::json!({
        "status": "approved", "request_id": id, "reason": "go\u{1b}[2J ahead", "error": null, "action": "deploy",
        "thread": "release-2", "run": "test", "key": "ask:test", "ran": false, "command": null, "exit_code": 0,
    });
    assert_eq!(done.json(), expected);
    assert_eq!(world.outcome(&id).0, "Consumed");
}

#[test]
fn every_no_has_its_code_and_its_words() {
    let world = World::new();
    let denied = world.decided(&["--action", "a", "--json"], Verdict::Reject, "not today");
    assert_eq!((denied.code, denied.err.as_str()), (Some(3), "aegis-console: a: denied: not today\n"));
    assert_eq!((&denied.json()["status"], &denied.json()["reason"]), (&"denied".into(), &"not today".into()));
    let again = world.ask(&["--action", "a"]);
    assert_eq!(
        (again.code, again.err, again.out),
        (Some(3), denied.err, String::new()),
        "it stands for the run"
    );

    let ask = ["--action", "b", "--timeout", "5s", "--json"];
    let expired = world.ask(&ask);
    assert_eq!((expired.code, &expired.json()["status"]), (Some(4), &"expired".into()), "{expired:?}");
    let first = expired.json()["request_id"].clone();
    let asked_anew = world.ask(&ask);
    assert_eq!(asked_anew.code, Some(4), "{asked_anew:?}");
    assert_ne!(asked_anew.json()["request_id"], first);

    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let asking = world.start(&["--action", "c", "--json"]);
        let id = world.waiting().action.id.clone();
        asking.signal(signal);
        let done = asking.done();
        assert_eq!((done.code, done.err.as_str()), (Some(5), "aegis-console: c: cancelled\n"), "{signal:?}");
        assert_eq!((&done.json()["status"], &done.json()["request_id"]), (&"cancelled".into(), &id.into()));
        until("nobody can approve it any more", || world.pending().is_empty());
    }
}

#[test]
fn a_yes_is_taken_once_in_a_run() {
    let world = World::new();
    let ask = ["--action", "a", "--payload", "{\"n\":1}", "--json"];
    assert_eq!(world.decided(&ask, Verdict::Approve, "").code, Some(0));
    let again = world.ask(&ask);
    assert_eq!((again.code, &again.json()["status"]), (Some(6), &"error".into()), "{again:?}");
    assert!(
        again.err.contains("taken before under the same key") && again.err.contains("--key"),
        "{again:?}"
    );
    // Another content, another key, another run: each is a request of its own.
    for more in [&["--payload", "{\"n\":2}"][..], &["--payload", "{\"n\":1}", "--key", "2"]] {
        let ask = [&["--action", "a"], more].concat();
        assert_eq!(world.decided(&ask, Verdict::Reject, "").code, Some(3), "{more:?}");
    }
    let mut command = world.command(&ask);
    command.env("AEGIS_RUN_ID", "another");
    let asking = world.spawn(command);
    world.decide(Verdict::Reject, "");
    assert_eq!(asking.done().code, Some(3));
}

#[test]
fn a_run_of_a_script_is_its_group_of_processes() {
    let world = World::new();
    let run = |script: &str| {
        let mut command = world.command(&[]);
        // The script has a group of its own, as from a shell that somebody types into.
        let mut shell = std::process::Command::new("/bin/sh");
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        shell
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env_remove("AEGIS_RUN_ID");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_aegis-console")]).current_dir(world.dir.path());
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command = shell;
        world.spawn(command)
    };
    let script = "\"$0\" ask --action a --json; \"$0\" ask --action a --json; exit 0";
    let first = run(script);
    world.decide(Verdict::Approve, "");
    let first = first.done();
    let [one, two] = first.out.lines().collect::<Vec<_>>()[..] else { panic!("{first:?}") };
    let (one, two): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(one).unwrap(), serde_json::from_str(two).unwrap());
    assert_eq!((&one["exit_code"], &two["exit_code"]), (&0.into(), &6.into()), "{first:?}");
    assert_eq!((&one["run"], &one["request_id"]), (&two["run"], &two["request_id"]));
    assert_eq!(one["thread"], one["run"], "a run is a thread: {one}");
    let second = run(script);
    world.decide(Verdict::Reject, "");
    let second = second.done();
    assert!(!second.out.contains(one["run"].as_str().unwrap()), "{second:?}");
}

#[test]
fn whatever_cannot_be_asked_is_6_and_says_why() {
    let world = World::new();
    world.write("list.json", "[1]");
    for (args, words) in [
        (&["--action", "a", "--payload", "{\"a\":1"][..], "JSON object"),
        (&["--action", "a", "--payload", "@list.json"], "must be a JSON object"),
        (&["--action", "a", "--payload", "{\"a\":1,\"a\":2}"], "JSON object"),
        (&["--action", "a", "--payload", "@nothing.json"], "nothing.json"),
        (&["--action", "a", "--token-file", "nothing.token"], "nothing.token"),
        (&["--action", "a", "--server", "http://gate.example"], "https"),
        (&["--", "no-such-program"], "no program no-such-program"),
        (&["--show", "nothing.sh", "--", "sh"], "nothing.sh cannot be shown"),
        (&["--env", "AEGIS_AGENT_TOKEN", "--", "sh"], "holds a credential"),
        (&["--stdin", "--payload", "-", "--", "sh"], "standard input is the command's"),
        (&["--payload", "{},\"argv\":[]", "--", "sh"], "JSON object"),
    ] {
        let done = world.ask(&[&["--json"], args].concat());
        assert_eq!(done.code, Some(6), "{args:?}: {done:?}");
        assert!(done.err.contains(words) && done.err.lines().count() == 1, "{args:?}: {}", done.err);
        let json = done.json();
        assert_eq!((&json["status"], &json["exit_code"]), (&"error".into(), &6.into()), "{json}");
        assert!(json["error"].as_str().unwrap().contains(words), "{json}");
    }
    for args in [
        &[][..],
        &["--action", ""],
        &["--action", "a", "--timeout", "0s"],
        &["--action", "a", "--timeout", "31d"],
        &["--action", "a", "--risk", "none"],
        &["--action", "a", "--label", "x"],
        &["--action", "a", "--thread", "a b"],
        &["--action", "a", "--env", "X"],
        &["--action", "a", "--stdin"],
        &["--action", "a", "sh"],
    ] {
        assert_eq!(world.ask(args).code, Some(2), "{args:?}");
    }
    let mut wrong = world.command(&["--action", "a"]);
    wrong.env("AEGIS_AGENT_TOKEN", "nobody");
    let wrong = world.spawn(wrong).done();
    assert!(
        wrong.code == Some(6) && wrong.err.contains("credential") && !wrong.err.contains("nobody"),
        "{wrong:?}"
    );
    assert!(world.pending().is_empty(), "nothing was asked");
}

/// Somewhere that takes connections and says nothing.
#[test]
fn stopped_before_anybody_has_answered_it_is_5_too() {
    let world = World::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let asking = world.start(&["--action", "a", "--json", "--server", &url]);
    let connection = silent.accept().unwrap();
    asking.signal(Signal::TERM);
    let done = asking.done();
    assert_eq!((done.code, &done.json()["request_id"]), (Some(5), &().into()), "{done:?}");
    assert!(done.err.contains("stopped before the gateway answered"), "{done:?}");
    drop(connection);
}

#[test]
fn a_payload_may_come_by_standard_input() {
    let world = World::new();
    let mut command = world.command(&["--action", "a", "--payload", "-"]);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"x\": 1.10}\n").unwrap();
    assert_eq!(world.payload().trim_end(), "{\"x\": 1.10}");
    world.decide(Verdict::Approve, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn only_a_terminal_sees_what_waits() {
    let world = World::new();
    let mut asking = world.start(&["--action", "quiet"]);
    world.waiting();
    assert!(asking.waits());
    asking.signal(Signal::TERM);
    assert_eq!(asking.done().err, "aegis-console: quiet: cancelled\n");
    until("nothing waits", || world.pending().is_empty());
}
