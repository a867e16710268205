//! Deciding on a journal that another process carries out: what is decided here is recorded and handed over, and how it
//! goes is read from the journal. When the other one has gone, this process takes over.

use super::shared::{Command, Open, Shared, halted, held};
use super::{News, news_of, poke};
use crate::client::AttemptEvent;
use crate::domain::{Try, Visible};
use crate::journal::{Entry, JournalError, Stage};
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
    let answered = u32::try_from(tries.len().max(before.answered)).unwrap_or(u32::MAX);
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

#[cfg(test)]
mod tests {
    use super::super::Order;
    use super::*;
    use crate::domain::{Action, Outcome, Resolution, Verdict};
    use jiff::Timestamp;
    use std::time::Duration;

    fn entry(stage: Stage, tries: u32) -> Entry {
        let sealed = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
        let order = Order {
            id: Uuid::from_u128(1),
            request_id: Uuid::from_u128(2),
            action: Arc::new(Action::read(sealed).unwrap()),
            verdict: Verdict::Approve,
            reason: None,
            reviewer: None,
            decided_at: Timestamp::UNIX_EPOCH,
        };
        let outcome = (stage == Stage::Ended).then_some(Outcome::Committed);
        Entry {
            intent: order.intent("http://localhost", None),
            stage,
            maybe: false,
            reached_at: None,
            tries,
            next_at: matches!(stage, Stage::Doubtful).then_some(Timestamp::UNIX_EPOCH),
            resolution: outcome.map(|outcome| Resolution {
                outcome,
                http_status: Some(202),
                standing: None,
                detail: None,
                tries: Vec::new(),
                request_id: "r".into(),
                idempotency_key: "k".into(),
            }),
            acknowledged: false,
            returned: (stage == Stage::Returned).then(|| "it has expired".into()),
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn tries(count: u32) -> Vec<Try> {
        let one = |number| Try {
            number,
            http_status: Some(503),
            error: None,
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            waited: Duration::ZERO,
        };
        (1..=count).map(one).collect()
    }

    fn words(was: (Stage, u32, usize), now: (Stage, u32, u32)) -> String {
        let before = Watched { entry: entry(was.0, was.1), answered: was.2, open: None };
        let news = news_since(&before, &entry(now.0, now.1), &tries(now.2), 4);
        let word = |news: &News| match news {
            News::Queued => "queued".to_owned(),
            News::Attempt(AttemptEvent::Started { number, of, .. }) => format!("try {number} of {of}"),
            News::Attempt(AttemptEvent::Answered { number, .. }) => format!("answer {number}"),
            News::Resolved(_) => "resolved".into(),
            News::Doubtful { .. } => "doubtful".into(),
            News::Dropped => "dropped".into(),
            News::Returned { .. } => "returned".into(),
            other => format!("{other:?}"),
        };
        news.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_was_missed_between_two_looks_is_told_in_order() {
        use Stage::{Doubtful, Dropped, Ended, Held, Queued, Returned, Sending};
        for (was, now, expected) in [
            ((Held, 0, 0), (Held, 0, 0), ""),
            ((Held, 0, 0), (Queued, 0, 0), "queued"),
            ((Held, 0, 0), (Dropped, 0, 0), "dropped"),
            ((Queued, 0, 0), (Returned, 0, 0), "returned"),
            ((Queued, 0, 0), (Sending, 1, 0), "try 1 of 4"),
            ((Sending, 1, 0), (Sending, 1, 1), "answer 1"),
            ((Sending, 1, 1), (Sending, 2, 1), "try 2 of 4"),
            ((Sending, 1, 0), (Sending, 3, 2), "answer 1, try 2 of 4, answer 2, try 3 of 4"),
            ((Sending, 1, 0), (Ended, 1, 1), "answer 1, resolved"),
            ((Held, 0, 0), (Ended, 2, 2), "queued, try 1 of 4, answer 1, try 2 of 4, answer 2, resolved"),
            ((Sending, 4, 3), (Doubtful, 4, 4), "answer 4, doubtful"),
            ((Doubtful, 4, 4), (Doubtful, 5, 5), "try 5 of 5, answer 5, doubtful"),
            ((Doubtful, 4, 4), (Doubtful, 4, 4), ""),
            ((Ended, 4, 4), (Ended, 4, 4), ""),
            ((Ended, 4, 4), (Queued, 4, 4), "queued"),
        ] {
            assert_eq!(words(was, now), expected, "{was:?} {now:?}");
        }
    }
}
