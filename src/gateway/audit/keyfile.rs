//! The key files in the data directory: `audit.key`, which signs and is nobody else's, and `audit.pub`, which checks and is
//! to be kept elsewhere too. What is in them is `key`'s.

use super::key::{PublicKey, SecretKey};
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file with the key that signs.
pub const SECRET: &str = "audit.key";
/// The file with the keys that check, one a line.
pub const PUBLIC: &str = "audit.pub";
/// The longest key file that is read.
const LONGEST: u64 = 64 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use {} for the keys of the audit log: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no key of an audit log; put the file back, or move it away for a new key", .0.display())]
    NoKey(PathBuf),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for the key of the audit log: {0}")]
    Random(getrandom::Error),
}

/// The key that signs; at the first start a fresh one is put there. The public half is added to its own file where it is
/// not in it: keys that were there before still check what they signed.
///
/// # Errors
/// [`KeyError`], where there is no key then.
pub fn secret(directory: &Path) -> Result<SecretKey, KeyError> {
    let path = directory.join(SECRET);
    let key = match read(&path) {
        Ok(text) => {
            let error = |why| KeyError::File { path: path.clone(), why };
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(error)?;
            SecretKey::parse(text.expose_secret()).ok_or(KeyError::NoKey(path))?
        }
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            let key = fresh()?;
            let text: SecretString = format!("{}\n", key.reveal()).into();
            write(&path, text.expose_secret())?;
            key
        }
        Err(why) => return Err(KeyError::File { path, why }),
    };
    let public = directory.join(PUBLIC);
    let mut keys = if public.exists() { public_keys(&public)? } else { Vec::new() };
    if !keys.contains(&key.public()) {
        keys.push(key.public());
        write(&public, &keys.iter().map(|key| format!("{key}\n")).collect::<String>())?;
    }
    Ok(key)
}

/// The keys in a file, one a line.
///
/// # Errors
/// [`KeyError`], where it cannot be read or a line of it is none.
pub fn public_keys(path: &Path) -> Result<Vec<PublicKey>, KeyError> {
    let text = read(path).map_err(|why| KeyError::File { path: path.to_owned(), why })?;
    let lines = text.expose_secret().lines().filter(|line| !line.trim().is_empty());
    let keys: Option<Vec<_>> = lines.map(PublicKey::parse).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| KeyError::NoKey(path.to_owned()))
}

fn fresh() -> Result<SecretKey, KeyError> {
    let (mut seed, mut name) = ([0; 32], [0; 8]);
    getrandom::fill(&mut seed).and_then(|()| getrandom::fill(&mut name)).map_err(KeyError::Random)?;
    // The name tells logs apart; it is no secret.
    let name = format!("aegis-console/audit/{:016x}", u64::from_be_bytes(name));
    SecretKey::new(&name, &seed).ok_or_else(|| KeyError::NoKey(PathBuf::from(SECRET)))
}

fn read(path: &Path) -> io::Result<SecretString> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text.into())
}

/// Whole or not at all: a start that is cut short must not leave an empty file.
fn write(path: &Path, text: &str) -> Result<(), KeyError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|why| KeyError::File { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let first = secret(dir.path()).unwrap();
        let path = dir.path().join(SECRET);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(secret(dir.path()).unwrap().public(), first.public());
        assert_eq!(public_keys(&dir.path().join(PUBLIC)).unwrap(), [first.public()]);
        // A new key does not make the old one's checkpoints worthless.
        std::fs::remove_file(&path).unwrap();
        let second = secret(dir.path()).unwrap();
        assert_ne!(second.public(), first.public());
        assert_eq!(public_keys(&dir.path().join(PUBLIC)).unwrap(), [first.public(), second.public()]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_file_that_holds_no_key_is_named_and_its_text_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "PRIVATE+KEY+x+00000000+c2VjcmV0\n"] {
            std::fs::write(dir.path().join(SECRET), text).unwrap();
            let error = secret(dir.path()).unwrap_err().to_string();
            assert!(error.contains(SECRET) && !error.contains("c2VjcmV0"), "{error}");
        }
        std::fs::write(dir.path().join(PUBLIC), "none\n").unwrap();
        assert!(public_keys(&dir.path().join(PUBLIC)).unwrap_err().to_string().contains(PUBLIC));
        assert!(public_keys(&dir.path().join("no.pub")).unwrap_err().to_string().contains("no.pub"));
    }
}
