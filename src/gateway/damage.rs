//! Stored actions that are not what was stored: said once in the log, counted for `/readyz`, never decided or handed out.

use super::answer::Refusal;
use super::store::{Damage, Record};
use crate::domain::Visible;
use crate::domain::json::quote;
use axum::http::StatusCode;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Those that were met since the start.
#[derive(Debug, Default)]
pub(crate) struct Damages(Mutex<HashSet<String>>);

impl Damages {
    /// Notes one; the log says it the first time.
    pub(crate) fn note(&self, id: &str, damage: Damage) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned()) {
            let (action, why) = (Visible::of(id).cut(128).plain(), damage.0);
            tracing::error!(
                action,
                why,
                "a stored action was changed outside of this gateway; it is never decided or handed out"
            );
        }
    }

    /// How many were met.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// The entry of the queue for it: the bytes and the digest as they are stored, so that whoever reads it sees for himself,
/// and a member `damaged` that says what is wrong.
pub(crate) fn entry(record: &Record, damage: Damage) -> String {
    format!(
        r#"{{"sealed":{},"digest":{},"state":"{}","decision":null,"execution":null,"damaged":{}}}"#,
        quote(&record.sealed),
        quote(&record.digest),
        record.state.word(),
        quote(damage.0),
    )
}

/// Why nothing was decided or handed out.
pub(crate) fn refusal(status: StatusCode, damage: Damage) -> Refusal {
    let detail = format!("the stored action was changed outside of this gateway and is void: {}", damage.0);
    Refusal::new(status, "damaged", detail)
}
