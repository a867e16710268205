//! The status call: what a server says about an earlier call, by its request id.

use super::AegisClient;
use super::answer::Facts;
use super::error::ClientError;
use crate::domain::{Standing, Untrusted, action};

/// What the server answered. Every text in it is as hostile as an agent's, and every one may be missing: of another
/// server than this project's, only `standing.status` can be hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAnswer {
    /// 200 where the request id is known.
    pub http_status: u16,
    /// The decision that stands; its `request_id` is that of the call that made it.
    pub standing: Standing,
    /// The request id that was asked for.
    pub asked_request_id: Option<Untrusted>,
    /// The key that it was sent under.
    pub idempotency_key: Option<Untrusted>,
    /// The action that was decided.
    pub action_id: Option<Untrusted>,
    /// The server's own words.
    pub detail: Option<Untrusted>,
}

impl AegisClient {
    /// Asks what became of a call: `GET {prefix}/hitl/status/{request_id}`, once, with the credentials of a decision.
    ///
    /// # Errors
    /// [`ClientError::BadRequestId`], or [`ClientError::Transport`] where no whole answer came.
    pub async fn status(&self, request_id: &str) -> Result<StatusAnswer, ClientError> {
        if !action::is_id(request_id) {
            return Err(ClientError::BadRequestId);
        }
        let request = self.get(&format!("/hitl/status/{request_id}")).map_err(|error| {
            if matches!(error, ClientError::BadPath(_)) { ClientError::BadRequestId } else { error }
        })?;
        let response = super::exchange(&*self.inner.transport, request, self.timeout()).await?;
        let facts = if response.extensions().get::<super::BodyCut>().is_some() {
            Facts::default()
        } else {
            Facts::read(response.body())
        };
        Ok(StatusAnswer {
            http_status: response.status().as_u16(),
            standing: facts.standing,
            asked_request_id: facts.asked_request_id,
            idempotency_key: facts.idempotency_key,
            action_id: facts.action_id,
            detail: facts.detail,
        })
    }
}
