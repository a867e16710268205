//! Theme files: a style for each role, laid over one of the shipped themes.

use super::colour::Depth;
use super::role::{Role, Voice};
use super::style::Words;
use super::{Theme, symbols};
use crate::document::{Document, Entry, Mistakes, did_you_mean, entries, in_words, nearest};
use crate::domain::Visible;
use ratatui::style::Style;
use std::ops::Range;

/// The themes that the program ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shipped {
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// Nothing dim, nothing that only a colour tells; for any background.
    HighContrast,
    /// Blue and yellow alone: red is never told from green.
    ColourBlind,
    /// No colour at all.
    None,
}

impl Shipped {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind, Self::None];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::None => "none",
        }
    }

    /// The theme of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// Its file. The one of the dark theme says what can be set.
    pub fn text(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../../../assets/theme.toml"),
            Self::Light => include_str!("../../../assets/themes/light.toml"),
            Self::HighContrast => include_str!("../../../assets/themes/high-contrast.toml"),
            Self::ColourBlind => include_str!("../../../assets/themes/colour-blind.toml"),
            Self::None => include_str!("../../../assets/themes/none.toml"),
        }
    }
}

/// A theme file that has been read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The theme.
    pub theme: Theme,
    /// What this terminal does not have of it, in words, role by role.
    pub instead: Vec<String>,
}

type Styles = [Style; Role::ALL.len()];
type Places = [Option<Range<usize>>; Role::ALL.len()];

pub(super) fn shipped(which: Shipped, depth: Depth) -> Result<Styles, Mistakes> {
    let plain = [Words::PLAIN; Role::ALL.len()];
    let (styles, _) = read(which.name(), which.text(), |_| Ok(plain))?;
    Ok(styles.map(|style| style.on(depth).0))
}

impl Read {
    /// Reads a user's theme file, for a terminal with so many colours.
    ///
    /// # Errors
    /// Everything that is wrong in it, a style of the agent's words that is the console's own among it.
    pub fn of(source: &str, text: &str, depth: Depth) -> Result<Self, Mistakes> {
        let base = std::cell::Cell::new(Shipped::Dark);
        let (words, places) = read(source, text, |which| {
            base.set(which);
            Ok(read(which.name(), which.text(), |_| Ok([Words::PLAIN; Role::ALL.len()]))?.0)
        })?;
        let mut instead = Vec::new();
        let mut styles = [Style::new(); Role::ALL.len()];
        for (role, words) in Role::ALL.into_iter().zip(words) {
            let (style, note) = words.on(depth);
            styles[role as usize] = style;
            // What the file leaves to its base is the base's business.
            let note = note.filter(|_| places[role as usize].is_some());
            instead.extend(note.map(|note| format!("{}: {note}", role.name())));
        }
        if let Some((role, own)) = alike(&styles) {
            // The file is right and the terminal has too few colours for it: whose words stand there goes first.
            let base = base.get();
            instead.push(format!(
                "{} would look like {}: the theme {} is used instead",
                role.name(),
                own.name(),
                base.name()
            ));
            styles = shipped(base, depth)?;
        }
        Ok(Self { theme: Theme { styles, symbols: symbols::LIGHT }, instead })
    }
}

/// A role of foreign words that looks like one of the console's own.
fn alike<S: PartialEq>(styles: &[S; Role::ALL.len()]) -> Option<(Role, Role)> {
    let own = |role: Role| Role::of(Voice::Own).find(|own| styles[*own as usize] == styles[role as usize]);
    Role::of(Voice::Foreign).find_map(|role| Some((role, own(role)?)))
}

type AllWords = [Words; Role::ALL.len()];

fn read(
    source: &str,
    text: &str,
    base: impl FnOnce(Shipped) -> Result<AllWords, Mistakes>,
) -> Result<(AllWords, Places), Mistakes> {
    let (mut document, table) = Document::parse(source, text);
    let entries = entries(&table);
    let named = entries.iter().find(|entry| entry.name == "base");
    let mut words = base(named.and_then(|entry| read_base(&mut document, entry)).unwrap_or(Shipped::Dark))?;
    let mut places: Places = std::array::from_fn(|_| None);
    for entry in entries.iter().filter(|entry| entry.name != "base") {
        let Some(role) = Role::parse(entry.name) else {
            let shown = Visible::head(entry.name, 40).plain();
            let known = Role::ALL.map(Role::name);
            let meant = match nearest(entry.name, known.into_iter().chain(["base"])) {
                Some(near) => format!(": did you mean {near}?"),
                None => format!("; there are base, {}", known.join(", ")),
            };
            document.wrong(&entry.at, format!("{shown} is nothing that has a style{meant}"));
            continue;
        };
        let at = entry.value.span();
        places[role as usize] = Some(at.clone());
        match entry.value.get_ref().as_str().map(Words::parse) {
            Some(Ok(style)) => words[role as usize] = style,
            // Behind the quote; where the text has escapes the caret may be off, the line is right.
            Some(Err((from, length, why))) => {
                let from = at.start + 1 + from;
                document.wrong(&(from..from + length), why);
            }
            None => {
                let found = in_words(entry.value.get_ref());
                document
                    .wrong(&at, format!("{} must be a style like \"bold red\", not {found}", role.name()));
            }
        }
    }
    let apart = alike(&words);
    if let Some((role, own)) = apart
        && let Some(at) = places[role as usize].as_ref().or(places[own as usize].as_ref())
    {
        document.wrong(
            at,
            format!(
                "{} and {} are both \"{}\": an agent's words must not look like the console's own",
                role.name(),
                own.name(),
                super::style::words(words[role as usize].on(Depth::True).0)
            ),
        );
    }
    document.finish().map(|()| (words, places))
}

fn read_base(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Shipped> {
    let base = entry.value.get_ref().as_str().and_then(Shipped::parse);
    if base.is_none() {
        let names = Shipped::ALL.map(Shipped::name);
        let found = in_words(entry.value.get_ref());
        let meant = entry.value.get_ref().as_str().map(|name| did_you_mean(name, names)).unwrap_or_default();
        document.wrong(
            &entry.value.span(),
            format!("base must be one of {}, not {found}{meant}", names.join(", ")),
        );
    }
    base
}
