//! One session: lines and messages in, lines out. Pure: no terminal, no clock, no chance.
//!
//! Somebody who is typing is left alone: between a prompt and the line that answers it nothing is printed. An empty line
//! says that nobody is typing: from then on what happens is told as it happens, until the next line.

use super::asking::Question;
use super::command::{self, Command};
use super::names::Names;
use super::news::News;
use super::page::Page;
use super::showing::{Covered, Next, is_named};
use super::wording;
use crate::console::app::guard::selection;
use crate::console::app::model::Exit;
use crate::console::app::{Context, Effect, EndOfInput, Message, Model, Now, Pane, deadline, named, update};
use crate::console::keymap::Intent;
use crate::console::screens::outcomes::Kind;
use crate::console::screens::queue::Grouping;
use crate::domain::Verdict;
use std::time::Duration;
use uuid::Uuid;

/// For so long the prompt waits for what becomes of a decision that was just made.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is to be printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Whole lines.
    pub lines: Vec<String>,
    /// What stands before the line that is to be typed, where one is.
    pub prompt: Option<String>,
    /// Whether what was typed before this was printed was not meant for it.
    pub discard: bool,
}

/// A session.
#[derive(Debug, Clone)]
pub struct Plain {
    pub(super) model: Model,
    /// Whether lines come from a person at a terminal. From anywhere else nothing is decided.
    pub(super) deciding: bool,
    pub(super) names: Names,
    pub(super) news: News,
    pub(super) page: Page,
    pub(super) question: Option<Question>,
    pub(super) next: Option<Next>,
    /// The action that was shown last.
    pub(super) shown: Option<u32>,
    /// What will have been read once the page is printed.
    pub(super) covered: Option<Covered>,
    /// Whether the first listing came just now.
    pub(super) first: bool,
    /// Whether anything was ever asked for.
    used: bool,
    /// Decisions of which something is about to be heard, and until when the prompt waits for it.
    awaited: Option<(Vec<Uuid>, Duration)>,
    /// Whether nobody is typing.
    listening: bool,
    /// Whether a prompt stands at the end of what is printed.
    prompted: bool,
}

impl Plain {
    /// A session that has seen nothing yet, with a person at a terminal or (not `deciding`) without.
    pub fn new(model: Model, deciding: bool) -> Self {
        let mut plain = Self {
            page: Page::new(model.size.0),
            model,
            deciding,
            names: Names::default(),
            news: News::default(),
            question: None,
            next: None,
            shown: None,
            covered: None,
            first: false,
            used: false,
            awaited: None,
            listening: true,
            prompted: false,
        };
        // What stands together is folded under one row on the screen; here each thing has a line.
        plain.model.queue.set_grouping(Grouping::None);
        plain.model.settle();
        plain.page.own("aegis-console, plain mode: line by line. help names the commands");
        plain.identity();
        if !deciding {
            plain
                .page
                .own("input is no terminal: from there everything can be looked at, and nothing decided");
        }
        plain
    }

    /// What it knows.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether commands make sense yet: what waits is known, or cannot be had.
    pub fn is_ready(&self) -> bool {
        self.news.is_listed() || self.model.is_offline()
    }

    /// Whether the program is over.
    pub fn finished(&self) -> bool {
        self.model.exit.is_some()
    }

    /// Takes in one message.
    pub fn tell(&mut self, message: Message, context: &mut Context<'_>) -> Vec<Effect> {
        let touched = self.touched(&message);
        if let Message::Resized(columns, _) = message {
            self.page.resize(columns);
        }
        let effects = update(&mut self.model, message, context);
        self.gather(touched);
        if self.awaited.as_ref().is_some_and(|(ids, _)| self.news.tells_of(ids)) {
            self.awaited = None;
        }
        Self::wanted(effects)
    }

    /// A line was typed, `early` where that was before the last output had been printed: then it answers nothing of it.
    pub fn line(&mut self, text: &str, early: bool, context: &mut Context<'_>) -> Vec<Effect> {
        self.prompted = false;
        let turns_a_page = self.next.is_some() && text.trim().is_empty();
        if early && (self.question.is_some() || turns_a_page) {
            self.page.own("ignored: this was typed before what it would answer had been printed");
            return Vec::new();
        }
        self.used = true;
        // What has happened meanwhile comes before what is asked for now, but after what is answered.
        if self.question.is_none() || self.model.bar.is_none() {
            self.tell_news(context.now);
        }
        let effects = match self.question.take() {
            Some(question) => self.answered(question, text, context),
            None => self.commanded(text, context),
        };
        self.after(effects, context.now)
    }

    /// No more lines come: a person leaves, and so does whatever else there was.
    pub fn end_of_lines(&mut self, context: &mut Context<'_>) -> Vec<Effect> {
        if !self.deciding && !self.used {
            self.tell_news(context.now);
            self.list(0, context.now);
        }
        self.interrupted(context)
    }

    /// The process goes on after it was stopped: whatever stands on the terminal now, the prompt does not.
    pub fn resumed(&mut self) -> Vec<Effect> {
        self.prompted = false;
        Vec::new()
    }

    /// ctrl-c: leaves the question, else the program.
    pub fn interrupted(&mut self, context: &mut Context<'_>) -> Vec<Effect> {
        if std::mem::take(&mut self.prompted) {
            // The prompt stands there without a line.
            self.page.own("");
        }
        let effects = match self.question.take() {
            Some(Question::Decide(_) | Question::Reason(_)) => {
                self.leave(context);
                Vec::new()
            }
            Some(Question::Leaving) => self.command(Intent::Quit, 0, context),
            None if !self.deciding => {
                self.model.exit = Some(Exit::Quit);
                Vec::new()
            }
            None => self.quit(context),
        };
        self.after(effects, context.now)
    }

    /// What a command does by its own hand is told at once.
    fn after(&mut self, effects: Vec<Effect>, now: Now) -> Vec<Effect> {
        let ids: Vec<Uuid> = effects.iter().flat_map(decisions).collect();
        self.awaited = (!ids.is_empty()).then(|| (ids, now.tick + PATIENCE));
        if let Some(notice) = self.model.notice.take() {
            self.page.quoting(&notice.line);
        }
        self.gather(super::news::Touched::default());
        Self::wanted(effects)
    }

    /// What is to be done of it: nothing is drawn, rung or put into a title here, and what was typed ahead is thrown away
    /// whenever a question is printed.
    fn wanted(mut effects: Vec<Effect>) -> Vec<Effect> {
        effects.retain(|effect| {
            !matches!(effect, Effect::Announce(_) | Effect::Repaint | Effect::Suspend | Effect::FlushInput)
        });
        effects
    }

    fn commanded(&mut self, text: &str, context: &mut Context<'_>) -> Vec<Effect> {
        let now = context.now;
        let command = match command::parse(text) {
            Ok(command) => command,
            Err(words) => {
                self.page.own(words);
                self.listening = false;
                return Vec::new();
            }
        };
        if command == Command::Nothing {
            if self.next.is_some() {
                self.more(context);
            } else {
                self.listening = !self.listening && self.deciding;
                if self.listening {
                    self.page.own("listening: what happens is told as it happens. Enter brings the prompt");
                }
            }
            return Vec::new();
        }
        self.listening = false;
        if command.changes() && !self.deciding {
            self.page.own(
                "refused: this wants a person at a terminal, and input is none. `aegis-console decide` does without",
            );
            return Vec::new();
        }
        if command != Command::More {
            self.next = None;
        }
        match command {
            Command::Nothing => {}
            Command::List(None) => self.list(0, now),
            Command::List(Some(agent)) => self.list_of(&agent, now),
            Command::Filter(words) => self.filter(&words, context),
            Command::Sort(order) => self.sort(&order, now),
            Command::More => self.more(context),
            Command::Show(number) => self.show(number, 0, now),
            Command::Unfold => self.unfold(context),
            Command::Approve(number, reason) => return self.ask(number, Verdict::Approve, &reason, context),
            Command::Reject(number, reason) => return self.ask(number, Verdict::Reject, &reason, context),
            Command::ApproveMarked => return self.ask_marked(Verdict::Approve, "", context),
            Command::RejectMarked(reason) => return self.ask_marked(Verdict::Reject, &reason, context),
            Command::Mark(what) => self.mark(&what, now),
            Command::Unmark => return self.command(Intent::Unmark, 0, context),
            Command::Marks => self.marks(now),
            Command::Undo(None) => {
                self.model.focus = Pane::List;
                return self.command(Intent::Undo, 0, context);
            }
            Command::Undo(Some(number)) => return self.about(number, Intent::Undo, context),
            Command::Again(number) => return self.about(number, Intent::TryAgain, context),
            Command::Noted(number) => return self.about(number, Intent::Acknowledge, context),
            Command::Pause(agent) => return self.pause(&agent, true, context),
            Command::Resume(agent) => return self.pause(&agent, false, context),
            Command::Outcomes => self.outcomes(0, now),
            Command::Status => self.status(now),
            Command::Help => self.help(0),
            Command::Quit => return self.quit(context),
        }
        Vec::new()
    }

    /// Does what an intent means, or says why not.
    pub(super) fn command(&mut self, intent: Intent, number: u32, context: &mut Context<'_>) -> Vec<Effect> {
        match named::command(&mut self.model, intent, context) {
            Ok(effects) => effects,
            Err(why) => {
                self.page.own(wording::refusal(&why, number));
                Vec::new()
            }
        }
    }

    /// Does something about the newest decision on what a number means.
    fn about(&mut self, number: u32, intent: Intent, context: &mut Context<'_>) -> Vec<Effect> {
        let Some(name) = self.names.get(number).cloned() else {
            self.page.own(format!("there is no {number}: outcomes shows the numbers"));
            return Vec::new();
        };
        let row = self.model.outcomes.newest_row_of(&name.selection.0);
        let Some(row) = row.filter(|row| selection(&row.action) == name.selection) else {
            self.page.own(format!("{number} has not been decided here"));
            return Vec::new();
        };
        let held = matches!(&row.kind, Kind::Ours(ours) if ours.is_held());
        if intent == Intent::Undo && !held {
            let line = wording::outcome(&self.model, number, row, context.now);
            self.page.own(format!("{number} is not held: it cannot be taken back"));
            self.page.quoting(&line);
            return Vec::new();
        }
        let id = row.id;
        named::go_to_outcome(&mut self.model, id, name.since, context.now);
        self.command(intent, number, context)
    }

    /// Pauses an agent or lets it go on: the one with this name, or the one of the action with this number.
    fn pause(&mut self, agent: &str, paused: bool, context: &mut Context<'_>) -> Vec<Effect> {
        let number = agent.parse().ok().filter(|number| self.names.get(*number).is_some());
        let ids = self.model.queue.ids_of(|name| is_named(name, agent));
        let first = ids.first().and_then(|id| self.model.queue.known(id));
        let number = number.or_else(|| first.map(|action| self.names.of(&action)));
        let Some(number) = number else {
            self.page.own("nothing waits of an agent with that name, so it is not known here");
            return Vec::new();
        };
        if !self.go(number, context.now) {
            return Vec::new();
        }
        let known = super::waiting::at_cursor(&self.model).map(|action| action.agent.clone());
        if known.is_some_and(|agent| self.model.paused.contains_key(&agent) == paused) {
            self.page.own(if paused { "it is paused already" } else { "it is not paused" });
            return Vec::new();
        }
        self.command(Intent::Pause, number, context)
    }

    /// What is to be printed now.
    pub fn output(&mut self, now: Now) -> Option<Output> {
        if std::mem::take(&mut self.first) {
            self.page.own(wording::counts(&self.model));
            if self.deciding {
                self.list(0, now);
                self.page.own("listening: what happens is told as it happens. Enter brings the prompt");
            }
        }
        let silent = self.prompted || self.question.is_some();
        if !silent && self.news.is_due(now) {
            self.tell_news(now);
        }
        let fresh = Page::new(self.model.size.0);
        let lines = std::mem::replace(&mut self.page, fresh).into_lines();
        self.awaited = self.awaited.take().filter(|(_, until)| now.tick < *until);
        let prompt = match self.asks() {
            _ if self.finished() || self.awaited.is_some() => None,
            Some(asks) => Some(asks),
            None if self.deciding && !self.listening => Some("> ".to_owned()),
            None => None,
        };
        let prompt = prompt.filter(|_| !self.prompted);
        let discard = self.deciding && self.question.is_some();
        let output = Output { discard: discard && prompt.is_some(), lines, prompt };
        (!output.lines.is_empty() || output.prompt.is_some()).then_some(output)
    }

    /// All of it has been printed, by that time.
    pub fn printed(&mut self, output: &Output, now: Now) {
        self.prompted |= output.prompt.is_some();
        self.names.printed(now.tick);
        if let Some((what, lines)) = self.covered.take()
            && self.model.queue.cursor() == Some(&what)
        {
            self.model.detail.printed(lines);
        }
        named::asked(&mut self.model, now);
    }

    /// When something happens by itself.
    pub fn next_deadline(&self, now: Now) -> Option<Duration> {
        let expires = self.model.settings.expires_here && !self.model.queue.is_empty();
        let second = expires.then(|| now.tick + deadline::until_next_second(now));
        let silent = self.prompted || self.question.is_some();
        let awaited = self.awaited.as_ref().map(|(_, until)| *until);
        second.into_iter().chain(self.news.due().filter(|_| !silent)).chain(awaited).min()
    }

    /// No line will come again.
    pub fn ended(&mut self, end: EndOfInput, context: &mut Context<'_>) -> Vec<Effect> {
        update(&mut self.model, Message::InputEnded(end), context)
    }
}

/// The decisions that an effect is about.
fn decisions(effect: &Effect) -> Vec<Uuid> {
    match effect {
        Effect::Decide(orders) => orders.iter().map(|order| order.id).collect(),
        Effect::Undo(ids) => ids.clone(),
        Effect::TryAgain(id) => vec![*id],
        _ => Vec::new(),
    }
}
