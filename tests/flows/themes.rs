//! Each screen at three sizes and in two themes, with the styles beside: what a person sees who has not named a role.
//!
//! A line of the screen stands once; under it stand the styles that each theme gives to its runs. What has only the
//! terminal's own style is not named.

use crate::script::{LETTERS, SHORT, SMALL, Script, WIDE, command, refund, settings, standing, trade};
use aegis_console::console::app::Settings;
use aegis_console::console::theme::{Depth, Shipped, Theme};
use aegis_console::domain::{Outcome, Verdict};
use aegis_console::feed::FeedEvent;
use ratatui::buffer::Cell;
use ratatui::style::Color;
use std::fmt::Write as _;

const THEMES: [Shipped; 2] = [Shipped::Dark, Shipped::None];

fn run(size: (u16, u16), which: Shipped, go: fn(&mut Script)) -> Script {
    let theme = Theme::shipped(which, Depth::Sixteen);
    let mut script = Script::with(Settings { theme, ..settings() }, size);
    go(&mut script);
    script
}

fn waiting(script: &mut Script) {
    script.feed(FeedEvent::entries(vec![refund(), trade(), command()]));
}

/// The style of a cell in words; nothing where it is the terminal's own. A blank shows little of its style.
fn style(cell: &Cell) -> String {
    let blank = cell.symbol() == " ";
    let mut words: Vec<String> = cell
        .modifier
        .iter_names()
        .filter(|(name, _)| !blank || *name == "REVERSED")
        .map(|(name, _)| name.to_lowercase())
        .collect();
    if cell.fg != Color::Reset && !blank {
        words.push(format!("{}", cell.fg).to_lowercase());
    }
    words.join("+")
}

fn in_every_theme(name: &str, go: fn(&mut Script)) {
    for (size_name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let frames = THEMES.map(|which| run(size, which, go).lines(style));
        let mut out = String::new();
        for (number, (text, _)) in frames[0].iter().enumerate() {
            let _ = writeln!(out, "{}", text.trim_end());
            for (which, frame) in THEMES.iter().zip(&frames) {
                assert_eq!(text, &frame[number].0, "a theme changes styles and nothing else");
                if !frame[number].1.is_empty() {
                    let _ = writeln!(out, "{:>8} ^ {}", which.name(), frame[number].1);
                }
            }
        }
        insta::assert_snapshot!(format!("{name}_{size_name}"), out);
    }
}

#[test]
fn the_queue() {
    in_every_theme("queue", waiting);
}

#[test]
fn the_detail() {
    in_every_theme("detail", |script| {
        waiting(script);
        script.keys("enter");
    });
}

#[test]
fn the_outcomes() {
    in_every_theme("outcomes", |script| {
        waiting(script);
        script.approve().resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "alice")));
        script.keys("tab tab");
    });
}

#[test]
fn the_bar() {
    in_every_theme("bar", |script| {
        waiting(script);
        script.read_and_ask().typed(LETTERS);
    });
}

#[test]
fn the_table_of_what_is_marked() {
    in_every_theme("table", |script| {
        waiting(script);
        script.keys("* r");
    });
}

#[test]
fn the_help() {
    in_every_theme("help", |script| {
        waiting(script);
        script.keys("?");
    });
}

#[test]
fn nothing_waits() {
    in_every_theme("empty", |script| {
        script.feed(FeedEvent::Entries(Vec::new()));
    });
}

#[test]
fn a_filter() {
    in_every_theme("filter", |script| {
        crate::listing::waiting(script);
        script.keys("/").typed("refund !ben");
    });
}

#[test]
fn groups_and_a_range() {
    in_every_theme("groups", |script| {
        crate::listing::waiting(script);
        script.keys("b b b g z j j v j");
    });
}
