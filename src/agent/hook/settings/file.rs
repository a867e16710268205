//! The settings file itself: read once, replaced whole by a rename or not at all. It must not know what stands in it.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Longer than any settings; a file beyond it is another file.
const LIMIT: u64 = 4 * 1024 * 1024;

/// A settings file as it was when it was opened.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    /// What stood in it, and who may read it; `None` where there is none.
    found: Option<(String, Permissions)>,
}

impl SettingsFile {
    /// Reads the file of that name, or remembers that there is none. Where the name is a link, the file that it leads to is
    /// meant: whoever keeps settings elsewhere keeps them there.
    ///
    /// # Errors
    /// It is there and cannot be read, is no text, or is larger than 4 MiB; or the link leads nowhere.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = match fs::symlink_metadata(path) {
            Ok(_) => fs::canonicalize(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), found: None });
            }
            Err(error) => return Err(error),
        };
        let file = File::open(&path)?;
        let permissions = file.metadata()?.permissions();
        let mut text = String::new();
        file.take(LIMIT + 1).read_to_string(&mut text)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > LIMIT) {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is larger than 4 MiB: it is another file",
            ));
        }
        Ok(Self { path, found: Some((text, permissions)) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it; an empty object where nothing does.
    pub fn text(&self) -> &str {
        match &self.found {
            Some((text, _)) if !text.trim().is_empty() => text,
            _ => "{}\n",
        }
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.found.is_some()
    }

    /// Puts the new text in its place: who may read it stays, and at every moment the whole of one of the two is there.
    ///
    /// # Errors
    /// It cannot be written, or somebody has changed it since it was opened. Then it is as it was.
    pub fn replace(&self, text: &str) -> io::Result<()> {
        let directory =
            self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut new = tempfile::Builder::new().prefix(".aegis-console-").tempfile_in(directory)?;
        new.write_all(text.as_bytes())?;
        if let Some((_, permissions)) = &self.found {
            new.as_file().set_permissions(permissions.clone())?;
        }
        new.as_file().sync_all()?;
        let changed = || io::Error::other("another program has changed it meanwhile: try again");
        let Some((old, _)) = &self.found else {
            return new.persist_noclobber(&self.path).map(|_| ()).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => changed(),
                _ => error.error,
            });
        };
        if fs::read(&self.path)? != old.as_bytes() {
            return Err(changed());
        }
        new.persist(&self.path).map(|_| ()).map_err(|error| error.error)
    }
}
