//! Nobody touches it: bytes and wake-ups in ten seconds, and what it holds of memory.

use super::bare::Look;
use super::queue::{Deadlines, Files, Kind, write};
use super::table::{Goal, Table};
use super::{Ground, MANY, SIZE, counts};
use crate::tester::Tester;
use std::fs;
use std::thread;
use std::time::Duration;

const LOOK: Look = Look { detail: true, gutter: false };

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    let seconds = ground.rounds(10, 4) as u64;
    let files = |count, deadlines| write(&ground.home, count, Kind::Series, deadlines);
    let (few, many) = (files(100, Deadlines::Far), files(MANY, Deadlines::Far));
    let (one, all) = (files(MANY, Deadlines::OneNear), files(MANY, Deadlines::AllNear));
    let ours = |files: &Files| ground.ours(files, SIZE, false);
    let bare = |files: &Files| ground.bare(files, LOOK, SIZE, false);
    let mut programs = [
        (ours(&many), MANY),
        (ours(&one), MANY),
        (ours(&all), MANY),
        (ours(&few), 100),
        (bare(&many), MANY),
        (bare(&few), 100),
    ];
    for (program, count) in &mut programs {
        program.wait_for("the count", |screen| counts(screen, *count));
    }
    // What is still going on behind the first screens is not idleness.
    thread::sleep(Duration::from_secs(3));
    let before: Vec<_> = programs.iter().map(|(program, _)| State::of(program)).collect();
    thread::sleep(Duration::from_secs(seconds));
    let since = |at: usize| State::of(&programs[at].0).since(&before[at]);
    let [far, one, all, _, bare, _] = [0, 1, 2, 3, 4, 5].map(since);
    let each = |value: f64| value / seconds as f64;
    for (name, ours, bytes, switches) in
        [("no deadline in view", far, 0.0, 0.0), ("one deadline in view", one, 40.0, 1.0)]
    {
        let name = format!("idle, {name}");
        table.line(
            &format!("{name}: bytes a second"),
            "",
            Some(each(ours.0)),
            Some(each(bare.0)),
            Goal::value(bytes),
        );
        let (ours, bare) = (Some(each(ours.1)), Some(each(bare.1)));
        table.line(&format!("{name}: context switches a second"), "", ours, bare, Goal::value(switches));
    }
    table.line("idle, a deadline on each row: bytes a second", "", Some(each(all.0)), None, Goal::NONE);
    table.line(
        "idle, a deadline on each row: context switches a second",
        "",
        Some(each(all.1)),
        None,
        Goal::NONE,
    );
    let memory = |at: usize, field| memory(&programs[at].0, field);
    for (ours, bare, count, goal) in [(0, 4, MANY, 150.0), (3, 5, 100, 20.0)] {
        let line = format!("memory, {count} actions");
        table.line(&line, "MiB", memory(ours, "VmRSS:"), memory(bare, "VmRSS:"), Goal::value(goal));
        table.line(
            &format!("{line}, at most so far"),
            "MiB",
            memory(ours, "VmHWM:"),
            memory(bare, "VmHWM:"),
            Goal::NONE,
        );
    }
}

/// What has been sent, and how often a thread was woken.
struct State {
    bytes: usize,
    switches: u64,
}

impl State {
    fn of(program: &Tester) -> Self {
        let tasks = fs::read_dir(format!("/proc/{}/task", program.process_id()));
        let status = |task: fs::DirEntry| fs::read_to_string(task.path().join("status")).ok();
        let statuses = tasks.into_iter().flatten().flatten().filter_map(status);
        let switches = |status: String| field(&status, "voluntary_ctxt_switches:").unwrap_or_default();
        Self { bytes: program.so_far().1, switches: statuses.map(switches).sum() }
    }

    fn since(&self, before: &Self) -> (f64, f64) {
        ((self.bytes - before.bytes) as f64, self.switches.saturating_sub(before.switches) as f64)
    }
}

/// MiB of the process, as Linux counts them; elsewhere nothing is said.
fn memory(program: &Tester, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.process_id())).ok()?;
    field(&status, name).map(|kib| kib as f64 / 1024.0)
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
