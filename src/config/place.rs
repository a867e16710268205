//! Where the user's files are, and how they are read.

use super::mistake::{Mistake, Mistakes};
use etcetera::BaseStrategy as _;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Names another config file.
pub const VARIABLE: &str = "AEGIS_CONSOLE_CONFIG";
/// Nobody writes a longer one by hand; a file beyond it is the wrong file.
const LIMIT: u64 = 1024 * 1024;

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

/// Reads a file that was named.
///
/// # Errors
/// It is not there, is no file of text, or cannot be read.
pub fn read(path: &Path) -> Result<String, Mistakes> {
    let text = read_if_there(path)?;
    text.ok_or_else(|| Mistake::of(&path.to_string_lossy(), "there is no such file").into())
}

/// Reads a file that may be missing.
///
/// # Errors
/// It is there and is no file of text, or cannot be read.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Mistakes> {
    let name = path.to_string_lossy();
    let wrong = |message: String| Mistakes::from(Mistake::of(&name, message));
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(LIMIT + 1).read_to_end(&mut bytes) {
        return Err(wrong(format!("cannot be read: {error}")));
    }
    if bytes.len() as u64 > LIMIT {
        return Err(wrong("is longer than 1 MiB, which no file of this kind is".into()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            Err(wrong(format!("is not UTF-8 (line {line})")))
        }
    }
}
