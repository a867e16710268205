//! Where typed and pasted text goes: the field that has the keys. It is text there, and never a key.

use super::{Context, Model};
use crate::console::keymap::Scope;
use crate::console::screens::decide::Bar;
use crate::console::theme::Role;
use crossterm::event::{KeyCode, KeyEvent};

/// Whether what comes too fast to have been typed may go, as text, where text is typed now. Never among the letters that
/// a bar asks for.
pub fn takes_pastes(model: &Model) -> bool {
    let taken = match model.scopes()[0] {
        Scope::Field => model.bar.as_ref().is_some_and(Bar::takes_pastes),
        scope => scope.takes_text(),
    };
    taken && !model.layout.too_small
}

/// A key that means nothing by itself: text, or what edits it.
pub(super) fn edit(model: &mut Model, key: KeyEvent, context: &mut Context<'_>) {
    let fits = match model.scopes()[0] {
        Scope::Field => model.bar.as_mut().is_none_or(|bar| bar.edit(key)),
        Scope::Filter => model.change_search(|search| search.edit(key)).unwrap_or(true),
        Scope::Command => {
            model.notice = None;
            let empty = model.command.says().is_none_or(|(_, line)| line.is_empty());
            if key.code == KeyCode::Backspace && empty {
                // Telephones have no Esc.
                model.command.close(false);
            }
            model.command.edit(key)
        }
        Scope::Search => {
            if key.code == KeyCode::Backspace
                && let Some(help) = model.help.as_mut().filter(|help| help.is_blank())
            {
                help.search();
            }
            model.help.as_mut().is_none_or(|help| help.edit(key))
        }
        _ => return,
    };
    full(model, fits, context);
}

/// Pasted text.
pub(super) fn paste(model: &mut Model, text: &str, context: &mut Context<'_>) {
    if !takes_pastes(model) {
        model.tell(Role::Notice, "ignored: pasted text is never read as keys", context.now);
        return;
    }
    let fits = match model.scopes()[0] {
        Scope::Field => model.bar.as_mut().is_none_or(|bar| bar.paste(text)),
        Scope::Filter => model.change_search(|search| search.paste(text)).unwrap_or(true),
        Scope::Command => model.command.paste(text),
        Scope::Search => model.help.as_mut().is_none_or(|help| help.paste(text)),
        _ => true,
    };
    full(model, fits, context);
}

fn full(model: &mut Model, fits: bool, context: &mut Context<'_>) {
    if !fits {
        model.tell(Role::Notice, "no more fits in here", context.now);
    }
}
