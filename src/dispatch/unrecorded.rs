//! Sending without a journal: what the console did before it had one. Goes when its last caller has switched to
//! [`Dispatcher::start`](super::Dispatcher::start).

use super::{DispatchEvent, IN_FLIGHT, News, Order};
use crate::client::{AegisClient, ClientError};
use crate::domain::{Outcome, Resolution};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, watch};
use uuid::Uuid;

const EVENTS: usize = 1024;

/// Sends decisions. Clones share one limit and one receiver of events.
#[derive(Debug, Clone)]
pub struct Unrecorded {
    client: AegisClient,
    events: mpsc::Sender<DispatchEvent>,
    room: Arc<Semaphore>,
    /// Decisions that were submitted and have not ended.
    open: Arc<watch::Sender<usize>>,
    /// Request ids that may have landed when they were last given up on.
    doubtful: Arc<Mutex<HashSet<Uuid>>>,
}

impl Unrecorded {
    /// A dispatcher, and where its news arrives. News waits for a slow receiver; a receiver that is gone changes
    /// nothing for the decisions.
    pub fn new(client: AegisClient) -> (Self, mpsc::Receiver<DispatchEvent>) {
        let (events, receiver) = mpsc::channel(EVENTS);
        let dispatcher = Self {
            client,
            events,
            room: Arc::new(Semaphore::new(IN_FLIGHT)),
            open: Arc::new(watch::Sender::new(0)),
            doubtful: Arc::default(),
        };
        (dispatcher, receiver)
    }

    /// Takes a decision and returns at once. Its news arrives at the receiver, at last a [`News::Resolved`], also
    /// where it could not be sent at all. Must be called within a tokio runtime.
    pub fn submit(&self, order: Order) {
        self.open.send_modify(|open| *open += 1);
        let dispatcher = self.clone();
        tokio::spawn(async move {
            // Counted down however the task ends.
            let _open = Open(&dispatcher.open);
            // The semaphore is never closed; were it, sending without a permit would still be right.
            let _permit = dispatcher.room.acquire().await.ok();
            dispatcher.carry_out(order).await;
        });
    }

    /// Decisions that were submitted and have not ended.
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until every decision that was submitted has ended.
    pub async fn settled(&self) {
        // Its sender lives as long as `self`, so this cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    async fn carry_out(&self, order: Order) {
        let (id, request_id) = (order.id, order.request_id);
        let doubtful = self.doubtful().contains(&request_id);
        let resolution = match order.call(&self.client).sent_before(doubtful).start() {
            Ok(mut running) => {
                let forward = async {
                    while let Some(event) = running.events.recv().await {
                        self.tell(id, News::Attempt(event)).await;
                    }
                };
                futures_util::future::join(running.resolution, forward).await.0
            }
            Err(error) => never_sent(&order, &error),
        };
        let in_doubt =
            matches!(resolution.outcome, Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown);
        if in_doubt {
            self.doubtful().insert(request_id);
        } else {
            self.doubtful().remove(&request_id);
        }
        self.tell(id, News::Resolved(resolution)).await;
    }

    fn doubtful(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, id: Uuid, news: News) {
        // Nobody listens any more: the decision goes on all the same.
        let _ = self.events.send(DispatchEvent { id, news }).await;
    }
}

struct Open<'a>(&'a watch::Sender<usize>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}

/// The action's own fields do not fit the wire: nothing was sent, and the reason is the client's.
fn never_sent(order: &Order, error: &ClientError) -> Resolution {
    Resolution {
        outcome: Outcome::NotSent,
        http_status: None,
        standing: None,
        detail: Some(error.to_string().into()),
        tries: Vec::new(),
        request_id: order.request_id.to_string(),
        idempotency_key: order.action.idempotency_key.clone(),
    }
}
