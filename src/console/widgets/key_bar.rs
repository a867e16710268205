//! The key bar: what works here and now, drawn from the keymap. The first hints matter most; the last two (help and
//! quit) are kept when the others have to go.

use super::RoleLine;
use crate::console::keymap::{Intent, Keymap, Scope};
use crate::console::theme::Role;

/// The hints for these intents that fit in `columns`.
pub fn line(keymap: &Keymap, chain: &[Scope], intents: &[Intent], columns: usize) -> RoleLine {
    let hint = |intent: Intent| {
        let key = name(keymap, chain, intent)?;
        Some(RoleLine::of(Role::KeyName, key).with(Role::KeyHint, format!(" {}", intent.hint())))
    };
    let mut hints: Vec<_> = intents.iter().filter_map(|intent| hint(*intent)).collect();
    let width = |hints: &[RoleLine]| hints.iter().map(|hint| hint.width() + 2).sum::<usize>();
    while hints.len() > 2 && width(&hints) > columns {
        hints.remove(hints.len() - 3);
    }
    let mut line = RoleLine::of(Role::Text, " ");
    for (number, hint) in hints.into_iter().enumerate() {
        line.push(Role::Text, if number == 0 { "" } else { "  " });
        line.append(hint);
    }
    line.cut(columns)
}

/// The key that a hint names: Enter or Esc where one of them does it, else the key with the shortest name.
pub fn name(keymap: &Keymap, chain: &[Scope], intent: Intent) -> Option<String> {
    let keys: Vec<_> = keymap.keys(intent, chain).iter().map(ToString::to_string).collect();
    let well_known = [("enter", "Enter"), ("esc", "Esc")];
    let capital = well_known.iter().find(|(key, _)| keys.iter().any(|name| name == key));
    capital.map(|(_, name)| (*name).to_owned()).or_else(|| keys.first().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_quit_stay_when_room_is_short() {
        let keymap = Keymap::shipped().unwrap();
        let intents =
            [Intent::Approve, Intent::Reject, Intent::Open, Intent::NextPane, Intent::Help, Intent::Quit];
        let line = |columns| line(&keymap, &[Scope::List, Scope::Global], &intents, columns).text();
        assert_eq!(line(80), " a approve  r reject  Enter open  tab pane  ? help  q quit");
        assert_eq!(line(40), " a approve  r reject  ? help  q quit");
        assert_eq!(line(18), " ? help  q quit");
    }
}
