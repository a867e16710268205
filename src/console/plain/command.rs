//! What a line that was typed asks for. Words that decide are spelled in full; of the others a beginning will do.

use crate::domain::Visible;

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Nothing: an empty line.
    Nothing,
    /// What waits; of one agent, where one is named.
    List(Option<String>),
    /// Show only what these words keep; everything, where there are none.
    Filter(String),
    /// Put the list in another order.
    Sort(String),
    /// The next page.
    More,
    /// An action in full.
    Show(u32),
    /// The action that was shown last, with nothing folded.
    Unfold,
    /// Approve, with a reason where one is given.
    Approve(u32, String),
    /// Reject, with a reason where one is given.
    Reject(u32, String),
    /// Approve what is marked.
    ApproveMarked,
    /// Reject what is marked, with a reason where one is given.
    RejectMarked(String),
    /// Mark these, or what waits of an agent with this name, or `all`.
    Mark(String),
    /// Take every mark away.
    Unmark,
    /// What is marked.
    Marks,
    /// Take back a decision that is held: this one, or the newest.
    Undo(Option<u32>),
    /// Send a decision once more.
    Again(u32),
    /// Take note of a conflict.
    Noted(u32),
    /// Pause an agent: by its name, or by an action of its.
    Pause(String),
    /// Let an agent go on.
    Resume(String),
    /// What became of decisions.
    Outcomes,
    /// Who decides where, the link, the counts.
    Status,
    /// The commands, and what the words of the outcomes mean.
    Help,
    /// Leave.
    Quit,
}

impl Command {
    /// Whether it decides, sends or changes anything: then a person has to be at a terminal.
    pub(super) fn changes(&self) -> bool {
        matches!(
            self,
            Self::Approve(..)
                | Self::Reject(..)
                | Self::ApproveMarked
                | Self::RejectMarked(_)
                | Self::Mark(_)
                | Self::Unmark
                | Self::Undo(_)
                | Self::Again(_)
                | Self::Noted(_)
                | Self::Pause(_)
                | Self::Resume(_)
        )
    }
}

/// Every command as it is written, and what it does.
pub(super) const COMMANDS: [(&str, &str); 23] = [
    ("Enter", "at the prompt: listen, so that what happens is told as it happens; listening: the prompt"),
    ("list", "what waits for a decision, first what expires first"),
    ("list AGENT", "what waits of this agent alone"),
    (
        "filter WORDS",
        "the list keeps what these words match: risk:high agent:ci !word age>5m; filter alone keeps everything",
    ),
    ("sort deadline, risk, age or agent", "what the list has first"),
    ("show N", "the action with this number in full, page by page"),
    ("more, or Enter", "the next page, while there is one"),
    ("unfold", "the action shown last once more, with everything open that was folded"),
    ("approve N", "asks, then approves; from medium risk up only what has been printed to its end"),
    ("approve N REASON", "the same, with the reason that critical risk asks for"),
    ("reject N", "asks, then rejects without a reason"),
    ("reject N REASON", "the same, with a reason; the agent gets it as you typed it"),
    (
        "mark N N N, mark AGENT, mark all",
        "marks what is to be decided together; unmark takes every mark away",
    ),
    ("marks", "what is marked"),
    (
        "approve marked, reject marked REASON",
        "a table of what is marked, what differs and what is left out; one answer decides them together",
    ),
    ("undo, undo N", "takes back the newest approval that is still held, or this one"),
    ("again N", "sends a decision that was given up on once more, under the same key"),
    ("noted N", "takes note of a conflict, so that it is no longer counted"),
    (
        "pause AGENT, resume AGENT",
        "stops an agent from asking and running anything, or lets it; N means the agent of N",
    ),
    ("outcomes", "what became of decisions, newest first"),
    ("status", "who decides and where, how the link is, how much waits"),
    ("help", "this"),
    ("quit", "leaves; asks first what becomes of approvals that are held"),
];

/// The words that may be cut short.
const SHORT: [&str; 8] = ["list", "show", "more", "outcomes", "status", "help", "quit", "unfold"];

/// Stands where a number would, for all that is marked.
const MARKED: &str = "marked";

/// Reads a line.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (typed, rest) = (word.to_lowercase(), rest.trim());
    let word = SHORT.into_iter().find(|full| !typed.is_empty() && full.starts_with(&typed)).unwrap_or(&typed);
    let (first, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number = || number(word, first);
    let alone = |command: Command| match rest {
        "" => Ok(command),
        _ => Err(format!("{word} stands alone")),
    };
    let one = |command: fn(u32) -> Command| match reason {
        "" => number().map(command),
        _ => Err(format!("{word} takes one number")),
    };
    let agent = |command: fn(String) -> Command| match rest {
        "" => Err(format!("{word} which agent? {word} AGENT, or {word} N")),
        _ => Ok(command(rest.to_owned())),
    };
    match word {
        "" => Ok(Command::Nothing),
        "list" => Ok(Command::List((!rest.is_empty()).then(|| rest.to_owned()))),
        "filter" => Ok(Command::Filter(rest.to_owned())),
        "sort" => Ok(Command::Sort(rest.to_owned())),
        "more" => alone(Command::More),
        "show" => one(Command::Show),
        "unfold" => alone(Command::Unfold),
        "approve" if first == MARKED && reason.is_empty() => Ok(Command::ApproveMarked),
        "reject" if first == MARKED => Ok(Command::RejectMarked(reason.trim().to_owned())),
        "mark" => match rest {
            "" => Err("mark what? mark N, mark AGENT, or mark all".into()),
            _ => Ok(Command::Mark(rest.to_owned())),
        },
        "unmark" => alone(Command::Unmark),
        "marks" => alone(Command::Marks),
        "approve" => Ok(Command::Approve(number()?, reason.trim().to_owned())),
        "reject" => Ok(Command::Reject(number()?, reason.trim().to_owned())),
        "undo" if rest.is_empty() => Ok(Command::Undo(None)),
        "undo" => one(|number| Command::Undo(Some(number))),
        "again" => one(Command::Again),
        "noted" => one(Command::Noted),
        "pause" => agent(Command::Pause),
        "resume" => agent(Command::Resume),
        "outcomes" => alone(Command::Outcomes),
        "status" => alone(Command::Status),
        "help" | "?" => Ok(Command::Help),
        "quit" | "exit" => alone(Command::Quit),
        _ => Err(format!("there is no command {}: help names them", Visible::quoted(word).cut(40).plain())),
    }
}

fn number(word: &str, text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ if text.is_empty() => Err(format!("{word} which? {word} N: list shows the numbers")),
        _ => Err(format!("{} is no number: {word} N", Visible::quoted(text).cut(40).plain())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_they_say() {
        for (line, command) in [
            ("", Command::Nothing),
            ("  ", Command::Nothing),
            ("list", Command::List(None)),
            ("l", Command::List(None)),
            ("list billing agent", Command::List(Some("billing agent".into()))),
            ("filter risk:high !ci", Command::Filter("risk:high !ci".into())),
            ("filter", Command::Filter(String::new())),
            ("sort risk", Command::Sort("risk".into())),
            ("SHOW 3", Command::Show(3)),
            ("s 3", Command::Show(3)),
            ("approve 3", Command::Approve(3, String::new())),
            ("approve 3 as  agreed ", Command::Approve(3, "as  agreed".into())),
            ("reject 12 not now", Command::Reject(12, "not now".into())),
            ("approve marked", Command::ApproveMarked),
            ("reject marked spam", Command::RejectMarked("spam".into())),
            ("mark 1 2", Command::Mark("1 2".into())),
            ("undo", Command::Undo(None)),
            ("undo 2", Command::Undo(Some(2))),
            ("pause 3", Command::Pause("3".into())),
            ("q", Command::Quit),
            ("?", Command::Help),
        ] {
            assert_eq!(parse(line), Ok(command), "{line:?}");
        }
    }

    #[test]
    fn what_is_not_meant_is_not_taken() {
        for line in [
            "a 3",
            "app 3",
            "r 3",
            "rej 3",
            "approve",
            "approve x",
            "approve 0",
            "approve -1",
            "reject",
            "show",
            "show 3 4",
            "again 1 2",
            "quit now",
            "yes",
            "kmtw",
            "pause",
            "undo x",
            "\u{1b}[2J",
        ] {
            let error = parse(line).unwrap_err();
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }
}
