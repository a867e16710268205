//! Deciding on a journal that another process carries out: what is decided here is recorded and handed over, and how it
//! goes is read from the journal. When the other one has gone, this process takes over.

use super::shared::{Command, Open, Shared, halted, held};
use super::since::news_since;
use super::{News, news_of, poke};
use crate::domain::{Try, Visible};
use crate::journal::{Entry, JournalError};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// What another process carries out for us.
#[derive(Default)]
pub(super) struct Watching {
    pub(super) entries: HashMap<Uuid, Watched>,
    /// Whether somebody looks.
    looked_at: bool,
    /// Something has come that nobody has looked at: it may have gone on while it was being handed over.
    unseen: bool,
}

/// One decision as it was last seen.
pub(super) struct Watched {
    entry: Entry,
    answered: usize,
    open: Option<Open>,
}

impl Shared {
    /// Begins to follow what is open: for a process that does not carry the journal out.
    pub(super) async fn read_along(self: &Arc<Self>) {
        let entries = match self.journal.open_entries() {
            Ok(entries) => entries,
            Err(error) => return self.break_off(&error),
        };
        for entry in entries.into_iter().filter(|entry| self.is_ours(&entry.intent)) {
            self.tell(entry.intent.id, News::Found(Box::new(entry.clone()))).await;
            self.watch(entry, None);
        }
    }

    /// Hands decisions that were just recorded to the process that carries them out.
    pub(super) async fn hand_over(
        self: &Arc<Self>,
        entries: Vec<(Entry, mpsc::UnboundedReceiver<Command>, Open)>,
    ) {
        if entries.is_empty() {
            return;
        }
        for (entry, mut commands, open) in entries {
            let id = entry.intent.id;
            self.tell(id, news_of(&entry)).await;
            self.watch(entry, Some(open));
            while let Ok(command) = commands.try_recv() {
                self.without_life(id, command);
            }
        }
        poke::poke(&poke::beside(self.journal.path()));
    }

    /// A decision that was recorded by other means goes on with the process that carries it out.
    pub(super) async fn hand_on(self: &Arc<Self>, entry: Entry) {
        self.tell(entry.intent.id, News::Found(Box::new(entry.clone()))).await;
        self.watch(entry, None);
    }

    /// Why nobody would carry out what is recorded here for this server: another one's console holds the journal.
    pub(super) fn carried_for_another(&self) -> Option<String> {
        let holder = self.journal.holder()?;
        let server = holder.server.filter(|server| *server != self.base_url)?;
        Some(format!(
            "another aegis-console (process {}) carries this journal out for {}: choose another with --journal",
            holder.process,
            Visible::of(&server).plain()
        ))
    }

    /// This process has changed what another carries out.
    pub(super) async fn changed_by_us(self: &Arc<Self>, entry: Entry) {
        poke::poke(&poke::beside(self.journal.path()));
        let id = entry.intent.id;
        if !self.see(id, &entry, &[]).await {
            self.tell(id, news_of(&entry)).await;
            if entry.stage.is_open() {
                self.watch(entry, None);
            }
        }
    }

    fn watch(self: &Arc<Self>, entry: Entry, open: Option<Open>) {
        let open = open.or_else(|| entry.stage.is_open().then(|| Open::new(self)));
        let answered = self.journal.tries(entry.intent.id).map_or(0, |tries| tries.len());
        let mut watching = held(&self.watched);
        watching.entries.insert(entry.intent.id, Watched { entry, answered, open });
        watching.unseen = true;
        if !std::mem::replace(&mut watching.looked_at, true) {
            let shared = Arc::clone(self);
            self.spawn(async move { shared.follow_along().await });
        }
    }

    /// Looks at the journal while something of ours is open, and whether the other one is still there.
    async fn follow_along(self: &Arc<Self>) {
        let (mut halt, mut seen) = (self.halt.subscribe(), None);
        while tokio::time::timeout(self.pace.poll, halted(&mut halt)).await.is_err() {
            let journal = self.journal.clone();
            // It waits for a commit.
            let ours = tokio::task::spawn_blocking(move || journal.try_become_dispatcher()).await;
            if ours.unwrap_or(false) {
                tracing::info!("the process that carried the journal out has gone: this one does now");
                self.look_at_all().await;
                return self.carry();
            }
            let version = self.journal.data_version().ok();
            let unseen = std::mem::take(&mut held(&self.watched).unseen);
            if version != seen || unseen {
                seen = version;
                self.look_at_all().await;
            }
            let mut watching = held(&self.watched);
            if watching.entries.is_empty() {
                watching.looked_at = false;
                return;
            }
        }
    }

    async fn look_at_all(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        // There may be thousands.
        let read = tokio::task::spawn_blocking(move || shared.read_watched()).await;
        match read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|error| error.to_string()))
        {
            Ok(seen) => {
                for (entry, tries) in seen {
                    self.see(entry.intent.id, &entry, &tries).await;
                }
            }
            Err(error) => tracing::error!(error, "the journal cannot be read"),
        }
    }

    /// What is watched as it stands now, with the tries of what was tried since.
    fn read_watched(&self) -> Result<Vec<(Entry, Vec<Try>)>, JournalError> {
        let mut open: HashMap<_, _> =
            self.journal.open_entries()?.into_iter().map(|entry| (entry.intent.id, entry)).collect();
        let known: Vec<_> =
            held(&self.watched).entries.iter().map(|(id, watched)| (*id, watched.answered)).collect();
        let mut seen = Vec::with_capacity(known.len());
        for (id, answered) in known {
            let entry = match open.remove(&id) {
                Some(entry) => Some(entry),
                None => self.journal.entry(id)?,
            };
            let Some(entry) = entry else { continue };
            let tried = usize::try_from(entry.tries).unwrap_or(usize::MAX) > answered;
            let tries = if tried { self.journal.tries(id)? } else { Vec::new() };
            seen.push((entry, tries));
        }
        Ok(seen)
    }

    /// Tells what is new of a decision; `false` where it is not watched.
    async fn see(&self, id: Uuid, entry: &Entry, tries: &[Try]) -> bool {
        let news = {
            let mut watching = held(&self.watched);
            let Some(watched) = watching.entries.get_mut(&id) else { return false };
            let news = news_since(&watched.entry, watched.answered, entry, tries, self.client.tries());
            watched.answered = watched.answered.max(tries.len());
            watched.entry = entry.clone();
            if !entry.stage.is_open() {
                watched.open = None;
                if !self.is_watched_on(entry) {
                    watching.entries.remove(&id);
                }
            }
            news
        };
        for one in news {
            self.tell(id, one).await;
        }
        true
    }
}
