//! One call's wait: it asks, tells the client that it still waits, and withdraws where nobody waits any more.
//!
//! What an answer means to the client is the tools' to say.

use crate::agent::{Answer, Gate, Submission};
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// How much longer than the reviewers' time is waited for the gateway to say that it is up: clocks differ, and calls
/// take their time. After it the request is withdrawn.
const GRACE: Duration = Duration::from_secs(15);

/// What waits for one call.
pub(super) struct Waiting<'a> {
    pub(super) gate: &'a Gate,
    /// How long the reviewers have.
    pub(super) timeout: Duration,
    /// How often the client hears that the wait goes on.
    pub(super) progress: Duration,
    /// Becomes true when the client is gone.
    pub(super) ended: watch::Receiver<bool>,
}

impl Waiting<'_> {
    /// Asks, and waits: until the answer, or until the client takes the call back or is gone.
    pub(super) async fn answer(
        mut self,
        submission: &Submission,
        key: &str,
        context: &RequestContext<RoleServer>,
    ) -> Answer {
        let stop = async {
            tokio::select! {
                () = context.ct.cancelled() => {}
                _ = self.ended.wait_for(|ended| *ended) => {}
            }
        };
        let (asked, request) = watch::channel(None);
        let asked = |request: &crate::agent::Request| {
            asked.send_replace(Some(request.id));
        };
        let check = self.gate.check_within(submission, key, self.timeout + GRACE, stop, asked);
        let Some(token) = context.meta.get_progress_token() else { return check.await };
        // Beside it and not within: a client that does not read must hold up no answer.
        tokio::select! {
            biased;
            answer = check => answer,
            never = progress(&context.peer, token, self.progress, request) => never,
        }
    }
}

/// Says again and again that the wait goes on.
async fn progress(
    peer: &Peer<RoleServer>,
    token: ProgressToken,
    every: Duration,
    request: watch::Receiver<Option<Uuid>>,
) -> Answer {
    let since = Instant::now();
    let mut told = 0.0;
    loop {
        tokio::time::sleep(every).await;
        let waited = since.elapsed().as_secs();
        let words = match *request.borrow() {
            Some(id) => format!("waiting for a reviewer to decide on {id}, for {waited} s so far"),
            None => format!("trying to reach the gateway, for {waited} s so far"),
        };
        told += 1.0;
        let progress = ProgressNotificationParam::new(token.clone(), told).with_message(words);
        if peer.notify_progress(progress).await.is_err() {
            // Nobody hears it. Whether that ends the wait is not this one's to say.
            return std::future::pending().await;
        }
    }
}
