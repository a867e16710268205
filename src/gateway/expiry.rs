//! The one task that expires: it sleeps until the next deadline. It only makes expiry show in time; that nothing is
//! decided or consumed past a deadline is seen to in the transactions themselves. It is the janitor too, for decisions that
//! a dead server has begun. Every gateway of a database runs it, and each thing ends once.

use super::Shared;
use super::server::Stop;
use crate::domain::timestamp;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};

/// The longest sleep in one piece: after a suspend or a clock that was set, the deadline is seen by then.
const NAP: Duration = Duration::from_secs(30);
/// An orphan tells nobody of itself: it is looked for this often.
const LOOK: Duration = Duration::from_secs(30);
/// After a database that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Expires until the gateway stops. What is past when it starts is expired at once.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    let mut changes = shared.store.changes();
    let mut look = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next = due(&shared).await;
    loop {
        let left = next.map_or(NAP, |at| timestamp::between((shared.clock)(), at).min(NAP));
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(left) => {
                if next.is_some_and(|at| at <= (shared.clock)()) {
                    next = due(&shared).await;
                }
            }
            _ = look.tick() => next = due(&shared).await,
            change = changes.recv() => match change {
                Ok(change) => next = [next, change.deadline].into_iter().flatten().min(),
                Err(RecvError::Lagged(_)) => next = due(&shared).await,
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// Expires what is past, and says when it is time again.
async fn due(shared: &Shared) -> Option<Timestamp> {
    match shared.store.expire().await {
        Ok(next) => next,
        Err(error) => {
            tracing::error!(%error, "expiring failed and is tried again");
            (shared.clock)().checked_add(AGAIN).ok()
        }
    }
}
