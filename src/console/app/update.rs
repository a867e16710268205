//! What each message does to the model. The one place where intents turn into changes.

use super::guard::{self, Refusal};
use super::model::Exit;
use super::{
    Context, Effect, Message, Model, Now, Pane, announce, command, copy, mouse, news, presence, typing,
};
use crate::console::keymap::{Intent, Scope};
use crate::console::screens::decide::{Bar, Subject, Table};
use crate::console::screens::help::Help;
use crate::console::screens::outcomes::Ours;
use crate::console::screens::outcomes::words::Words;
use crate::console::screens::queue::{Grouping, Order};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, Search};
use crate::dispatch;
use crate::domain::{Action, Field, Headline, Verdict};
use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};
use std::sync::Arc;

/// Takes in one message and returns what the shell must do.
pub fn update(model: &mut Model, message: Message, context: &mut Context<'_>) -> Vec<Effect> {
    let mut effects = Vec::new();
    model.queue.clock(context.now.wall);
    if message.is_the_reviewers() {
        model.presence.touched(context.now);
    }
    match message {
        Message::KeyPressed(key) => pressed(model, key, context, &mut effects),
        Message::Pasted(text) => typing::paste(model, &text, context),
        Message::Mouse(event) => mouse::moved(model, event),
        Message::Resized(width, height) => model.size = (width, height),
        Message::FocusChanged(focused) => {
            model.mouse.focus(focused);
            announce::focus(model, focused);
        }
        Message::InputEnded(end) => model.exit = Some(Exit::Input(end)),
        Message::Feed(event) => news::feed(model, event, context, &mut effects),
        Message::Dispatch(event) => news::dispatch(model, event, context, &mut effects),
        Message::Remembered(earlier) => {
            let tick = context.now.tick;
            let ours = earlier.into_iter().map(|(order, entry)| Ours::found(order, &entry, tick));
            model.outcomes.remembered(ours);
        }
        Message::CarriedElsewhere(elsewhere) => model.carried_elsewhere = elsewhere,
        Message::DeadlineReached => {
            if model.notice.as_ref().is_some_and(|notice| notice.until <= context.now.tick) {
                model.notice = None;
            }
            if model.settings.expires_here {
                news::expire(model, context, &mut effects);
            }
            model.queue.pass();
        }
        Message::SourceRefused(words) => {
            let line = RoleLine::of(Role::Bad, "the source refused: ").foreign(&words.visible());
            model.tell_line(line, context.now);
        }
        Message::PresenceRefused => model.presence.refused(),
        Message::TaskFailed(words) => {
            model.tell(Role::Bad, format!("a background task failed: {words}"), context.now);
        }
    }
    model.settle();
    let words = Words::new(&model.settings, model.is_offline(), context.now);
    model.outcomes.lay_out(model.layout.outcomes, &words);
    presence::due(model, context.now, &mut effects);
    announce::due(model, context.now, &mut effects);
    effects
}

/// A frame of this model has reached the terminal: from now on keys answer it.
pub fn painted(model: &mut Model, now: Now) {
    if model.layout.detail.is_some() && !model.is_covered() {
        model.detail.painted();
    }
    model.shown = model.shown.painted(model, now);
}

fn pressed(model: &mut Model, key: KeyEvent, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let scopes = model.scopes();
    let controls = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    // A focused text field lets no letter through to the scopes around it.
    let chain = if scopes[0].takes_text() && !controls { &scopes[..1] } else { &scopes[..] };
    let Some(intent) = model.settings.keymap.intent(&key, chain) else {
        if !model.layout.too_small {
            typing::edit(model, key, context);
        }
        return;
    };
    if key.kind == KeyEventKind::Repeat && intent.decides() {
        return;
    }
    model.notice = None;
    if intent != Intent::Quit {
        model.quit_warned = false;
    }
    if model.layout.too_small && !matches!(intent, Intent::Quit | Intent::Repaint | Intent::Suspend) {
        return;
    }
    model.queue.touched();
    if let Err(refusal) = act(model, intent, context, effects) {
        model.tell(Role::Notice, refusal.words(), context.now);
    }
}

pub(super) fn act(
    model: &mut Model,
    intent: Intent,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    if intent.touches_decisions() {
        guard::may_touch_decisions(model)?;
    }
    match intent {
        Intent::Quit => quit(model, context),
        Intent::Suspend => effects.push(Effect::Suspend),
        Intent::Repaint => effects.push(Effect::Repaint),
        Intent::Help => model.help = Some(Help::default()),
        Intent::Stay => model.leaving = false,
        Intent::Copy => copy::begin(model)?,
        Intent::Command => command::begin(model, context),
        Intent::Run => command::run(model, context, effects)?,
        Intent::Complete | Intent::CompleteBack => model.command.choose(intent == Intent::Complete),
        Intent::Down | Intent::Up if model.command.is_open() => model.command.step(intent == Intent::Down),
        Intent::Leave if model.copy.take().is_some() => {}
        Intent::Leave if model.command.is_open() => model.command.close(false),
        Intent::Search => {
            if let Some(help) = &mut model.help {
                help.search();
            }
        }
        Intent::Leave if model.help.as_mut().is_some_and(Help::show_all) => {}
        Intent::Leave if model.help.is_some() => model.help = None,
        Intent::Leave => model.bar = None,
        Intent::Approve => open(model, Verdict::Approve, context, effects)?,
        Intent::Reject => open(model, Verdict::Reject, context, effects)?,
        Intent::NextField => {
            if let Some(bar) = &mut model.bar {
                bar.next_field();
            }
        }
        Intent::Mark if model.queue.toggle_mark() => {}
        Intent::Mark => return Err(Refusal::NothingSelected),
        Intent::MarkAll => model.queue.mark_all(),
        Intent::Unmark if model.queue.unmark_all() => {}
        Intent::Unmark => model.queue.change_search(Search::clear),
        Intent::MarkRange if model.queue.toggle_range() => {}
        Intent::MarkRange => return Err(Refusal::NothingSelected),
        Intent::RejectThread | Intent::RejectAgent => {
            let action = guard::may_open_fellows(model, context.now)?;
            let by_thread = intent == Intent::RejectThread;
            let (field, one) =
                if by_thread { (Field::Thread, &action.thread_id) } else { (Field::Agent, &action.agent) };
            let held = Headline::held(field, one.raw());
            let mut fellows = model.queue.those(|headline| headline.raw(field) == held);
            // The list holds the beginning of a long name, and two names may begin alike.
            fellows.retain(|fellow| {
                let theirs = if by_thread { &fellow.thread_id } else { &fellow.agent };
                theirs == one
            });
            let table = table(model, fellows, Verdict::Reject)?;
            show_bar(model, Bar::marked((context.id)(), table, Verdict::Reject), effects);
        }
        Intent::Sort => model.queue.set_order(next(Order::ALL, model.queue.order())),
        Intent::Group => model.queue.set_grouping(next(Grouping::ALL, model.queue.grouping())),
        Intent::Fold if model.queue.toggle_group() => {}
        Intent::Fold => model.tell(Role::Notice, "the cursor is in no group", context.now),
        Intent::Pause => {
            let agent = guard::may_pause(model, context.now)?;
            let paused = !model.paused.contains_key(&agent);
            effects.push(Effect::Pause { agent, paused });
        }
        Intent::Folds if model.focus == Pane::Outcomes => model.outcomes.toggle_folds(),
        Intent::Folds => model.detail.toggle_folds(),
        Intent::Filter => drop(model.change_search(Search::begin)),
        Intent::KeepFilter => drop(model.change_search(Search::keep)),
        Intent::ClearFilter => drop(model.change_search(Search::clear)),
        Intent::Down | Intent::Up if model.scopes()[0] == Scope::Filter => {
            model.change_search(|search| search.step(intent == Intent::Up));
        }
        Intent::ReadOn => {
            model.detail.read_on(Intent::Bottom);
        }
        Intent::Confirm => confirm(model, context, effects)?,
        Intent::Undo if model.focus == Pane::Outcomes => {
            guard::may_act_on_outcome(model, context.now)?;
            undo(model, context, effects);
        }
        Intent::Undo => undo(model, context, effects),
        Intent::SendHeld => leave(model, Effect::Release(model.outcomes.held_ids()), effects),
        Intent::DropHeld => leave(model, Effect::DropHeld(model.outcomes.held_ids()), effects),
        Intent::TryAgain if model.journal_failed.is_some() => return Err(Refusal::NoJournal),
        Intent::TryAgain => {
            guard::may_act_on_outcome(model, context.now)?;
            match model.outcomes.try_again(context.now.tick) {
                Some(order) => {
                    model.queue.take_out(&order.action.id);
                    effects.push(Effect::TryAgain(order.id));
                }
                None => model.tell(Role::Notice, "there is nothing to send again here", context.now),
            }
        }
        Intent::Acknowledge => {
            guard::may_act_on_outcome(model, context.now)?;
            match model.outcomes.acknowledge() {
                Some(id) => effects.push(Effect::Acknowledge(id)),
                None => model.tell(Role::Notice, "this is no open conflict", context.now),
            }
        }
        Intent::Open
            if model.focus == Pane::List
                && model.queue.group_cursor().is_some()
                && model.queue.toggle_group() => {}
        Intent::Open if model.focus == Pane::Outcomes => {
            model.outcomes.open();
        }
        Intent::Open if model.queue.cursor().is_some() => model.focus = Pane::Detail,
        Intent::Open => return Err(Refusal::NothingSelected),
        Intent::Back if model.focus == Pane::Outcomes && model.outcomes.back() => {}
        Intent::Back => model.focus = Pane::List,
        Intent::NextPane => {
            model.focus = match model.focus {
                Pane::List => Pane::Detail,
                Pane::Detail => Pane::Outcomes,
                Pane::Outcomes => Pane::List,
            };
        }
        Intent::ToggleMouse => {
            model.mouse.on = !model.mouse.on;
            let words =
                if model.mouse.on { "the mouse selects and scrolls" } else { "the mouse is the terminal's" };
            model.tell(Role::Notice, words, context.now);
        }
        Intent::Zoom => model.panes.zoomed = !model.panes.zoomed,
        Intent::SplitLeft | Intent::SplitRight => move_split(model, intent == Intent::SplitRight, context),
        _ => match copy::part_of(intent) {
            Some(part) => copy::copy(model, part, context, effects)?,
            None => scroll(model, intent),
        },
    }
    Ok(())
}

fn move_split(model: &mut Model, right: bool, context: &mut Context<'_>) {
    if !model.layout.has_split() {
        model.tell(
            Role::Notice,
            "there is no split here: list and detail do not stand side by side",
            context.now,
        );
    } else if !model.panes.move_split(right) {
        model.tell(Role::Notice, "the split goes no further", context.now);
    }
}

fn undo(model: &mut Model, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
    let ids = model.outcomes.to_undo(model.focus == Pane::Outcomes);
    if ids.is_empty() {
        model.tell(Role::Notice, "nothing is held that could be taken back", context.now);
    } else {
        effects.push(Effect::Undo(ids));
    }
}

fn scroll(model: &mut Model, intent: Intent) {
    match (&mut model.help, &mut model.bar, model.focus) {
        (Some(help), ..) => help.scroll.go(intent),
        (None, Some(Bar { subject: Subject::Marked(table), .. }), _) => table.scroll.go(intent),
        // While the bar asks, the cursor stays where it is: only the payload can be read on.
        (None, Some(_), _) | (None, None, Pane::Detail) => model.detail.go(intent),
        (None, None, Pane::List) => model.queue.go(intent),
        (None, None, Pane::Outcomes) => model.outcomes.go(intent),
    };
}

/// Opens the bar: for what is marked from the list, else for what the cursor is on. What was pressed before it could be
/// seen was not meant for it.
pub(super) fn open(
    model: &mut Model,
    verdict: Verdict,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let bar = if model.focus == Pane::List && model.queue.marked() > 0 {
        guard::may_open_marked(model, context.now)?;
        Bar::marked((context.id)(), table(model, model.queue.marked_actions(), verdict)?, verdict)
    } else if model.queue.group_cursor().is_some() {
        let group = guard::may_open_group(model, verdict, context.now)?;
        let table = table(model, model.queue.grouped(&group), verdict)?;
        Bar::marked((context.id)(), table, verdict)
    } else {
        let action = guard::may_open(model, verdict, context.now)?;
        Bar::one((context.id)(), action, verdict, &mut *context.letters)
    };
    let always = model.settings.always_letters && verdict == Verdict::Approve;
    let bar = if always { bar.with_letters(&mut *context.letters) } else { bar };
    show_bar(model, bar, effects);
    Ok(())
}

fn show_bar(model: &mut Model, bar: Bar, effects: &mut Vec<Effect>) {
    model.bar = Some(bar);
    effects.push(Effect::FlushInput);
}

/// The one after it, the first after the last.
fn next<T: Copy + PartialEq>(all: &[T], one: T) -> T {
    let at = all.iter().position(|other| *other == one).map_or(0, |at| at + 1);
    all[at % all.len()]
}

/// These together, and of them what would be decided.
fn table(model: &Model, actions: Vec<Arc<Action>>, verdict: Verdict) -> Result<Table, Refusal> {
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    for action in actions {
        match guard::may_decide_marked(model, verdict, &action) {
            Err(why) => left_out.push((action, why)),
            Ok(()) => taken.push(action),
        }
    }
    if taken.is_empty() { Err(Refusal::NothingToApprove) } else { Ok(Table::new(taken, left_out)) }
}

fn confirm(model: &mut Model, context: &mut Context<'_>, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
    guard::may_confirm(model, context.now)?;
    let Some(bar) = model.bar.take() else { return Ok(()) };
    let reason = bar.reason();
    let goes_out = model.settings.decisions_go_out;
    let mut orders = Vec::with_capacity(bar.actions().len());
    for action in bar.actions() {
        let order = dispatch::Order {
            id: (context.id)(),
            request_id: (context.id)(),
            action: action.clone(),
            verdict: bar.verdict,
            reason: reason.clone(),
            reviewer: model.settings.reviewer.clone(),
            decided_at: context.now.wall,
        };
        model.queue.take_out(&order.action.id);
        model.outcomes.decided(order.clone(), goes_out, context.now.tick);
        orders.push(order);
    }
    if matches!(bar.subject, Subject::Marked(_)) {
        model.queue.unmark_all();
    }
    if goes_out {
        effects.push(Effect::Decide(orders));
    }
    model.focus = Pane::List;
    Ok(())
}

fn quit(model: &mut Model, context: &mut Context<'_>) {
    let (held, sending) = (model.outcomes.held(), model.outcomes.sending());
    if held > 0 && !model.leaving {
        model.leaving = true;
    } else if held == 0 && sending > 0 && !model.quit_warned {
        model.quit_warned = true;
        // The words that matter come first: forty columns must be enough for them.
        let words =
            format!("{sending} still sending: quit again to leave; on disk, goes on at the next start");
        model.tell(Role::Notice, words, context.now);
    } else {
        // Asked twice: what is held stays on disk and goes on at the next start, as after a crash.
        model.exit = Some(Exit::Quit);
    }
}

fn leave(model: &mut Model, effect: Effect, effects: &mut Vec<Effect>) {
    effects.push(effect);
    model.leaving = false;
    model.exit = Some(Exit::Quit);
}
