//! Writing to the journal, for every life and for what is decided: what it refuses, and what halts everything.

use super::shared::{Halt, Shared};
use crate::journal::{Intent, JournalError, Step};
use futures_util::future::join_all;
use uuid::Uuid;

/// How often a step is tried again while another program keeps the journal locked.
const BUSY: u32 = 3;

/// Why a step was not noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The journal says otherwise than was thought here.
    NotAllowed,
    /// The journal is broken, and everything is halted.
    Broken,
}

impl Shared {
    /// Notes steps; where the journal cannot be written, halts everything.
    pub(super) async fn note(&self, steps: Vec<(Uuid, Step)>) -> Result<(), Refused> {
        if steps.is_empty() {
            return Ok(());
        }
        for _ in 0..BUSY {
            match self.journal.note_many(steps.clone()).await {
                Ok(()) => return Ok(()),
                Err(JournalError::Busy(_)) => {}
                Err(error) => return Err(self.refused(&error)),
            }
        }
        Err(self.refused(&JournalError::Busy(self.journal.path().to_owned())))
    }

    pub(super) fn refused(&self, error: &JournalError) -> Refused {
        if breaks(error) {
            self.break_off(error);
            return Refused::Broken;
        }
        tracing::debug!(%error, "the journal refuses a step");
        Refused::NotAllowed
    }

    /// Nothing more is sent.
    pub(super) fn break_off(&self, error: &JournalError) {
        tracing::error!(%error, "nothing more is sent");
        self.halt.send_if_modified(|halt| {
            let fresh = halt.is_none();
            halt.get_or_insert(Halt::Broken(error.to_string()));
            fresh
        });
    }

    /// Records decisions: all in one commit, or, where one of them cannot be taken, each by itself. What is taken has no
    /// error.
    pub(super) async fn record(&self, intents: &[Intent]) -> Vec<Option<JournalError>> {
        let whole = self.journal.record(intents.to_vec()).await;
        let errors = match whole {
            Ok(()) => vec![None; intents.len()],
            Err(JournalError::Duplicate(_) | JournalError::KeyTaken { .. }) if intents.len() > 1 => {
                // Asked for all at once, they are committed together again.
                let each = intents.iter().map(|intent| self.journal.record(vec![intent.clone()]));
                join_all(each.collect::<Vec<_>>()).await.into_iter().map(Result::err).collect()
            }
            Err(error) => vec![Some(error); intents.len()],
        };
        if let Some(error) = errors.iter().flatten().find(|error| breaks(error)) {
            self.break_off(error);
        }
        errors
    }
}

/// Whether after such an error nothing can be recorded any more.
fn breaks(error: &JournalError) -> bool {
    !matches!(
        error,
        JournalError::NotAllowed { .. }
            | JournalError::NotDispatcher { .. }
            | JournalError::Unknown(_)
            | JournalError::Duplicate(_)
            | JournalError::KeyTaken { .. }
            | JournalError::BaseUrl(_)
    )
}
