//! Carries decisions out: each is on disk before the first byte of it leaves, and goes on from there to its end, over
//! lost answers, dead servers and restarts.
//!
//! A dispatcher decides nothing. It sends exactly what the reviewer decided on (the payload's bytes as they were sealed,
//! and the digest of those bytes) under the same key, request id and bytes in every try; what it tells of a decision is
//! in the journal first. It must not say more of an outcome than is known: a try that was cut short is one that may have
//! landed.
//!
//! | file | what |
//! |---|---|
//! | `order` | a decision and its bytes |
//! | `intake` | taking decisions, and what is wanted of them afterwards |
//! | `plan`, `after`, `pace` | what is next, what follows a run: pure functions, and their numbers |
//! | `fence` | how long what may have landed is sent again by itself |
//! | `life`, `recorder` | one decision from the disk to its end |
//! | [`check`] | whether an action still stands, for decisions that waited |
//! | `carrier`, `poke` | the process that carries a journal out, and how the others tell it |
//! | `reader`, `since` | the others, and what they missed between two looks |
//! | `shared`, `noting` | what all lives share; writing to the journal |

mod after;
mod carrier;
pub mod check;
mod fence;
mod intake;
mod life;
mod noting;
mod order;
mod pace;
mod plan;
mod poke;
mod reader;
mod recorder;
mod shared;
mod since;

/// What the journal keeps of a decision, as [`News::Found`] carries it: plain data, for those who must not reach the disk.
pub use crate::journal::{Entry, Stage};
pub use check::{Check, Checked, NoCheck, QueueCheck};
pub(crate) use fence::Fence;
pub use fence::RESEND_FOR;
pub use order::Order;
pub use pace::Pace;

use crate::client::{AegisClient, AttemptEvent, DecisionCall};
use crate::domain::{Digest, Outcome, Resolution};
use crate::journal::{Intent, Journal};
use jiff::Timestamp;
use shared::{Command, Shared, later};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Decisions that are being sent at the same time; what comes after waits its turn. More would not be faster: servers
/// collapse long before.
pub const IN_FLIGHT: usize = 64;
const EVENTS: usize = 1024;

/// News of one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchEvent {
    /// The decision's own id, as in [`Order::id`].
    pub id: Uuid,
    /// What happened.
    pub news: News,
}

/// What happened to a decision. In the journal first, where it is kept at all.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// It was in the journal: from before this process, or from another one. What follows goes on from there.
    Found(Box<Entry>),
    /// It is on disk, and can be taken back until then.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// It is on disk, and goes out when it can.
    Queued,
    /// A try started, was answered, or waits.
    Attempt(AttemptEvent),
    /// It has ended. More may become known: then another one follows. It may also be tried again.
    Resolved(Resolution),
    /// It may have landed, and nobody says so yet: it is asked about again.
    Doubtful {
        /// When.
        next: Timestamp,
        /// What is known so far; its outcome is `unconfirmed`.
        resolution: Resolution,
    },
    /// It was taken back, and nothing of it was ever sent.
    Dropped,
    /// It was not sent, because its action has changed; it is the reviewer's again.
    Returned {
        /// What has changed, as the end of *not sent: …*, safe to draw.
        why: String,
    },
    /// It could not be recorded: nothing was sent, and the decision was not taken.
    NotRecorded {
        /// What is wrong and what to do.
        why: String,
    },
    /// It is on disk, and this process can do nothing more for it, because the journal has failed since: it goes on at
    /// the next start.
    Stopped {
        /// What is wrong and what to do.
        why: String,
    },
}

/// Whether the server can be reached, as far as whoever watches it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// Decisions go out.
    Up,
    /// Decisions wait on disk.
    Down,
}

/// Carries decisions out. Clones are the same dispatcher. What it has begun goes on when the last one is dropped, until
/// [`shutdown`](Self::shutdown) or the end of the runtime.
#[derive(Clone)]
pub struct Dispatcher {
    shared: Arc<Shared>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("journal", &self.shared.journal).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// Starts to carry out what the journal holds for the client's server, and what is decided from now on; and where
    /// the news arrives. Of what was in the journal, the first news is [`News::Found`].
    ///
    /// Where another process carries the journal out, this one records and reads, and takes over when the other one has
    /// gone. News waits for a slow receiver; a receiver that is gone changes nothing for the decisions. Must be called
    /// within a tokio runtime.
    pub fn start(
        client: AegisClient,
        journal: Journal,
        check: Arc<dyn Check>,
        pace: Pace,
    ) -> (Self, mpsc::Receiver<DispatchEvent>) {
        let (events, receiver) = mpsc::channel(EVENTS);
        let shared = Shared::new(client, journal, check, pace, events);
        if shared.journal.is_dispatcher() {
            shared.carry();
        } else {
            let reading = Arc::clone(&shared);
            shared.spawn(async move { reading.read_along().await });
        }
        (Self { shared }, receiver)
    }

    /// Takes decisions and returns at once. They are recorded in one commit; then each is held for the grace time, an
    /// approval for as long as its action asks for at least, or goes out. The first news of each is [`News::Held`], [`News::Queued`] or [`News::NotRecorded`].
    pub fn decide(&self, orders: Vec<Order>, grace: Duration) {
        let hold_until = |order: &Order| {
            let held_for = order.held_for(grace);
            (!held_for.is_zero()).then(|| later(held_for))
        };
        let held: Vec<_> = orders.iter().map(hold_until).collect();
        let stage = |until: &Option<_>| if until.is_some() { Stage::Held } else { Stage::Queued };
        let ids = orders.iter().zip(&held).map(|(order, until)| (order.id, stage(until))).collect();
        let base_url = self.shared.base_url.clone();
        // Ten thousand of them take a while: not on the caller's time.
        let make =
            move || orders.iter().zip(held).map(|(order, until)| order.intent(&base_url, until)).collect();
        self.shared.take(ids, make);
    }

    /// As [`decide`](Self::decide), for decisions whose bytes are made already.
    pub fn take(&self, intents: Vec<Intent>) {
        let stage = |intent: &Intent| {
            if intent.hold_until.is_some() { Stage::Held } else { Stage::Queued }
        };
        let ids = intents.iter().map(|intent| (intent.id, stage(intent))).collect();
        self.shared.take(ids, move || intents);
    }

    /// Tells how decisions go on that are in the journal and that this process recorded by other means, and has them
    /// carried out. The first news of each is [`News::Found`], or how it ended.
    pub fn follow(&self, ids: Vec<Uuid>) {
        self.shared.follow(ids);
    }

    /// Takes a decision back that is held, or that ended as not sent. [`News::Dropped`] says that it was.
    pub fn undo(&self, id: Uuid) {
        self.shared.want(id, Command::Undo);
    }

    /// Takes back what is held of these.
    pub fn drop_held(&self, ids: &[Uuid]) {
        ids.iter().for_each(|&id| self.shared.want(id, Command::Undo));
    }

    /// Sends what is held of these now.
    pub fn release(&self, ids: &[Uuid]) {
        ids.iter().for_each(|&id| self.shared.want(id, Command::Release));
    }

    /// Sends a decision again that was given up on, or that waits to be: same key, same request id, same bytes. Nothing
    /// happens where the journal does not allow it.
    pub fn try_again(&self, id: Uuid) {
        self.shared.want(id, Command::TryAgain);
    }

    /// Says that the server was heard to speak of the call with that request id, as its events do. What it said is not
    /// taken for the outcome: where that is still open, the server is asked at once.
    pub fn heard(&self, request_id: &str) {
        self.shared.heard(request_id);
    }

    /// Says that the server was heard to speak of the action with that digest: where a decision on it waits for another
    /// reviewer, the server is asked at once what that came to.
    pub fn heard_of(&self, action: &Digest) {
        self.shared.heard_of(action);
    }

    /// Notes that the reviewer has seen how it ended.
    pub fn acknowledge(&self, id: Uuid) {
        self.shared.acknowledge(id);
    }

    /// Says whether the server can be reached; up until the first word. While it is down, decisions wait on disk. When
    /// it is up again, whether its action still stands is seen for each before it goes out.
    pub fn link(&self, link: Link) {
        self.shared.link.send_if_modified(|known| std::mem::replace(known, link) != link);
    }

    /// The server that decisions are recorded for: [`Intent::base_url`].
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// Whether this process carries the journal out.
    pub fn carries(&self) -> bool {
        self.shared.journal.is_dispatcher()
    }

    /// Decisions that are not at an end, as far as this process follows them; after a shutdown, all that are left in the
    /// journal for this server.
    pub fn open(&self) -> usize {
        self.shared.count_open()
    }

    /// Waits until every decision that this process follows is at an end, or until it can do nothing more for any.
    pub async fn settled(&self) {
        // Its sender lives as long as `self`, so this cannot fail.
        let _ = self.shared.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Sends nothing new, lets tries on their way end for two seconds at most, and returns. What is not at an end goes
    /// on at the next start; what was cut short counts as possibly landed.
    pub async fn shutdown(&self) {
        self.shared.stop().await;
    }
}

/// The call that carries a decision out: the bytes as they were recorded.
fn call(client: &AegisClient, intent: &Intent) -> DecisionCall {
    let call = client
        .decide(intent.verdict, intent.key.as_str())
        .thread_id(intent.thread_id.as_str())
        .request_id(intent.request_id)
        .body(intent.body.as_str());
    match &intent.tenant_id {
        Some(tenant) => call.tenant_id(tenant.as_str()),
        None => call,
    }
}

/// The news that says where a decision stands.
fn news_of(entry: &Entry) -> News {
    let unconfirmed = || Resolution {
        outcome: Outcome::Unconfirmed,
        http_status: None,
        standing: None,
        detail: None,
        tries: Vec::new(),
        request_id: entry.intent.request_id.to_string(),
        idempotency_key: entry.intent.key.clone(),
    };
    match (entry.stage, &entry.resolution) {
        (Stage::Held, _) => News::Held { until: entry.intent.hold_until.unwrap_or(entry.updated_at) },
        (Stage::Queued | Stage::Sending, _) => News::Queued,
        (Stage::Ended, Some(resolution)) => News::Resolved(resolution.clone()),
        (Stage::Ended | Stage::Doubtful, _) => {
            News::Doubtful { next: entry.next_at.unwrap_or(entry.updated_at), resolution: unconfirmed() }
        }
        (Stage::Dropped, _) => News::Dropped,
        (Stage::Returned, _) => News::Returned { why: entry.returned.clone().unwrap_or_default() },
    }
}
