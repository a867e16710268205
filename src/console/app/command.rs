//! What the command line can be told, by name, and what then happens: the same as for the key.
//!
//! A command never decides: `approve` and `reject` open the bar, by the same rules as their keys.

use super::guard::{self, Refusal};
use super::update::{act, open};
use super::{Context, Effect, Model, Pane};
use crate::config::Word;
use crate::console::keymap::{Intent, Scope};
use crate::console::screens::command::Known;
use crate::console::screens::queue::{Grouping, Order};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::domain::{Verdict, Visible};

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The same as a key.
    Do(Intent),
    /// Open the bar that rejects, with this reason in it.
    Reject(String),
    /// Show the rows of the pane in which these words stand; after `@` the name of a filter of the config.
    Filter(String),
    /// Put the list in this order.
    Sort(Order),
    /// Put this together in the list.
    Group(Grouping),
    /// Put the cursor on the action with this id, or the only one whose id begins like this.
    GoTo(String),
}

/// A line that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What of it is not known.
    pub name: String,
    /// The command that comes nearest.
    pub nearest: Option<String>,
}

/// The command that no key does.
const GO_TO: &str = "goto";

/// Short names that hands know from elsewhere.
const SHORT: [(&str, Intent); 2] = [("q", Intent::Quit), ("h", Intent::Help)];

impl Command {
    /// Reads a line. Names of more than one word can be written with blanks: `copy payload`.
    ///
    /// # Errors
    /// [`Unknown`], with the name that was meant, as far as that can be guessed.
    pub fn parse(line: &str) -> Result<Self, Unknown> {
        let (first, words) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let words = words.trim().to_owned();
        match first {
            _ if words.is_empty() => {}
            "reject" => return Ok(Self::Reject(words)),
            "filter" => return Ok(Self::Filter(words)),
            "sort" => return one_of(first, &words, Self::Sort),
            "group" => return one_of(first, &words, Self::Group),
            GO_TO => return Ok(Self::GoTo(words)),
            _ => {}
        }
        let name = line.split_whitespace().collect::<Vec<_>>().join("-");
        let short = SHORT.iter().find(|(short, _)| *short == name).map(|(_, intent)| *intent);
        match short.or_else(|| Intent::parse(&name).filter(|intent| has_a_name(*intent))) {
            Some(intent) => Ok(Self::Do(intent)),
            None => Err(Unknown { nearest: nearest(&name).map(str::to_owned), name: first.to_owned() }),
        }
    }

    /// The key that does the same.
    pub fn intent(&self) -> Intent {
        match self {
            Self::Do(intent) => *intent,
            Self::Reject(_) => Intent::Reject,
            Self::Filter(_) => Intent::Filter,
            Self::Sort(_) => Intent::Sort,
            Self::Group(_) => Intent::Group,
            // It moves the cursor, as this does.
            Self::GoTo(_) => Intent::Top,
        }
    }
}

/// Whether it can be run by name: not what only has a meaning in a bar, a field or a question.
fn has_a_name(intent: Intent) -> bool {
    !matches!(
        intent,
        Intent::Confirm
            | Intent::Leave
            | Intent::NextField
            | Intent::SendHeld
            | Intent::DropHeld
            | Intent::Stay
            | Intent::Command
            | Intent::Run
            | Intent::Complete
            | Intent::CompleteBack
            | Intent::Search
            | Intent::KeepFilter
    )
}

/// The pane outside of which it has no meaning.
fn pane_of(intent: Intent) -> Option<Pane> {
    match intent {
        Intent::TryAgain | Intent::Acknowledge => Some(Pane::Outcomes),
        Intent::Folds | Intent::ReadOn => Some(Pane::Detail),
        Intent::Mark
        | Intent::MarkAll
        | Intent::Unmark
        | Intent::MarkRange
        | Intent::RejectThread
        | Intent::RejectAgent
        | Intent::Fold => Some(Pane::List),
        _ => None,
    }
}

/// The name of a command that comes nearest to what was typed, where one is near.
fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, Intent::ALL.into_iter().filter(|intent| has_a_name(*intent)).map(Intent::name))
}

fn nearest_of(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let far = |known: &str| strsim::damerau_levenshtein(name, known);
    names.min_by_key(|known| far(known)).filter(|known| far(known) <= name.len().div_ceil(3).min(3))
}

/// A command that takes one of a few words, and the word.
fn one_of<T: Word>(command: &str, word: &str, meant: fn(T) -> Command) -> Result<Command, Unknown> {
    T::parse(word).map(meant).ok_or_else(|| Unknown {
        name: format!("{command} {word}"),
        nearest: nearest_of(word, T::NAMES.iter().copied()).map(|word| format!("{command} {word}")),
    })
}

/// Everything that can be run from here, with its key.
fn known(model: &Model) -> Vec<Known> {
    let scope = match model.focus {
        Pane::List => Scope::List,
        Pane::Detail => Scope::Detail,
        Pane::Outcomes => Scope::Outcomes,
    };
    let here =
        |intent: &Intent| has_a_name(*intent) && pane_of(*intent).is_none_or(|pane| pane == model.focus);
    let known = |intent: Intent| Known {
        name: intent.name().to_owned(),
        takes: match intent {
            Intent::Reject => Some("[reason]"),
            Intent::Filter => Some("[words]"),
            _ => None,
        },
        key: key_bar::name(&model.settings.keymap, &[scope, Scope::Global], intent),
        help: intent.help().to_owned(),
    };
    let own = |name: String, takes, help: String| Known { name, takes, key: None, help };
    let go_to = own(GO_TO.into(), Some("ID"), "put the cursor on the action with this id".into());
    let filters = model.settings.filters.iter();
    let filters = filters.map(|(name, words)| own(format!("filter @{name}"), None, words.clone()));
    let orders = Order::ALL.iter().map(|order| {
        let first = match order {
            Order::Deadline => "what expires first stands first",
            Order::Risk => "the highest risk stands first",
            Order::Age => "what has waited longest stands first",
            Order::Agent => "by the agent's name",
        };
        own(format!("sort {}", order.name()), None, first.into())
    });
    let groupings = Grouping::ALL.iter().map(|grouping| {
        let together = match grouping {
            Grouping::None => "nothing stands together",
            Grouping::Thread => "what belongs to one thread stands together",
            Grouping::Agent => "what one agent asks stands together",
            Grouping::Alike => "the same action of the same agent in the same form stands together",
        };
        own(format!("group {}", grouping.name()), None, together.into())
    });
    let keys = Intent::ALL.into_iter().filter(here).map(known);
    keys.chain([go_to]).chain(orders).chain(groupings).chain(filters).collect()
}

/// Opens the line, in place of the help where that is open. A bar that asks has to be left first.
pub(super) fn begin(model: &mut Model, context: &mut Context<'_>) {
    if model.bar.is_some() || model.leaving {
        model.tell(Role::Notice, "leave the bar first: a command never decides", context.now);
        return;
    }
    (model.help, model.copy) = (None, None);
    let known = known(model);
    model.command.open((context.id)(), known);
}

/// Runs what the line says. Where it may not yet, the line stays; else it is closed and remembered.
pub(super) fn run(
    model: &mut Model,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let Some((_, line)) = model.command.says() else { return Ok(()) };
    if line.trim().is_empty() {
        model.command.close(false);
        return Ok(());
    }
    let command = match Command::parse(line) {
        Ok(command) => command,
        Err(unknown) => {
            model.command.close(true);
            let line = unknown.line();
            model.tell_line(line, context.now);
            return Ok(());
        }
    };
    guard::may_run(model, command.intent(), context.now)?;
    model.command.close(true);
    if let Some(pane) = pane_of(command.intent()).filter(|pane| *pane != model.focus) {
        let words = format!("{} works in {}", command.intent().name(), pane.named());
        model.tell(Role::Notice, words, context.now);
        return Ok(());
    }
    if matches!(command.intent(), Intent::Filter | Intent::ClearFilter) && model.focus == Pane::Detail {
        // Beside an action that is read stands the list that it is of.
        model.focus = Pane::List;
    }
    match command {
        Command::Do(intent) => act(model, intent, context, effects),
        Command::Reject(reason) => {
            open(model, Verdict::Reject, context, effects)?;
            if let Some(bar) = &mut model.bar {
                bar.paste(&reason);
            }
            Ok(())
        }
        Command::Filter(words) => {
            filter(model, &words, context);
            Ok(())
        }
        Command::Sort(order) => {
            model.queue.set_order(order);
            Ok(())
        }
        Command::Group(grouping) => {
            model.queue.set_grouping(grouping);
            Ok(())
        }
        Command::GoTo(beginning) => {
            go_to(model, &beginning, context);
            Ok(())
        }
    }
}

/// Puts the cursor on the action that is meant, whatever hides its row.
fn go_to(model: &mut Model, beginning: &str, context: &mut Context<'_>) {
    let asked = Visible::quoted(beginning).cut(40);
    match model.queue.id_beginning(beginning) {
        Ok(id) => {
            if model.queue.reveal(&id) {
                model.tell(Role::Notice, "the filter hid it: everything shows again", context.now);
            }
            model.focus = if model.focus == Pane::Outcomes { Pane::List } else { model.focus };
        }
        Err(0) => {
            let line = RoleLine::of(Role::Bad, "no action waits with the id ");
            model.tell_line(line.foreign(&asked), context.now);
        }
        Err(many) => {
            let line = RoleLine::of(Role::Bad, format!("the ids of {many} begin with "));
            model.tell_line(line.foreign(&asked), context.now);
        }
    }
}

/// Filters the pane that keys go to, by these words or by the filter of the config that they name. The list knows names
/// itself, among other words.
pub(super) fn filter(model: &mut Model, words: &str, context: &mut Context<'_>) {
    let name = words.strip_prefix('@').filter(|_| model.focus == Pane::Outcomes);
    let words = match name.map(|name| (name, model.settings.filters.get(name))) {
        None => words.to_owned(),
        Some((_, Some(words))) => words.clone(),
        Some((name, None)) => {
            let line = RoleLine::of(Role::Bad, "the config has no filter ");
            model.tell_line(line.foreign(&Visible::quoted(name).cut(40)), context.now);
            return;
        }
    };
    let filtered = model.change_search(|search| {
        search.clear();
        search.begin();
        let fits = search.paste(&words);
        search.keep();
        fits
    });
    match filtered {
        Some(true) => {}
        Some(false) => model.tell(Role::Notice, "no more fits in a filter", context.now),
        None => {
            model.tell(Role::Notice, format!("there is no filter in {}", model.focus.named()), context.now);
        }
    }
}

impl Unknown {
    /// `there is no command "aprove": approve?`
    fn line(&self) -> RoleLine {
        let mut line = RoleLine::of(Role::Bad, "there is no command ");
        line.push_foreign(Role::Foreign, &Visible::quoted(&self.name).cut(24));
        if let Some(nearest) = &self.nearest {
            line.push(Role::Notice, format!(": {nearest}?"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_its_intent_and_what_decides_has_none() {
        for intent in Intent::ALL {
            let parsed = Command::parse(intent.name());
            assert_eq!(parsed.is_ok(), has_a_name(intent), "{intent:?}");
            assert!(parsed.is_err() || parsed == Ok(Command::Do(intent)));
        }
        for name in ["confirm", "send-held", "drop-held", "run"] {
            assert!(Command::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn lines_are_read_with_what_follows_the_name() {
        for (line, command) in [
            (" mark  all ", Command::Do(Intent::MarkAll)),
            ("q", Command::Do(Intent::Quit)),
            ("reject", Command::Do(Intent::Reject)),
            ("reject  too much ", Command::Reject("too much".into())),
            ("filter", Command::Do(Intent::Filter)),
            ("filter @mine ", Command::Filter("@mine".into())),
            ("sort", Command::Do(Intent::Sort)),
            ("sort  risk ", Command::Sort(Order::Risk)),
            ("group none", Command::Group(Grouping::None)),
            ("goto 0197", Command::GoTo("0197".into())),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_unknown_comes_with_the_nearest_name() {
        for (line, name, nearest) in [
            ("aprove", "aprove", Some("approve")),
            ("approve all", "approve", None),
            ("mark-al", "mark-al", Some("mark-all")),
            ("xyzzy", "xyzzy", None),
            ("sort rsk", "sort rsk", Some("sort risk")),
            ("group by thread", "group by thread", Some("group thread")),
            ("", "", None),
        ] {
            assert_eq!(
                Command::parse(line),
                Err(Unknown { name: name.into(), nearest: nearest.map(str::to_owned) }),
                "{line}"
            );
        }
    }
}
