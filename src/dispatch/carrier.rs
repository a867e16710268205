//! Carrying a journal out: what is open in it is resumed, and what other processes put into it is taken up when they
//! say so. One process does this for a journal, whoever holds its lock.

use super::life::Origin;
use super::poke;
use super::reader::Watching;
use super::shared::{Shared, halted, held};
use crate::domain::{Outcome, timestamp};
use crate::journal::{Entry, Stage};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixDatagram;

/// Where no socket can be had, the journal is looked at this often.
const WITHOUT_POKES: Duration = Duration::from_secs(1);
/// How long the journal keeps what ended as it should, or was seen by the reviewer.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Ended decisions that are looked through for those still to be watched.
const RECENT: usize = 1_000;

impl Shared {
    /// Begins to carry the journal out.
    pub(super) fn carry(self: &Arc<Self>) {
        self.journal.carries_for(&self.base_url);
        // First the ear, then the look: nothing falls between.
        let socket = poke::beside(self.journal.path());
        let shared = Arc::clone(self);
        match poke::listen(&socket) {
            Ok(ear) => self.spawn(async move {
                shared.hear(&ear).await;
                // Left there, it would do no harm.
                let _ = std::fs::remove_file(socket);
            }),
            Err(error) => {
                tracing::warn!(%error, "other processes cannot poke this one: it looks at the journal every second");
                self.spawn(async move { shared.look_now_and_then().await });
            }
        }
        let shared = Arc::clone(self);
        self.spawn(async move { shared.forget_what_is_old().await });
        for entry in self.to_resume() {
            // Kept until its life counts it as open.
            let known = held(&self.watched).entries.remove(&entry.intent.id);
            self.adopt(entry, if known.is_some() { Origin::TakenOver } else { Origin::Found });
        }
        *held(&self.watched) = Watching::default();
    }

    async fn forget_what_is_old(&self) {
        let Ok(before) = crate::clock::now().checked_sub(KEPT_FOR) else { return };
        if let Err(error) = self.journal.prune(before).await {
            // What can be written shows at the next decision.
            tracing::warn!(%error, "what is old could not be forgotten");
        }
    }

    /// What is open, and what has ended but for its processing, for this client's server.
    fn to_resume(&self) -> Vec<Entry> {
        let read = || {
            let mut entries = self.journal.open_entries()?;
            // What waits for another reviewer may be older than all that are looked through.
            let counted = |entry: &Entry| matches!(outcome_of(entry), Some(Outcome::Counted(_)));
            let recent = self.journal.recent(RECENT)?.into_iter().rev().filter(|entry| !counted(entry));
            let ended = self.journal.counted()?.into_iter().chain(recent);
            entries.extend(ended.filter(|entry| self.is_watched_on(entry)));
            Ok(entries)
        };
        let entries = read().unwrap_or_else(|error| {
            self.break_off(&error);
            Vec::new()
        });
        entries.into_iter().filter(|entry| self.is_ours(&entry.intent)).collect()
    }

    /// Whether it has ended but for its processing, a short while ago.
    pub(super) fn is_watched_on(&self, entry: &Entry) -> bool {
        let outcome = outcome_of(entry).filter(|_| entry.stage == Stage::Ended);
        let watched_for = outcome.map(|outcome| self.pace.watched_for(outcome)).unwrap_or_default();
        timestamp::between(entry.updated_at, crate::clock::now()) < watched_for
    }

    async fn hear(self: &Arc<Self>, ear: &UnixDatagram) {
        let (mut halt, mut poke) = (self.halt.subscribe(), [0; 1]);
        loop {
            tokio::select! {
                biased;
                () = halted(&mut halt) => return,
                heard = ear.recv(&mut poke) => match heard {
                    // One look answers all that have come.
                    Ok(_) => while ear.try_recv(&mut poke).is_ok() {},
                    Err(error) => return tracing::error!(%error, "pokes are not heard any more"),
                },
            }
            self.rescan();
        }
    }

    async fn look_now_and_then(self: &Arc<Self>) {
        let (mut halt, mut seen) = (self.halt.subscribe(), None);
        while tokio::time::timeout(WITHOUT_POKES, halted(&mut halt)).await.is_err() {
            let version = self.journal.data_version().ok();
            if version != seen {
                seen = version;
                self.rescan();
            }
        }
    }
}

fn outcome_of(entry: &Entry) -> Option<&Outcome> {
    entry.resolution.as_ref().map(|resolution| &resolution.outcome)
}
