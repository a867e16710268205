//! Keys go through one table: key → scope chain, innermost first → intent. Help, the key bar and the check for duplicates
//! read the same table, so none of them can lie.
//!
//! What an intent does is not known here.

mod file;
mod intent;
mod key;

pub use intent::{Intent, Scope};
pub use key::Key;

use crate::document::Mistakes;
use crossterm::event::KeyEvent;
use std::collections::BTreeMap;

/// The shipped table, which is also the documentation of what can be set.
pub const SHIPPED: &str = include_str!("../../../assets/keymap.toml");

/// Which key means what, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: BTreeMap<Scope, Vec<(Key, Intent)>>,
}

impl Keymap {
    /// The keymap that the program ships. An error here is a fault of the program, which its tests would find.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn shipped() -> Result<Self, Mistakes> {
        Self::parse(SHIPPED)
    }

    /// Reads a keymap that is laid over nothing.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        Self { bindings: BTreeMap::new() }.with("keymap.toml", text)
    }

    /// Every scope with its keys and what they mean, as a keymap file would have it.
    pub fn toml(&self) -> String {
        let mut out = String::new();
        for scope in Scope::ALL {
            out.push_str(&format!("[{scope}]\n"));
            for intent in self.intents(scope) {
                for key in self.keys(intent, &[scope]) {
                    let key = key.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                    out.push_str(&format!("\"{key}\" = \"{}\"\n", intent.name()));
                }
            }
            out.push('\n');
        }
        out
    }

    /// What the key means in a chain of scopes, innermost first.
    pub fn intent(&self, event: &KeyEvent, chain: &[Scope]) -> Option<Intent> {
        let key = Key::from(event);
        chain.iter().find_map(|scope| {
            self.bindings.get(scope)?.iter().find(|(bound, _)| *bound == key).map(|(_, intent)| *intent)
        })
    }

    /// The keys that mean this intent in this chain of scopes, shortest names first; a key that an inner scope binds
    /// to something else is not among them.
    pub fn keys(&self, intent: Intent, chain: &[Scope]) -> Vec<Key> {
        let mut keys = Vec::new();
        for (depth, scope) in chain.iter().enumerate() {
            for (key, bound) in self.bindings.get(scope).into_iter().flatten() {
                let hidden = chain[..depth]
                    .iter()
                    .filter_map(|inner| self.bindings.get(inner))
                    .any(|inner| inner.iter().any(|(other, _)| other == key));
                if *bound == intent && !hidden && !keys.contains(key) {
                    keys.push(*key);
                }
            }
        }
        keys.sort_by_key(|key| (key.to_string().chars().count(), key.to_string()));
        keys
    }

    /// Every intent that some key of the scope means, in the order of [`Intent::ALL`].
    pub fn intents(&self, scope: Scope) -> Vec<Intent> {
        let bound = self.bindings.get(&scope);
        let is_bound =
            |intent: &Intent| bound.is_some_and(|bound| bound.iter().any(|(_, other)| other == intent));
        Intent::ALL.into_iter().filter(is_bound).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn press(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    #[test]
    fn the_shipped_keymap_is_sound_and_binds_every_intent() {
        let keymap = Keymap::shipped().unwrap();
        for intent in Intent::ALL {
            assert!(Scope::ALL.iter().any(|scope| !keymap.keys(intent, &[*scope]).is_empty()), "{intent:?}");
        }
    }

    #[test]
    fn the_innermost_scope_wins() {
        let keymap = Keymap::shipped().unwrap();
        assert_eq!(keymap.intent(&press('q'), &[Scope::List, Scope::Global]), Some(Intent::Quit));
        assert_eq!(keymap.intent(&press('q'), &[Scope::Help, Scope::Global]), Some(Intent::Leave));
        assert_eq!(keymap.intent(&press('a'), &[Scope::Field]), None);
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keymap.intent(&ctrl_c, &[Scope::Field, Scope::Global]), Some(Intent::Quit));
        let keys = keymap.keys(Intent::Quit, &[Scope::Help, Scope::Global]);
        assert_eq!(keys.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ctrl-c"]);
    }

    #[test]
    fn what_the_user_binds_goes_before_what_is_shipped_and_none_takes_a_key_out() {
        let shipped = Keymap::shipped().unwrap();
        let own = "[list]\n\"n\" = \"down\"\nj = \"up\"\nk = \"none\"\n[global]\n\"ctrl-q\" = \"quit\"";
        let keymap = shipped.with("keymap.toml", own).unwrap();
        let list = [Scope::List, Scope::Global];
        assert_eq!(keymap.intent(&press('n'), &list), Some(Intent::Down));
        assert_eq!(keymap.intent(&press('j'), &list), Some(Intent::Up));
        assert_eq!(keymap.intent(&press('k'), &list), None);
        assert_eq!(keymap.intent(&press('a'), &list), Some(Intent::Approve));
        assert_eq!(keymap.intent(&press('k'), &[Scope::Detail]), Some(Intent::Up));
        assert_eq!(shipped.with("keymap.toml", "# nothing\n[list]\n").unwrap(), shipped);
    }

    #[test]
    fn what_is_shown_reads_back() {
        let shipped = Keymap::shipped().unwrap();
        let own = "[list]\n'\"' = \"down\"\n'\\' = \"up\"";
        let keymap = shipped.with("keymap.toml", own).unwrap();
        assert_eq!(Keymap::parse(&keymap.toml()).unwrap().toml(), keymap.toml());
    }

    #[test]
    fn each_mistake_is_named_with_what_was_meant() {
        let shipped = Keymap::shipped().unwrap();
        for (text, said) in [
            ("[lists]\na = \"down\"", "1:2: [lists] is no scope; there are global, list, detail, outcomes, "),
            ("a = \"down\"", "1:1: a stands in no scope: write [list], say, above it"),
            ("list = \"down\"", "1:1: list is a table: [list]"),
            ("[list]\nenter_ = \"down\"", "2:1: \"enter_\" is no key: did you mean \"enter\"?"),
            (
                "[list]\n\"ctrl-entr\" = \"down\"",
                "2:1: \"ctrl-entr\" is no key: did you mean \"ctrl-enter\"?",
            ),
            ("[list]\nqwzrt = \"down\"", "2:1: \"qwzrt\" is no key: it is a character or a name like"),
            ("[list]\na = \"aprove\"", "2:5: \"aprove\" is no intent: did you mean \"approve\"?"),
            ("[list]\na = \"qq\"", "2:5: \"qq\" is no intent; there are none, approve, reject, "),
            ("[list]\na = 3", "2:5: the number 3 is no intent; there are none, "),
            ("[list]\nup = \"up\"\nUP = \"down\"", "3:1: [list] binds up twice: line 2 does too"),
            ("[list]\na = \"up\"\na = \"down\"", "3:1: duplicate key"),
            ("[list]\nA = \"approve\"", "2:1: A must not approve: a torn escape sequence can end in it"),
            ("[bar]\n\"~\" = \"confirm\"", "2:1: ~ must not confirm: a torn escape sequence can end in it"),
            (
                "[field]\ny = \"confirm\"",
                "2:1: y is text in [field]; with ctrl- or alt- before it it is a key",
            ),
            ("[list]\n\"ctrl-c\" = \"down\"", "2:1: ctrl-c always quits"),
            ("[global]\n\"ctrl-c\" = \"none\"", "2:1: ctrl-c always quits"),
            ("[bar]\nenter = \"none\"", "2:1: [bar] has no key left for confirm"),
            ("[leaving]\nesc = \"none\"\nh = \"none\"", "3:1: [leaving] has no key left for stay"),
            (
                "[list]\nenter = \"approve\"",
                "2:1: enter would approve in [list] and confirm in [bar]: no single key decides",
            ),
            (
                "[bar]\na = \"confirm\"",
                "2:1: a would approve in [list] and confirm in [bar]: no single key decides",
            ),
        ] {
            let error = shipped.with("keys.toml", text).unwrap_err().to_string();
            let first = error.lines().next().unwrap();
            assert!(first.starts_with(&format!("keys.toml:{said}")), "{text}: {first}");
        }
    }
}
