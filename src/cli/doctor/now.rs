//! What would happen to an action of this agent now, told without asking: from who the agent is, the rules where they can
//! be read, and who is there to decide.

use super::report::{Report, State};
use super::server::Who;
use crate::document::file;
use crate::domain::Visible;
use crate::domain::json::quote;
use crate::domain::timestamp::span_words;
use crate::gateway::{Outcome, Rules, trial};
use std::path::Path;

/// What is known.
pub(super) struct Now<'a> {
    /// The agent, where the gateway takes it for one.
    pub(super) agent: Option<&'a Who>,
    /// The action.
    pub(super) action: &'a str,
    /// The rules of the gateway's data directory, where that is known to be its.
    pub(super) rules: Option<&'a Path>,
    /// How many streams of events are open, where it is told.
    pub(super) listeners: Option<u64>,
}

/// Says it.
pub(super) fn tell(report: &mut Report, now: &Now<'_>) {
    let Some(agent) = now.agent else {
        report.not(
            State::Warn,
            "now",
            "an action of an agent cannot be asked for from here: it is not run",
            "",
        );
        return;
    };
    let name = Visible::of(now.action).cut(40).plain();
    let action = format!("{name} of {}", agent.name);
    if agent.paused {
        let words = format!("{action}, asked now: refused at once, the agent is paused");
        report.not(State::Warn, "now", words, "a reviewer resumes it: p in the console");
        return;
    }
    let (rules, known) = match read(now.rules) {
        Ok(found) => found,
        Err(words) => {
            report.not(State::Fail, "now", words, "mend them: `aegis-console rules check`");
            return;
        }
    };
    let submission = format!("{{\"tool\":{},\"arguments\":{{}},\"timeout\":\"10m\"}}", quote(now.action));
    let outcome = match trial(&rules, &agent.tenant, &agent.name, submission.as_bytes()) {
        Ok(trial) => trial.outcome,
        Err(why) => {
            report.not(State::Warn, "now", Visible::of(&why).plain(), "name another with --action");
            return;
        }
    };
    match outcome {
        Outcome::Refused { rule, .. } => {
            let words =
                format!("{action}, asked now: refused by the rule \"{}\"{known}", Visible::of(&rule).plain());
            report.ok("now", words);
        }
        Outcome::Allowed { rule, .. } => {
            let rule = Visible::of(&rule).plain();
            report.ok(
                "now",
                format!("{action}, asked now: runs without a person, by the rule \"{rule}\"{known}"),
            );
        }
        Outcome::Waits { risk, reviewers, time, .. } => {
            let people = if reviewers == 1 { "a reviewer".into() } else { format!("{reviewers} reviewers") };
            let words = format!(
                "{action}, asked now with 10m to decide: waits for {people}, at {risk}; {}; undecided after {}: not run{known}",
                watching(now.listeners),
                span_words(time)
            );
            match now.listeners {
                Some(0) => report.not(
                    State::Warn,
                    "now",
                    words,
                    "start a console: `aegis-console review --server …`",
                ),
                _ => report.ok("now", words),
            }
        }
    }
}

fn watching(listeners: Option<u64>) -> String {
    match listeners {
        None => "whether a console is open is not told".into(),
        Some(0) => "no console is open".into(),
        Some(1) => "1 console is open".into(),
        Some(count) => format!("{count} consoles are open"),
    }
}

/// The rules, and what must be said about how well they are known.
fn read(rules: Option<&Path>) -> Result<(Rules, &'static str), String> {
    const UNKNOWN: &str = " (its rules are the gateway's to know, and may ask for more)";
    let Some(path) = rules else { return Ok((Rules::default(), UNKNOWN)) };
    let words = |mistakes: crate::document::Mistakes| {
        Visible::of(mistakes.to_string().lines().next().unwrap_or_default()).plain()
    };
    match file::read_if_there(path).map_err(words)? {
        None => Ok((Rules::default(), "")),
        Some(text) => Ok((Rules::read(&path.to_string_lossy(), &text).map_err(words)?, "")),
    }
}
