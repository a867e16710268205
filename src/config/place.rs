//! Where the user's files are.

use crate::document::Mistakes;
use crate::document::file::{read, read_if_there};
use etcetera::BaseStrategy as _;
use std::path::{Path, PathBuf};

/// Names another config file.
pub const VARIABLE: &str = "AEGIS_CONSOLE_CONFIG";

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// What it holds; `None` where there is no such file.
    pub text: Option<String>,
}

/// `aegis-console` in the XDG config directory.
pub fn directory() -> Option<PathBuf> {
    etcetera::base_strategy::Xdg::new().ok().map(|base| base.config_dir().join("aegis-console"))
}

/// The path of the config file: what `--config` names, else what `AEGIS_CONSOLE_CONFIG` names, else `config.toml` in
/// [`directory`].
pub fn config_path(flag: Option<&Path>) -> Option<PathBuf> {
    named(flag).or_else(|| directory().map(|directory| directory.join("config.toml")))
}

fn named(flag: Option<&Path>) -> Option<PathBuf> {
    let variable = || std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    flag.map(Path::to_owned).or_else(variable)
}

/// Reads the config file at [`config_path`]. Where it was not named it may be missing.
///
/// # Errors
/// A file that was named is not there, or a file cannot be read.
pub fn config_file(flag: Option<&Path>) -> Result<Option<Found>, Mistakes> {
    let Some(path) = config_path(flag) else { return Ok(None) };
    let text = if named(flag).is_some() { Some(read(&path)?) } else { read_if_there(&path)? };
    Ok(Some(Found { path, text }))
}

/// The file that a setting names: `~/` is the home directory, and what is no absolute path is in `directory`.
pub fn resolved(path: &Path, directory: Option<&Path>) -> PathBuf {
    if let Ok(rest) = path.strip_prefix("~")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    directory.map_or_else(|| path.to_owned(), |directory| directory.join(path))
}
