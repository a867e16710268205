//! Killed at any moment: the caller, or the gateway. What is approved runs once at most, and what is not never.

use crate::world::{World, until};
use aegis_console::domain::Verdict;
use aegis_console::failpoint;
use fastrand::Rng;
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn killed_while_it_waits_it_comes_back_to_the_same_request() {
    let world = World::new();
    let ask = ["--json", "--", "sh", "-c", "echo ran >> out"];
    let first = world.start(&ask);
    let id = world.waiting().action.id.clone();
    first.kill();
    let second = world.start(&ask);
    let decided = world.decide(Verdict::Approve, "");
    let done = second.done();
    assert_eq!(
        (done.code, &done.json()["request_id"], &decided),
        (Some(0), &id.clone().into(), &id),
        "{done:?}"
    );
    assert_eq!(world.read("out"), "ran\n");
    assert!(world.pending().is_empty(), "there was never a second one");
}

#[test]
fn approved_while_nobody_waited_it_runs_once_and_denied_never() {
    let world = World::new();
    for (verdict, code, runs) in [(Verdict::Approve, 0, 1), (Verdict::Reject, 3, 0)] {
        let script = format!("echo ran >> out-{verdict}");
        let (ask, out) = (["--", "sh", "-c", &script], format!("out-{verdict}"));
        let first = world.start(&ask);
        world.waiting();
        first.kill();
        world.decide(verdict, "");
        assert_eq!(world.read(&out), "", "nobody was there to run it");
        assert_eq!(world.ask(&ask).code, Some(code));
        assert_eq!(world.ask(&ask).code, Some(if runs == 1 { 6 } else { 3 }));
        assert_eq!(world.read(&out).lines().count(), runs);
    }
}

/// Ends the process as a kill would, at every step after the yes.
#[test]
fn killed_after_the_yes_was_taken_it_never_runs_again() {
    for (place, may_have_run) in [("before look again", 0), ("before start", 0), ("after start", 1)] {
        let world = World::new();
        // Where it had begun, it goes on by itself.
        let ask = ["--", "sh", "-c", "echo ran >> out"];
        let mut command = world.command(&ask);
        command.env(failpoint::VARIABLE, place);
        let first = world.spawn(command);
        let id = world.decide(Verdict::Approve, "");
        assert_eq!(first.done().code, None, "{place}: it was killed");
        for _ in 0..2 {
            let again = world.ask(&ask);
            assert_eq!(again.code, Some(6), "{place}: {again:?}");
        }
        until("what had begun has ended", || world.read("out").lines().count() == may_have_run);
        assert_eq!(world.outcome(&id).0, "Consumed", "{place}: nobody says how it went");
    }
}

/// After the yes, and before anything runs: while files are hashed again, say.
#[test]
fn stopped_before_it_starts_it_does_not_start() {
    for place in ["hold before look again", "hold before start"] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            let world = World::new();
            let mut command = world.command(&["--json", "--", "touch", "out"]);
            command.env(failpoint::VARIABLE, place);
            let asking = world.spawn(command);
            let id = world.decide(Verdict::Approve, "");
            asking.held();
            asking.signal(signal);
            asking.signal(Signal::CONT);
            let done = asking.done();
            let json = done.json();
            assert_eq!(
                (done.code, &json["status"], &json["ran"]),
                (Some(5), &"cancelled".into(), &false.into()),
                "{place}, {signal:?}: {done:?}"
            );
            assert!(!world.path("out").exists(), "{place}, {signal:?}: it ran");
            assert_eq!(world.outcome(&id), ("Failed".into(), "stopped by a signal before it ran".into()));
        }
    }
}

#[test]
fn a_gateway_that_is_killed_and_comes_back_ends_no_wait() {
    for verdict in [Verdict::Approve, Verdict::Reject] {
        let mut world = World::new();
        let mut asking = world.start(&["--json", "--", "sh", "-c", "echo ran >> out"]);
        let id = world.waiting().action.id.clone();
        world.kill_gateway();
        assert!(asking.waits());
        world.restart_gateway();
        assert_eq!(world.decide(verdict, "as before"), id, "the same request");
        let done = asking.done();
        let (code, ran) = if verdict == Verdict::Approve { (0, "ran\n") } else { (3, "") };
        assert_eq!((done.code, world.read("out").as_str()), (Some(code), ran), "{done:?}");
        assert_eq!(done.json()["reason"], "as before");
    }
}

#[test]
fn a_gateway_that_is_killed_while_the_command_runs_is_told_afterwards() {
    let mut world = World::new();
    let asking =
        world.start(&["--", "sh", "-c", ": > ready; while [ ! -e go ]; do sleep 0.05; done; exit 4"]);
    let id = world.decide(Verdict::Approve, "");
    until("it runs", || world.path("ready").exists());
    world.kill_gateway();
    world.write("go", "");
    world.restart_gateway();
    assert_eq!(asking.done().code, Some(4));
    assert_eq!(world.outcome(&id), ("Failed".into(), "exit 4".into()));
}

/// `ASK_SEED` picks other moments.
#[test]
fn killed_at_any_moment_nothing_runs_that_was_denied_and_nothing_twice() {
    let seed = std::env::var("ASK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new();
    for number in 0..10 {
        let (verdict, out) =
            (if number % 3 == 0 { Verdict::Reject } else { Verdict::Approve }, format!("out-{number}"));
        let script = format!("echo ran >> {out}");
        let ask = ["--json", "--", "sh", "-c", &script];
        for _ in 0..5 {
            let asking = world.start(&ask);
            std::thread::sleep(Duration::from_millis(rng.u64(..150)));
            if rng.bool() && !world.pending().is_empty() {
                world.decide(verdict, "");
            }
            std::thread::sleep(Duration::from_millis(rng.u64(..40)));
            if rng.u8(..4) == 0 {
                world.kill_gateway();
                world.restart_gateway();
            }
            drop(asking);
        }
        let mut last = world.start(&ask);
        until("it is decided", || {
            if !world.pending().is_empty() {
                world.decide(verdict, "");
            }
            !last.waits()
        });
        let done = last.done();
        let ran = world.read(&out).lines().count();
        match (verdict, done.code) {
            (Verdict::Reject, Some(3)) => assert_eq!(ran, 0, "seed {seed}: {done:?}"),
            (Verdict::Approve, Some(0)) => assert_eq!(ran, 1, "seed {seed}: {done:?}"),
            (Verdict::Approve, Some(6)) => {
                assert!(done.err.contains("taken before"), "seed {seed}: {done:?}");
                assert!(ran <= 1, "seed {seed}: it ran {ran} times: {done:?}");
            }
            _ => panic!("seed {seed}: {done:?}"),
        }
    }
    let asked = world.asked();
    assert_eq!(asked, 10, "seed {seed}: one request for each, however often it was killed");
}
