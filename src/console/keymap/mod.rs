//! Keys go through one table: key → scope chain, innermost first → intent. Help, the key bar and the check for duplicates
//! read the same table, so none of them can lie.
//!
//! What an intent does is not known here.

mod intent;
mod key;

pub use intent::{Intent, Scope};
pub use key::Key;

use crossterm::event::KeyEvent;
use std::collections::BTreeMap;

/// The default table, which is also the documentation of what can be set.
const DEFAULT: &str = include_str!("../../../assets/keymap.toml");

/// Which key means what, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: BTreeMap<Scope, Vec<(Key, Intent)>>,
}

/// Why a keymap cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// The text is not TOML, or a key stands twice in one scope.
    #[error("{0}")]
    Toml(String),
    /// A table has a name that is no scope.
    #[error("[{name}] is not a scope: there are {known}", known = Scope::names())]
    Scope {
        /// The name.
        name: String,
    },
    /// A name that is no key.
    #[error("[{scope}] {key:?} is not the name of a key")]
    Key {
        /// The scope in which it stands.
        scope: Scope,
        /// What stands there.
        key: String,
    },
    /// A name that is no intent.
    #[error("[{scope}] {key:?} = {intent:?}: there is no such intent: there are {known}", known = Intent::names())]
    Intent {
        /// The scope in which it stands.
        scope: Scope,
        /// The key that it is bound to.
        key: String,
        /// What stands there.
        intent: String,
    },
    /// Two names of the same key in one scope.
    #[error("[{scope}] binds {key} twice")]
    Duplicate {
        /// The scope in which it stands.
        scope: Scope,
        /// The key.
        key: Key,
    },
    /// A deciding intent on a key that a torn escape sequence can fake (terminal.md, rule 6).
    #[error("[{scope}] {key} must not decide: a torn escape sequence can end in it")]
    Torn {
        /// The scope in which it stands.
        scope: Scope,
        /// The key.
        key: Key,
    },
}

impl Keymap {
    /// The keymap that the program ships. An error here is a fault of the program, which its tests would find.
    pub fn shipped() -> Result<Self, KeymapError> {
        Self::parse(DEFAULT)
    }

    /// Reads a keymap.
    pub fn parse(text: &str) -> Result<Self, KeymapError> {
        type Tables = BTreeMap<String, BTreeMap<String, String>>;
        let tables: Tables = toml::from_str(text).map_err(|error| KeymapError::Toml(error.to_string()))?;
        let mut bindings = BTreeMap::new();
        for (name, table) in tables {
            let scope = Scope::parse(&name).ok_or(KeymapError::Scope { name })?;
            let mut bound: Vec<(Key, Intent)> = Vec::new();
            for (name, intent) in table {
                let Some(key) = Key::parse(&name) else {
                    return Err(KeymapError::Key { scope, key: name });
                };
                if bound.iter().any(|(other, _)| *other == key) {
                    return Err(KeymapError::Duplicate { scope, key });
                }
                let Some(parsed) = Intent::parse(&intent) else {
                    return Err(KeymapError::Intent { scope, key: name, intent });
                };
                if parsed.decides() && key.may_be_torn() {
                    return Err(KeymapError::Torn { scope, key });
                }
                bound.push((key, parsed));
            }
            bindings.insert(scope, bound);
        }
        Ok(Self { bindings })
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
    fn mistakes_are_named() {
        for (text, names) in [
            ("[lists]\na = \"down\"", "[lists] is not a scope"),
            ("[list]\nfoo = \"down\"", "\"foo\" is not the name of a key"),
            ("[list]\na = \"jump\"", "no such intent"),
            ("[list]\nup = \"up\"\nUP = \"down\"", "binds up twice"),
            ("[list]\na = \"up\"\na = \"down\"", "duplicate"),
            ("[list]\nA = \"approve\"", "must not decide"),
            ("[bar]\n\"~\" = \"confirm\"", "must not decide"),
        ] {
            let error = Keymap::parse(text).unwrap_err().to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }
}
