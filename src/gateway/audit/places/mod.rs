//! Where checkpoints go besides the database: each place has a task of its own, which takes the newest one, tries until it
//! is there, and holds nobody up. A later checkpoint says all that an earlier one does, so none is missed by leaving one out.

mod command;
mod file;
mod syslog;

use super::super::store::Checkpoint;
pub(super) use file::last;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// Between two tries: at first, and at most.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Tries after the gateway has gone.
const LAST_TRIES: u32 = 3;

/// A place for checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file that is appended to, synced each time.
    File(PathBuf),
    /// The system's log: the socket that it listens on.
    Syslog(PathBuf),
    /// A command that gets the note on its standard input: the program and its arguments.
    Command(Vec<String>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Syslog(path) => write!(f, "syslog at {}", path.display()),
            // Its arguments may hold a secret.
            Self::Command(words) => write!(f, "the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

impl Place {
    async fn put(&self, note: &str) -> Result<(), String> {
        match self {
            Self::File(path) => file::put(path.clone(), note.to_owned()).await,
            Self::Syslog(socket) => syslog::put(socket, note),
            Self::Command(words) => command::put(words, note).await,
        }
    }
}

/// Brings every newest checkpoint to the place, until nobody sends one any more and the last is there.
pub(super) async fn bring(place: Place, mut notes: watch::Receiver<Option<Checkpoint>>) {
    let (mut brought, mut wait, mut tries) = (None, AGAIN[0], 0);
    loop {
        let newest = notes.borrow_and_update().clone();
        let due = newest.filter(|newest| brought.as_ref() != Some(newest));
        let mut again = false;
        if let Some(newest) = due {
            match place.put(&newest.note).await {
                Ok(()) => {
                    brought = Some(newest);
                    wait = AGAIN[0];
                }
                Err(why) => {
                    tracing::warn!(%place, why, "a checkpoint of the audit log could not be put there; trying again");
                    again = true;
                }
            }
        }
        if !again {
            if notes.changed().await.is_err() {
                return;
            }
        } else {
            // Where nothing comes any more, a few tries; whoever waits for this does not wait for long.
            tries += u32::from(notes.has_changed().is_err());
            if tries > LAST_TRIES {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN[1]);
        }
    }
}

#[cfg(test)]
mod tests;
