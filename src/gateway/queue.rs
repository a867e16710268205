//! The queue as reviewers read it: the list, one action, and whether the gateway is well (wire.md, part 3).

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::Role;
use super::query::Query;
use super::store::{Record, StoreError};
use crate::domain::ActionState;
use crate::domain::json::quote;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

const DEFAULT_LIMIT: usize = 100;
const LONGEST_PAGE: usize = 500;

/// `GET /hitl/actions?state=pending&after=CURSOR&limit=N`. Without `state`, every action. A page whose entries are large
/// has fewer of them than asked for; only `"next": null` is the end.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    let caller = shared.credentials.authorize(request.headers(), Role::Reviewer)?;
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
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|cursor| *cursor >= 0)
            .ok_or_else(|| bad("after must be the next of an earlier page".into()))?,
    };
    let limit = match query.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LONGEST_PAGE).contains(limit))
            .ok_or_else(|| bad(format!("limit must be 1 to {LONGEST_PAGE}")))?,
    };
    let page = shared.store.page(caller.tenant, state, after, limit).await?;
    let next = page.next.map_or_else(|| "null".to_owned(), |cursor| quote(&cursor.to_string()));
    let entries = rendered(page.records).await?.join(",");
    Ok(json_text(StatusCode::OK, format!(r#"{{"actions":[{entries}],"next":{next}}}"#)))
}

/// The entries as the wire has them. Megabytes may have to be read again and hashed: not on a thread that others wait for.
pub(crate) async fn rendered(records: Vec<Record>) -> Result<Vec<String>, StoreError> {
    let render = move || records.iter().map(|record| Ok(record.queued()?.write())).collect();
    tokio::task::spawn_blocking(render).await.map_err(|_| StoreError::Closed)?
}

/// `GET /hitl/actions/{id}`
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let caller = shared.credentials.authorize(request.headers(), Role::Reviewer)?;
    let found = shared.store.record(caller.tenant, id).await?;
    let record = found.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, "not_found", "the queue has no action of that id")
    })?;
    Ok(json_text(StatusCode::OK, rendered(vec![record]).await?.concat()))
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#.into())
}

/// `GET /readyz`: the database can be read and written.
pub(crate) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    match shared.store.ready().await {
        Ok(()) => Ok(json_text(StatusCode::OK, r#"{"status":"ready"}"#.into())),
        Err(error) => {
            tracing::error!(%error, "not ready");
            let detail = "the database cannot be used; the gateway's log says why";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
        }
    }
}
