//! What can be wrong with a journal. Each message names the file and says what to do, and holds no secret.

use super::stage::Stage;
use crate::domain::Visible;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Why the journal could not be used, or a step not be noted.
///
/// Where it comes from a write, nothing of that write is recorded, with one exception that nobody can see past: after
/// [`Failed`](Self::Failed) the disk may hold it all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// This build's SQLite is too old to be trusted with it.
    #[error("SQLite {0} can lose what it has acknowledged; build with 3.51.3 or newer")]
    TooOld(String),
    /// There is no home directory to keep it in.
    #[error("there is no home directory to keep the journal in; name a file with --journal")]
    NoHome,
    /// Not the URL of a server, or one that holds a credential.
    #[error(
        "{0} is no server that a journal can be kept for: it must look like https://gate.example, without a user name or password"
    )]
    BaseUrl(String),
    /// The file or its directory cannot be created, read or written.
    #[error("cannot use {} as journal: {why}; {advice}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// Another machine could have it open too, and locks and syncs do not hold there.
    #[error("{} is on a network file system ({kind}), where a journal is not safe; choose a local disk with --journal", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// Which file system.
        kind: &'static str,
    },
    /// It is damaged. Its bytes are as they were.
    #[error("the journal {} is damaged ({why}) and was left as it is; restore it, or move it aside with: aegis-console outbox --set-aside", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A database of another program.
    #[error("{} is a database, but no journal of aegis-console; name another file with --journal", .0.display())]
    Foreign(PathBuf),
    /// A newer version has written it.
    #[error("the journal {} was written by a newer aegis-console (schema {found}, this one knows {known}); use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The newest version that this program knows.
        known: usize,
    },
    /// Another program holds it locked. Nothing was written, and it may be tried again.
    #[error("another program keeps the journal {} locked; nothing was recorded: end that program, then try again", .0.display())]
    Busy(PathBuf),
    /// A running console holds it.
    #[error("a running aegis-console uses the journal {}; end it first", .0.display())]
    InUse(PathBuf),
    /// There is nothing to set aside.
    #[error("there is no journal {}", .0.display())]
    Missing(PathBuf),
    /// A write failed: nothing is sent and nothing more is written.
    #[error("writing the journal {} failed: {why}; nothing was sent, and no decision is taken until the next start: {advice}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What failed.
        why: String,
        /// What to do before the next start.
        advice: &'static str,
    },
    /// It was closed after a write had failed.
    #[error("the journal {} is closed since a write failed ({why}); nothing is recorded or sent until the next start", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
        /// What had failed.
        why: String,
    },
    /// The step is none that the decision can take now.
    #[error("decision {id} is {}: it cannot be {step}", stage.word())]
    NotAllowed {
        /// The decision.
        id: Uuid,
        /// How far it is.
        stage: Stage,
        /// What cannot be done to it.
        step: &'static str,
    },
    /// Another process carries this journal's decisions out.
    #[error("decision {id} is carried out by another aegis-console: it cannot be {step} here")]
    NotDispatcher {
        /// The decision.
        id: Uuid,
        /// What cannot be done to it.
        step: &'static str,
    },
    /// No such decision.
    #[error("there is no decision {0} in the journal")]
    Unknown(Uuid),
    /// The id or the request id is in use.
    #[error("decision {0} is in the journal already, or its request id is")]
    Duplicate(Uuid),
    /// Its key was decided already, with effect or possibly so.
    #[error("the key {} is decided already in the journal (decision {by}, {})", Visible::of(key).plain(), stage.word())]
    KeyTaken {
        /// The `Idempotency-Key`.
        key: String,
        /// The decision that has it.
        by: Uuid,
        /// How far that one is.
        stage: Stage,
    },
}

const DIRECTORY: &str = "its directory must be yours and writable";

impl JournalError {
    /// The system refused the file, its directory or its lock.
    pub(super) fn io(path: &Path, why: &std::io::Error) -> Self {
        let advice = match why.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "make room on the disk",
            std::io::ErrorKind::ReadOnlyFilesystem => "choose another file with --journal",
            _ => DIRECTORY,
        };
        Self::File { path: path.to_owned(), why: why.to_string(), advice }
    }

    /// SQLite refused to open or read it.
    pub(super) fn opening(path: &Path, why: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match why.sqlite_error_code() {
            _ if is_damage(why) => Self::Corrupt { path, why: why.to_string() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(path),
            code => Self::File { path, why: why.to_string(), advice: advice(code) },
        }
    }

    /// SQLite could not write.
    pub(super) fn writing(path: &Path, why: &rusqlite::Error) -> Self {
        let advice = match why.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) => "leave the file where it is while it is in use",
            _ if is_damage(why) => "the file is damaged; aegis-console outbox --set-aside moves it aside",
            code => advice(code),
        };
        Self::Failed { path: path.to_owned(), why: why.to_string(), advice }
    }
}

/// Whether SQLite or a column says that the file holds what no journal writes.
fn is_damage(why: &rusqlite::Error) -> bool {
    match why.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        None => matches!(
            why,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ),
    }
}

fn advice(code: Option<ErrorCode>) -> &'static str {
    match code {
        Some(ErrorCode::DiskFull) => "make room on the disk",
        Some(ErrorCode::ReadOnly) => "make the file and its directory writable",
        Some(ErrorCode::SystemIoFailure) => "check the disk and the room on it",
        _ => DIRECTORY,
    }
}
