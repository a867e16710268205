//! Which letters decide nothing, whatever they turn out to be part of, so that they are told at once: what is held back
//! for the 15 ms that show a paste is everything else.

use super::super::Model;
use crate::console::keymap::{Intent, Scope};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Whether this letter only moves, or is only a letter of a text that decides nothing, as things stand now.
pub fn takes_at_once(model: &Model, key: &KeyEvent) -> bool {
    let scopes = model.scopes();
    let letter = matches!(key.code, KeyCode::Char(_))
        && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match scopes[0] {
        // Texts that do nothing by themselves. A new one belongs here; the fields of a bar do not.
        Scope::Command | Scope::Search | Scope::Filter => {
            letter && model.settings.keymap.intent(key, &scopes[..1]).is_none()
        }
        Scope::List | Scope::Detail | Scope::Outcomes | Scope::Help => {
            letter && model.settings.keymap.intent(key, &scopes).is_some_and(moves)
        }
        _ => false,
    }
}

fn moves(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::Up
            | Intent::Down
            | Intent::PageUp
            | Intent::PageDown
            | Intent::HalfPageUp
            | Intent::HalfPageDown
            | Intent::Top
            | Intent::Bottom
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Settings;
    use crate::console::keymap::Keymap;
    use crate::console::theme::Theme;

    #[test]
    fn what_moves_is_told_at_once_and_what_could_decide_is_not() {
        let settings = Settings::new(Theme::named(), Keymap::shipped().unwrap());
        let mut model = Model::new(settings, (120, 40));
        let at_once = |model: &Model, c| takes_at_once(model, &KeyEvent::from(KeyCode::Char(c)));
        for c in ['j', 'k', 'g', 'G'] {
            assert!(at_once(&model, c), "{c}");
        }
        for c in ['a', 'r', 'q', ' ', 'u', ':', 'x', '*', 'o'] {
            assert!(!at_once(&model, c), "{c}");
        }
        assert!(!takes_at_once(&model, &KeyEvent::from(KeyCode::Enter)));
        model.leaving = true;
        assert!(!at_once(&model, 'j'));
    }
}
