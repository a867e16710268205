//! Lists and actions, page by page. An action counts as read as far as its lines have been printed, and no further.

use super::names::Names;
use super::page::Page;
use super::session::Plain;
use super::waiting::{self, Waits};
use super::wording::{self, say};
use crate::console::app::guard::{Selection, selection};
use crate::console::app::{Context, Now, named};
use crate::console::keymap::Intent;
use crate::console::screens::help::WORDS;
use crate::console::theme::Role;
use crate::domain::{Action, Untrusted, Visible};
use std::ops::Range;

/// Lines that the prompt and what stands above it take of a page.
const KEPT: usize = 5;
/// So many lines are no page of their own.
const FEW: usize = 2;
/// A page has at least so many lines, however low the terminal is.
const SHORTEST: usize = 5;

/// What the next page would show.
#[derive(Debug, Clone)]
pub(super) enum Next {
    /// The list, from this row on.
    List(usize),
    /// The actions with these ids, from this one on.
    Some(Vec<String>, usize),
    /// An action, from this line below its facts on.
    Action(u32, usize),
    /// The outcomes, from this row on.
    Outcomes(usize),
    /// The help, from this line on.
    Help(usize),
}

impl Plain {
    /// Lines that a page may have: what the terminal shows, and everything where nobody looks at pages.
    pub(super) fn rows(&self) -> usize {
        match self.deciding {
            true => usize::from(self.model.size.1).saturating_sub(KEPT).max(SHORTEST),
            false => usize::MAX,
        }
    }

    /// The page that comes next, where there is one.
    pub(super) fn more(&mut self, context: &mut Context<'_>) {
        match self.next.take() {
            None => self.page.own("there is no next page"),
            Some(Next::List(first)) => self.list(first, context.now),
            Some(Next::Some(ids, first)) => self.list_some(ids, first, context.now),
            Some(Next::Action(number, line)) => self.show(number, line, context.now),
            Some(Next::Outcomes(first)) => self.outcomes(first, context.now),
            Some(Next::Help(first)) => self.help(first),
        }
    }

    /// What waits, from this row on.
    pub(super) fn list(&mut self, first: usize, now: Now) {
        if first == 0 && self.model.queue.is_empty() {
            self.page.own("nothing waits for a decision");
            for line in self.model.settings.how_to_ask.clone() {
                self.page.own(line);
            }
            return;
        }
        // An action takes at most two lines where they are not broken.
        let most = (self.rows() / 2).max(1);
        let rows = waiting::rows(&self.model, first, most.saturating_add(1));
        for row in rows.iter().take(most) {
            match row {
                Waits::One(action) => self.entry(action, now),
                Waits::Many(agent, count) => self.page.quoting(&wording::flood(agent, *count)),
            }
        }
        if rows.len() > most {
            self.page.own("more waits: Enter lists it");
            self.next = Some(Next::List(first + most));
        } else {
            self.page.own("end of the list");
        }
    }

    /// Shows only what these words keep, and lists it.
    pub(super) fn filter(&mut self, words: &str, context: &mut Context<'_>) {
        named::filter(&mut self.model, words, context);
        if let Some(notice) = self.model.notice.take() {
            self.page.quoting(&notice.line);
        }
        if let Some((word, why)) = self.model.queue.filter().problem() {
            let word = say("not understood and left out: ").foreign(&Visible::of(word));
            self.page.quoting(&word.with(Role::Text, format!(": {why}")));
        }
        if !words.is_empty() {
            let (kept, all) = (self.model.queue.kept(), self.model.queue.len());
            self.page.own(format!("{kept} of {all} kept; filter alone keeps everything"));
        }
        self.list(0, context.now);
    }

    /// Puts the list in another order, and lists it.
    pub(super) fn sort(&mut self, order: &str, now: Now) {
        if named::sort(&mut self.model, order) {
            self.list(0, now);
        } else {
            self.page.own("sort by what? deadline, risk, age or agent");
        }
    }

    /// What waits of an agent.
    pub(super) fn list_of(&mut self, agent: &str, now: Now) {
        let ids = self.model.queue.ids_of(|name| is_named(name, agent));
        if ids.is_empty() {
            self.page.own("nothing waits of an agent with that name");
        } else {
            self.list_some(ids, 0, now);
        }
    }

    fn list_some(&mut self, ids: Vec<String>, first: usize, now: Now) {
        let most = (self.rows() / 2).max(1);
        for id in ids.iter().skip(first).take(most) {
            if let Some(action) = self.model.queue.known(id) {
                self.entry(&action, now);
            }
        }
        let next = first.saturating_add(most);
        if next < ids.len() {
            self.page.own(format!("{} more: Enter lists them", ids.len() - next));
            self.next = Some(Next::Some(ids, next));
        } else {
            self.page.own("end of the list");
        }
    }

    /// What is marked.
    pub(super) fn marks(&mut self, now: Now) {
        let marked = self.model.queue.marked_actions();
        if marked.is_empty() {
            self.page.own("nothing is marked");
        } else {
            self.list_some(marked.iter().map(|action| action.id.clone()).collect(), 0, now);
        }
    }

    /// Marks what these numbers mean, or what waits of the agent with this name, or all.
    pub(super) fn mark(&mut self, what: &str, now: Now) {
        let numbers: Option<Vec<u32>> = what.split_whitespace().map(|word| word.parse().ok()).collect();
        let ids = match numbers {
            Some(numbers) => {
                // One after the other: each is told where it does not wait.
                let waits = |number: &u32| self.go(*number, now);
                let numbers: Vec<_> = numbers.into_iter().filter(waits).collect();
                let named = numbers.into_iter().filter_map(|number| self.names.get(number));
                named.map(|named| named.selection.0.clone()).collect()
            }
            None if what == "all" => self.model.queue.ids_of(|_| true),
            None => self.model.queue.ids_of(|name| is_named(name, what)),
        };
        if ids.is_empty() {
            self.page.own("nothing waits that this means");
        }
        for id in ids {
            self.model.queue.mark(&id);
        }
        self.page.own(format!("{} marked; marks lists them", self.model.queue.marked()));
    }

    /// Goes to what a number means, and says so where it does not wait.
    pub(super) fn go(&mut self, number: u32, now: Now) -> bool {
        let Some(named) = self.names.get(number).cloned() else {
            self.page.own(format!("there is no {number}: list shows the numbers"));
            return false;
        };
        let (id, digest) = &named.selection;
        let same = self.model.queue.known(id).is_some_and(|action| action.digest == *digest);
        if same && named::go_to(&mut self.model, id, named.since, now) {
            return true;
        }
        match self.model.outcomes.newest_row_of(id).filter(|row| row.action.digest == *digest) {
            Some(row) => {
                let line = wording::outcome(&self.model, number, row, now);
                self.page.own(format!("{number} does not wait for a decision any more"));
                self.page.quoting(&line);
            }
            None => self.page.own(format!("{number} does not wait for a decision any more")),
        }
        false
    }

    /// An action in full, from this line on; with its facts where that is the first.
    pub(super) fn show(&mut self, number: u32, line: usize, now: Now) {
        if !self.go(number, now) {
            return;
        }
        let Some(action) = waiting::at_cursor(&self.model) else { return };
        if line == 0 {
            for fact in wording::facts(number, &action, &self.model, now) {
                self.page.quoting(&fact);
            }
        }
        let (payload, all) = self.model.detail.lines_below();
        let room = self.rows().saturating_sub(self.page.len() + 1).max(SHORTEST);
        let end = line.saturating_add(room).min(all);
        let end = if all - end <= FEW { all } else { end };
        if line < payload {
            let name = if action.unreadable.is_some() { "the text as it came" } else { "payload" };
            let (from, to) = (line + 1, end.min(payload));
            self.page.own(format!("{name}, lines {from} to {to} of {payload}:"));
        }
        for number in line..end {
            match self.model.detail.below(number) {
                Some((true, text)) => self.page.foreign(number + 1, &text),
                Some((false, text)) if text.is_empty() => {}
                // Without the blank that stands at the edge of a pane.
                Some((false, text)) => self.page.quoting(&text.skip(1)),
                None => {}
            }
        }
        self.covered = Some((selection(&action), line..end));
        let folds = self.model.detail.unopened();
        if end < all {
            let left = all - end;
            let lines = if left == 1 { "line" } else { "lines" };
            self.page.own(format!("{left} more {lines} of {number}: Enter goes on"));
            self.next = Some(Next::Action(number, end));
        } else if folds > 0 {
            let (parts, them) = if folds == 1 { ("part is", "it") } else { ("parts are", "them") };
            self.page.own(format!("end of {number}, but {folds} {parts} folded: unfold prints {them}"));
        } else {
            self.page.own(format!("end of {number}"));
        }
        self.shown = Some(number);
    }

    /// The action that was shown last, with nothing folded.
    pub(super) fn unfold(&mut self, context: &mut Context<'_>) {
        let Some(number) = self.shown.filter(|number| self.go(*number, context.now)) else {
            if self.shown.is_none() {
                self.page.own("nothing was shown yet: show N");
            }
            return;
        };
        for _ in 0..2 {
            if self.model.detail.unopened() > 0 {
                // Folds are no decision, so nothing refuses them.
                let _ = named::command(&mut self.model, Intent::Folds, context);
            }
        }
        self.show(number, 0, context.now);
    }

    /// What became of decisions, from this row on.
    pub(super) fn outcomes(&mut self, first: usize, now: Now) {
        let most = self.rows().saturating_sub(1).max(SHORTEST);
        let rows: Vec<_> = self.model.outcomes.rows().skip(first).take(most.saturating_add(1)).collect();
        if rows.is_empty() {
            self.page.own("no decision yet");
        }
        for row in rows.iter().take(most) {
            let number = self.names.of(&row.action);
            self.page.quoting(&wording::outcome(&self.model, number, row, now));
        }
        if rows.len() > most {
            self.page.own("there are older ones: Enter lists them");
            self.next = Some(Next::Outcomes(first + most));
        }
    }

    /// Who decides and where, how the link is, how much waits.
    pub(super) fn status(&mut self, now: Now) {
        self.identity();
        self.page.own(format!("link: {}", wording::link(&self.model, now)));
        self.page.own(wording::counts(&self.model));
        let model = &self.model;
        let more = [
            (model.carried_elsewhere, "another console sends what is decided here"),
            (model.journal_failed.is_some(), "no decision can be taken: the journal has failed"),
            (model.settings.read_only, "read-only: nothing is decided, taken back or sent from here"),
            (
                !model.settings.decisions_go_out && !model.settings.read_only,
                "decisions go nowhere: there is no server (--server)",
            ),
        ];
        for (_, words) in more.into_iter().filter(|(is, _)| *is) {
            self.page.own(words);
        }
        for agent in self.model.paused.keys() {
            self.page.quoting(&say("paused: ").foreign(&agent.name()));
        }
    }

    /// An action in a list.
    fn entry(&mut self, action: &Action, now: Now) {
        entry(&mut self.page, &mut self.names, action, now);
        if let Some(others) = wording::others(&self.model, action) {
            self.page.quoting(&say("    ").followed_by(Some(others)));
        }
    }

    /// Who decides, and where.
    pub(super) fn identity(&mut self) {
        let identity = self.model.settings.identity.replace(" · ", ", ");
        self.page.quoting(&say("you decide as ").foreign(&Visible::of(&identity)));
    }

    /// The commands, and what the words of the outcomes mean.
    pub(super) fn help(&mut self, first: usize) {
        let commands = super::command::COMMANDS.iter();
        let all = commands.chain(&WORDS).map(|(word, meaning)| format!("{word}: {meaning}"));
        // Most of them take more than a line.
        let most = (self.rows() / 2).max(SHORTEST);
        let lines: Vec<_> = all.skip(first).collect();
        for line in lines.iter().take(most) {
            self.page.own(line.as_str());
        }
        if lines.len() > most {
            self.page.own("more help: Enter goes on");
            self.next = Some(Next::Help(first + most));
        } else if let Some(simulated) = &self.model.settings.simulated {
            self.page.own(simulated.as_str());
        }
    }
}

/// Whether this is the agent that was meant: by its name as it is printed, or as it is.
pub(super) fn is_named(agent: &Untrusted, typed: &str) -> bool {
    agent.raw() == typed || agent.name().plain() == typed
}

/// An action in a list.
pub(super) fn entry(page: &mut Page, names: &mut Names, action: &Action, now: Now) {
    page.quoting(&wording::action(names.of(action), action, now));
    if let Some(summary) = wording::summary(action) {
        page.quoting(&summary);
    }
}

/// What has been printed of an action: lines below its facts.
pub(super) type Covered = (Selection, Range<usize>);
