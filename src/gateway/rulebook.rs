//! The rules in force: read from their file at the start and again when asked, whole or not at all.
//!
//! A mistake at the start keeps the gateway from starting. Later it leaves the rules that are in force as they are: a slip
//! of the pen must not open the door. What a rule says is not known here.

use super::rules::Rules;
use super::store::RulesText;
use crate::document::{Mistake, Mistakes, file};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The name of the file in the data directory.
pub(crate) const FILE: &str = "rules.toml";

/// The rules and their file.
#[derive(Debug)]
pub(crate) struct Rulebook {
    file: PathBuf,
    /// Whether the file was named; one that was not may be missing.
    named: bool,
    held: RwLock<Held>,
}

/// What was read of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) rules: Arc<Rules>,
    /// The text, byte for byte; empty where there is no file.
    text: Arc<str>,
}

impl Rulebook {
    /// Reads the file that was named, else `rules.toml` in the data directory where it is there.
    pub(crate) fn open(named: Option<&Path>, data: &Path) -> Result<Self, Mistakes> {
        let file = named.map_or_else(|| data.join(FILE), Path::to_owned);
        let held = RwLock::new(read(&file, named.is_some())?);
        Ok(Self { file, named: named.is_some(), held })
    }

    /// Reads the file again, and changes nothing yet.
    pub(crate) fn read(&self) -> Result<Held, Mistakes> {
        read(&self.file, self.named)
    }

    /// Puts what was read in force.
    pub(crate) fn put(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// What was read, for the audit log.
    pub(crate) fn told(&self, held: &Held) -> RulesText {
        let file = self.file.to_string_lossy().into_owned();
        RulesText { file, text: Arc::clone(&held.text), count: held.rules.len() }
    }

    /// What is in force now.
    pub(crate) fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file, there or not.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

fn read(path: &Path, named: bool) -> Result<Held, Mistakes> {
    let text = if named { Some(file::read(path)?) } else { file::read_if_there(path)? };
    let Some(text) = text else { return Ok(Held::default()) };
    let source = path.to_string_lossy();
    // Whoever can write here can let anything run.
    let anybody = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o002 != 0);
    if anybody {
        let message =
            "can be written by anybody on this machine, who could then allow anything: run chmod o-w on it";
        return Err(Mistake::of(&source, message).into());
    }
    let rules = Arc::new(Rules::read(&source, &text)?);
    Ok(Held { rules, text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    const ONE: &str = "[[rule]]\nname = \"one\"\nreviewers = 2\n";

    #[test]
    fn a_mistake_leaves_the_old_rules_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let book = Rulebook::open(None, dir.path()).unwrap();
        assert!(book.held().rules.is_empty(), "there is no file, and none was named");
        std::fs::write(&file, ONE).unwrap();
        assert!(book.held().rules.is_empty(), "not before it is asked to");
        book.put(book.read().unwrap());
        assert_eq!(book.held().rules.len(), 1);
        assert_eq!(&*book.told(&book.held()).text, ONE);
        std::fs::write(&file, format!("{ONE}alow = true\n")).unwrap();
        let mistakes = book.read().unwrap_err().to_string();
        assert!(
            mistakes.contains("rules.toml:4:1: ") && mistakes.contains("did you mean allow?"),
            "{mistakes}"
        );
        assert_eq!(book.held().rules.len(), 1);
        std::fs::remove_file(&file).unwrap();
        assert!(book.read().unwrap().rules.is_empty());
    }

    #[test]
    fn a_file_that_was_named_must_be_there_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine.toml");
        let open = || Rulebook::open(Some(&file), dir.path()).map(|book| book.held().rules.len());
        assert!(open().unwrap_err().to_string().contains("no such file"));
        std::fs::write(&file, ONE).unwrap();
        assert_eq!(open(), Ok(1));
        std::fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        assert!(open().unwrap_err().to_string().contains("chmod o-w"));
    }
}
