//! What the flags, the environment and the user's files make together, read once at the start.

use crate::config::place::{self, Found};
use crate::config::{Color, Config, Effective, Notify, Origin};
use crate::console::app::{NotifyBy, Settings};
use crate::console::keymap::Keymap;
use crate::console::theme::{Depth, Read, Shipped, Theme};
use crate::document::{Mistake, Mistakes, file};
use std::path::{Path, PathBuf};

/// Everything that the user has chosen.
#[derive(Debug)]
pub(in crate::cli) struct Chosen {
    /// Every setting, and where each comes from.
    pub(in crate::cli) effective: Effective,
    /// The config file that was looked for.
    pub(super) file: Option<Found>,
    /// The theme file, where one is in use.
    pub(super) theme_file: Option<PathBuf>,
    /// The name of the theme.
    pub(super) theme_name: String,
    /// What of the theme this terminal does not have.
    pub(super) instead: Vec<String>,
    pub(super) theme: Theme,
    /// The keymap file that was looked for.
    pub(super) keymap_file: Option<Found>,
    pub(super) keymap: Keymap,
}

/// The variables that say what the terminal can do.
struct Terminal {
    term: String,
    colorterm: String,
    background: String,
    no_color: bool,
}

impl Terminal {
    fn of_environment() -> Self {
        let set = |name| std::env::var(name).unwrap_or_default();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { term: set("TERM"), colorterm: set("COLORTERM"), background: set("COLORFGBG"), no_color }
    }

    /// How many colours to use.
    fn depth(&self, color: Color) -> Depth {
        let depth = Depth::of(&self.term, &self.colorterm);
        match color {
            Color::Never => Depth::None,
            Color::Auto if self.no_color => Depth::None,
            Color::Auto => depth,
            Color::Always => depth.max(Depth::Eight),
        }
    }

    /// Which theme suits: some terminals tell their background, as a number of a colour behind the last `;`.
    fn suits(&self) -> Shipped {
        match self.background.rsplit(';').next() {
            Some("7" | "15") => Shipped::Light,
            _ => Shipped::Dark,
        }
    }
}

impl Chosen {
    /// Reads the files and puts the layers over each other.
    ///
    /// # Errors
    /// Everything that is wrong in any of them; nothing of a config with a mistake is used.
    pub(in crate::cli) fn of(
        config: Option<&Path>,
        flags: &[(&'static str, String)],
    ) -> Result<Self, Mistakes> {
        let file = place::config_file(config)?;
        let name = file.as_ref().map(|found| found.path.to_string_lossy().into_owned()).unwrap_or_default();
        let text = file.as_ref().and_then(|found| found.text.as_deref());
        let layer = text.map(|text| (name.as_str(), text));
        let mut mistakes = Vec::new();
        // A mistake in one file keeps none in another from being told.
        let resolved = Effective::resolve(layer, |name| std::env::var(name).ok(), flags);
        let mut effective = resolved.unwrap_or_else(|wrong| {
            mistakes.extend(wrong);
            Effective::default()
        });
        let directory = file.as_ref().and_then(|found| found.path.parent()).map(Path::to_owned);
        for name in ["keymap", "review.token_file", "review.ca_file", "review.journal"] {
            let directory = directory.as_deref().filter(|_| effective.is_from_file(name));
            let config = &mut effective.config;
            let path = match name {
                "keymap" => &mut config.keymap,
                "review.token_file" => &mut config.token_file,
                "review.ca_file" => &mut config.ca_file,
                _ => &mut config.journal,
            };
            *path = path.as_deref().map(|path| place::resolved(path, directory));
        }
        if directory.is_none() && effective.origin("keymap") == &Origin::Default {
            // Without a home there is no file of the user's, and what lies where one happens to be is none.
            effective.config.keymap = None;
        }
        let theme_directory = directory.as_deref().filter(|_| effective.is_from_file("theme"));
        let looks = Looks::of(&effective.config, theme_directory, &Terminal::of_environment());
        let looks = looks.unwrap_or_else(|wrong| {
            mistakes.extend(wrong);
            Looks::default()
        });
        let (keymap_file, keymap) = keymap(&effective).unwrap_or_else(|wrong| {
            mistakes.extend(wrong);
            (None, None)
        });
        Mistakes::none_in(mistakes)?;
        let keymap = keymap.ok_or_else(|| Mistake::of("the keymap", "that this program ships is damaged"))?;
        let Looks { theme, file: theme_file, name: theme_name, instead } = looks;
        Ok(Self { effective, file, theme_file, theme_name, instead, theme, keymap_file, keymap })
    }

    /// The settings.
    pub(in crate::cli) fn config(&self) -> &Config {
        &self.effective.config
    }

    /// Everything of it that the screen goes by.
    pub(in crate::cli) fn settings(&self) -> Settings {
        let config = self.effective.config.clone();
        Settings {
            grace: config.grace,
            flood_limit: usize::try_from(config.flood.get()).unwrap_or(usize::MAX),
            read_only: config.read_only,
            order: config.order,
            group: config.group,
            filters: config.filters,
            split: config.split,
            highlight: config.highlight,
            mouse: config.mouse,
            title: config.title,
            bell: config.notify != Notify::None,
            notify: match config.notify {
                Notify::Osc9 => Some(NotifyBy::Osc9),
                Notify::Osc777 => Some(NotifyBy::Osc777),
                Notify::Osc99 => Some(NotifyBy::Osc99),
                Notify::Bell | Notify::None => None,
            },
            notify_on: config.notify_on,
            clipboard: config.clipboard,
            ..Settings::new(self.theme.clone(), self.keymap.clone())
        }
    }
}

/// The theme, and where it is from.
struct Looks {
    theme: Theme,
    file: Option<PathBuf>,
    name: String,
    instead: Vec<String>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { theme: Theme::new(false, true), file: None, name: String::new(), instead: Vec::new() }
    }
}

impl Looks {
    fn of(config: &Config, directory: Option<&Path>, terminal: &Terminal) -> Result<Self, Mistakes> {
        let depth = terminal.depth(config.color);
        let ascii = config.ascii || !utf8_locale();
        let file = config.theme.file().map(|file| place::resolved(&file, directory));
        // Read even where it is not drawn: a mistake in it does not wait for another terminal.
        let read = match &file {
            Some(path) => {
                let text = file::read(path)?;
                Some(Read::of(&path.to_string_lossy(), &text, depth.max(Depth::Eight))?)
            }
            None => None,
        };
        let shipped = match Shipped::parse(&config.theme.0) {
            _ if depth == Depth::None => Shipped::None,
            Some(shipped) => shipped,
            None => terminal.suits(),
        };
        let name = shipped.name().to_owned();
        let (theme, name, instead) = match read {
            Some(Read { theme, instead }) if depth != Depth::None => (theme, config.theme.0.clone(), instead),
            _ => (Theme::shipped(shipped, depth), name, Vec::new()),
        };
        Ok(Self { theme: theme.in_ascii(ascii), file, name, instead })
    }
}

type FoundKeymap = (Option<Found>, Option<Keymap>);

/// The shipped keymap, with the user's laid over it. The file with the usual name may be missing.
fn keymap(effective: &Effective) -> Result<FoundKeymap, Mistakes> {
    let shipped = Keymap::shipped()?;
    let Some(path) = effective.config.keymap.clone() else { return Ok((None, Some(shipped))) };
    let is_usual =
        effective.is_from_file("keymap") && path.file_name().is_some_and(|name| name == "keymap.toml");
    let text = if is_usual { file::read_if_there(&path)? } else { Some(file::read(&path)?) };
    let keymap = match &text {
        Some(text) => shipped.with(&path.to_string_lossy(), text)?,
        None => shipped,
    };
    Ok((Some(Found { path, text }), Some(keymap)))
}

/// Whether the terminal can be expected to draw more than ASCII: the first of LC_ALL, LC_CTYPE and LANG that is set
/// decides, and the Linux console has too few characters.
fn utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && set("TERM").as_deref() != Some("linux")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(term: &str, colorterm: &str, background: &str, no_color: bool) -> Terminal {
        let own = str::to_owned;
        Terminal { term: own(term), colorterm: own(colorterm), background: own(background), no_color }
    }

    #[test]
    fn no_color_and_terminals_without_colours_get_none_unless_colour_is_asked_for() {
        for (color, term, no_color, name) in [
            (Color::Auto, "xterm-256color", false, "dark"),
            (Color::Auto, "xterm-256color", true, "none"),
            (Color::Auto, "vt100", false, "none"),
            (Color::Never, "xterm-256color", false, "none"),
            (Color::Always, "xterm-256color", true, "dark"),
            (Color::Always, "vt100", true, "dark"),
        ] {
            let config = Config { color, ..Config::default() };
            let looks = Looks::of(&config, None, &terminal(term, "", "", no_color)).unwrap();
            assert_eq!(looks.name, name, "{color:?} {term} {no_color}");
        }
    }

    #[test]
    fn a_background_that_the_terminal_tells_chooses_the_theme_unless_one_is_named() {
        for (theme, background, name) in [
            ("auto", "", "dark"),
            ("auto", "15;0", "dark"),
            ("auto", "0;15", "light"),
            ("auto", "0;default;7", "light"),
            ("dark", "0;15", "dark"),
            ("colour-blind", "0;15", "colour-blind"),
        ] {
            let theme = crate::config::ThemeName(theme.into());
            let config = Config { theme, ..Config::default() };
            let looks = Looks::of(&config, None, &terminal("xterm-256color", "", background, false)).unwrap();
            assert_eq!(looks.name, name);
        }
    }

    #[test]
    fn every_theme_that_the_config_can_name_is_there() {
        let shipped = Shipped::ALL.map(Shipped::name);
        assert_eq!(crate::config::THEMES.iter().skip(1).copied().collect::<Vec<_>>(), shipped);
    }
}
