//! Every rule about which keys may decide, and when: what is decided is what was on the screen, and nothing else
//! (screen.md, *Deciding*).
//!
//! Pure, and tested by itself. A key answers the frame that was on the screen when it was pressed, so each rule compares
//! what the model holds now with what the last painted frame showed, and for how long it had. Nothing here changes
//! anything.

mod at_once;
mod refusal;

#[cfg(test)]
mod tests;

pub use at_once::takes_at_once;
pub use refusal::Refusal;

use super::{Model, Now, Pane};
use crate::console::keymap::Intent;
use crate::console::screens::decide::{Bar, Subject};
use crate::console::screens::queue::GroupKey;
use crate::domain::{Action, Digest, Risk, Untrusted, Verdict};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a frame must have been showing what a key answers, before the key counts (screen.md, *Deciding* 2).
pub const ARMED: Duration = Duration::from_millis(300);
/// The same where a high risk would be approved.
pub const ARMED_HIGH: Duration = Duration::from_secs(1);

/// An action by what cannot change: its id and the digest of its bytes. Never by its row.
pub type Selection = (String, Digest);

/// The selection of an action.
pub fn selection(action: &Action) -> Selection {
    (action.id.clone(), action.digest)
}

/// What the last painted frame showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The action under the cursor.
    pub cursor: Option<Selection>,
    /// The group on whose row the cursor was.
    pub group: Option<GroupKey>,
    /// The bar that was open. What a bar asks never changes, so its id says it all.
    pub bar: Option<Uuid>,
    /// Whether nothing of the payload was left that no frame had shown.
    pub whole: bool,
    /// How many were marked.
    pub marked: usize,
    /// How large the terminal was: in another size everything stands elsewhere.
    pub size: (u16, u16),
    /// Since when, on the clock that only grows, it has been showing this.
    pub since: Duration,
    /// The outcome that keys meant, and since when.
    pub outcome: Option<(Uuid, Duration)>,
    /// What the command line said, and since when.
    pub line: Option<(Uuid, String, Duration)>,
}

impl Shown {
    /// A frame of this model has reached the terminal.
    pub fn painted(&self, model: &Model, now: Now) -> Self {
        let hidden = model.layout.too_small || model.help.is_some() || model.leaving;
        let row = model.outcomes.selected().filter(|_| !hidden && model.focus == Pane::Outcomes);
        let outcome = row.map(|row| match self.outcome {
            Some((id, since)) if id == row.id => (id, since),
            _ => (row.id, now.tick),
        });
        let line =
            model.command.says().filter(|_| !model.layout.too_small).map(|(id, text)| match &self.line {
                Some((shown, said, since)) if *shown == id && said == text => (id, said.clone(), *since),
                _ => (id, text.to_owned(), now.tick),
            });
        let shows = Self {
            cursor: model.queue.cursor().filter(|_| !hidden).cloned(),
            group: model.queue.group_cursor().filter(|_| !hidden).cloned(),
            bar: model.bar.as_ref().filter(|_| !hidden).map(|bar| bar.id),
            whole: model.detail.unseen() == 0,
            marked: model.queue.marked(),
            size: model.size,
            since: self.since,
            outcome,
            line,
        };
        let same = Self { outcome: self.outcome, line: self.line.clone(), ..shows.clone() } == *self;
        Self { since: if same { self.since } else { now.tick }, ..shows }
    }
}

/// How long a bar for this must have been on the screen before Enter counts.
fn arming(verdict: Verdict, risk: Risk) -> Duration {
    if verdict == Verdict::Approve && risk >= Risk::High { ARMED_HIGH } else { ARMED }
}

/// What no decision goes without, whatever it is about.
fn may_decide_at_all(model: &Model) -> Result<(), Refusal> {
    match &model.journal_failed {
        _ if model.settings.read_only => Err(Refusal::ReadOnly),
        _ if model.layout.too_small => Err(Refusal::TooSmall),
        Some(_) => Err(Refusal::NoJournal),
        None => Ok(()),
    }
}

/// Whether a key that was read at this time answers what the screen has been showing for long enough.
fn is_armed(model: &Model, after: Duration, now: Now) -> Result<(), Refusal> {
    let armed = model.shown.since.saturating_add(after);
    if now.tick < armed { Err(Refusal::JustChanged) } else { Ok(()) }
}

/// Whether a key that was read at this time may open the bar for what the cursor is on; then, for which action.
pub fn may_open(model: &Model, verdict: Verdict, now: Now) -> Result<Arc<Action>, Refusal> {
    may_decide_at_all(model)?;
    let cursor = model.queue.cursor().ok_or(Refusal::NothingSelected)?;
    if model.shown.cursor.as_ref() != Some(cursor) || model.shown.bar.is_some() {
        return Err(Refusal::JustChanged);
    }
    let action = model.queue.selected().ok_or(Refusal::NothingSelected)?;
    is_armed(model, arming(verdict, action.risk), now)?;
    may_reject(action)?;
    if verdict == Verdict::Approve {
        is_undecided_here(model, action)?;
        may_approve(model, action)?;
    }
    Ok(Arc::clone(action))
}

/// Whether no approval made here counts on it: there is no second one to give before it lapses. Rejecting stays cheap.
fn is_undecided_here(model: &Model, action: &Action) -> Result<(), Refusal> {
    if model.outcomes.counts(&action.id) { Err(Refusal::CountsAlready) } else { Ok(()) }
}

/// Whether there is anything that a decision could name.
fn may_reject(action: &Action) -> Result<(), Refusal> {
    match &action.unreadable {
        Some(unreadable) if !unreadable.can_be_rejected => Err(Refusal::Nameless),
        _ => Ok(()),
    }
}

/// What has to have been seen of an action before it can be approved.
fn may_approve(model: &Model, action: &Action) -> Result<(), Refusal> {
    if action.risk == Risk::Unreadable {
        return Err(Refusal::Unreadable);
    }
    let (detail, open) = (&model.detail, model.layout.detail.is_some());
    if action.risk == Risk::Low || open && detail.has_been_seen(&action.digest) {
        Ok(())
    } else if !open {
        Err(Refusal::NotOpen)
    } else if detail.unopened() > 0 && detail.unseen() <= detail.unopened() {
        Err(Refusal::Folded(detail.unopened()))
    } else {
        Err(Refusal::NotSeen(detail.unseen()))
    }
}

/// Whether one of several that are marked may be decided with the others; else why it is left out.
pub fn may_decide_marked(model: &Model, verdict: Verdict, action: &Action) -> Result<(), Refusal> {
    may_reject(action)?;
    if verdict == Verdict::Approve {
        is_undecided_here(model, action)?;
    }
    match action.risk {
        _ if verdict == Verdict::Reject => Ok(()),
        // However low: one of these is not one call, so nobody approves it among others.
        _ if action.covers_many_calls() => Err(Refusal::ManyCalls),
        Risk::Low => Ok(()),
        Risk::Medium if model.detail.has_been_seen(&action.digest) => Ok(()),
        Risk::Medium => Err(Refusal::NotRead),
        Risk::High | Risk::Critical => Err(Refusal::OneByOne),
        Risk::Unreadable => Err(Refusal::Unreadable),
    }
}

/// Whether a key that was read at this time may open the table of what is marked.
pub fn may_open_marked(model: &Model, now: Now) -> Result<(), Refusal> {
    may_decide_at_all(model)?;
    if model.shown.marked != model.queue.marked() || model.shown.bar.is_some() {
        return Err(Refusal::JustChanged);
    }
    is_armed(model, ARMED, now)
}

/// Whether a key that was read at this time may do something about the group under the cursor; then, which. Nothing of
/// a flood can be approved: nobody has seen what it is.
pub fn may_open_group(model: &Model, verdict: Verdict, now: Now) -> Result<GroupKey, Refusal> {
    may_decide_at_all(model)?;
    let group = model.queue.group_cursor().ok_or(Refusal::NothingSelected)?;
    if model.shown.group.as_ref() != Some(group) || model.shown.bar.is_some() {
        return Err(Refusal::JustChanged);
    }
    is_armed(model, ARMED, now)?;
    match group {
        GroupKey::Flood(_) if verdict == Verdict::Approve => Err(Refusal::Flood),
        _ => Ok(group.clone()),
    }
}

/// Whether a key that was read at this time may open the table of what belongs together with what the cursor is on; then,
/// with which action.
pub fn may_open_fellows(model: &Model, now: Now) -> Result<Arc<Action>, Refusal> {
    may_decide_at_all(model)?;
    let cursor = model.queue.cursor().ok_or(Refusal::NothingSelected)?;
    if model.shown.cursor.as_ref() != Some(cursor) || model.shown.bar.is_some() {
        return Err(Refusal::JustChanged);
    }
    is_armed(model, ARMED, now)?;
    model.queue.selected().cloned().ok_or(Refusal::NothingSelected)
}

/// Whether anything may be done about decisions that were taken already: take them back, send them again or on, drop them,
/// take note of them.
pub fn may_touch_decisions(model: &Model) -> Result<(), Refusal> {
    if model.settings.read_only { Err(Refusal::ReadOnly) } else { Ok(()) }
}

/// Whether a key that was read at this time may pause the agent under the cursor, or let it go on; then, which.
pub fn may_pause(model: &Model, now: Now) -> Result<Untrusted, Refusal> {
    may_touch_decisions(model)?;
    let group = || model.queue.group_cursor().and_then(GroupKey::agent);
    let agent = model.queue.selected().map(|action| &action.agent).or_else(group);
    let agent = agent.ok_or(Refusal::NothingSelected)?;
    let shown = &model.shown;
    if shown.cursor.as_ref() != model.queue.cursor() || shown.group.as_ref() != model.queue.group_cursor() {
        return Err(Refusal::JustChanged);
    }
    is_armed(model, ARMED, now)?;
    Ok(agent.clone())
}

/// Whether a key that was read at this time may do something about the outcome under the cursor: only where the last
/// frame showed the cursor on that very row.
pub fn may_act_on_outcome(model: &Model, now: Now) -> Result<(), Refusal> {
    let Some(row) = model.outcomes.selected() else { return Ok(()) };
    match model.shown.outcome {
        Some((id, since)) if id == row.id && since.saturating_add(ARMED) <= now.tick => Ok(()),
        _ => Err(Refusal::JustChanged),
    }
}

/// Whether an Enter that was read at this time may run what the command line says. What a key of its own would have to be
/// armed for must have stood there for as long: a paste that comes letter by letter, with a line feed at its end, opens
/// nothing.
pub fn may_run(model: &Model, intent: Intent, now: Now) -> Result<(), Refusal> {
    let harmless = !intent.decides() && !intent.touches_decisions() && intent != Intent::Pause;
    let (said, shown) = (model.command.says(), &model.shown.line);
    match (said, shown) {
        _ if harmless => Ok(()),
        (Some((id, text)), Some((shown, line, since)))
            if id == *shown && text == line && since.saturating_add(ARMED) <= now.tick =>
        {
            Ok(())
        }
        _ => Err(Refusal::JustChanged),
    }
}

/// Whether an Enter that was read at this time may decide what the open bar names.
pub fn may_confirm(model: &Model, now: Now) -> Result<(), Refusal> {
    may_decide_at_all(model)?;
    let Some(bar) = &model.bar else { return Err(Refusal::JustChanged) };
    if model.shown.bar != Some(bar.id) {
        return Err(Refusal::JustChanged);
    }
    is_armed(model, arming(bar.verdict, risk_of(bar)), now)?;
    if let Some(letters) = &bar.letters
        && !letters.are_right()
    {
        return Err(Refusal::Letters(letters.wanted.clone()));
    }
    if bar.needs_reason() && bar.reason().is_none() { Err(Refusal::Reason) } else { Ok(()) }
}

/// The highest risk among what a bar would decide.
fn risk_of(bar: &Bar) -> Risk {
    match &bar.subject {
        Subject::One(action) => action.risk,
        Subject::Marked(table) => table.taken().iter().map(|action| action.risk).max().unwrap_or_default(),
    }
}
