//! One decision call: what can be set on it, and the ways to send it.

use super::AegisClient;
use super::attempt::{EVENTS_KEPT, Observer, Running};
use super::error::ClientError;
use super::look::Looked;
use super::prepared::{Body, Manner};
use super::run::{End, Run};
use crate::domain::{Resolution, Try, Verdict};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// A decision that is about to be sent. Made by [`AegisClient::approve`] and its siblings; nothing happens until
/// [`send`](Self::send) or [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use = "a decision does nothing until it is sent"]
pub struct DecisionCall {
    pub(super) client: AegisClient,
    pub(super) verdict: Verdict,
    pub(super) key: String,
    pub(super) tenant_id: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) body: Body,
    pub(super) request_id: Uuid,
    pub(super) manner: Manner,
}

impl DecisionCall {
    pub(crate) fn new(client: AegisClient, verdict: Verdict, key: String) -> Self {
        Self {
            client,
            verdict,
            key,
            tenant_id: None,
            thread_id: None,
            body: Body::Payload("{}".into()),
            request_id: Uuid::new_v4(),
            manner: Manner::default(),
        }
    }

    /// The tenant, instead of the client's.
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The thread, instead of the client's.
    pub fn thread_id(mut self, thread_id: impl Into<String>) -> Self {
        self.thread_id = Some(thread_id.into());
        self
    }

    /// The payload: the text of a JSON object. Its members are sent as they stand, byte for byte; `tenant_id` and
    /// `thread_id` are added after them where it does not have them itself and they are known.
    pub fn payload(mut self, payload: impl Into<String>) -> Self {
        self.body = Body::Payload(payload.into());
        self
    }

    /// The whole body: the text of a JSON object, to which nothing is added.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Body::Exact(body.into());
        self
    }

    /// The `X-Request-Id`, instead of a fresh one.
    pub fn request_id(mut self, request_id: Uuid) -> Self {
        self.request_id = request_id;
        self
    }

    /// Says that a call with this request id may have been sent before, by an earlier run: then the server is asked
    /// what became of it first, and no refusal is taken to mean that it did not land.
    pub fn sent_before(mut self, maybe: bool) -> Self {
        self.manner.sent_before = maybe;
        self
    }

    /// The tries of earlier runs: this run's numbers go on from them, and the resolution lists them too.
    pub fn tried_before(mut self, tries: Vec<Try>) -> Self {
        self.manner.tried_before = tries;
        self
    }

    /// How often this call is sent again after its first try, instead of the client's number.
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.manner.max_retries = Some(max_retries);
        self
    }

    /// The time for this call, instead of the client's: for the sequel of one that was put off.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.manner.deadline = Some(deadline);
        self
    }

    /// For a caller that keeps the decision and comes back to it: the call ends with 202, or where it finds it
    /// `PENDING`, instead of watching on, and ends early where the server is held off.
    pub(crate) fn comes_back(mut self) -> Self {
        self.manner.comes_back = true;
        self
    }

    /// One look and one try that are paid for: an earlier run has given up, and this is its sequel.
    pub(crate) fn once_more(mut self) -> Self {
        self.manner.pays = true;
        self.max_retries(0).sent_before(true).comes_back()
    }

    /// For one that waits for another reviewer: a look says what that came to.
    pub(crate) fn counted(mut self, counted: bool) -> Self {
        self.manner.counted = counted;
        self
    }

    /// The exact bytes that every try will send: for a journal that has them before anything is sent.
    ///
    /// # Errors
    /// As [`send`](Self::send): all that can be wrong before anything is sent.
    pub fn exact_body(&self) -> Result<String, ClientError> {
        let (_, prepared) = self.clone().prepare()?;
        // It was made of a `String`.
        Ok(String::from_utf8_lossy(&prepared.body).into_owned())
    }

    /// Sends the decision and returns what became of it.
    ///
    /// # Errors
    /// Only for what is wrong before anything is sent; the message names it.
    pub async fn send(self) -> Result<Resolution, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, None).resolve().await.resolution)
    }

    /// As [`send`](Self::send), in two halves: what happens, and how it ends.
    ///
    /// ```
    /// # use aegis_console::client::{AegisClient, AttemptEvent, Bytes, TransportError, http};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// # let down = |_: http::Request<Bytes>| -> Result<http::Response<Bytes>, TransportError> {
    /// #     Err(TransportError::not_sent("connection refused"))
    /// # };
    /// # let client = AegisClient::builder().tenant_id("t").thread_id("h").max_retries(0)
    /// #     .transport(std::sync::Arc::new(down)).build()?;
    /// let mut running = client.approve("refund-7").start()?;
    /// let show = async {
    ///     while let Some(event) = running.events.recv().await {
    ///         if let AttemptEvent::Answered { number, error: Some(error), .. } = event {
    ///             println!("try {number}: {error}");
    ///         }
    ///     }
    /// };
    /// let (resolution, ()) = futures_util::future::join(running.resolution, show).await;
    /// println!("{}", resolution.outcome.word());
    /// # assert_eq!(resolution.outcome.word(), "not_sent");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn start(self) -> Result<Running, ClientError> {
        let (client, prepared) = self.prepare()?;
        let (sender, events) = mpsc::channel(EVENTS_KEPT);
        let run = Run::new(client, prepared, Some(Box::new(sender)));
        Ok(Running { events, resolution: Box::pin(async move { run.resolve().await.resolution }) })
    }

    /// As [`start`](Self::start), for the dispatcher: it is asked before each try, and told when to come back.
    pub(crate) fn begin(
        self,
        observer: Box<dyn Observer>,
    ) -> Result<impl Future<Output = End> + Send + use<>, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, Some(observer)).resolve())
    }

    /// Checks everything that [`send`](Self::send) checks. Nothing is sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn check(&self) -> Result<(), ClientError> {
        self.clone().prepare().map(drop)
    }

    /// Asks once what became of the call. Nothing is sent that could decide.
    pub(crate) async fn look(self) -> Result<Looked, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, None).only_look().await)
    }
}
