//! The flags that say how the screen looks and feels, and what they make together with the config file and the
//! environment. What a colour is, the theme knows.

use crate::config::{self, Color, Config, Effective, Notify, Word, place};
use crate::console::app::{NotifyBy, Settings};
use crate::console::keymap::Keymap;
use crate::console::runtime::{self, Keyboard, TerminalError};
use crate::console::theme::Theme;
use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use std::io::{IsTerminal as _, stdin, stdout};
use std::path::PathBuf;

/// The flags that say how the screen looks and feels; the demo has them too. Each goes before the environment and the
/// config file; what holds where none says anything stands in `assets/config.toml`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Look {
    /// The config file [default: aegis-console/config.toml in the XDG config directory; AEGIS_CONSOLE_CONFIG names another]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Colour: `auto` obeys NO_COLOR [default: auto]
    #[arg(long, value_name = "WHEN", value_parser = PossibleValuesParser::new(Color::NAMES))]
    color: Option<String>,

    /// Draw with ASCII alone; by itself where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Line by line, with no screen: for screen readers, dumb terminals and logs; by itself where TERM is `dumb`
    #[arg(long)]
    plain: bool,

    /// Seconds for which an approval can be taken back before it is sent; 0 sends at once [default: 3]
    #[arg(long, value_name = "SECONDS", value_parser = |text: &str| config::accept("grace", text))]
    grace: Option<String>,

    /// Actions that an agent may ask in a minute; what it asks faster is gathered under one row [default: 60]
    #[arg(long, value_name = "ACTIONS", value_parser = |text: &str| config::accept("flood", text))]
    flood: Option<String>,

    /// Look, and decide nothing
    #[arg(long)]
    read_only: bool,
}

/// What the flags, the environment and the config file make together.
#[derive(Debug)]
pub(in crate::cli) struct Chosen {
    /// Every setting.
    pub(super) config: Config,
    theme: Theme,
    keymap: Keymap,
    plain: bool,
}

impl Look {
    /// Reads the config file and puts the layers over each other.
    ///
    /// # Errors
    /// Whatever is wrong in any of them; nothing of a config with a mistake is used.
    pub(in crate::cli) fn choose(&self) -> anyhow::Result<Chosen> {
        let Effective { config, .. } = self.resolve()?;
        let theme = theme(&config);
        let keymap = Keymap::shipped().context("the keymap that this program ships")?;
        Ok(Chosen { config, theme, keymap, plain: self.plain })
    }

    fn resolve(&self) -> Result<Effective, config::Mistakes> {
        let found = place::config_file(self.config.as_deref())?;
        let name = found.as_ref().map(|found| found.path.to_string_lossy().into_owned()).unwrap_or_default();
        let text = found.and_then(|found| found.text);
        let file = text.as_deref().map(|text| (name.as_str(), text));
        Effective::resolve(file, |name| std::env::var(name).ok(), &self.flags())
    }

    fn flags(&self) -> Vec<(&'static str, String)> {
        let given = [
            ("color", self.color.clone()),
            ("ascii", self.ascii.then(|| "true".into())),
            ("grace", self.grace.clone()),
            ("flood", self.flood.clone()),
            ("read_only", self.read_only.then(|| "true".into())),
        ];
        given.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }
}

impl Chosen {
    /// Whether there is to be no screen: it was asked for, or the terminal says that it cannot show one.
    pub(super) fn is_plain(&self) -> bool {
        self.plain || self.is_dumb()
    }

    /// Whether nothing is to be decided.
    pub(in crate::cli) fn is_read_only(&self) -> bool {
        self.config.read_only
    }

    /// Whether the terminal says that it cannot show a screen, and nobody had to ask for the plain mode.
    pub(super) fn is_dumb(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.plain && dumb && stdin().is_terminal() && stdout().is_terminal()
    }

    /// Whether there is what the console needs to be seen and used.
    ///
    /// # Errors
    /// What is missing, and what to do instead.
    pub(in crate::cli) fn check(&self, keyboard: Keyboard) -> Result<(), TerminalError> {
        if self.is_plain() { Ok(()) } else { runtime::check(keyboard) }
    }

    /// Everything of it that the screen goes by.
    pub(super) fn settings(&self) -> Settings {
        let config = self.config.clone();
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

fn theme(config: &Config) -> Theme {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = match config.color {
        Color::Auto => !set("NO_COLOR"),
        Color::Always => true,
        Color::Never => false,
    };
    Theme::new(colour, config.ascii || !utf8_locale())
}

/// Whether the terminal can be expected to draw more than ASCII: the first of LC_ALL, LC_CTYPE and LANG that is set
/// decides, and the Linux console has too few characters.
fn utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && set("TERM").as_deref() != Some("linux")
}
