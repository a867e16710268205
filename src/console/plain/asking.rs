//! What a decision asks for, and what an answer does. An answer is a whole line that was typed after its question had
//! been printed; anything that is not exactly what was asked for decides nothing.

use super::session::Plain;
use super::wording::{self, say};
use crate::console::app::guard::Refusal;
use crate::console::app::{Context, Effect, Pane, named};
use crate::console::keymap::Intent;
use crate::console::screens::decide::table::Line;
use crate::console::screens::decide::target::target;
use crate::console::screens::decide::{Letters, Subject};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::action::Covers;
use crate::domain::{Verdict, Visible};
use std::fmt;

/// The word that decides where no letters are asked for.
const YES: &str = "yes";
/// The word that leaves a question which takes any other line for its answer.
const CANCEL: &str = "cancel";

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// What a number means.
    One(u32),
    /// So many that are marked.
    Marked(usize),
}

impl About {
    /// The number; none has 0.
    fn number(self) -> u32 {
        match self {
            Self::One(number) => number,
            Self::Marked(_) => 0,
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(number) => write!(f, "{number}"),
            Self::Marked(1) => f.write_str("1 action"),
            Self::Marked(count) => write!(f, "{count} actions"),
        }
    }
}

/// What is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether to decide: `yes`, or the letters.
    Decide(About),
    /// Why, before a critical risk is approved.
    Reason(About),
    /// What becomes of what is held, now that the program is left.
    Leaving,
}

impl Plain {
    /// Asks whether to decide about what a number means.
    pub(super) fn ask(
        &mut self,
        number: u32,
        verdict: Verdict,
        reason: &str,
        context: &mut Context<'_>,
    ) -> Vec<Effect> {
        if !self.go(number, context.now) {
            return Vec::new();
        }
        self.open(About::One(number), verdict, reason, context)
    }

    /// Asks whether to decide about what is marked.
    pub(super) fn ask_marked(
        &mut self,
        verdict: Verdict,
        reason: &str,
        context: &mut Context<'_>,
    ) -> Vec<Effect> {
        let count = self.model.queue.marked();
        if count == 0 {
            self.page.own("nothing is marked");
            return Vec::new();
        }
        self.model.focus = Pane::List;
        self.open(About::Marked(count), verdict, reason, context)
    }

    fn open(
        &mut self,
        about: About,
        verdict: Verdict,
        reason: &str,
        context: &mut Context<'_>,
    ) -> Vec<Effect> {
        let intent = match verdict {
            Verdict::Approve => Intent::Approve,
            Verdict::Reject => Intent::Reject,
        };
        let effects = self.command(intent, about.number(), context);
        let Some(bar) = &self.model.bar else { return effects };
        let about = match about {
            About::Marked(_) => About::Marked(bar.actions().len()),
            one => one,
        };
        if !self.give_reason(reason) {
            self.leave(context);
            self.page.own("the reason is too long: nothing was decided");
            return effects;
        }
        self.question = Some(Question::Decide(about));
        self.describe(about);
        if !reason.is_empty() && self.model.bar.as_ref().is_some_and(|bar| bar.reason.is_none()) {
            self.page.own("no reason is recorded with this approval: the one given is left out");
        }
        effects
    }

    /// A reason that stands behind the command goes where it would have been typed.
    fn give_reason(&mut self, reason: &str) -> bool {
        let Some(bar) = self.model.bar.as_mut().filter(|bar| bar.reason.is_some() && !reason.is_empty())
        else {
            return true;
        };
        if bar.letters.is_none() {
            return bar.fill(reason);
        }
        bar.next_field();
        let fits = bar.fill(reason);
        bar.next_field();
        fits
    }

    /// What would be decided, about what, and with what reason.
    fn describe(&mut self, about: About) {
        let Some(bar) = &self.model.bar else { return };
        let verb = match bar.verdict {
            Verdict::Approve => "Approve",
            Verdict::Reject => "Reject",
        };
        if let Subject::Marked(table) = &bar.subject {
            self.page.own(format!("{verb} {about}?"));
            for line in table.window() {
                match line {
                    Line::Own(line) => self.page.quoting(&line.skip(1)),
                    Line::Foreign(line) => self.page.quoting(&say("    ").followed_by(Some(line.clone()))),
                }
            }
        } else if let Subject::One(action) = &bar.subject {
            let line = say(format!("{verb} {about}? ")).followed_by(Some(wording::what(action)));
            let line =
                line.with(Role::Text, format!(", {} risk, digest {}", action.risk, action.digest.short()));
            self.page.quoting(&line);
            if let Some(target) = target(action) {
                self.page.quoting(&say("target: ").foreign(&target));
            }
            if bar.verdict == Verdict::Approve && action.covers_many_calls() {
                self.page.own(Covers::ManyCalls.words());
            }
        }
        if let Some(reason) = bar.reason() {
            self.page.quoting(&say("with the reason ").foreign(&Visible::quoted(&reason)));
        }
        let (all, mute) = (bar.actions().len(), bar.actions().iter().filter_map(|action| action.mute()));
        let names: Vec<_> = mute.collect();
        if let Some(name) = names.first().filter(|_| bar.reason.is_some()) {
            let who = match all {
                1 => RoleLine::default().foreign(&name.name()),
                _ => say(format!("{} of {all}", names.len())),
            };
            let who = say("a reason is kept for the record; ").followed_by(Some(who));
            self.page.quoting(&who.with(Role::Text, " cannot pass it on"));
        }
    }

    /// The words that ask, which the answer stands behind.
    pub(super) fn asks(&self) -> Option<String> {
        let bar = self.model.bar.as_ref();
        Some(match self.question.as_ref()? {
            Question::Decide(about) => match bar {
                Some(bar) => {
                    let word = bar.letters.as_ref().map_or(YES, |letters| &letters.wanted);
                    format!("Type {word} to {} {about}; anything else leaves it: ", bar.verdict)
                }
                // It was closed while the question stood there; the answer is told so.
                None => "> ".into(),
            },
            Question::Reason(_) => format!("Reason for the record; {CANCEL} leaves it: "),
            Question::Leaving => "Type send, drop or stay: ".into(),
        })
    }

    /// A line that was typed in answer.
    pub(super) fn answered(
        &mut self,
        question: Question,
        text: &str,
        context: &mut Context<'_>,
    ) -> Vec<Effect> {
        match question {
            Question::Leaving => self.leaving(text.trim(), context),
            // It was closed while the question stood there; what closed it has been told by now.
            Question::Decide(_) | Question::Reason(_) if self.model.bar.is_none() => {
                self.page.own("nothing was decided");
                Vec::new()
            }
            Question::Decide(about) => self.decide(about, text.trim(), context),
            Question::Reason(_) if text.trim() == CANCEL => {
                self.leave(context);
                Vec::new()
            }
            Question::Reason(about) => {
                if !named::fill(&mut self.model, text) {
                    self.page.own("no more than 2,000 bytes fit");
                    self.question = Some(Question::Reason(about));
                    return Vec::new();
                }
                self.confirm(about, context)
            }
        }
    }

    fn decide(&mut self, about: About, answer: &str, context: &mut Context<'_>) -> Vec<Effect> {
        let Some(bar) = &self.model.bar else { return Vec::new() };
        let (letters, reason) = (bar.letters.is_some(), bar.needs_reason() && bar.reason().is_none());
        if !letters && answer != YES {
            self.leave(context);
            return Vec::new();
        }
        if letters {
            named::fill(&mut self.model, answer);
            let right =
                self.model.bar.as_ref().and_then(|bar| bar.letters.as_ref()).is_some_and(Letters::are_right);
            if right && reason {
                // The guard judges all of it together, once the reason is there.
                let _ = named::command(&mut self.model, Intent::NextField, context);
                self.question = Some(Question::Reason(about));
                return Vec::new();
            }
        }
        self.confirm(about, context)
    }

    fn confirm(&mut self, about: About, context: &mut Context<'_>) -> Vec<Effect> {
        match named::command(&mut self.model, Intent::Confirm, context) {
            Ok(effects) => effects,
            Err(why) => {
                self.page.own(wording::refusal(&why, about.number()));
                match why {
                    // What came too early is as if it had not come: the question still stands.
                    Refusal::JustChanged => self.question = Some(Question::Decide(about)),
                    Refusal::Reason => self.question = Some(Question::Reason(about)),
                    _ => self.leave(context),
                }
                Vec::new()
            }
        }
    }

    /// Leaves the question, nothing decided.
    pub(super) fn leave(&mut self, context: &mut Context<'_>) {
        if self.model.bar.is_some() {
            let _ = named::command(&mut self.model, Intent::Leave, context);
        }
        self.question = None;
        self.page.own("nothing was decided");
    }

    /// Leaves the program, or asks first.
    pub(super) fn quit(&mut self, context: &mut Context<'_>) -> Vec<Effect> {
        let effects = self.command(Intent::Quit, 0, context);
        if self.model.leaving && self.model.exit.is_none() {
            let held = self.model.outcomes.held();
            let (what, them) = if held == 1 { ("approval is", "it") } else { ("approvals are", "them") };
            self.page.own(format!(
                "{held} {what} held and not sent yet. send sends {them} now, drop takes {them} back, stay does not leave"
            ));
            self.question = Some(Question::Leaving);
        }
        effects
    }

    fn leaving(&mut self, answer: &str, context: &mut Context<'_>) -> Vec<Effect> {
        let intent = match answer {
            "send" => Intent::SendHeld,
            "drop" => Intent::DropHeld,
            "stay" => Intent::Stay,
            "quit" => Intent::Quit,
            _ => {
                self.page.own("nothing was done");
                self.question = Some(Question::Leaving);
                return Vec::new();
            }
        };
        self.command(intent, 0, context)
    }
}
