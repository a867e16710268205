//! Keymap files: the shipped one, and the user's laid over it, scope by scope and key by key.
//!
//! What may not be: a key that is bound twice, a letter where text is typed, anything that decides on a key that a torn
//! escape sequence can end in, one key that opens the bar and decides in it, and no way left to confirm, to leave or to
//! quit.

use super::{Intent, Key, Keymap, Scope};
use crate::document::{Document, Entry, Mistakes, did_you_mean, entries, in_words, nearest};
use crate::domain::Visible;
use std::collections::BTreeMap;
use std::ops::Range;

/// The word that takes a key out.
const UNBOUND: &str = "none";
/// Where text is typed.
const TYPING: [Scope; 3] = [Scope::Field, Scope::Command, Scope::Search];
/// Without these nobody gets on or out; asked for in every scope in which the shipped keymap has them.
const NEEDED: [Intent; 4] = [Intent::Confirm, Intent::Leave, Intent::Stay, Intent::Quit];

type Bindings = BTreeMap<Scope, Vec<(Key, Intent)>>;

/// What a file says of one key, and where.
struct Said {
    scope: Scope,
    key: Key,
    intent: Option<Intent>,
    at: Range<usize>,
}

impl Keymap {
    /// The same keymap with a file of the user's laid over it; `source` is what the file is called in mistakes.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn with(&self, source: &str, text: &str) -> Result<Self, Mistakes> {
        let (mut document, table) = Document::parse(source, text);
        let mut said = Vec::new();
        for entry in entries(&table) {
            let name = Visible::head(entry.name, 40).plain();
            match (Scope::parse(entry.name), entry.value.get_ref().as_table()) {
                (Some(scope), Some(keys)) => {
                    for entry in entries(keys) {
                        said.extend(read(&mut document, scope, &entry, &said));
                    }
                }
                (Some(_), None) => document.wrong(&entry.at, format!("{name} is a table: [{name}]")),
                (None, Some(_)) => {
                    let meant = did_you_mean(entry.name, Scope::ALL.map(Scope::name));
                    let known = Scope::names();
                    document.wrong(&entry.at, format!("[{name}] is no scope; there are {known}{meant}"));
                }
                (None, None) => {
                    document
                        .wrong(&entry.at, format!("{name} stands in no scope: write [list], say, above it"));
                }
            }
        }
        let mut bindings = self.bindings.clone();
        for Said { scope, key, intent, .. } in &said {
            let bound = bindings.entry(*scope).or_default();
            bound.retain(|(other, _)| other != key);
            bound.extend(intent.map(|intent| (*key, intent)));
        }
        check(&mut document, &self.bindings, &bindings, &said);
        document.finish().map(|()| Self { bindings })
    }
}

/// Reads one line: a key and what it is to mean.
fn read(document: &mut Document<'_>, scope: Scope, entry: &Entry<'_, '_>, before: &[Said]) -> Option<Said> {
    let value = entry.value.get_ref();
    let name = Visible::head(entry.name, 40).plain();
    let Some(key) = Key::parse(entry.name) else {
        let meant = match Key::nearest(entry.name) {
            Some(near) => format!(": did you mean \"{near}\"?"),
            None => ": it is a character or a name like enter, ctrl-d, alt-left, f1".into(),
        };
        document.wrong(&entry.at, format!("\"{name}\" is no key{meant}"));
        return None;
    };
    if let Some(other) = before.iter().find(|said| said.scope == scope && said.key == key) {
        let line = document.line(&other.at);
        document.wrong(&entry.at, format!("[{scope}] binds {key} twice: line {line} does too"));
        return None;
    }
    let intent = match value.as_str() {
        Some(UNBOUND) => None,
        Some(text) if Intent::parse(text).is_some() => Intent::parse(text),
        found => {
            let names = Intent::ALL.map(Intent::name);
            let meant = match found.and_then(|text| nearest(text, names)) {
                Some(near) => format!(": did you mean \"{near}\"?"),
                None => format!("; there are {UNBOUND}, {}", Intent::names()),
            };
            document.wrong(&entry.value.span(), format!("{} is no intent{meant}", in_words(value)));
            return None;
        }
    };
    let wrong = match intent {
        Some(intent) if intent.decides() && key.may_be_torn() => Some(format!(
            "{key} must not {intent}: a torn escape sequence can end in it",
            intent = intent.name()
        )),
        Some(_) if TYPING.contains(&scope) && key.is_text() => {
            Some(format!("{key} is text in [{scope}]; with ctrl- or alt- before it it is a key"))
        }
        intent if key.is_ctrl_c() && intent.is_none_or(|intent| intent != Intent::Quit) => {
            Some(format!("{key} always quits"))
        }
        _ => None,
    };
    if let Some(wrong) = wrong {
        document.wrong(&entry.at, wrong);
        return None;
    }
    Some(Said { scope, key, intent, at: entry.at.clone() })
}

/// What can only be said of the whole: that every way on and out is left, and that no key decides by itself.
fn check(document: &mut Document<'_>, shipped: &Bindings, bindings: &Bindings, said: &[Said]) {
    let means = |bindings: &Bindings, scope, intent| {
        let bound = bindings.get(&scope).into_iter().flatten();
        bound.filter(|(_, bound)| *bound == intent).map(|(key, _)| *key).collect::<Vec<_>>()
    };
    for scope in Scope::ALL {
        for intent in NEEDED {
            let had = means(shipped, scope, intent);
            if had.is_empty() || !means(bindings, scope, intent).is_empty() {
                continue;
            }
            let taken = said.iter().rev().find(|said| said.scope == scope && had.contains(&said.key));
            if let Some(taken) = taken {
                document.wrong(&taken.at, format!("[{scope}] has no key left for {}", intent.name()));
            }
        }
    }
    for opens in [Intent::Approve, Intent::Reject] {
        for outer in [Scope::List, Scope::Detail, Scope::Outcomes, Scope::Global] {
            for inner in [Scope::Bar, Scope::Field, Scope::Global] {
                let decides = means(bindings, inner, Intent::Confirm);
                for key in means(bindings, outer, opens).into_iter().filter(|key| decides.contains(key)) {
                    let at = said
                        .iter()
                        .rev()
                        .find(|said| said.key == key && [outer, inner].contains(&said.scope));
                    if let Some(at) = at {
                        let opens = opens.name();
                        document.wrong(
                            &at.at,
                            format!("{key} would {opens} in [{outer}] and confirm in [{inner}]: no single key decides"),
                        );
                    }
                }
            }
        }
    }
}
