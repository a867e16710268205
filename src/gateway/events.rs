//! `GET /hitl/events`: what happens, as server-sent events that can be resumed without loss.
//!
//! The rows of the outbox are the truth and news is only a wake-up: after each wake-up the rows after the last one sent
//! are read. So a listener that missed news misses no event, and one that reads slowly holds up nobody: its rows wait on
//! the disk until it asks for more. `data` is the entry or the
//! agent as it is now, which may be further on than the event's name.

use super::Shared;
use super::agents;
use super::answer::Refusal;
use super::auth::Caller;
use super::bounds;
use super::door::single;
use super::metrics::One;
use super::presence;
use super::query::whole;
use super::queue::rendered;
use super::server::Stop;
use super::store::{Change, StoreError, Subject};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// A comment this often tells the listener that the line is up.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rows read at once.
const BATCH: usize = 64;

/// Where one listener is.
struct Listener {
    shared: Arc<Shared>,
    /// Whose stream it is: of who looks at what, everybody else is told.
    caller: Caller,
    /// What was last said of that.
    looking: Option<String>,
    /// The last event that was sent.
    cursor: i64,
    greeted: bool,
    changes: Receiver<Change>,
    stop: Stop,
    _counted: (One, bounds::Stream),
}

/// `GET /hitl/events`, from now on, or after the event that `Last-Event-ID` names.
pub(crate) async fn stream(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let resumed = match single(request.headers(), "Last-Event-ID")? {
        None => None,
        Some(text) => Some(whole(text).ok_or_else(|| {
            Refusal::bad("bad_header", "the header Last-Event-ID must be the id of an event of this gateway")
        })?),
    };
    // Before the last event is looked up, so that nothing falls between.
    let changes = shared.store.changes();
    let last = shared.store.last_event().await?;
    // An id that this gateway has not given yet comes from another database: then everything is told.
    let cursor = resumed.map_or(last, |id| if id > last { 0 } else { id });
    let counted = (shared.metrics.listeners.one(), shared.usage.listen(&caller)?);
    let (stop, greeted, looking) = (shared.stop.clone(), false, None);
    let listener = Listener { caller, looking, cursor, greeted, changes, stop, _counted: counted, shared };
    let body = futures_util::stream::unfold(listener, |mut listener| async move {
        let chunk = listener.next().await?;
        Some((Ok::<_, Infallible>(chunk), listener))
    });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response())
}

impl Listener {
    /// The next bytes; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(Bytes::from_static(b": ok\n\n"));
        }
        loop {
            // Who reads slowly may have been gone for long.
            self.shared.credentials.stands(&self.caller).ok()?;
            match self.rows().await {
                Ok(Some(bytes)) => return Some(bytes),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "a stream of events had to be ended");
                    return None;
                }
            }
            match self.presence().await {
                Ok(Some(bytes)) => return Some(bytes),
                Ok(None) => {}
                // Nobody's decision depends on it.
                Err(error) => tracing::warn!(%error, "who looks at what could not be read"),
            }
            if !self.news().await? {
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }

    /// The rows after the cursor, as events.
    async fn rows(&mut self) -> Result<Option<Bytes>, StoreError> {
        let events = self.shared.store.events(Arc::clone(&self.caller.tenant), self.cursor, BATCH).await?;
        let Some(last) = events.last() else { return Ok(None) };
        self.cursor = last.seq;
        let mut text = String::new();
        let mut records = Vec::new();
        let heads: Vec<_> = events
            .into_iter()
            .map(|event| {
                let agent = match event.subject {
                    Subject::Agent(agent) => Some(agents::shown(&agent).to_string()),
                    Subject::Action(record) => {
                        records.push(*record);
                        None
                    }
                };
                (event.seq, event.kind.name(), agent)
            })
            .collect();
        let mut entries = rendered(&self.shared, records).await?.into_iter();
        for (seq, name, agent) in heads {
            let data = agent.or_else(|| entries.next()).unwrap_or_default();
            // Writing to a String cannot fail. JSON text has no line breaks: they are escaped in its strings.
            let _ = write!(text, "id: {seq}\nevent: {name}\ndata: {data}\n\n");
        }
        Ok(Some(text.into()))
    }

    /// Who looks at what, where it is not what was last said. It has no id: it is no part of what is resumed.
    async fn presence(&mut self) -> Result<Option<Bytes>, StoreError> {
        let now = (self.shared.clock)();
        let everybody = self.shared.store.looking(Arc::clone(&self.caller.tenant), now).await?;
        let looking = presence::others(&everybody, &self.caller.name);
        if self.looking.as_ref() == Some(&looking) {
            return Ok(None);
        }
        let text = format!("event: presence\ndata: {looking}\n\n");
        self.looking = Some(looking);
        Ok(Some(text.into()))
    }

    fn concerns(&self, change: &Change) -> bool {
        change.tenant == self.caller.tenant && (change.is_look() || (change.told && change.seq > self.cursor))
    }

    /// Waits for news of this tenant; `false` when it is time for a heartbeat, `None` when the gateway stops or the
    /// listener's token is no good any more.
    async fn news(&mut self) -> Option<bool> {
        let heartbeat = tokio::time::sleep(HEARTBEAT);
        let mut heartbeat = std::pin::pin!(heartbeat);
        let mut ended = std::pin::pin!(self.shared.credentials.ended(&self.caller));
        loop {
            tokio::select! {
                () = self.stop.stopped() => return None,
                _ = ended.as_mut() => return None,
                () = heartbeat.as_mut() => return Some(false),
                change = self.changes.recv() => match change {
                    Ok(change) if self.concerns(&change) => {
                        return Some(true);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(true),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}
