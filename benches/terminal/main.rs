//! The console as a person feels it, measured in a pseudo-terminal beside a bare ratatui list of as many lines:
//!
//! ```text
//! cargo bench --bench terminal                   every part; some minutes
//! cargo bench --bench terminal -- --quick        fewer rounds
//! cargo bench --bench terminal -- keys slow      these parts: start gateway keys filter idle slow
//! cargo bench --bench terminal -- --mute keys    in a terminal that answers nothing
//! cargo bench --bench terminal -- bytes          nothing but the bytes of the first frames and of some keys
//! ```
//!
//! Times are taken outside the program: from just before it is started, or a key is written to its terminal, to when the
//! last byte of the answer is read. The machine should have nothing else to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod bare;
mod filter;
mod gateway;
mod idle;
mod keys;
mod link;
mod queue;
mod slow;
mod start;
mod table;
mod tester;

use bare::Look;
use queue::Files;
use std::path::{Path, PathBuf};
use table::Table;
use tester::{Manners, Tester};

/// Columns and rows of the terminal.
const SIZE: (u16, u16) = (120, 40);
/// The most actions that are shown.
const MANY: usize = 100_000;

/// A part of the measurement.
type Part = fn(&Ground, &mut Table);

/// What every part needs.
struct Ground {
    /// Where the test data is, and the programs' home.
    home: PathBuf,
    quick: bool,
    manners: Manners,
}

impl Ground {
    fn program() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_aegis-console"))
    }

    /// The console on a queue file.
    fn ours(&self, files: &Files, size: (u16, u16), slow: bool) -> Tester {
        let arguments = ["review", "--queue", files.queue.to_str().unwrap()];
        Tester::start(Self::program(), &arguments, &self.home, size, self.manners, slow)
    }

    /// The bare list on as many lines.
    fn bare(&self, files: &Files, look: Look, size: (u16, u16), slow: bool) -> Tester {
        let this = std::env::current_exe().unwrap();
        let mut arguments = vec![bare::ARGUMENT, files.lines.to_str().unwrap()];
        arguments.extend(look.arguments());
        Tester::start(&this, &arguments, &self.home, size, self.manners, slow)
    }

    /// `few` rounds of what is done `many` times.
    fn rounds(&self, many: usize, few: usize) -> usize {
        if self.quick { few } else { many }
    }
}

/// The lines that show an action, as the title of a detail does not.
fn rows_of_actions(screen: &str) -> impl Iterator<Item = &str> {
    let rows = screen.lines().filter(|line| !line.contains('┌'));
    rows.filter(|line| queue::TOOLS.iter().any(|tool| line.contains(tool)))
}

/// Whether the title says that there are so many, with or without marks between the thousands.
fn counts(screen: &vt100::Screen, count: usize) -> bool {
    let text = screen.contents().replace([',', '\u{202f}', '\u{2009}'], "");
    text.split("Pending ").skip(1).any(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits == count.to_string()
    })
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == bare::ARGUMENT) {
        return bare::run(&arguments[1..]);
    }
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let home = tempfile::tempdir().unwrap();
    let manners = match (asked("--mute"), asked("--synchronized")) {
        (true, _) => Manners::Mute,
        (_, true) => Manners::Synchronized,
        _ => Manners::Plain,
    };
    let ground = Ground { home: home.path().to_owned(), quick: asked("--quick"), manners };
    if asked("bytes") {
        return keys::dump(&ground);
    }
    let parts: [(&str, Part); 6] = [
        ("start", start::measure),
        ("gateway", gateway::measure),
        ("keys", keys::measure),
        ("filter", filter::measure),
        ("idle", idle::measure),
        ("slow", slow::measure),
    ];
    let all = !parts.iter().any(|(name, _)| asked(name));
    println!("{}", Table::HEAD);
    for (name, part) in parts {
        if all || asked(name) {
            part(&ground, &mut Table::new(name));
        }
    }
}
