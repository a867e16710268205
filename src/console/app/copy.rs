//! What is copied when a key or a command says so, and what is then told.

use super::announce::{Announcement, LARGEST_COPY};
use super::guard::Refusal;
use super::{Context, Effect, Model, Pane};
use crate::config::Clipboard;
use crate::console::keymap::Intent;
use crate::console::screens::copy::{Menu, Part, size, text};
use crate::console::theme::Role;
use crate::domain::Action;
use std::sync::Arc;

/// The intent that copies a part.
pub fn intent_of(part: Part) -> Intent {
    match part {
        Part::Payload => Intent::CopyPayload,
        Part::Id => Intent::CopyId,
        Part::Digest => Intent::CopyDigest,
        Part::Key => Intent::CopyKey,
        Part::Thread => Intent::CopyThread,
    }
}

/// The part that an intent copies.
pub(super) fn part_of(intent: Intent) -> Option<Part> {
    Part::ALL.into_iter().find(|part| intent_of(*part) == intent)
}

/// What the cursor of the pane is on.
fn subject(model: &Model) -> Result<Arc<Action>, Refusal> {
    let action = match model.focus {
        Pane::Outcomes => model.outcomes.selected().map(|row| Arc::clone(&row.action)),
        Pane::List | Pane::Detail => model.queue.selected().cloned(),
    };
    action.ok_or(Refusal::NothingSelected)
}

/// Opens the menu.
pub(super) fn begin(model: &mut Model) -> Result<(), Refusal> {
    model.copy = Some(Menu::new(subject(model)?));
    Ok(())
}

/// Copies a part: of what the menu was opened on, else of what the cursor is on.
pub(super) fn copy(
    model: &mut Model,
    part: Part,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let text = match model.copy.take() {
        Some(menu) => menu.text(part).to_owned(),
        None => text(&*subject(model)?, part),
    };
    let (name, large) = (part.name(), size(text.len()));
    if model.settings.clipboard == Clipboard::Off {
        model.tell(Role::Notice, "not copied: the clipboard is turned off in the config", context.now);
    } else if text.len() > LARGEST_COPY {
        let most = size(LARGEST_COPY);
        let words = format!("not copied: {name} is {large}, and terminals take no more than {most}");
        model.tell(Role::Notice, words, context.now);
    } else {
        effects.push(Effect::Announce(Announcement::Copy(text)));
        // No terminal says whether it took it.
        model.tell(Role::Notice, format!("sent to clipboard: {name}, {large}"), context.now);
    }
    Ok(())
}
