//! Kinds of values: how each is read from TOML and from plain text (a flag, a variable), and how it is written.

use super::word::{Word, listed};
use crate::document::{entries, in_words, nearest};
use crate::domain::Visible;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// What is wrong with a value, and where.
pub(super) type Wrong = Vec<(Range<usize>, String)>;

/// A kind of value.
pub(super) trait Value: Sized {
    /// What may stand here, in words that go on from "must be".
    fn wanted() -> String;
    /// Reads a flag or a variable.
    fn from_text(text: &str) -> Option<Self>;
    /// Writes it as TOML.
    fn toml(&self) -> String;
    /// Reads a single TOML value.
    fn from_scalar(value: &DeValue<'_>) -> Option<Self>;

    /// Every word that may stand here, where these are few.
    fn words() -> &'static [&'static str] {
        &[]
    }

    /// Reads a TOML value and says what is wrong.
    fn from_toml(name: &str, value: &Spanned<DeValue<'_>>, wrong: &mut Wrong) -> Option<Self> {
        let read = Self::from_scalar(value.get_ref());
        if read.is_none() {
            wrong.push((value.span(), refused::<Self>(name, value.get_ref())));
        }
        read
    }
}

/// Why a TOML value cannot stand here.
pub(super) fn refused<V: Value>(name: &str, value: &DeValue<'_>) -> String {
    let meant = value.as_str().and_then(|text| nearest(text, V::words().iter().copied()));
    let meant = meant.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
    format!("{name} must be {}, not {}{meant}", V::wanted(), in_words(value))
}

/// A string as TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a String cannot fail.
            c if c.is_control() || Visible::of(c.encode_utf8(&mut [0; 4])).hidden() > 0 => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Value for bool {
    fn wanted() -> String {
        "true or false".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

/// Seconds.
impl Value for Duration {
    fn wanted() -> String {
        "a number of seconds from 0 to 600".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
        seconds.map(Self::from_secs_f64)
    }

    fn toml(&self) -> String {
        self.as_secs_f64().to_string()
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Integer(number) => Self::from_text(&whole(number)?.to_string()),
            DeValue::Float(number) => Self::from_text(&number.as_str().replace('_', "")),
            _ => None,
        }
    }
}

fn whole(number: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

impl Value for NonZeroU32 {
    fn wanted() -> String {
        "a whole number from 1".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn toml(&self) -> String {
        self.to_string()
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::new(u32::try_from(whole(value.as_integer()?)?).ok()?)
    }
}

/// A part of the screen, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    /// The least and the most: a pane that cannot be read is none.
    pub const RANGE: std::ops::RangeInclusive<u16> = 20..=80;
    /// The list's part where nothing else is said.
    pub const LIST: Self = Self(46);

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Value for Percent {
    fn wanted() -> String {
        format!("a whole number from {} to {}", Self::RANGE.start(), Self::RANGE.end())
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| Self::RANGE.contains(number)).map(Self)
    }

    fn toml(&self) -> String {
        self.0.to_string()
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(&whole(value.as_integer()?)?.to_string())
    }
}

/// A theme: its name, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeName(pub String);

/// The themes that can be named. What they look like, the console knows.
pub const THEMES: &[&str] = &["auto", "dark", "light", "high-contrast", "colour-blind", "none"];

impl ThemeName {
    /// The file, where it is one: a name with a dot or a slash in it.
    pub fn file(&self) -> Option<PathBuf> {
        self.0.contains(['.', '/']).then(|| PathBuf::from(&self.0))
    }
}

impl Value for ThemeName {
    fn wanted() -> String {
        format!("{}, or a theme file (with a dot or a slash in its name)", listed(THEMES))
    }

    fn from_text(text: &str) -> Option<Self> {
        let name = Self(String::from_text(text)?);
        (THEMES.contains(&text) || name.file().is_some()).then_some(name)
    }

    fn toml(&self) -> String {
        quoted(&self.0)
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }

    fn words() -> &'static [&'static str] {
        THEMES
    }
}

/// A text.
impl Value for String {
    fn wanted() -> String {
        "a text".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    }

    fn toml(&self) -> String {
        quoted(self)
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }
}

/// A file; none where the text is empty.
impl Value for Option<PathBuf> {
    fn wanted() -> String {
        "the name of a file".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Some(String::from_text(text)?).filter(|text| !text.is_empty()).map(PathBuf::from))
    }

    fn toml(&self) -> String {
        quoted(&self.as_deref().map(|path| path.to_string_lossy()).unwrap_or_default())
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }
}

/// The URL of a server; none where the text is empty. One that holds a credential is refused: the file is no place for
/// it, and it would be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server(pub Option<String>);

impl Value for Server {
    fn wanted() -> String {
        "a URL like https://gate.example, without a user name or password".into()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let url = url::Url::parse(text).ok()?;
        let bare = url.username().is_empty() && url.password().is_none() && url.has_host();
        (bare && matches!(url.scheme(), "http" | "https")).then(|| Self(Some(text.to_owned())))
    }

    fn toml(&self) -> String {
        quoted(self.0.as_deref().unwrap_or_default())
    }

    fn from_scalar(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }

    fn from_toml(name: &str, value: &Spanned<DeValue<'_>>, wrong: &mut Wrong) -> Option<Self> {
        let read = Self::from_scalar(value.get_ref());
        if read.is_none() {
            // Not quoted: it may hold a password.
            wrong
                .push((value.span().start..value.span().start, format!("{name} must be {}", Self::wanted())));
        }
        read
    }
}

/// Filters by name.
pub type Filters = BTreeMap<String, String>;

impl Value for Filters {
    fn wanted() -> String {
        "a table of names and filters".into()
    }

    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn toml(&self) -> String {
        let filters: Vec<_> =
            self.iter().map(|(name, filter)| format!("{name} = {}", quoted(filter))).collect();
        if filters.is_empty() { "{}".into() } else { format!("{{ {} }}", filters.join(", ")) }
    }

    fn from_scalar(_: &DeValue<'_>) -> Option<Self> {
        None
    }

    fn from_toml(name: &str, value: &Spanned<DeValue<'_>>, wrong: &mut Wrong) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            wrong.push((value.span(), refused::<Self>(name, value.get_ref())));
            return None;
        };
        let mut filters = Self::new();
        for entry in entries(table) {
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            if entry.name.is_empty() || !entry.name.chars().all(is_name) {
                wrong.push((entry.at, "the name of a filter is letters, digits, - and _".into()));
                continue;
            }
            match String::from_scalar(entry.value.get_ref()).filter(|filter| !filter.trim().is_empty()) {
                Some(filter) => drop(filters.insert(entry.name.to_owned(), filter)),
                None => wrong.push((
                    entry.value.span(),
                    format!(
                        "{name}.{} must be a filter like \"risk:high agent:billing\", not {}",
                        entry.name,
                        in_words(entry.value.get_ref())
                    ),
                )),
            }
        }
        Some(filters)
    }
}

/// Several of a few words.
impl<W: Word> Value for Vec<W> {
    fn wanted() -> String {
        format!("a list of {}", listed(W::NAMES))
    }

    fn from_text(text: &str) -> Option<Self> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(W::parse).collect()
    }

    fn toml(&self) -> String {
        let words: Vec<_> = self.iter().map(|word| quoted(word.name())).collect();
        format!("[{}]", words.join(", "))
    }

    fn from_scalar(_: &DeValue<'_>) -> Option<Self> {
        None
    }

    fn words() -> &'static [&'static str] {
        W::NAMES
    }

    fn from_toml(name: &str, value: &Spanned<DeValue<'_>>, wrong: &mut Wrong) -> Option<Self> {
        let Some(list) = value.get_ref().as_array() else {
            wrong.push((value.span(), refused::<Self>(name, value.get_ref())));
            return None;
        };
        let mut words = Self::new();
        for item in list {
            match item.get_ref().as_str().and_then(W::parse) {
                Some(word) => words.push(word),
                None => wrong.push((item.span(), refused::<Self>(name, item.get_ref()))),
            }
        }
        Some(words)
    }
}
