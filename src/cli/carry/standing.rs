//! Whether actions still stand, on a server of which it is not known yet whether it has a queue.

use crate::client::AegisClient;
use crate::dispatch::{Check, Checked, NoCheck, QueueCheck};
use crate::domain::ActionState;
use crate::feed::Source;
use crate::journal::Intent;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

/// Asks the queue, where there is one: that is found out when it is first asked.
pub(in crate::cli) struct Standing {
    client: AegisClient,
    queue: OnceCell<QueueCheck>,
}

impl Standing {
    pub(in crate::cli) fn new(client: AegisClient) -> Self {
        Self { client, queue: OnceCell::new() }
    }

    /// The queue. `None` where the server has none; or none is there, and then nothing reaches it.
    async fn queue(&self) -> Option<&QueueCheck> {
        let find = || async {
            let first = Source::new(&self.client).ok()?.pages(ActionState::Pending).next().await;
            first.filter(Result::is_ok).and_then(|_| QueueCheck::new(self.client.clone()).ok())
        };
        self.queue.get_or_try_init(|| async { find().await.ok_or(()) }).await.ok()
    }
}

impl Check for Standing {
    fn still_stands<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Checked> {
        Box::pin(async move {
            match self.queue().await {
                Some(queue) => queue.still_stands(intent).await,
                None => NoCheck.still_stands(intent).await,
            }
        })
    }
}
