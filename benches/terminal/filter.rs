//! A word typed into the filter, letter by letter, and taken back, over all actions.

use super::bare::Look;
use super::queue::{Deadlines, Kind, write};
use super::table::{Goal, Table, Values, ms};
use super::{Ground, MANY, SIZE, counts};
use crate::tester::Tester;
use std::thread;
use std::time::Duration;

/// Of which one is rare, one common, one in the summary only, one nowhere.
const WORDS: [&str; 4] = ["payroll", "refund", "warehouse of Olu", "zebra"];
const BACKSPACE: &str = "\x7f";

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    let files = write(&ground.home, MANY, Kind::Series, Deadlines::Far);
    let rounds = ground.rounds(3, 1);
    let ours = typed(&mut ground.ours(&files, SIZE, false), rounds);
    let bare = typed(&mut ground.bare(&files, Look { detail: true, gutter: false }, SIZE, false), rounds);
    let line = |percent: usize| (ours.percentile(percent), bare.percentile(percent));
    for (percent, goal) in [(50, Goal::NONE), (95, Goal::or(8.0, 3.0)), (100, Goal::NONE)] {
        let (ours, bare) = line(percent);
        let name = if percent == 100 { "worst".into() } else { format!("p{percent}") };
        table.line(&format!("filter key to last byte, {name}"), "ms", ours, bare, goal);
    }
}

fn typed(program: &mut Tester, rounds: usize) -> Values {
    let mut took = Values::default();
    program.wait_for("the count", |screen| counts(screen, MANY));
    program.quiet(0, Duration::from_millis(700), Duration::from_secs(10));
    if program.press("/").is_none() {
        eprintln!("there is no filter");
        return took;
    }
    for number in 0..rounds * WORDS.len() {
        let word = WORDS[number % WORDS.len()];
        let back = word.chars().map(|_| BACKSPACE.to_owned());
        for key in word.chars().map(String::from).chain(back) {
            if let Some(answered) = program.press(&key) {
                took.push(ms(answered.took));
            }
            thread::sleep(Duration::from_millis(60));
        }
    }
    took
}
