//! What the feed and the dispatcher tell, and what it does to the list, the open bar and the outcomes.

use super::announce::{Alert, alert};
use super::{Context, Effect, Model, Pane};
use crate::console::screens::decide::{Bar, Subject};
use crate::console::screens::outcomes::Ours;
use crate::console::screens::queue::Applied;
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::dispatch::{DispatchEvent, Entry, News, Order};
use crate::domain::difference::differences;
use crate::domain::{
    ActionState, ExecutionState, Field, Listed, Outcome, Queued, Risk, Untrusted, Visible, rule_name,
};
use crate::feed::{AgentState, FeedEvent, Link};

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
            let was_up = !model.is_offline();
            if matches!(link, Link::Reconnecting { .. }) {
                model.queue.unlinked();
                model.presence.unlinked();
            }
            if link == Link::Ended {
                model.queue.all_listed();
            }
            model.link = link;
            if was_up == model.is_offline() {
                effects.push(Effect::Link(!was_up));
            }
        }
        FeedEvent::Entries(entries) => {
            model.queue.many_come();
            for entry in entries {
                news_of(model, entry, false, context, effects);
            }
            model.queue.all_came();
        }
        FeedEvent::Changed(entry) => news_of(model, entry, true, context, effects),
        FeedEvent::Complete { pending } => {
            for entry in model.queue.complete(&pending) {
                settled(model, entry, context, effects);
            }
        }
        FeedEvent::Agents(agents) => {
            for agent in agents {
                paused(model, agent, context);
            }
        }
        FeedEvent::Looking(looking) => model.presence.told(looking),
        FeedEvent::AllowedByRule(count) => model.allowed_by_rule = Some(count),
        FeedEvent::Replaced(entry) => {
            close_bar_on(model, &entry, context);
            if let Some(known) = model.queue.known(&entry.action.id) {
                let changes = differences(&known, &entry.action);
                model.detail.changed(entry.action.digest, changes);
            }
            model.queue.replace(entry);
        }
        FeedEvent::Unreadable { place, reason } => {
            model.not_taken += 1;
            let line = RoleLine::of(Role::Bad, "unreadable: ")
                .foreign(&Visible::of(&place))
                .with(Role::Text, ": ")
                .foreign(&reason.visible());
            model.tell_line(line, context.now);
        }
    }
}

/// Whether an agent is paused: kept, and said where that is news.
fn paused(model: &mut Model, agent: AgentState, context: &mut Context<'_>) {
    let name = agent.name.name().cut(40);
    let (known, words) = if agent.paused {
        let by = agent.paused_by.clone();
        let known = model.paused.insert(agent.name.clone(), agent).is_some();
        let by = by.map(|by| RoleLine::of(Role::Notice, " by ").foreign(&by.name().cut(24)));
        (known, RoleLine::of(Role::Notice, "paused: ").foreign(&name).followed_by(by))
    } else {
        (model.paused.remove(&agent.name).is_none(), RoleLine::of(Role::Notice, "goes on: ").foreign(&name))
    };
    if !known {
        model.tell_line(words, context.now);
    }
}

fn news_of(
    model: &mut Model,
    entry: Listed,
    live: bool,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    if let Some(execution) = &entry.execution {
        model.outcomes.executed(entry.headline.id(), execution);
    }
    if let Some(review) = &entry.review {
        model.outcomes.reviewed(entry.headline.id(), review);
    }
    if live && is_by_rule(&entry) && model.outcomes.newest_row_of(entry.headline.id()).is_none() {
        // Nobody waited for it, so the list never had it.
        let known = model.queue.is_pending(entry.headline.id());
        if !known {
            model.outcomes.settled((context.id)(), context.now.wall, entry.queued());
        }
    }
    let (name, risk) = (Untrusted::from(entry.headline.raw(Field::Action)), entry.headline.risk);
    match model.queue.apply(entry, live) {
        Applied::Settled(entry) => settled(model, *entry, context, effects),
        Applied::Differs => {
            let line = RoleLine::of(Role::Bad, "ignored: other bytes under the id of a known action: ")
                .foreign(&name.name().cut(40));
            model.tell_line(line, context.now);
        }
        Applied::Arrived if live && risk >= Risk::High => {
            alert(model, Alert::Arrived(risk), &name, effects);
        }
        Applied::Arrived | Applied::Reviewed | Applied::Unchanged => {}
    }
}

/// Whether a rule has just decided it, before anybody could.
fn is_by_rule(entry: &Listed) -> bool {
    let decision = entry.decision.as_ref().filter(|_| entry.state != ActionState::Pending);
    let fresh = entry.execution.as_ref().is_none_or(|execution| execution.state == ExecutionState::Waiting);
    fresh && decision.is_some_and(|decision| rule_name(&decision.reviewer).is_some())
}

/// An action no longer waits. Where a decision made here is on its way or has ended, its own answer tells what stands.
fn settled(model: &mut Model, entry: Queued, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
    close_bar_on(model, &entry, context);
    let learned =
        entry.decision.as_ref().and_then(|decision| model.outcomes.learned(&entry.action.id, decision));
    if learned == Some(Outcome::Conflict) {
        alert(model, Alert::Conflict, &entry.action.name, effects);
    }
    if matches!(entry.state, ActionState::Expired | ActionState::Cancelled) {
        model.outcomes.lapsed(&entry.action.id);
    }
    if model.outcomes.covers(&entry.action.id) && entry.state != ActionState::Expired {
        return;
    }
    if entry.state == ActionState::Expired {
        alert(model, Alert::Expired, &entry.action.name, effects);
    }
    if model.focus == Pane::Detail && model.queue.cursor().is_none() && model.layout.list.is_none() {
        // In a narrow terminal the detail would be an empty page.
        model.focus = Pane::List;
        tell_how(model, &entry, context);
    }
    model.outcomes.settled((context.id)(), context.now.wall, entry);
}

fn close_bar_on(model: &mut Model, entry: &Queued, context: &mut Context<'_>) {
    let asked = |bar: &Bar| match &bar.subject {
        Subject::One(action) => action.id == entry.action.id,
        Subject::Marked(table) => table.takes(&entry.action.id),
    };
    if model.bar.as_ref().is_some_and(asked) {
        model.bar = None;
        tell_how(model, entry, context);
    }
}

/// `closed: send_email was approved by alice`.
fn tell_how(model: &mut Model, entry: &Queued, context: &mut Context<'_>) {
    let mut line = RoleLine::of(Role::Notice, "closed: ").foreign(&entry.action.name.name().cut(24));
    match (&entry.decision, entry.state) {
        (_, ActionState::Expired) => line.push(Role::Notice, " has expired"),
        (_, ActionState::Cancelled) => line.push(Role::Notice, " was withdrawn by its agent"),
        (Some(decision), _) => {
            line.push(Role::Notice, format!(" was {} by ", decision.verdict.past()));
            match rule_name(&decision.reviewer) {
                Some(rule) => {
                    line.push(Role::Notice, "rule ");
                    line.push_foreign(Role::Foreign, &rule.quoted().cut(24));
                }
                None => line.push_foreign(Role::Foreign, &decision.reviewer.name().cut(24)),
            }
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
    let DispatchEvent { id, news } = event;
    if let News::Found(entry) = &news {
        found(model, entry, context);
        return;
    }
    if let News::NotRecorded { why } = &news {
        let line = RoleLine::of(Role::Bad, "not taken, nothing was sent: ").foreign(&Visible::of(why));
        model.tell_line(line, context.now);
        model.journal_failed = Some(why.as_str().into());
        model.bar = None;
    }
    if let News::Stopped { why } = &news {
        model.journal_failed = Some(why.as_str().into());
        model.bar = None;
    }
    let rings = match &news {
        News::Resolved(resolution) => match resolution.outcome {
            Outcome::Conflict => Some(Alert::Conflict),
            Outcome::Refused => Some(Alert::Refused),
            Outcome::Lapsed => Some(Alert::Lapsed),
            _ => None,
        },
        News::Returned { .. } => Some(Alert::Returned),
        News::NotRecorded { .. } | News::Stopped { .. } => Some(Alert::NotTaken),
        _ => None,
    };
    let Some(ours) = model.outcomes.hear(id, news, context.now.tick) else { return };
    let (action, waits) = (ours.order.action.id.clone(), ours.leaves_it_waiting());
    let name = ours.order.action.name.clone();
    let (digest, differs) = (ours.order.action.digest, ours.was_about_other_bytes());
    if differs {
        // What was decided is not what the server has: it is unread again, and asked for as it is.
        model.detail.forget(&digest);
        effects.push(Effect::Refetch(action.clone()));
    }
    let ended = ours.outcome().is_some();
    if waits {
        model.queue.put_back(&action);
    } else if ended && model.queue.is_pending(&action) {
        // It had waited for another reviewer.
        model.queue.take_out(&action);
    }
    if let Some(rings) = rings {
        alert(model, rings, &name, effects);
    }
}

/// A decision that the journal had kept: its action is not decided a second time while it is on its way.
fn found(model: &mut Model, entry: &Entry, context: &mut Context<'_>) {
    let Some(order) = Order::of(entry) else { return };
    let action = order.action.id.clone();
    let ours = Ours::found(order, entry, context.now.tick);
    if !ours.leaves_it_waiting() {
        model.queue.take_out(&action);
    }
    model.outcomes.found(ours);
}
