//! What the feed and the dispatcher tell, and what it does to the list, the open bar and the outcomes.

use super::{Context, Effect, Model, Pane};
use crate::console::screens::outcomes::leaves_it_waiting;
use crate::console::screens::queue::Applied;
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::dispatch::{DispatchEvent, News};
use crate::domain::{ActionState, Outcome, Queued, Visible};
use crate::feed::{FeedEvent, Link};

pub(super) fn feed(
    model: &mut Model,
    event: FeedEvent,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    match event {
        FeedEvent::Link(link) => {
            if let Link::Reconnecting { reason, .. } = &link
                && !matches!(model.link, Link::Reconnecting { .. })
            {
                let line = RoleLine::of(Role::Notice, "the link is down: ").foreign(&reason.visible());
                model.tell_line(line, context.now);
            }
            if matches!(link, Link::Reconnecting { .. }) {
                model.queue.unlinked();
            }
            model.link = link;
        }
        FeedEvent::Entries(entries) => {
            for entry in entries {
                news_of(model, entry, false, context, effects);
            }
        }
        FeedEvent::Changed(entry) => news_of(model, entry, true, context, effects),
        FeedEvent::Complete { pending } => {
            for entry in model.queue.complete(&pending) {
                settled(model, entry, context, effects);
            }
        }
        FeedEvent::Unreadable { place, reason } => {
            let line = RoleLine::of(Role::Bad, "unreadable: ")
                .foreign(&Visible::of(&place))
                .with(Role::Text, ": ")
                .foreign(&reason.visible());
            model.tell_line(line, context.now);
        }
    }
}

fn news_of(
    model: &mut Model,
    entry: Queued,
    live: bool,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    if let Some(execution) = &entry.execution {
        model.outcomes.executed(&entry.action.id, execution);
    }
    let action = entry.action.clone();
    match model.queue.apply(entry, live) {
        Applied::Settled(entry) => settled(model, *entry, context, effects),
        Applied::Differs => {
            let line = RoleLine::of(Role::Bad, "ignored: other bytes under the id of a known action: ")
                .foreign(&action.name.head(40));
            model.tell_line(line, context.now);
        }
        Applied::Arrived | Applied::Unchanged => {}
    }
}

/// An action no longer waits. Where a decision made here is on its way or has ended, its own answer tells what stands.
fn settled(model: &mut Model, entry: Queued, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
    close_bar_on(model, &entry, context);
    let learned =
        entry.decision.as_ref().and_then(|decision| model.outcomes.learned(&entry.action.id, decision));
    if learned == Some(Outcome::Conflict) {
        effects.push(Effect::Bell);
    }
    if model.outcomes.covers(&entry.action.id) && entry.state != ActionState::Expired {
        return;
    }
    if entry.state == ActionState::Expired {
        effects.push(Effect::Bell);
    }
    if model.focus == Pane::Detail && model.queue.cursor().is_none() && model.layout.list.is_none() {
        // In a narrow terminal the detail would be an empty page.
        model.focus = Pane::List;
        tell_how(model, &entry, context);
    }
    model.outcomes.settled((context.id)(), context.now.wall, entry);
}

fn close_bar_on(model: &mut Model, entry: &Queued, context: &mut Context<'_>) {
    if model.bar.as_ref().is_some_and(|bar| bar.action.id == entry.action.id) {
        model.bar = None;
        tell_how(model, entry, context);
    }
}

/// `closed: send_email was approved by alice`.
fn tell_how(model: &mut Model, entry: &Queued, context: &mut Context<'_>) {
    let mut line = RoleLine::of(Role::Notice, "closed: ").foreign(&entry.action.name.head(24));
    match (&entry.decision, entry.state) {
        (_, ActionState::Expired) => line.push(Role::Notice, " has expired"),
        (_, ActionState::Cancelled) => line.push(Role::Notice, " was withdrawn by its agent"),
        (Some(decision), _) => {
            line.push(Role::Notice, format!(" was {} by ", decision.verdict.past()));
            line.push_foreign(Role::Foreign, &decision.reviewer.head(24));
        }
        (None, _) => line.push(Role::Notice, " no longer waits"),
    }
    model.tell_line(line, context.now);
}

/// For sources without a server: what is over goes, on time.
pub(super) fn expire(model: &mut Model, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
    for entry in model.queue.expire(context.now.wall) {
        settled(model, entry, context, effects);
    }
}

pub(super) fn dispatch(
    model: &mut Model,
    event: DispatchEvent,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    match event.news {
        News::Attempt(attempt) => model.outcomes.attempted(event.id, attempt),
        News::Found(_)
        | News::Held { .. }
        | News::Queued
        | News::Doubtful { .. }
        | News::Dropped
        | News::Returned { .. }
        | News::NotRecorded { .. }
        | News::Stopped { .. } => {}
        News::Resolved(resolution) => {
            let outcome = resolution.outcome.clone();
            let Some(action) = model.outcomes.ended(event.id, resolution, context.now.tick) else { return };
            if leaves_it_waiting(&outcome) {
                model.queue.put_back(&action);
            }
            if matches!(outcome, Outcome::Conflict | Outcome::Refused) {
                effects.push(Effect::Bell);
            }
        }
    }
}
