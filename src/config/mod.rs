//! What the user has set: the config file, the environment, the flags, and what holds where nothing is said.
//!
//! Pure, but for [`place`], which knows where files are and reads them. What a setting does is not known here: the
//! command line hands the values on. A mistake never ends in half a config: everything is read, every mistake is named
//! with file, line and what was meant, and nothing comes up.
//!
//! | file | what it owns |
//! |---|---|
//! | `settings` | the table of settings: name, kind, default |
//! | `value` | kinds of values |
//! | `word` | the few words that some of them may be |
//! | `layers` | flags before the environment, before the file, before the defaults |
//! | `place` | the files: XDG, `--config`, `AEGIS_CONSOLE_CONFIG` |

mod layers;
pub mod place;
mod settings;
#[cfg(test)]
mod tests;
mod value;
mod word;

pub use layers::{Effective, Origin, accept, variable_name};
pub use settings::Config;
pub use value::{Filters, Percent, Server, THEMES, ThemeName};
pub use word::{Clipboard, Color, Group, Highlight, Notify, Occasion, Order, Word};

/// The config file with every setting, its default and what it does: what `config init` writes.
pub const DEFAULTS: &str = include_str!("../../assets/config.toml");
