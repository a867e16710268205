//! The flags that say how the screen looks and feels. What they make together with the config file and the environment
//! is in `cli/config`; what a colour is, the theme knows.

use crate::cli::config::Chosen;
use crate::config::{Color, Word, accept};
use crate::console::runtime::{self, Keyboard, TerminalError};
use crate::document::Mistakes;
use clap::builder::PossibleValuesParser;
use std::io::{IsTerminal as _, stdin, stdout};
use std::path::{Path, PathBuf};

/// The flags that say how the screen looks and feels; the demo has them too. Each goes before the environment and the
/// config file; what holds where none says anything stands in `assets/config.toml`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Look {
    /// The config file [default: aegis-console/config.toml in the XDG config directory; AEGIS_CONSOLE_CONFIG names another]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// dark, light, high-contrast, colour-blind, none (no colour), or a theme file [default: auto]
    #[arg(long, value_name = "NAME|FILE", value_parser = |text: &str| accept("theme", text))]
    theme: Option<String>,

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
    #[arg(long, value_name = "SECONDS", value_parser = |text: &str| accept("grace", text))]
    grace: Option<String>,

    /// Actions that an agent may ask in a minute; what it asks faster is gathered under one row [default: 60]
    #[arg(long, value_name = "ACTIONS", value_parser = |text: &str| accept("flood", text))]
    flood: Option<String>,

    /// Look, and decide nothing
    #[arg(long)]
    read_only: bool,
}

impl Look {
    /// Reads the user's files and puts the layers over each other.
    ///
    /// # Errors
    /// Whatever is wrong in any of them; nothing of a config with a mistake is used.
    pub(in crate::cli) fn choose(&self) -> Result<Chosen, Mistakes> {
        Chosen::of(self.config.as_deref(), &self.flags())
    }

    /// What `--config` names.
    pub(in crate::cli) fn config_flag(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    fn flags(&self) -> Vec<(&'static str, String)> {
        let given = [
            ("theme", self.theme.clone()),
            ("color", self.color.clone()),
            ("ascii", self.ascii.then(|| "true".into())),
            ("plain", self.plain.then(|| "true".into())),
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
        self.config().plain || self.is_dumb()
    }

    /// Whether nothing is to be decided.
    pub(in crate::cli) fn is_read_only(&self) -> bool {
        self.config().read_only
    }

    /// Whether the terminal says that it cannot show a screen, and nobody had to ask for the plain mode.
    pub(super) fn is_dumb(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.config().plain && dumb && stdin().is_terminal() && stdout().is_terminal()
    }

    /// Whether there is what the console needs to be seen and used.
    ///
    /// # Errors
    /// What is missing, and what to do instead.
    pub(in crate::cli) fn check(&self, keyboard: Keyboard) -> Result<(), TerminalError> {
        if self.is_plain() { Ok(()) } else { runtime::check(keyboard) }
    }
}
