//! What holds in the end: flags before the environment, the environment before the file, the file before the defaults.

use super::settings::{Config, SETTINGS, Setting};
use crate::document::{Document, Entry, Mistake, Mistakes, did_you_mean, entries, nearest};
use crate::domain::Visible;
use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// The config file, in this line.
    File(usize),
    /// This variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

/// Every setting with its value, and where the values come from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effective {
    /// The values.
    pub config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

impl Effective {
    /// Puts the layers over each other. `file` is a name and a text, `variable` looks into the environment, `flags` are
    /// names of settings with what the command line says of them.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn resolve(
        file: Option<(&str, &str)>,
        variable: impl Fn(&str) -> Option<String>,
        flags: &[(&'static str, String)],
    ) -> Result<Self, Mistakes> {
        let mut effective = Self::default();
        let mut mistakes = Vec::new();
        if let Some((source, text)) = file {
            mistakes.extend(effective.read(source, text).err().into_iter().flatten());
        }
        for setting in SETTINGS {
            let name = variable_name(setting.name);
            if let Some(text) = variable(&name).filter(|text| !text.is_empty()) {
                mistakes.extend(effective.take(setting, Origin::Environment(name), &text));
            }
        }
        for (name, text) in flags {
            let flag = Origin::Flag(flag_name(name));
            let setting = SETTINGS.iter().find(|setting| setting.name == *name);
            mistakes.extend(setting.and_then(|setting| effective.take(setting, flag, text)));
        }
        Mistakes::none_in(mistakes).map(|()| effective)
    }

    fn take(&mut self, setting: &Setting, origin: Origin, text: &str) -> Option<Mistake> {
        let source = match &origin {
            Origin::Environment(name) | Origin::Flag(name) => name.clone(),
            Origin::Default | Origin::File(_) => String::new(),
        };
        if (setting.take)(&mut self.config, text) {
            self.origins.insert(setting.name, origin);
            return None;
        }
        let wanted = (setting.wanted)();
        // A URL may hold a password.
        let not = if setting.name == "review.server" {
            String::new()
        } else {
            format!(", not \"{}\"", Visible::head(text, 40).plain())
        };
        Some(Mistake::of(&source, format!("must be {wanted}{not}")))
    }

    fn read(&mut self, source: &str, text: &str) -> Result<(), Mistakes> {
        let (mut document, table) = Document::parse(source, text);
        for entry in entries(&table) {
            let inner = entry.value.get_ref().as_table().filter(|_| tables().any(|name| name == entry.name));
            match inner {
                Some(inner) => {
                    for inner in entries(inner) {
                        self.read_entry(&mut document, Some(entry.name), &inner);
                    }
                }
                None => self.read_entry(&mut document, None, &entry),
            }
        }
        document.finish()
    }

    fn read_entry(&mut self, document: &mut Document<'_>, table: Option<&str>, entry: &Entry<'_, '_>) {
        let name = table.map_or_else(|| entry.name.to_owned(), |table| format!("{table}.{}", entry.name));
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            document.wrong(&entry.at, unknown(table, entry));
            return;
        };
        let mut wrong = Vec::new();
        if (setting.read)(&mut self.config, entry.value, &mut wrong) {
            self.origins.insert(setting.name, Origin::File(document.line(&entry.at)));
        }
        for (at, message) in wrong {
            document.wrong(&at, message);
        }
    }

    /// Whether the config file says it, so that a path in it is meant from there.
    pub fn is_from_file(&self, name: &str) -> bool {
        matches!(self.origin(name), Origin::File(_) | Origin::Default)
    }

    /// Every setting: its name, its value as TOML, and where that comes from.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, String, &Origin)> {
        SETTINGS.iter().map(|setting| (setting.name, (setting.toml)(&self.config), self.origin(setting.name)))
    }

    /// Where the value of a setting comes from.
    pub fn origin(&self, name: &str) -> &Origin {
        self.origins.get(name).unwrap_or(&Origin::Default)
    }
}

/// The tables whose keys are settings; the keys of `filters` are the user's own.
fn tables() -> impl Iterator<Item = &'static str> {
    // Twice is no harm: they are only compared with.
    SETTINGS.iter().filter_map(|setting| Some(setting.name.split_once('.')?.0))
}

fn unknown(table: Option<&str>, entry: &Entry<'_, '_>) -> String {
    let name = Visible::head(entry.name, 40).plain();
    let here = |setting: &Setting| match (table, setting.name.split_once('.')) {
        (Some(table), Some((other, key))) if table == other => Some(key),
        (None, None) => Some(setting.name),
        _ => None,
    };
    let known = || SETTINGS.iter().filter_map(here);
    // The right key in the wrong table.
    let elsewhere = SETTINGS
        .iter()
        .map(|setting| setting.name)
        .find(|other| other.rsplit('.').next() == Some(entry.name));
    let lower = entry.name.to_lowercase();
    if ["token", "api_key", "apikey", "password", "secret"].contains(&lower.as_str()) {
        return format!(
            "{name} is no setting: a secret does not belong in this file; token_file in [review] names the file that holds it"
        );
    }
    if let Some(elsewhere) = elsewhere {
        return match elsewhere.split_once('.') {
            Some((table, _)) => format!("{name} stands in [{table}]"),
            None => format!("{name} stands at the top, before the first table"),
        };
    }
    if table.is_none() && tables().any(|table| table == entry.name) {
        return format!("{name} is a table: [{name}]");
    }
    if table.is_none() && entry.value.get_ref().is_table() {
        let tables: Vec<_> = tables().chain(["filters"]).collect();
        return format!("[{name}] is no table of this file{}", did_you_mean(entry.name, tables));
    }
    let place = table.map(|table| format!(" of [{table}]")).unwrap_or_default();
    match nearest(entry.name, known()) {
        Some(near) => format!("{name} is no setting{place}: did you mean {near}?"),
        None => format!("{name} is no setting{place}; there are {}", known().collect::<Vec<_>>().join(", ")),
    }
}

/// What the command line says of a setting, as it came, where it may stand there.
///
/// # Errors
/// What may stand there.
pub fn accept(setting: &str, text: &str) -> Result<String, String> {
    let Some(setting) = SETTINGS.iter().find(|known| known.name == setting) else {
        return Err("there is no such setting".into());
    };
    if (setting.take)(&mut Config::default(), text) { Ok(text.to_owned()) } else { Err((setting.wanted)()) }
}

/// `AEGIS_CONSOLE_REVIEW_SERVER` for `review.server`.
pub fn variable_name(setting: &str) -> String {
    format!("AEGIS_CONSOLE_{}", setting.to_uppercase().replace('.', "_"))
}

fn flag_name(setting: &str) -> String {
    format!("--{}", setting.rsplit('.').next().unwrap_or(setting).replace('_', "-"))
}
