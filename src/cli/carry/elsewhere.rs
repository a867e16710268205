//! Decisions in a journal that another process carries out: they are handed over, and how they end is read from the
//! journal. When the other one has gone, the dispatcher here takes over.
//!
//! Nothing is sent here while the other one lives. What has not ended in time is said to be unconfirmed, and goes on
//! without this process.

use super::standing::Standing;
use super::{Carrier, Ended, Job};
use crate::dispatch::{DispatchEvent, Dispatcher, News, Pace};
use crate::domain::{Outcome, Resolution};
use crate::journal::{Intent, Journal, JournalError, Step};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// How long it is waited for how the processing of an accepted decision ends; as long as a call of its own does.
const FOLLOWED: Duration = Duration::from_secs(5);

/// Hands over what comes and tells how each ended. It is done when `jobs` is at its end and all that came has ended.
pub(super) async fn run(carrier: Carrier, mut jobs: mpsc::Receiver<Vec<Job>>, ended: mpsc::Sender<Ended>) {
    let Carrier { client, journal, deadline } = carrier;
    let check = Arc::new(Standing::new(client.clone()));
    let (dispatcher, mut news) = Dispatcher::start(client, journal.clone(), check, Pace::default());
    let mut open = Open { journal, waiting: HashMap::new(), by_time: BTreeSet::new() };
    let mut coming = true;
    while coming || !open.waiting.is_empty() {
        let end = tokio::select! {
            group = jobs.recv(), if coming => {
                coming = group.is_some();
                open.hand_over(&dispatcher, group.unwrap_or_default(), deadline);
                None
            }
            Some(event) = news.recv() => open.hear(event),
            () = wait_until(open.by_time.first().map(|(at, _)| *at)) => open.give_up(),
        };
        if let Some(end) = end {
            // Nobody listens any more: the journal has it all the same.
            let _ = ended.send(end).await;
        }
    }
    dispatcher.shutdown().await;
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What has been handed over and has not ended.
struct Open {
    journal: Journal,
    waiting: HashMap<Uuid, Waiting>,
    /// The same by when it is given up.
    by_time: BTreeSet<(Instant, Uuid)>,
}

struct Waiting {
    intent: Intent,
    until: Instant,
    /// How it ended so far, where more may become known.
    so_far: Option<Resolution>,
}

impl Open {
    fn hand_over(&mut self, dispatcher: &Dispatcher, group: Vec<Job>, deadline: Duration) {
        let until = Instant::now() + deadline;
        let mut followed = Vec::new();
        for Job { intent, arrows, .. } in group {
            let id = intent.id;
            if arrows.contains(&Step::Retried) {
                dispatcher.try_again(id);
            } else {
                followed.push(id);
            }
            self.by_time.insert((until, id));
            self.waiting.insert(id, Waiting { intent, until, so_far: None });
        }
        dispatcher.follow(followed);
    }

    /// What the news of a decision comes to, where it is one of these.
    fn hear(&mut self, event: DispatchEvent) -> Option<Ended> {
        let waiting = self.waiting.get_mut(&event.id)?;
        match event.news {
            News::Resolved(resolution) => match resolution.outcome {
                Outcome::Accepted => {
                    self.by_time.remove(&(waiting.until, event.id));
                    waiting.until = waiting.until.min(Instant::now() + FOLLOWED);
                    waiting.so_far = Some(resolution);
                    self.by_time.insert((waiting.until, event.id));
                    None
                }
                Outcome::InProgress => {
                    waiting.so_far = Some(resolution);
                    None
                }
                _ => self.ended(event.id, |intent| Ended::Resolved(intent, Box::new(resolution))),
            },
            News::Returned { why } => self.ended(event.id, |intent| Ended::Returned(intent, why)),
            News::Dropped => {
                let why = "it was taken back in another aegis-console".to_owned();
                self.ended(event.id, |intent| Ended::Returned(intent, why))
            }
            News::Stopped { why } | News::NotRecorded { why } => {
                let error = JournalError::Closed { path: self.journal.path().to_owned(), why };
                self.ended(event.id, |_| Ended::NotRecorded(error))
            }
            _ => None,
        }
    }

    fn ended(&mut self, id: Uuid, end: impl FnOnce(Box<Intent>) -> Ended) -> Option<Ended> {
        let Waiting { intent, until, .. } = self.waiting.remove(&id)?;
        self.by_time.remove(&(until, id));
        Some(end(Box::new(intent)))
    }

    /// The first of those whose time is over is left to the other one.
    fn give_up(&mut self) -> Option<Ended> {
        let (_, id) = *self.by_time.first()?;
        let so_far = self.waiting.get_mut(&id)?.so_far.take();
        let known = match so_far {
            Some(resolution) => Ok(resolution),
            None => self.known(id),
        };
        self.ended(id, |intent| match known {
            Ok(resolution) => Ended::Resolved(intent, Box::new(resolution)),
            Err(error) => Ended::NotRecorded(error),
        })
    }

    /// What the journal says of it: how it ended, else what was tried.
    fn known(&self, id: Uuid) -> Result<Resolution, JournalError> {
        let entry = self.journal.entry(id)?.ok_or(JournalError::Unknown(id))?;
        if let Some(resolution) = entry.resolution {
            return Ok(resolution);
        }
        let tries = self.journal.tries(id)?;
        let who = self.journal.holder().map_or_else(
            || "it is on disk, and goes on at the next start".to_owned(),
            |holder| {
                format!(
                    "it is on disk, and another aegis-console (process {}) goes on with it",
                    holder.process
                )
            },
        );
        Ok(Resolution {
            // It may be on its way right now.
            outcome: Outcome::Unconfirmed,
            http_status: tries.iter().rev().find_map(|one| one.http_status),
            standing: None,
            // The server's words are none of these; without a try they are this command's own.
            detail: tries.is_empty().then(|| who.into()),
            tries,
            request_id: entry.intent.request_id.to_string(),
            idempotency_key: entry.intent.key,
        })
    }
}
