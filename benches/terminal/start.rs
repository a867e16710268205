//! From the start of the program to its first row, and to when everything is counted; the size of the binary.

use super::bare::Look;
use super::queue::{Deadlines, Kind, write};
use super::table::{Goal, Table, Values, ms};
use super::{Ground, MANY, SIZE, counts, rows_of_actions};
use crate::tester::Tester;

const PLAIN: Look = Look { detail: false, gutter: false };

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    for count in [100, 10_000, MANY] {
        let files = write(&ground.home, count, Kind::Series, Deadlines::Far);
        let (mut ours, mut bare) = (Times::default(), Times::default());
        // Turn about, so that what else the machine does falls on both.
        for _ in 0..ground.rounds(9, 3) {
            ours.add(ground.ours(&files, SIZE, false), count);
            bare.add(ground.bare(&files, PLAIN, SIZE, false), count);
        }
        let goal = if count == MANY { Goal::or(40.0, 2.5) } else { Goal::NONE };
        let name = format!("queue file, {count} actions");
        table.line(
            &format!("{name}: first paint, median"),
            "ms",
            ours.first.median(),
            bare.first.median(),
            goal,
        );
        table.line(
            &format!("{name}: first paint, worst"),
            "ms",
            ours.first.max(),
            bare.first.max(),
            Goal::NONE,
        );
        table.line(
            &format!("{name}: all counted, median"),
            "ms",
            ours.ready.median(),
            bare.ready.median(),
            Goal::NONE,
        );
    }
    let size = std::fs::metadata(Ground::program()).unwrap().len();
    table.line("stripped binary", "MiB", Some(size as f64 / 1024.0 / 1024.0), None, Goal::value(15.0));
}

#[derive(Default)]
struct Times {
    first: Values,
    ready: Values,
}

impl Times {
    fn add(&mut self, mut program: Tester, count: usize) {
        let first =
            program.wait_for("the first row", |screen| rows_of_actions(&screen.contents()).next().is_some());
        self.first.push(ms(first - program.started));
        let ready = if counts(program.screen(), count) {
            first
        } else {
            program.wait_for("the count", |screen| counts(screen, count))
        };
        self.ready.push(ms(ready - program.started));
    }
}
