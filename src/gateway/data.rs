//! The data directory: its mode, its lock, the token files. Nothing in it is touched before the lock is held.

use super::auth;
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why the data directory could not be used. What was in it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be created or written.
    #[error("cannot use {} as data directory: {why}; choose one that you can write with --data", path.display())]
    Directory {
        /// The directory or the file in it.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Others can read it, and it holds things that are not the gateway's.
    #[error("{} can be read by others and holds other files; choose an empty directory with --data, or run chmod 700 on it", .0.display())]
    Open(PathBuf),
    /// Another gateway runs on it.
    #[error("another gateway runs on {}; stop it, or choose another directory with --data", .0.display())]
    Locked(PathBuf),
    /// A token file holds no token.
    #[error("{} holds no token of 64 hex digits; delete it and start again for a new one", .0.display())]
    Token(PathBuf),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a token: {0}")]
    Random(getrandom::Error),
}

/// The directory, locked.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held by whoever writes, to the last byte.
    pub(crate) lock: File,
}

impl DataDir {
    /// Creates the directory with mode 0700 where it is not there, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let error = |why| DataError::Directory { path: path.to_owned(), why };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(error)?;
        close_to_others(path)?;
        let file = path.join("lock");
        let lock =
            private().read(true).write(true).create(true).truncate(false).open(&file).map_err(error)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::Locked(path.to_owned())),
            Err(TryLockError::Error(why)) => Err(error(why)),
        }
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The token in that file; at the first start a fresh one is put there, mode 0600.
    pub(crate) fn token(&self, name: &str) -> Result<SecretString, DataError> {
        let path = self.file(name);
        let error = |why| DataError::Directory { path: path.clone(), why };
        match OpenOptions::new().read(true).open(&path) {
            Ok(file) => read_token(&path, file),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                let token = auth::fresh_token().map_err(DataError::Random)?;
                // Whole or not at all: a start that is cut short must not leave an empty file.
                let temporary = self.file(&format!("{name}.new"));
                let write = || {
                    let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
                    writeln!(file, "{}", token.expose_secret())?;
                    file.sync_all()?;
                    std::fs::rename(&temporary, &path)?;
                    File::open(&self.path)?.sync_all()
                };
                write().map_err(error)?;
                Ok(token)
            }
            Err(why) => Err(error(why)),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn read_token(path: &Path, mut file: File) -> Result<SecretString, DataError> {
    let bad = || DataError::Token(path.to_owned());
    let error = |why| DataError::Directory { path: path.to_owned(), why };
    file.set_permissions(Permissions::from_mode(0o600)).map_err(error)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|_| bad())?;
    let token = text.trim();
    let whole = token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { Ok(token.to_owned().into()) } else { Err(bad()) }
}

/// A directory that is ours alone, or can be made so without taking it from anybody.
fn close_to_others(path: &Path) -> Result<(), DataError> {
    let error = |why| DataError::Directory { path: path.to_owned(), why };
    let mode = std::fs::metadata(path).map_err(error)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let ours = path.join("lock").exists() || std::fs::read_dir(path).map_err(error)?.next().is_none();
    if !ours {
        return Err(DataError::Open(path.to_owned()));
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(error)
}
