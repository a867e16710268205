//! The cursor keys: from the key to the last byte, and what a key and a scrolled line cost on the wire.

use super::bare::Look;
use super::queue::{Deadlines, Files, Kind, write};
use super::table::{Goal, Table, Values, ms};
use super::{Ground, MANY, SIZE, counts, rows_of_actions};
use crate::tester::Tester;
use std::thread;
use std::time::Duration;

const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";
/// One pane only where no key takes the detail away.
const NARROW: (u16, u16) = (99, 40);

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    let series = write(&ground.home, MANY, Kind::Series, Deadlines::Far);
    let mixed = write(&ground.home, MANY, Kind::Mixed, Deadlines::Far);
    let open = [Goal::or(0.8, 2.0), Goal::or(1.5, 3.0), Goal::value(260.0), Goal::value(450.0)];
    let closed = [open[0], open[1], Goal::value(60.0), Goal::value(260.0)];
    let free = [open[0], open[1], Goal::NONE, Goal::NONE];
    part(ground, table, "detail open", &series, true, open);
    part(ground, table, "detail open, each action unlike the next", &mixed, true, free);
    part(ground, table, "detail closed", &series, false, closed);
}

/// Prints what the terminal is sent, escaped.
pub(crate) fn dump(ground: &Ground) {
    let files = write(&ground.home, MANY, Kind::Series, Deadlines::Far);
    let mut program = ready(ground.ours(&files, SIZE, false));
    println!("first frames: {}\n", program.bytes(0).escape_ascii());
    for number in 0..45 {
        let (from, _) = program.so_far();
        let answered = program.press(DOWN);
        if [0, 1, 2, 42, 43, 44].contains(&number) {
            let bytes = answered.map_or(0, |answered| answered.bytes);
            println!("arrow {}, {bytes} bytes: {}\n", number + 1, program.bytes(from).escape_ascii());
        }
    }
}

fn part(ground: &Ground, table: &mut Table, name: &str, files: &Files, detail: bool, goals: [Goal; 4]) {
    let mut ours = ready(ground.ours(files, SIZE, false));
    let mut name = name.to_owned();
    if !detail && !closes(&mut ours) {
        ours = ready(ground.ours(files, NARROW, false));
        name += &format!(" ({} columns)", NARROW.0);
    }
    let (columns, rows) = (ours.screen().size().1.get(), SIZE.1);
    let look = |gutter| Look { detail, gutter };
    let bare = |gutter| ready(ground.bare(files, look(gutter), (columns, rows), false));
    let rounds = ground.rounds(4, 1);
    let ours = [held(&mut ours, [DOWN, UP], rounds), held(&mut ours, ["j", "k"], rounds)];
    let gutter = held(&mut bare(true), [DOWN, UP], 1);
    let bare = held(&mut bare(false), [DOWN, UP], rounds);
    for (ours, key) in ours.iter().zip(["arrow", "j"]) {
        let bare_times = bare.times();
        let times = ours.times();
        let line = format!("{name}: {key} to last byte");
        table.line(&format!("{line}, p50"), "ms", times.median(), bare_times.median(), goals[0]);
        table.line(&format!("{line}, p95"), "ms", times.percentile(95), bare_times.percentile(95), goals[1]);
    }
    let scrolling = (ours[0].scrolled.took.median(), bare.scrolled.took.median());
    table.line(&format!("{name}: arrow that scrolls, p50"), "ms", scrolling.0, scrolling.1, Goal::NONE);
    let (moved, scrolled) = (&ours[0].moved.bytes, &ours[0].scrolled.bytes);
    table.line(&format!("{name}: bytes for a key"), "", moved.median(), bare.moved.bytes.median(), goals[2]);
    table.line(
        &format!("{name}: bytes for a scrolled line"),
        "",
        scrolled.median(),
        bare.scrolled.bytes.median(),
        goals[3],
    );
    let (moved, scrolled) = (gutter.moved.bytes.median(), gutter.scrolled.bytes.median());
    table.line(&format!("{name}: the same, bare with a gutter cursor"), "", None, moved, Goal::NONE);
    table.line(
        &format!("{name}: the same, bare with a gutter cursor, a scrolled line"),
        "",
        None,
        scrolled,
        Goal::NONE,
    );
}

fn ready(mut program: Tester) -> Tester {
    program.wait_for("the count", |screen| counts(screen, MANY));
    program.quiet(0, Duration::from_millis(700), Duration::from_secs(10));
    program.screen_now();
    program
}

/// Asks for the list alone; whether that could be had.
fn closes(program: &mut Tester) -> bool {
    program.press("f");
    let text = program.screen_now().contents();
    !text.lines().any(|line| line.contains("┐┌"))
}

#[derive(Default)]
struct Kept {
    took: Values,
    bytes: Values,
}

/// What was measured, where the list stood still and where it scrolled.
#[derive(Default)]
struct Held {
    moved: Kept,
    scrolled: Kept,
    unanswered: usize,
}

impl Held {
    fn times(&self) -> Values {
        let all = [&self.moved.took, &self.scrolled.took];
        all.into_iter().flat_map(|values| values.all().iter().copied()).collect()
    }
}

/// Down and up inside the window, then down so that it scrolls.
fn held(program: &mut Tester, [down, up]: [&str; 2], rounds: usize) -> Held {
    let mut held = Held::default();
    let inside = 15;
    for round in 0..rounds {
        for key in [down, up] {
            for number in 0..inside {
                press(program, key, number + round, &mut held);
            }
        }
    }
    for number in 0..60 + 20 * rounds {
        press(program, down, number, &mut held);
    }
    if held.unanswered > 0 {
        eprintln!("{} keys were not answered", held.unanswered);
    }
    // Back to the first row, for whoever comes next.
    program.press("\x1b[H");
    program.quiet(0, Duration::from_millis(300), Duration::from_secs(5));
    held
}

fn press(program: &mut Tester, key: &str, number: usize, held: &mut Held) {
    let before = top(program);
    let Some(answered) = program.press(key) else {
        held.unanswered += 1;
        return;
    };
    let kept = if top(program) == before { &mut held.moved } else { &mut held.scrolled };
    kept.took.push(ms(answered.took));
    kept.bytes.push(answered.bytes as f64);
    // Never in step with anything that beats.
    thread::sleep(Duration::from_millis(5 + number as u64 * 7 % 23));
}

/// The first row of the list, without the cursor that may stand in it.
fn top(program: &mut Tester) -> String {
    let text = program.screen_now().contents();
    let row = rows_of_actions(&text).next();
    let row = row.unwrap_or_default().replace(['>', '▌'], " ");
    row.chars().take(48).filter(|letter| *letter != ' ').collect()
}
