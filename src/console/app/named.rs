//! What is done by its name instead of by a key: for a way to work that has no screen, no cursor and no keys.
//!
//! A name is a number that stands for one action, or one decision, for ever. Whoever uses one says which by that alone,
//! so the cursor goes there first; from then on everything is as if it had been a key. What may decide is the guard's to
//! say, here as there: this file makes no exception.

use super::guard::Refusal;
use super::{Context, Effect, Model, Now, Pane, update};
use crate::config::Word as _;
use crate::console::keymap::Intent;
use crate::console::screens::queue::Order;
use std::time::Duration;
use uuid::Uuid;

/// Goes to the action that a name means, which has been standing there to be read since `since`; `false` where it does
/// not wait for a decision.
pub fn go_to(model: &mut Model, id: &str, since: Duration, now: Now) -> bool {
    if !model.queue.go_to(id) {
        return false;
    }
    model.focus = Pane::Detail;
    model.settle();
    stands(model, since, now);
    true
}

/// Goes to a decision, which has been standing there to be read since `since`; `false` where none has this id.
pub fn go_to_outcome(model: &mut Model, id: Uuid, since: Duration, now: Now) -> bool {
    if model.outcomes.row(id).is_none() {
        return false;
    }
    model.outcomes.point(id);
    model.focus = Pane::Outcomes;
    model.settle();
    stands(model, since, now);
    true
}

/// Does what an intent means where it is meant; else says why not.
///
/// # Errors
/// Why it was not taken.
pub fn command(model: &mut Model, intent: Intent, context: &mut Context<'_>) -> Result<Vec<Effect>, Refusal> {
    let mut effects = Vec::new();
    if intent != Intent::Quit {
        model.quit_warned = false;
    }
    let done = update::act(model, intent, context, &mut effects);
    model.settle();
    done.map(|()| effects)
}

/// A whole line was typed into the field of the open bar; `false` where it does not fit.
pub fn fill(model: &mut Model, text: &str) -> bool {
    model.bar.as_mut().is_none_or(|bar| bar.fill(text))
}

/// The list shows only what these words keep, or the filter of the config that they name.
pub fn filter(model: &mut Model, words: &str, context: &mut Context<'_>) {
    model.focus = Pane::List;
    super::command::filter(model, words, context);
    model.settle();
}

/// Puts the list in the order with this name; `false` where there is none.
pub fn sort(model: &mut Model, name: &str) -> bool {
    let Some(order) = Order::parse(name) else { return false };
    model.queue.set_order(order);
    model.settle();
    true
}

/// What the model now asks, and how much is marked, has been printed.
pub fn asked(model: &mut Model, now: Now) {
    model.shown = model.shown.painted(model, now);
}

fn stands(model: &mut Model, since: Duration, now: Now) {
    model.shown = model.shown.painted(model, Now { tick: since.min(now.tick), ..now });
}
