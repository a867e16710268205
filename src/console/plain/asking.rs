//! What a decision asks for, and what an answer does. An answer is a whole line that was typed after its question had
//! been printed; anything that is not exactly what was asked for decides nothing.

use super::session::Plain;
use super::wording::{self, say};
use crate::console::app::guard::Refusal;
use crate::console::app::{Context, Effect, named};
use crate::console::keymap::Intent;
use crate::console::screens::decide::target::target;
use crate::console::theme::Role;
use crate::domain::Verdict;

/// The word that decides where no letters are asked for.
const YES: &str = "yes";
/// The word that leaves a question which takes any other line for its answer.
const CANCEL: &str = "cancel";

/// What is being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether to decide: `yes`, or the letters.
    Decide(u32),
    /// Why, before a critical risk is approved.
    Reason(u32),
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
        let intent = match verdict {
            Verdict::Approve => Intent::Approve,
            Verdict::Reject => Intent::Reject,
        };
        let effects = self.command(intent, number, context);
        if self.model.bar.is_none() {
            return effects;
        }
        if !self.give_reason(reason) {
            self.leave(context);
            self.page.own("the reason is too long: nothing was decided");
            return effects;
        }
        self.question = Some(Question::Decide(number));
        self.describe(number);
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
    fn describe(&mut self, number: u32) {
        let Some(bar) = &self.model.bar else { return };
        let verb = match bar.verdict {
            Verdict::Approve => "Approve",
            Verdict::Reject => "Reject",
        };
        for action in bar.actions() {
            let line = say(format!("{verb} {number}? ")).followed_by(Some(wording::what(action)));
            let line =
                line.with(Role::Text, format!(", {} risk, digest {}", action.risk, action.digest.short()));
            self.page.quoting(&line);
            if let Some(target) = target(action) {
                self.page.quoting(&say("target: ").foreign(&target));
            }
        }
        if let Some(reason) = bar.reason() {
            self.page.quoting(&say("with the reason ").foreign(&crate::domain::Visible::quoted(&reason)));
        }
    }

    /// The words that ask, which the answer stands behind.
    pub(super) fn asks(&self) -> Option<String> {
        let bar = self.model.bar.as_ref();
        Some(match self.question.as_ref()? {
            Question::Decide(number) => match bar {
                Some(bar) => {
                    let word = bar.letters.as_ref().map_or(YES, |letters| &letters.wanted);
                    format!("Type {word} to {} {number}; anything else leaves it: ", bar.verdict)
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
            Question::Decide(number) => self.decide(number, text.trim(), context),
            Question::Reason(_) if text.trim() == CANCEL => {
                self.leave(context);
                Vec::new()
            }
            Question::Reason(number) => {
                if !named::fill(&mut self.model, text) {
                    self.page.own("no more than 2,000 bytes fit");
                    self.question = Some(Question::Reason(number));
                    return Vec::new();
                }
                self.confirm(number, context)
            }
        }
    }

    fn decide(&mut self, number: u32, answer: &str, context: &mut Context<'_>) -> Vec<Effect> {
        let Some(bar) = &self.model.bar else { return Vec::new() };
        let (letters, reason) = (bar.letters.is_some(), bar.needs_reason() && bar.reason().is_none());
        if !letters && answer != YES {
            self.leave(context);
            return Vec::new();
        }
        if letters {
            named::fill(&mut self.model, answer);
            let right =
                self.model.bar.as_ref().and_then(|bar| bar.letters.as_ref()).is_some_and(|it| it.are_right());
            if right && reason {
                // The guard judges all of it together, once the reason is there.
                let _ = named::command(&mut self.model, Intent::NextField, context);
                self.question = Some(Question::Reason(number));
                return Vec::new();
            }
        }
        self.confirm(number, context)
    }

    fn confirm(&mut self, number: u32, context: &mut Context<'_>) -> Vec<Effect> {
        match named::command(&mut self.model, Intent::Confirm, context) {
            Ok(effects) => effects,
            Err(why) => {
                self.page.own(wording::refusal(&why, number));
                match why {
                    // What came too early is as if it had not come: the question still stands.
                    Refusal::JustChanged => self.question = Some(Question::Decide(number)),
                    Refusal::Reason => self.question = Some(Question::Reason(number)),
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
