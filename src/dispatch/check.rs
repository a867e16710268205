//! Whether an action still stands as it was decided on: asked before a decision that waited goes out.

use crate::client::http::{HttpTransport, StatusCode};
use crate::client::{AegisClient, BodyCut, ClientError, Transport};
use crate::domain::json::{self, Limits};
use crate::domain::{Action, ActionState, Queued, timestamp};
use crate::journal::Intent;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// An entry of the queue is larger than the answer to a decision: a submission of 256 KiB, escaped once more.
const ENTRY_LIMIT: usize = 2 * 1024 * 1024;

/// What is known of an action that was decided on a while ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It still waits, the same byte for byte, as far as anybody says; or it was decided by this very decision.
    Stands,
    /// The queue itself says that it still waits, the same byte for byte: nobody's decision has landed.
    Undecided,
    /// It does not; why, in words that are safe to draw, as the end of *not sent: …*.
    Changed(String),
    /// Nobody could be asked. It is asked again later.
    Unknown,
}

/// Says whether an action still stands.
pub trait Check: Send + Sync {
    /// Asks once.
    fn still_stands<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Checked>;
}

/// For servers without a queue: nobody can be asked, and only what has expired by its own words no longer stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCheck;

impl Check for NoCheck {
    fn still_stands<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Checked> {
        let expired = action(intent).is_some_and(|action| action.expires_at <= crate::clock::now());
        let checked = if expired { Checked::Changed("it has expired".into()) } else { Checked::Stands };
        Box::pin(std::future::ready(checked))
    }
}

/// Asks the gateway's queue: `GET {prefix}/hitl/actions/{id}`.
pub struct QueueCheck {
    client: AegisClient,
    through: Arc<dyn Transport>,
}

impl QueueCheck {
    /// Asks over HTTP, with the client's credentials.
    ///
    /// # Errors
    /// [`ClientError::Setup`] where the HTTP client cannot be set up.
    pub fn new(client: AegisClient) -> Result<Self, ClientError> {
        let http = HttpTransport::trusting(client.base_url(), client.authorities(), client.timeout())?;
        let http = http.body_limit(ENTRY_LIMIT);
        Ok(Self::over(client, Arc::new(http)))
    }

    /// Asks over another transport, which must take bodies of 2 MiB.
    pub fn over(client: AegisClient, through: Arc<dyn Transport>) -> Self {
        Self { client, through }
    }

    async fn ask(&self, intent: &Intent) -> Checked {
        // A decision without an action in the queue has nothing to be compared with.
        let Some(action) = action(intent) else { return Checked::Stands };
        let timeout = self.client.timeout();
        let Ok(request) = self.client.get(&format!("/hitl/actions/{}", action.id)) else {
            return Checked::Unknown;
        };
        let Ok(Ok(response)) = tokio::time::timeout(timeout, self.through.send(request, timeout)).await
        else {
            return Checked::Unknown;
        };
        match response.status() {
            StatusCode::OK if response.extensions().get::<BodyCut>().is_none() => {
                let value = json::parse_unique(response.body(), Limits::PAGE);
                match value.map(|value| Queued::read(&value)) {
                    Ok(Ok(queued)) => compare(intent, &action, &queued),
                    _ => Checked::Changed("the queue's copy of it cannot be read".into()),
                }
            }
            StatusCode::NOT_FOUND => Checked::Changed("it is not in the queue any more".into()),
            _ => Checked::Unknown,
        }
    }
}

impl Check for QueueCheck {
    fn still_stands<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Checked> {
        Box::pin(self.ask(intent))
    }
}

/// The action as it was shown.
fn action(intent: &Intent) -> Option<Action> {
    intent.sealed.as_ref().and_then(|sealed| Action::read(Arc::clone(sealed)).ok())
}

fn compare(intent: &Intent, shown: &Action, queued: &Queued) -> Checked {
    let digest = intent.digest.unwrap_or(shown.digest);
    if queued.action.digest != digest || queued.action.id != shown.id {
        return Checked::Changed("its content is not what was decided on".into());
    }
    let ours = |id: &str| id.eq_ignore_ascii_case(&intent.request_id.to_string());
    match (queued.state, &queued.decision) {
        (ActionState::Pending, _) => Checked::Undecided,
        // It landed, unknown to us: the server says so when it is sent again.
        (_, Some(decision)) if ours(&decision.request_id) => Checked::Stands,
        (ActionState::Expired, _) => Checked::Changed("it has expired".into()),
        (ActionState::Cancelled, _) => Checked::Changed("its agent has withdrawn it".into()),
        (_, Some(decision)) => Checked::Changed(format!(
            "{} {} it at {}",
            decision.reviewer.visible().plain(),
            decision.verdict.past(),
            timestamp::format(decision.decided_at)
        )),
        (_, None) => Checked::Changed("it is decided already".into()),
    }
}
