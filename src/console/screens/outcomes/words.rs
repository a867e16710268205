//! What is said of an outcome, in the words of screen.md: its label, its role, and the words after it.

use super::{Ours, Progress};
use crate::console::app::{Now, Settings};
use crate::console::keymap::{Intent, Scope};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::dispatch::RESEND_FOR;
use crate::domain::action::Silence;
use crate::domain::timestamp::{between, took};
use crate::domain::{
    ActionState, Execution, ExecutionState, Outcome, Queued, Resolution, Standing, Untrusted, Verdict,
    rule_name,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Columns that the last answer may have while the next try is waited for.
const LONGEST_ANSWER: usize = 36;
/// Columns that the name of a rule may have.
const LONGEST_RULE: usize = 40;
/// Columns that the server's words may have.
const LONGEST_DETAIL: usize = 120;
/// Columns that the agent's note on how it went may have.
const LONGEST_NOTE: usize = 200;

/// What the words depend on besides the row.
pub(in crate::console) struct Words<'m> {
    zone: &'m TimeZone,
    pub(super) dot: String,
    now: Now,
    /// The key that takes a held decision back.
    undo: Option<String>,
    offline: bool,
}

impl<'m> Words<'m> {
    /// The words for this instant.
    pub(in crate::console) fn new(settings: &'m Settings, offline: bool, now: Now) -> Self {
        Self {
            zone: &settings.time_zone,
            dot: format!(" {} ", settings.theme.symbols.dot),
            now,
            undo: key_bar::name(&settings.keymap, &[Scope::Outcomes, Scope::Global], Intent::Undo),
            offline,
        }
    }

    /// The words where everything is printed line by line: no signs between them, and no keys.
    pub(super) fn in_a_line(settings: &'m Settings, offline: bool, now: Now) -> Self {
        Self { dot: ", ".into(), undo: None, ..Self::new(settings, offline, now) }
    }

    pub(super) fn time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// The time of day, and the day with it where it is another than today.
    pub(super) fn when(&self, at: Timestamp) -> String {
        let [day, today] = [at, self.now.wall].map(|at| at.to_zoned_datetime(self.zone.clone()).date());
        if day == today { self.time(at) } else { format!("{day} {}", self.time(at)) }
    }

    /// The label, its role, and the words after it.
    pub(super) fn ours(&self, ours: &Ours) -> (String, Role, RoleLine) {
        let label = ours.label();
        match &ours.progress {
            Progress::Sending { number, of, last, next, looking } => {
                let mut text = RoleLine::default();
                if *number > 0 {
                    text.push(Role::Text, format!("try {number} of {of}"));
                }
                if let Some(last) = last {
                    text.push(Role::Text, self.dot.as_str());
                    // The time to the next try has its place in a terminal of 120 columns whatever was said.
                    text.push_foreign(Role::Foreign, &last.head(LONGEST_ANSWER));
                }
                if let Some(next) = next {
                    let left = between(self.now.wall, *next).as_millis().div_ceil(100);
                    text.push(Role::Text, format!("{}next in {}.{} s", self.dot, left / 10, left % 10));
                }
                if *looking {
                    text.push(Role::Text, format!("{}asking what stands", self.dot));
                }
                (label, Role::Doubt, text)
            }
            Progress::Recording => (label, Role::Doubt, RoleLine::default()),
            Progress::Held { until } => {
                let left = between(self.now.wall, *until).as_millis().div_ceil(1_000);
                let mut text = RoleLine::of(Role::Text, format!("goes out in {left} s"));
                if let Some(undo) = &self.undo {
                    text.push(Role::Text, self.dot.as_str());
                    text.push(Role::KeyName, undo.as_str());
                    text.push(Role::Text, " takes it back");
                }
                (label, Role::Doubt, text)
            }
            Progress::Queued => {
                let words = if self.offline {
                    "on disk, goes out when the link is back"
                } else {
                    "on disk, goes out next"
                };
                (label, Role::Doubt, RoleLine::of(Role::Text, words))
            }
            Progress::Doubtful { next, resolution } => {
                let mut text = self.ended(ours, resolution);
                let left = took(between(self.now.wall, *next));
                text.push(Role::Text, format!("{}asks again in {left}", self.dot));
                (label, Role::Doubt, text)
            }
            Progress::Dropped => {
                (label, Role::Quiet, RoleLine::of(Role::Text, "taken back, nothing was sent"))
            }
            Progress::Returned { why } => {
                let text = RoleLine::of(Role::Text, "not sent, it waits again: ").foreign(&why.visible());
                (label, Role::Bad, text)
            }
            Progress::NotTaken { why } => {
                let text = RoleLine::of(Role::Text, "nothing was sent: ").foreign(&why.visible());
                (label, Role::Bad, text)
            }
            Progress::Stopped { why } => {
                let text =
                    RoleLine::of(Role::Text, "on disk, goes on at the next start: ").foreign(&why.visible());
                (label, Role::Bad, text)
            }
            Progress::Nowhere => {
                let text = "there is no server to send it to (--server)";
                (label, Role::Bad, RoleLine::of(Role::Text, text))
            }
            Progress::Ended(end) => {
                let mut text = self.ended(ours, end);
                if let Some(execution) = &ours.execution {
                    self.execution(execution, &mut text);
                }
                (label, role(&end.outcome), text)
            }
        }
    }

    fn ended(&self, ours: &Ours, end: &Resolution) -> RoleLine {
        let verdict = ours.order.verdict;
        let say = |words: &str| RoleLine::of(Role::Text, words);
        let mut line = match &end.outcome {
            Outcome::Accepted => say("accepted"),
            Outcome::Committed => say("committed"),
            Outcome::Failed => say("its processing failed"),
            Outcome::Mine => say("landed on an earlier try, its answer was lost"),
            Outcome::Counted(count) if end.http_status == Some(409) => {
                say(&format!("yours counts already: {count}, waits for another reviewer"))
            }
            Outcome::Counted(count) => say(&format!("counted: {count}, waits for another reviewer")),
            Outcome::Lapsed => say("no other reviewer decided in time: it counts no more"),
            Outcome::Same => self.standing(end.standing.as_ref(), verdict),
            Outcome::Conflict => self
                .standing(end.standing.as_ref(), opposite(verdict))
                .with(Role::Text, format!("{}your {} had no effect", self.dot, verdict.noun())),
            Outcome::InProgress => say("the server is still at it"),
            Outcome::Unknown => say("already processed, the server does not say by whom"),
            Outcome::Quota { until: Some(until) } => {
                say(&format!("quota used up until {}", self.when(*until)))
            }
            Outcome::Quota { until: None } => say("quota used up"),
            Outcome::Refused => say("refused"),
            Outcome::Unconfirmed if self.may_run_twice(ours, end) => {
                say("no answer: it may have landed; sent again, it may run twice")
            }
            Outcome::Unconfirmed => say("no answer can be had: it may have landed"),
            Outcome::NotSent => say("nothing reached the server"),
        };
        // Where it is known what stands, the server's own words add nothing.
        let known = matches!(
            end.outcome,
            Outcome::Accepted
                | Outcome::Committed
                | Outcome::Mine
                | Outcome::Counted(_)
                | Outcome::Lapsed
                | Outcome::Same
                | Outcome::Conflict
        );
        if let (false, Some(detail)) = (known, &end.detail) {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &detail.quoted().cut(LONGEST_DETAIL));
        }
        if end.tries.len() > 1 {
            line.push(Role::Text, format!("{}{} tries", self.dot, end.tries.len()));
        }
        if let Some(time) = ours.took {
            line.push(Role::Quiet, format!("{}{}", self.dot, took(time)));
        }
        line
    }

    /// Whether its key may be open again at the server although it was carried out (wire.md, part 1).
    fn may_run_twice(&self, ours: &Ours, end: &Resolution) -> bool {
        let since = end.tries.first().map_or(ours.order.decided_at, |first| first.started);
        between(since, self.now.wall) >= RESEND_FOR
    }

    /// `alice rejected it at 12:03:11`, with what the server does not say left out.
    pub(super) fn standing(&self, standing: Option<&Standing>, verdict: Verdict) -> RoleLine {
        let who = standing.and_then(|standing| standing.reviewer.as_ref());
        let mut line = self.who(who);
        line.push(Role::Text, format!(" {} it", verdict.past()));
        if let Some(at) = standing.and_then(|standing| standing.decided_at) {
            line.push(Role::Text, format!(" at {}", self.when(at)));
        }
        line
    }

    fn who(&self, reviewer: Option<&Untrusted>) -> RoleLine {
        if let Some(rule) = reviewer.and_then(rule_name) {
            return RoleLine::of(Role::Text, "rule ").foreign(&rule.quoted().cut(24));
        }
        let unnamed = || RoleLine::of(Role::Text, "another reviewer");
        let named = |name: &Untrusted| RoleLine::default().foreign(&name.name().cut(24));
        reviewer.filter(|name| !name.is_empty()).map_or_else(unnamed, named)
    }

    pub(super) fn elsewhere(&self, entry: &Queued) -> (&'static str, Role, RoleLine) {
        let say = |words: &str| RoleLine::of(Role::Text, words);
        let (role, mut line) = match (entry.state, &entry.decision) {
            (ActionState::Expired, _) => {
                let then = match entry.action.silence() {
                    Silence::NotRun => "nobody decided in time: not run",
                    Silence::Runs => "nobody decided in time: its source says that it runs",
                    Silence::AskedElsewhere => "nobody decided in time: asked elsewhere",
                };
                (Role::Bad, say(then))
            }
            (ActionState::Cancelled, _) => (Role::Quiet, say("the agent no longer asks")),
            (_, Some(decision)) if rule_name(&decision.reviewer).is_some() => {
                let rule = rule_name(&decision.reviewer).unwrap_or_default();
                let verb = if decision.verdict == Verdict::Approve { "allowed" } else { "refused" };
                let mut line = say(verb).with(Role::Text, " by rule ");
                line.push_foreign(Role::Foreign, &rule.quoted().cut(LONGEST_RULE));
                line.push(Role::Text, format!(" at {}", self.when(decision.decided_at)));
                (Role::Quiet, line)
            }
            (_, Some(decision)) => {
                let mut line = self.who(Some(&decision.reviewer));
                line.push(
                    Role::Text,
                    format!(" {} it at {}", decision.verdict.past(), self.when(decision.decided_at)),
                );
                (Role::Quiet, line)
            }
            (_, None) => (Role::Quiet, say("settled while the link was down: how is not known here")),
        };
        if let Some(execution) = &entry.execution {
            self.execution(execution, &mut line);
        }
        (label(entry), role, line)
    }

    /// What the agent made of it, with its own words labelled as such.
    fn execution(&self, execution: &Execution, line: &mut RoleLine) {
        let Some((role, words)) = made_of_it(execution.state) else { return };
        line.push(Role::Text, self.dot.as_str());
        line.push(role, words);
        if let Some(note) = &execution.note {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &note.quoted().cut(LONGEST_NOTE));
        }
    }
}

/// What the agent made of it.
pub(super) fn made_of_it(state: ExecutionState) -> Option<(Role, &'static str)> {
    match state {
        ExecutionState::Waiting => None,
        ExecutionState::Consumed => Some((Role::Doubt, "the agent runs it")),
        ExecutionState::Succeeded => Some((Role::Good, "the agent says it went well")),
        ExecutionState::Failed => Some((Role::Bad, "the agent says it failed")),
    }
}

/// The label of what was settled without a decision made here.
pub(super) fn label(entry: &Queued) -> &'static str {
    match (entry.state, &entry.decision) {
        (ActionState::Expired, _) => "expired",
        (ActionState::Cancelled, _) => "withdrawn",
        (_, Some(decision)) if rule_name(&decision.reviewer).is_some() => "rule",
        (_, Some(_)) => "elsewhere",
        (_, None) => "settled",
    }
}

fn role(outcome: &Outcome) -> Role {
    match outcome {
        Outcome::Accepted | Outcome::Committed | Outcome::Mine => Role::Good,
        Outcome::Counted(_)
        | Outcome::Same
        | Outcome::InProgress
        | Outcome::Unknown
        | Outcome::Unconfirmed => Role::Doubt,
        _ => Role::Bad,
    }
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Approve => Verdict::Reject,
        Verdict::Reject => Verdict::Approve,
    }
}
