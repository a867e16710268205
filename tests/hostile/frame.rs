//! What must stand as it does with a harmless action: frames, the line at the top, the key bar, what the list says of
//! others, the console's own words in titles, bars and outcomes.

use super::bytes::{is_digit, is_mark, is_right_to_left};
use super::session::{Frame, NEIGHBOURS, Step, extent};
use super::terminal::Terminal;
use std::collections::{BTreeMap, BTreeSet};

/// What harmless actions look like, one of each risk.
#[derive(Debug, Default)]
pub(crate) struct Harmless {
    /// By badge and step: the first screen of that step.
    screens: BTreeMap<(String, Step), Terminal>,
    /// The last line of the screen, at each step.
    key_bars: BTreeMap<Step, BTreeSet<String>>,
    /// What stands in the columns of the names of facts.
    labels: BTreeSet<String>,
}

/// How many columns of a line of the detail the names of facts have.
const LABEL: usize = 10;

/// Every badge that a risk can have; the last is that of what cannot be read.
const BADGES: [&str; 5] = ["LOW", "MED", "HIGH", "CRIT", "?!?!"];

impl Harmless {
    /// Takes in a screen of a harmless action.
    pub(crate) fn learn(&mut self, step: Step, badge: &str, terminal: &Terminal) {
        let last = terminal.size().1 - 1;
        self.key_bars.entry(step).or_default().insert(terminal.row(last));
        self.screens.entry((badge.to_owned(), step)).or_insert_with(|| terminal.clone());
        if let (Step::Detail | Step::Page, Some(frame)) = (step, detail(terminal)) {
            for line in (0..frame.lines()).map(|line| frame.line(terminal, line)) {
                if !line.starts_with('▏') {
                    self.labels.insert(head(&line));
                }
            }
        }
    }

    /// What is wrong with the screens of an attack at this step.
    pub(crate) fn check(&self, step: Step, badge: &str, terminals: &[Terminal]) -> Result<(), String> {
        let terminal = &terminals[0];
        let fail = |what: String| Err(format!("{step:?}: {what}; the screen:\n{}", terminal.screen()));
        if let Err(what) = agree(terminals) {
            return fail(what);
        }
        let Some(model) = self.screens.get(&(badge.to_owned(), step)) else {
            return fail(format!("no harmless action has the badge {badge:?}"));
        };
        let checks = [
            self.edges(model, terminal),
            self.key_bar(step, terminal),
            marks_and_directions(terminal),
            list(model, terminal),
            match step {
                Step::List | Step::Detail | Step::Page => self.detail(badge, terminal),
                Step::Help if model.screen() != terminal.screen() => Err("the help is another".into()),
                Step::Approve | Step::Reject => bar(model, terminal),
                Step::Decided | Step::Outcomes | Step::Expired => outcome(model, terminal),
                Step::Help => Ok(()),
            },
        ];
        for check in checks {
            if let Err(what) = check {
                return fail(what);
            }
        }
        Ok(())
    }

    /// The line at the top, and every edge of every frame.
    fn edges(&self, model: &Terminal, terminal: &Terminal) -> Result<(), String> {
        if model.row(0) != terminal.row(0) {
            return Err(format!("the line at the top should be {:?}", model.row(0)));
        }
        for frame in Frame::all(model) {
            let sides = [frame.left, frame.right].map(|x| (frame.top..=frame.bottom).map(move |y| (x, y)));
            if let Some((x, y)) =
                sides.into_iter().flatten().find(|&(x, y)| model.cell(x, y) != terminal.cell(x, y))
            {
                return Err(format!("the frame is broken in column {x} of line {y}"));
            }
        }
        Ok(())
    }

    fn key_bar(&self, step: Step, terminal: &Terminal) -> Result<(), String> {
        let row = terminal.row(terminal.size().1 - 1);
        let known = self.key_bars.get(&step).is_some_and(|rows| rows.contains(&row));
        if known { Ok(()) } else { Err(format!("no harmless action has the key bar {row:?}")) }
    }

    /// The title says the risk, the foot is the console's, and nothing foreign stands where the console names facts.
    fn detail(&self, badge: &str, terminal: &Terminal) -> Result<(), String> {
        let Some(frame) = detail(terminal) else { return Ok(()) };
        let title = frame.title(terminal);
        let rest =
            name(title.trim_start()).ok_or_else(|| format!("the title begins with no name: {title:?}"))?;
        if !rest.starts_with(&format!(" ─ {badge} ")) {
            return Err(format!("the risk does not stand behind the name in {title:?}"));
        }
        let foot = frame.foot(terminal);
        if extent(&foot).is_none() && !foot.chars().all(|c| c == '─') {
            return Err(format!("the foot is {foot:?}"));
        }
        for line in (0..frame.lines()).map(|line| frame.line(terminal, line)) {
            if !line.starts_with('▏') && !self.labels.contains(&head(&line)) {
                return Err(format!("{line:?} stands without a gutter where the console names facts"));
            }
        }
        Ok(())
    }
}

/// What everybody agrees on stands in the same place in every terminal.
pub(crate) fn agree(terminals: &[Terminal]) -> Result<(), String> {
    for other in &terminals[1..] {
        if let Some((x, y)) = terminals[0].differs(other) {
            let (widths, cell, row) = (other.widths(), other.cell(x, y), other.row(y));
            return Err(format!(
                "in a terminal that measures {widths:?}, column {x} of line {y} shows {cell:?}: {row:?}"
            ));
        }
    }
    Ok(())
}

/// The frame of the detail, where it shows.
fn detail(terminal: &Terminal) -> Option<Frame> {
    let own = [" Pending ", " Outcomes ", " Approve? ", " Reject? ", " Help "];
    let frames = Frame::all(terminal);
    frames.into_iter().find(|frame| !own.iter().any(|own| frame.title(terminal).starts_with(own)))
}

/// The columns in which the console names facts, what it counts left out.
fn head(line: &str) -> String {
    line.chars().take(LABEL).collect()
}

/// What stands after a name: bare where it is made of what cannot be taken for anything else, else in quotes that
/// nothing inside can close.
pub(crate) fn name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (mut end, mut escaped) = (None, false);
        for (at, c) in quoted.char_indices() {
            match c {
                '"' if !escaped => {
                    end = Some(at + 1);
                    break;
                }
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        return end.map(|end| &quoted[end..]);
    }
    let bare = |c: char| c.is_ascii_alphanumeric() || "._:/@-…".contains(c);
    let rest = text.trim_start_matches(bare);
    (rest.len() < text.len()).then_some(rest)
}

/// Digits as nines: what counts down goes on counting.
pub(crate) fn timeless(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

/// The rows of the others are what they are with a harmless action; the attack has one row, with risk and time left.
fn list(model: &Terminal, terminal: &Terminal) -> Result<(), String> {
    let find = |terminal: &Terminal| {
        Frame::all(terminal).into_iter().find(|frame| frame.title(terminal).starts_with(" Pending "))
    };
    let (Some(expected), Some(frame)) = (find(model), find(terminal)) else { return Ok(()) };
    if expected.title(model) != frame.title(terminal) || expected.foot(model) != frame.foot(terminal) {
        return Err(format!("the title of the list is {:?}", frame.title(terminal)));
    }
    let rows = |frame: &Frame, terminal: &Terminal| -> Vec<String> {
        let rows = (0..frame.lines()).map(|line| frame.line(terminal, line));
        rows.filter(|row| !row.trim().is_empty()).collect()
    };
    let is_neighbour = |row: &String| NEIGHBOURS.iter().any(|name| row.contains(name));
    let neighbours = |rows: &[String]| -> Vec<String> {
        // The cursor is on one or on another.
        let rows = rows.iter().filter(|row| is_neighbour(row));
        rows.map(|row| timeless(&row.replacen('▌', " ", 1))).collect()
    };
    let (expected, rows) = (rows(&expected, model), rows(&frame, terminal));
    if neighbours(&expected) != neighbours(&rows) {
        return Err(format!("the rows of others should be {:?}", neighbours(&expected)));
    }
    if expected.len() != rows.len() {
        return Err("the attack does not have one row".into());
    }
    for row in rows.iter().filter(|row| !is_neighbour(row)) {
        let badge = row.chars().skip(2).take(4).collect::<String>();
        // None of them says of a source of its own, so silence is a no.
        let row_end = row.trim_end();
        let left = [" not run", " no"].iter().find_map(|then| row_end.strip_suffix(then)).unwrap_or_default();
        let left = left.rsplit(' ').next().unwrap_or_default();
        let is_time = left.ends_with(|c: char| c.is_ascii_digit() || c == 'h')
            && left.starts_with(|c: char| c.is_ascii_digit());
        if !BADGES.contains(&badge.trim()) || !is_time {
            return Err(format!("the row of the attack lacks risk, time or what silence does: {row:?}"));
        }
    }
    Ok(())
}

/// What stands inside the bar, and that only the lines behind the gutter are not the console's.
fn bar(model: &Terminal, terminal: &Terminal) -> Result<(), String> {
    let find = |terminal: &Terminal| {
        let bar = |frame: &Frame| {
            [" Approve? ", " Reject? "].iter().any(|own| frame.title(terminal).starts_with(own))
        };
        Frame::all(terminal).into_iter().find(bar)
    };
    let (Some(expected), Some(frame)) = (find(model), find(terminal)) else {
        return Err("there is no bar".into());
    };
    if expected.title(model) != frame.title(terminal) {
        return Err(format!("the title of the bar should be {:?}", expected.title(model)));
    }
    for number in 0..frame.lines() {
        let (line, own) = (frame.line(terminal, number), expected.line(model, number));
        match (line.starts_with('▏'), own.starts_with('▏')) {
            (true, true) if number == 0 => {
                let words = line.chars().skip(2).collect::<String>();
                let after = name(&words).and_then(|rest| name(rest.strip_prefix(" by ")?));
                let digest =
                    after.map(|rest| timeless(rest.trim_end()).replace(|c: char| c.is_ascii_hexdigit(), "9"));
                if digest.as_deref() != Some(" · 9999 9999") {
                    return Err(format!(
                        "the bar names action, agent and digest so that they can be mistaken: {line:?}"
                    ));
                }
            }
            (true, true) => {}
            // Letters to be typed are new each time.
            (false, false) if same_but_letters(&line, &own) => {}
            _ => return Err(format!("line {number} of the bar should be {own:?}")),
        }
    }
    Ok(())
}

/// Whether two lines are the same but for a word of four letters.
fn same_but_letters(line: &str, own: &str) -> bool {
    let word =
        |word: &str| if word.trim_end_matches(':').len() == 4 { "abcd".into() } else { word.to_owned() };
    let words = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>();
    line == own || own.trim_start().starts_with("type ") && words(line) == words(own)
}

/// The words on what became of it are the console's, and the name of the action among them is no part of them.
fn outcome(model: &Terminal, terminal: &Terminal) -> Result<(), String> {
    let (of_model, of_attack) = (outcome_row(model), outcome_row(terminal));
    let (Some(own), Some(row)) = (of_model, of_attack) else { return Err("no outcome shows".into()) };
    let (before, after) = own.split_once("send_email").unwrap();
    let after = after.trim_start().trim_end_matches([' ', '…']);
    let rest = timeless(&row);
    let rest = rest.strip_prefix(timeless(before).as_str());
    let rest = rest.ok_or_else(|| format!("the outcome should begin with {before:?}: {row:?}"))?;
    let rest = name(rest).ok_or_else(|| format!("the name in the outcome can be mistaken: {row:?}"))?;
    let rest = rest.trim_start().trim_end_matches([' ', '…']);
    if after.starts_with(rest) || rest.starts_with(after) {
        return Ok(());
    }
    Err(format!("the outcome should end with {after:?}: {row:?}"))
}

/// The newest outcome: in its pane, or in the line above the key bar.
pub(crate) fn outcome_row(terminal: &Terminal) -> Option<String> {
    let rows = terminal.size().1;
    let pane = Frame::all(terminal).into_iter().find(|frame| frame.title(terminal).starts_with(" Outcomes "));
    let row = pane.map_or_else(|| terminal.row(rows - 2), |frame| frame.line(terminal, 0));
    ["reject", "expired"].iter().any(|word| row.contains(word)).then_some(row)
}

/// No character bears more marks than a reader can tell, and no terminal reorders a line.
pub(crate) fn marks_and_directions(terminal: &Terminal) -> Result<(), String> {
    let (columns, rows) = terminal.size();
    for y in 0..rows {
        if terminal.row(y).is_ascii() {
            continue;
        }
        if let Some(x) =
            (0..columns).find(|x| terminal.cell(*x, y).chars().filter(|c| is_mark(*c)).count() > 4)
        {
            return Err(format!("column {x} of line {y} bears more than four marks"));
        }
        let row: Vec<char> = terminal.row(y).chars().collect();
        for (at, _) in row.iter().enumerate().filter(|(_, c)| is_right_to_left(**c)) {
            let next = row[at + 1..].iter().find(|c| c.is_alphanumeric());
            let before = row[..at].iter().rev().find(|c| c.is_alphanumeric());
            if next.is_some_and(|c| is_digit(*c))
                || before.is_some_and(|c| is_digit(*c) && !is_own_column(&row, at))
            {
                return Err(format!("line {y} has a number beside what runs from right to left"));
            }
        }
    }
    Ok(())
}

/// Whether the frame of a pane stands between the place and the last letter or digit before it.
fn is_own_column(row: &[char], at: usize) -> bool {
    row[..at].iter().rev().take_while(|c| !c.is_alphanumeric()).any(|c| *c == '│')
}

#[test]
fn names_that_can_be_mistaken_are_caught() {
    assert_eq!(name("send_email ─ LOW"), Some(" ─ LOW"));
    assert_eq!(name(r#""a \" by \\" by x"#), Some(" by x"));
    assert_eq!(name(r#""never closed"#), None);
    assert_eq!(name("─ LOW"), None);
    assert!(same_but_letters(" type abcd: ", " type wxyz: "));
    assert!(!same_but_letters(" type abcd: ", " Enter decides, Esc leaves it"));
}
