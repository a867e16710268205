//! A link of 64 kbit/s with a round trip of 200 ms: the cursor key held for three seconds, and the first screen. All
//! programs at the same time, each on a link of its own.

use super::bare::Look;
use super::queue::{Deadlines, Kind, write};
use super::table::{Goal, Table};
use super::{Ground, MANY, SIZE, counts};
use crate::tester::{PATIENCE, Tester};
use std::thread;
use std::time::{Duration, Instant};

/// Keys a second, as keyboards repeat.
const RATE: u32 = 30;
const HELD: Duration = Duration::from_secs(3);
/// Longer than any pause between two frames on the way.
const STILL: Duration = Duration::from_millis(1_500);

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    let series = write(&ground.home, MANY, Kind::Series, Deadlines::Far);
    let mixed = write(&ground.home, MANY, Kind::Mixed, Deadlines::Far);
    let look = |detail, gutter| Look { detail, gutter };
    let ours = |files| ground.ours(files, SIZE, true);
    let bare = |detail, gutter| ground.bare(&series, look(detail, gutter), SIZE, true);
    let programs = [
        (ours(&series), "\x1b[B"),
        (ours(&series), "j"),
        (ours(&mixed), "\x1b[B"),
        (bare(false, false), "\x1b[B"),
        (bare(true, true), "\x1b[B"),
        (bare(true, false), "\x1b[B"),
    ];
    let programs = programs.map(|(program, key)| thread::spawn(move || hold(program, key)));
    let [arrow, letter, mixed, bare, gutter, detail] = programs.map(|program| program.join().unwrap());
    let goal = Goal::value(0.6);
    for (name, ours) in [("arrow", &arrow), ("j", &letter), ("arrow, each action unlike the next", &mixed)] {
        table.line(
            &format!("{name} held 3 s: last byte after release"),
            "s",
            Some(ours.after),
            Some(bare.after),
            goal,
        );
        let (ours, bare) = (Some(ours.bytes as f64), Some(bare.bytes as f64));
        table.line(&format!("{name} held 3 s: bytes after release"), "", ours, bare, Goal::NONE);
    }
    for (name, bare) in [("with a detail", &detail), ("with a detail and a gutter cursor", &gutter)] {
        let name = format!("the same, bare {name}: last byte after release");
        table.line(&name, "s", None, Some(bare.after), Goal::NONE);
    }
    table.line("first screen felt", "s", Some(arrow.first), Some(bare.first), Goal::value(0.8));
    table.line("first screen felt, each action unlike the next", "s", Some(mixed.first), None, Goal::NONE);
    table.line("first screen, bytes", "", Some(arrow.screen as f64), Some(bare.screen as f64), Goal::NONE);
}

struct Felt {
    /// Seconds from the start to the first full screen.
    first: f64,
    /// Bytes up to when it stood still.
    screen: usize,
    /// Seconds from the last key to the last byte.
    after: f64,
    /// Bytes that came after the last key.
    bytes: usize,
}

fn hold(mut program: Tester, key: &str) -> Felt {
    program.wait_for("the count", |screen| counts(screen, MANY));
    let first = program.settled(STILL) - program.started;
    let screen = program.so_far().1;
    let began = Instant::now();
    for number in 0..RATE * HELD.as_secs() as u32 {
        thread::sleep(
            (began + number * Duration::from_secs(1) / RATE).saturating_duration_since(Instant::now()),
        );
        program.send(key);
    }
    let (released, (chunks, _)) = (Instant::now(), program.so_far());
    let last = program.quiet(chunks, STILL, PATIENCE);
    let (at, bytes) = last.unwrap_or((released, 0));
    Felt { first: first.as_secs_f64(), screen, after: (at - released).as_secs_f64(), bytes }
}
