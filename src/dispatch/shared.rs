//! What every decision's life in this process shares: the client, the journal, the room for requests, the link, and who
//! is told. It keeps count; what happens to a decision is in `life`.

use super::check::Check;
use super::life::{Life, Origin};
use super::{DispatchEvent, Link, News, Pace};
use crate::client::AegisClient;
use crate::domain::Digest;
use crate::journal::{Entry, Intent, Journal, Stage};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Why nothing more is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The dispatcher is shut down.
    Stopping,
    /// The journal cannot be written any more, in its words.
    Broken(String),
}

/// What the reviewer, or another process, wants of one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Undo,
    Release,
    TryAgain,
    /// Another process has changed what the journal says.
    Reread,
    /// The server has spoken of it.
    Heard,
}

pub(super) struct Shared {
    pub(super) client: AegisClient,
    pub(super) journal: Journal,
    pub(super) check: Arc<dyn Check>,
    pub(super) pace: Pace,
    pub(super) base_url: String,
    pub(super) room: Semaphore,
    pub(super) link: watch::Sender<Link>,
    pub(super) halt: watch::Sender<Option<Halt>>,
    pub(super) open: watch::Sender<usize>,
    /// What another process carries out for us, as it was last seen.
    pub(super) watched: Mutex<super::reader::Watching>,
    events: mpsc::Sender<DispatchEvent>,
    lives: Mutex<HashMap<Uuid, Registered>>,
    /// Which of them has which request id.
    calls: Mutex<HashMap<Uuid, Uuid>>,
    /// Which of them wait for another reviewer, by the digests of their actions.
    counted: Mutex<HashMap<Digest, Uuid>>,
    tasks: Mutex<JoinSet<()>>,
}

/// A life that runs, and how far it was when it last said so.
struct Registered {
    commands: mpsc::UnboundedSender<Command>,
    stage: Stage,
}

/// Counts a decision as open while it lives.
pub(super) struct Open(Arc<Shared>);

impl Open {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.open.send_modify(|open| *open += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Shared {
    pub(super) fn new(
        client: AegisClient,
        journal: Journal,
        check: Arc<dyn Check>,
        pace: Pace,
        events: mpsc::Sender<DispatchEvent>,
    ) -> Arc<Self> {
        Arc::new(Self {
            base_url: client.base_url().as_str().trim_end_matches('/').to_owned(),
            room: Semaphore::new(pace.in_flight.max(1)),
            link: watch::Sender::new(Link::Up),
            halt: watch::Sender::new(None),
            open: watch::Sender::new(0),
            watched: Mutex::default(),
            lives: Mutex::default(),
            calls: Mutex::default(),
            counted: Mutex::default(),
            tasks: Mutex::default(),
            client,
            journal,
            check,
            pace,
            events,
        })
    }

    pub(super) async fn tell(&self, id: Uuid, news: News) {
        // Nobody listens any more: the decision goes on all the same.
        let _ = self.events.send(DispatchEvent { id, news }).await;
    }

    pub(super) fn halted(&self) -> Option<Halt> {
        self.halt.borrow().clone()
    }

    /// Runs a task that a shutdown waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = held(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Waits until every task has ended, and ends those that have not in time.
    pub(super) async fn stop(&self) {
        // A broken journal stays the reason for those that ask.
        self.halt.send_if_modified(|halt| {
            let fresh = halt.is_none();
            halt.get_or_insert(Halt::Stopping);
            fresh
        });
        let all = async {
            loop {
                // Those that end may begin others: a decision that was just recorded, and what is wanted of it.
                let mut tasks = std::mem::take(&mut *held(&self.tasks));
                if tasks.is_empty() {
                    return;
                }
                while tasks.join_next().await.is_some() {}
            }
        };
        // What has not ended by then is dropped: its decision stays on disk as being sent.
        let _ = tokio::time::timeout(self.pace.shutdown, all).await;
    }

    /// Decisions that are not at an end.
    pub(super) fn count_open(&self) -> usize {
        let here = *self.open.borrow();
        if self.halted().is_none() {
            return here;
        }
        // Nobody follows them any more; the journal knows.
        let entries = self.journal.open_entries();
        entries.map_or(here, |entries| entries.iter().filter(|entry| self.is_ours(&entry.intent)).count())
    }

    /// Whether a decision in the journal is for this client's server.
    pub(super) fn is_ours(&self, intent: &Intent) -> bool {
        intent.base_url.trim_end_matches('/') == self.base_url
    }

    /// Makes place for a decision's life; `None` where it has one.
    pub(super) fn register(&self, id: Uuid, stage: Stage) -> Option<mpsc::UnboundedReceiver<Command>> {
        let (commands, received) = mpsc::unbounded_channel();
        match held(&self.lives).entry(id) {
            std::collections::hash_map::Entry::Occupied(_) => None,
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(Registered { commands, stage });
                Some(received)
            }
        }
    }

    pub(super) fn is_now(&self, id: Uuid, stage: Stage) {
        if let Some(registered) = held(&self.lives).get_mut(&id) {
            registered.stage = stage;
        }
    }

    pub(super) fn unregister(&self, id: Uuid) {
        held(&self.lives).remove(&id);
    }

    /// The server has spoken of the call with that request id.
    pub(super) fn heard(&self, request_id: &str) {
        let Ok(request_id) = request_id.parse::<Uuid>() else { return };
        let life = held(&self.calls).get(&request_id).copied();
        if let Some(id) = life {
            self.command(id, Command::Heard);
        }
    }

    /// The server has spoken of the action with that digest.
    pub(super) fn heard_of(&self, action: &Digest) {
        let life = held(&self.counted).get(action).copied();
        if let Some(id) = life {
            self.command(id, Command::Heard);
        }
    }

    /// Whether a decision on that action waits for another reviewer.
    pub(super) fn is_counted(&self, action: Option<Digest>, id: Uuid, counted: bool) {
        let Some(action) = action else { return };
        let mut all = held(&self.counted);
        if counted {
            all.insert(action, id);
        } else if all.get(&action) == Some(&id) {
            all.remove(&action);
        }
    }

    /// Hands a command to a decision's life; `false` where it has none.
    pub(super) fn command(&self, id: Uuid, command: Command) -> bool {
        held(&self.lives).get(&id).is_some_and(|life| life.commands.send(command).is_ok())
    }

    /// Starts a decision's life, unless it has one.
    pub(super) fn adopt(self: &Arc<Self>, entry: Entry, origin: Origin) {
        if let Some(commands) = self.register(entry.intent.id, entry.stage) {
            self.live(entry, origin, commands, Open::new(self));
        }
    }

    pub(super) fn live(
        self: &Arc<Self>,
        entry: Entry,
        origin: Origin,
        commands: mpsc::UnboundedReceiver<Command>,
        open: Open,
    ) {
        let (request_id, shared) = (entry.intent.request_id, Arc::clone(self));
        held(&self.calls).insert(request_id, entry.intent.id);
        let life = Life::new(Arc::clone(self), entry, origin, commands, open);
        self.spawn(async move {
            life.run().await;
            held(&shared.calls).remove(&request_id);
        });
    }

    /// Takes up what another process has recorded or changed.
    pub(super) fn rescan(self: &Arc<Self>) {
        let entries = match self.journal.open_entries() {
            Ok(entries) => entries,
            Err(error) => return tracing::error!(%error, "the journal cannot be read"),
        };
        let stages: HashMap<_, _> = entries.iter().map(|entry| (entry.intent.id, entry.stage)).collect();
        for (id, life) in &*held(&self.lives) {
            let stands = stages.get(id).copied();
            let changed = match life.stage {
                Stage::Held => stands != Some(Stage::Held),
                Stage::Ended => stands == Some(Stage::Queued),
                _ => false,
            };
            if changed {
                // A life that has just ended needs no news.
                let _ = life.commands.send(Command::Reread);
            }
        }
        for entry in entries.into_iter().filter(|entry| self.is_ours(&entry.intent)) {
            self.adopt(entry, Origin::Handed);
        }
    }

    /// The random part of a pause, from 0 up to 1.
    pub(super) fn random() -> f64 {
        crate::client::random()
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until everything is halted.
pub(super) async fn halted(halt: &mut watch::Receiver<Option<Halt>>) {
    // An error says that the dispatcher has gone, which is as good.
    let _ = halt.wait_for(Option::is_some).await;
}

/// The time until then; nothing where it has passed.
pub(super) fn until(at: jiff::Timestamp) -> Duration {
    crate::domain::timestamp::between(crate::clock::now(), at)
}

/// The time of day after that time.
pub(super) fn later(wait: Duration) -> jiff::Timestamp {
    crate::clock::now().checked_add(wait).unwrap_or(jiff::Timestamp::MAX)
}
