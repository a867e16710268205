//! Every setting: its name, its kind, and what holds where nothing is said. One table makes the file's reader, the
//! variables, `config show`, and the test that `assets/config.toml` names them all.

use super::value::{Filters, Percent, Server, ThemeName, Value, Wrong};
use super::word::{Clipboard, Color, Group, Highlight, Notify, Occasion, Order};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// One setting, of whatever kind.
pub(super) struct Setting {
    /// Its name in the file; a dot stands between a table and a key.
    pub(super) name: &'static str,
    /// What may stand there, in words.
    pub(super) wanted: fn() -> String,
    /// Takes it from TOML.
    pub(super) read: fn(&mut Config, &Spanned<DeValue<'_>>, &mut Wrong) -> bool,
    /// Takes it from a flag or a variable.
    pub(super) take: fn(&mut Config, &str) -> bool,
    /// Writes it as TOML.
    pub(super) toml: fn(&Config) -> String,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident, $name:literal: $kind:ty = $default:expr;)*) => {
        /// Every setting with its value.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config { $($(#[$doc])* pub $field: $kind,)* }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        /// Every setting, in the order in which they are shown.
        pub(super) const SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            wanted: <$kind>::wanted,
            read: |config, value, wrong| {
                let read = <$kind>::from_toml($name, value, wrong);
                let is_read = read.is_some();
                config.$field = read.unwrap_or($default);
                is_read
            },
            take: |config, text| {
                let read = <$kind>::from_text(text);
                let is_read = read.is_some();
                config.$field = read.unwrap_or($default);
                is_read
            },
            toml: |config| config.$field.toml(),
        },)*];
    };
}

settings! {
    /// The name of a theme, or a theme file.
    theme, "theme": ThemeName = ThemeName("auto".into());
    /// When to use colour.
    color, "color": Color = Color::Auto;
    /// Whether to draw with ASCII alone.
    ascii, "ascii": bool = false;
    /// Whether there is to be no screen, but a line for each fact.
    plain, "plain": bool = false;
    /// The file of the user's keys.
    keymap, "keymap": Option<PathBuf> = Some("keymap.toml".into());
    /// How long an approval can be taken back.
    grace, "grace": Duration = Duration::from_secs(3);
    /// How often an agent may ask in a minute before the rest is gathered under one row.
    flood, "flood": NonZeroU32 = FLOOD;
    /// Whether decisions are out of reach.
    read_only, "read_only": bool = false;
    /// What stands first in the list.
    order, "order": Order = Order::Deadline;
    /// What stands together in the list.
    group, "group": Group = Group::None;
    /// The list's part of a wide screen.
    split, "split": Percent = Percent::LIST;
    /// How the row under the cursor is shown.
    highlight, "highlight": Highlight = Highlight::Gutter;
    /// Whether the mouse selects and scrolls.
    mouse, "mouse": bool = false;
    /// Whether the terminal's title tells the counts.
    title, "title": bool = true;
    /// How attention is asked for.
    notify, "notify": Notify = Notify::Bell;
    /// What attention is asked for.
    notify_on, "notify_on": Vec<Occasion> = vec![Occasion::Conflict, Occasion::Refusal, Occasion::Expiry];
    /// How a copied text gets to the clipboard.
    clipboard, "clipboard": Clipboard = Clipboard::Auto;
    /// Filters by name.
    filters, "filters": Filters = Filters::new();
    /// The server that `review` asks.
    server, "review.server": Server = Server(None);
    /// The file with the server's API key.
    token_file, "review.token_file": Option<PathBuf> = None;
    /// The file with the certificates of the authorities that are trusted.
    ca_file, "review.ca_file": Option<PathBuf> = None;
    /// The file in which decisions are kept.
    journal, "review.journal": Option<PathBuf> = None;
}

/// Actions an agent may ask in a minute.
const FLOOD: NonZeroU32 = match NonZeroU32::new(60) {
    Some(flood) => flood,
    None => NonZeroU32::MIN,
};
