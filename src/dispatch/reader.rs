//! Deciding on a journal that another process carries out: what is decided here is recorded and handed over, and how it
//! goes is read from the journal. When the other one has gone, this process takes over.

use super::shared::{Command, Open, Shared, halted, held};
use super::{News, news_of, poke};
use crate::client::AttemptEvent;
use crate::domain::Try;
use crate::journal::{Entry, Stage};
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
                return self.carry();
            }
            let version = self.journal.data_version().ok();
            if version != seen {
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

    async fn look_at_all(&self) {
        let ids: Vec<_> = held(&self.watched).entries.keys().copied().collect();
        for id in ids {
            let read = || Ok((self.journal.entry(id)?, self.journal.tries(id)?));
            match read() {
                Ok((Some(entry), tries)) => drop(self.see(id, &entry, &tries).await),
                Ok((None, _)) => drop(held(&self.watched).entries.remove(&id)),
                Err::<_, crate::journal::JournalError>(error) => {
                    return tracing::error!(%error, "the journal cannot be read");
                }
            }
        }
    }

    /// Tells what is new of a decision; `false` where it is not watched.
    async fn see(&self, id: Uuid, entry: &Entry, tries: &[Try]) -> bool {
        let news = {
            let mut watching = held(&self.watched);
            let Some(watched) = watching.entries.get_mut(&id) else { return false };
            let news = news_since(watched, entry, tries, self.client.tries());
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

/// What has happened since a decision was last seen, in the order in which it must have happened.
fn news_since(before: &Watched, now: &Entry, tries: &[Try], first_tries: u32) -> Vec<News> {
    let was = &before.entry;
    let mut news = Vec::new();
    if was.stage == Stage::Held && !matches!(now.stage, Stage::Held | Stage::Dropped | Stage::Returned) {
        news.push(News::Queued);
    }
    if !was.stage.is_open() && now.stage == Stage::Queued {
        news.push(News::Queued);
    }
    let of = |number: u32| number.max(first_tries);
    for one in tries.iter().skip(before.answered) {
        if one.number > was.tries || was.stage != Stage::Sending {
            let started = AttemptEvent::Started { number: one.number, of: of(one.number), at: one.started };
            news.push(News::Attempt(started));
        }
        news.push(News::Attempt(AttemptEvent::Answered {
            number: one.number,
            http_status: one.http_status,
            error: one.error.clone(),
            took: one.took,
        }));
    }
    let answered = u32::try_from(tries.len()).unwrap_or(u32::MAX);
    let stage_changed = (was.stage, was.tries, was.next_at) != (now.stage, now.tries, now.next_at);
    match now.stage {
        Stage::Sending if now.tries > was.tries && now.tries > answered => {
            let (number, of) = (now.tries, of(now.tries));
            news.push(News::Attempt(AttemptEvent::Started { number, of, at: now.updated_at }));
        }
        Stage::Queued if stage_changed => {
            if let Some(until) = now.next_at {
                let (next_number, of) = (now.tries + 1, of(now.tries + 1));
                news.push(News::Attempt(AttemptEvent::Waiting { next_number, of, until }));
            }
        }
        Stage::Doubtful if stage_changed => news.push(news_of(now)),
        Stage::Ended if was.stage != Stage::Ended || was.resolution != now.resolution => {
            news.push(news_of(now));
        }
        Stage::Dropped | Stage::Returned if was.stage != now.stage => news.push(news_of(now)),
        _ => {}
    }
    news
}
