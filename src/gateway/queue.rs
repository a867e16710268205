//! The queue as reviewers read it: the list, one action, and whether the gateway is well (wire.md, part 3).

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::Caller;
use super::damage;
use super::query::{Query, whole};
use super::store::{Record, StoreError};
use crate::domain::ActionState;
use crate::domain::json::quote;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const DEFAULT_LIMIT: usize = 100;
const LONGEST_PAGE: usize = 500;
/// What a page counts of the actions that rules have let run.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// `GET /hitl/actions?state=pending&after=CURSOR&limit=N`. Without `state`, every action. A page whose entries are large
/// has fewer of them than asked for; only `"next": null` is the end.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let query = Query::read(request.uri().query(), &["state", "after", "limit"])?;
    let bad = |detail: String| Refusal::bad("bad_query", detail);
    let state =
        match query.get("state") {
            None => None,
            Some(word) => Some(ActionState::parse(word).ok_or_else(|| {
                bad("state must be pending, approved, rejected, expired or cancelled".into())
            })?),
        };
    let after = match query.get("after") {
        None => 0,
        Some(cursor) => {
            whole(cursor).ok_or_else(|| bad("after must be the next of an earlier page".into()))?
        }
    };
    let limit = match query.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => whole(text)
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| (1..=LONGEST_PAGE).contains(limit))
            .ok_or_else(|| bad(format!("limit must be 1 to {LONGEST_PAGE}")))?,
    };
    let tenant = caller.tenant;
    let page = shared.store.page(Arc::clone(&tenant), state, after, limit).await?;
    let next = page.next.map_or_else(|| "null".to_owned(), |cursor| quote(&cursor.to_string()));
    let entries = rendered(&shared, page.records).await?.join(",");
    let since = (shared.clock)().checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let allowed = shared.store.allowed_by_rule(tenant, since).await?;
    let page = format!(r#"{{"actions":[{entries}],"next":{next},"allowed_by_rule":{allowed}}}"#);
    Ok(json_text(StatusCode::OK, page))
}

/// The entries as the wire has them; one that was damaged on the disk says so and hides no other. Megabytes may have to
/// be read again and hashed: not on a thread that others wait for.
pub(crate) async fn rendered(shared: &Arc<Shared>, records: Vec<Record>) -> Result<Vec<String>, StoreError> {
    let shared = Arc::clone(shared);
    let entry = move |record: &Record| {
        record.queued().map(|queued| queued.write()).unwrap_or_else(|damage| {
            shared.damages.note(&record.id, damage);
            damage::entry(record, damage)
        })
    };
    let render = move || records.iter().map(entry).collect();
    tokio::task::spawn_blocking(render).await.map_err(|_| StoreError::Closed)
}

/// `GET /hitl/actions/{id}`
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Refusal> {
    let found = shared.store.record(caller.tenant, id).await?;
    let record = found.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, "not_found", "the queue has no action of that id")
    })?;
    Ok(json_text(StatusCode::OK, rendered(&shared, vec![record]).await?.concat()))
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#.into())
}

/// `GET /readyz`: the database can be read and written; `damaged` counts the stored actions that were met and are not
/// what was stored.
pub(crate) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    match shared.store.ready().await {
        Ok(()) => {
            let ready = match shared.damages.count() {
                0 => r#"{"status":"ready"}"#.into(),
                damaged => format!(r#"{{"status":"ready","damaged":{damaged}}}"#),
            };
            Ok(json_text(StatusCode::OK, ready))
        }
        Err(error) => {
            tracing::error!(%error, "not ready");
            let detail = "the database cannot be used; the gateway's log says why";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
        }
    }
}
