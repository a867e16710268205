//! Deciding: `approve`, `reject` and `status`, as the published AEGIS client calls them (wire.md, parts 1 and 3).
//!
//! This file reads the call and says what the store made of it. Why a 409: [`refusal`]. What is decided and what is not:
//! `store/sql/decide.rs`, in one transaction.

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::{self, has_authorization};
use super::body;
use super::damage;
use super::door::{single, visible};
use super::store::{Decided, DecisionCall, DecisionRow, Review};
use crate::domain::action::is_id;
use crate::domain::json::Limits;
use crate::domain::{ActionState, Digest, RowStatus, Verdict, timestamp};
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// The longest reason, in bytes.
const REASON: usize = 16 * 1024;

/// Who decides, for the record.
struct Decider {
    tenant: Arc<str>,
    name: String,
}

/// `POST /hitl/approve`
pub(crate) async fn approve(state: State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    decide(state, Verdict::Approve, request).await
}

/// `POST /hitl/reject`
pub(crate) async fn reject(state: State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    decide(state, Verdict::Reject, request).await
}

async fn decide(
    State(shared): State<Arc<Shared>>,
    verdict: Verdict,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, content) = request.into_parts();
    let decider = decider(&shared, &head.headers, &head.extensions)?;
    let key = required(&head.headers, "Idempotency-Key")?;
    let thread = required(&head.headers, "Thread-Id")?;
    let request_id = match single(&head.headers, "X-Request-Id")? {
        // The private server's own tests send none.
        None => Uuid::new_v4().to_string(),
        Some(id) if is_id(id) => id.to_owned(),
        Some(_) => {
            let detail = "the header X-Request-Id must be 1 to 128 of A-Z a-z 0-9 . _ : -";
            return Err(Refusal::bad("bad_header", detail));
        }
    };
    let content = body::bytes(content, Limits::DECISION.bytes).await?;
    let review = review(&content)?;
    let call = DecisionCall {
        tenant: decider.tenant,
        thread: thread.to_owned(),
        key: key.to_owned(),
        request_id,
        verdict,
        reviewer: decider.name,
        body: Digest::of(&content).to_string(),
        review,
    };
    match shared.store.decide(call).await? {
        Decided::Accepted(row) => {
            if let Some(asked_at) = row.action_id.as_deref().and_then(asked_at) {
                shared.metrics.decided(row.verdict, timestamp::between(asked_at, row.decided_at));
            }
            Ok(json_text(StatusCode::ACCEPTED, accepted(&row, None).to_string()))
        }
        Decided::Counted { row, count, needed } => {
            let counted = format!("{count} of {needed}");
            Ok(json_text(StatusCode::ACCEPTED, accepted(&row, Some(&counted)).to_string()))
        }
        no => {
            if let Decided::Damaged(id, damage) = &no {
                shared.damages.note(id, *damage);
            }
            Err(refusal(&no))
        }
    }
}

/// Who decides: a reviewer's credential; in tenant mode, where none is sent, the tenant that the caller names.
fn decider(shared: &Shared, headers: &HeaderMap, extensions: &Extensions) -> Result<Decider, Refusal> {
    let tenant = visible(headers, "Tenant-Id");
    if shared.tenant_mode && !has_authorization(headers) {
        let tenant = tenant?.ok_or_else(|| {
            Refusal::unauthenticated("send Authorization, or in this tenant mode the header Tenant-Id")
        })?;
        return Ok(Decider { tenant: tenant.into(), name: format!("tenant:{tenant}") });
    }
    let caller = auth::caller(extensions)?;
    if tenant?.is_some_and(|tenant| *tenant != *caller.tenant) {
        let detail = "the credential belongs to another tenant than the header Tenant-Id names";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "other_tenant", detail));
    }
    Ok(Decider { tenant: caller.tenant, name: caller.name.to_string() })
}

fn required<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    visible(headers, name)?
        .ok_or_else(|| Refusal::bad("missing_header", format!("the header {name} is missing")))
}

/// What the body's `review` says; of the rest nothing is believed. A body without one, or with another thing of that name, is the caller's own payload.
fn review(bytes: &[u8]) -> Result<Option<Review>, Refusal> {
    let value = body::value(bytes, Limits::DECISION)?;
    if value.as_object().is_none() {
        let detail = "the body must be a JSON object; {} where there is no payload";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "not_an_object", detail));
    }
    let Some(review) = value.get("review").filter(|review| review.as_object().is_some()) else {
        return Ok(None);
    };
    let wrong = |name: &str, what: &str| {
        let detail = format!("{name} {what}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_review", detail)
    };
    let text = |name: &str| match review.get(name) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
            None => Err(wrong(&format!("review.{name}"), "must be a string")),
        },
    };
    let reason = text("reason")?;
    if reason.as_ref().is_some_and(|reason| reason.len() > REASON) {
        return Err(wrong("review.reason", &format!("is longer than {REASON} bytes")));
    }
    Ok(Some(Review { action_id: text("action_id")?, digest: text("digest")?, reason }))
}

/// When the action was asked: its id is a UUID of version 7, which says so.
fn asked_at(id: &str) -> Option<Timestamp> {
    let (seconds, nanoseconds) = Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
}

/// The decision that was taken; `counted` where it is one approval of several that are needed.
fn accepted(row: &DecisionRow, counted: Option<&str>) -> serde_json::Value {
    let mut body = json!({
        "request_id": row.request_id,
        "idempotency_key": row.key,
        "action_id": row.action_id,
        "status": row.status.word(),
        "verdict": row.verdict.word(),
        "reviewer": row.reviewer,
        "decided_at": timestamp::format(row.decided_at),
    });
    if let Some(counted) = counted {
        body["detail"] = counted.into();
    }
    body
}

/// Why nothing was decided.
fn refusal(decided: &Decided) -> Refusal {
    let unprocessable = |code, detail: &str| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
    match decided {
        Decided::Accepted(row) | Decided::Counted { row, .. } | Decided::Duplicate(row) => {
            let past = row.verdict.past();
            let detail = match (row.status, &row.counted) {
                (RowStatus::Committed, _) => format!("already {past}; the decision that stands is given"),
                (RowStatus::Pending, Some(counted)) => {
                    format!("{counted} have {past} it, this reviewer among them; nothing is decided yet")
                }
                (RowStatus::Pending, None) => format!("about to be {past}; nothing is decided yet"),
                (RowStatus::Failed, _) => format!("was to be {past} and never was; nothing is decided"),
            };
            let mut decision = json!({
                "verdict": row.verdict.word(),
                "reviewer": row.reviewer,
                "request_id": row.request_id,
                "decided_at": timestamp::format(row.decided_at),
                "status": row.status.word(),
            });
            if let Some(counted) = &row.counted {
                decision["detail"] = counted.as_str().into();
            }
            let refusal = Refusal::new(StatusCode::CONFLICT, "duplicate", detail);
            let under_way = row.status == RowStatus::Pending && row.counted.is_none();
            let refusal = if under_way { refusal.retry_after(1) } else { refusal };
            refusal.with_decision(decision)
        }
        Decided::Closed(state) => {
            let (code, detail) = match state {
                ActionState::Cancelled => {
                    ("cancelled", "the agent has withdrawn this action; nothing was decided")
                }
                _ => ("expired", "nobody decided this action in time, it is expired; nothing was decided"),
            };
            Refusal::new(StatusCode::CONFLICT, code, detail).with_decision(serde_json::Value::Null)
        }
        Decided::DigestDiffers => {
            let detail = "review.digest is not the digest of this action; nothing was decided: load it again";
            Refusal::new(StatusCode::PRECONDITION_FAILED, "digest_differs", detail)
        }
        // Nobody can have seen what is stored now under the digest that it was stored under.
        Decided::Damaged(_, why) => damage::refusal(StatusCode::PRECONDITION_FAILED, *why),
        Decided::DigestMissing => {
            unprocessable("digest_missing", "review.digest must name the digest of the action that was seen")
        }
        Decided::WrongThread => unprocessable(
            "wrong_thread",
            "this key is an action's, and Thread-Id is not that action's thread",
        ),
        Decided::WrongKey => {
            unprocessable("wrong_key", "this key is not that of the action that review.action_id names")
        }
        Decided::OwnAction => {
            let detail = "nobody decides what they asked for: this action was asked under the same name";
            Refusal::new(StatusCode::FORBIDDEN, "own_action", detail)
        }
    }
}

/// `GET /hitl/status/{request_id}`: the decision that stands where a call with that request id was made. The published
/// client sends no credentials here; tenant mode, and nothing else, lets it.
pub(crate) async fn status(
    State(shared): State<Arc<Shared>>,
    Path(asked): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers();
    let tenant = if shared.tenant_mode && !has_authorization(headers) {
        visible(headers, "Tenant-Id")?.map(Arc::from)
    } else {
        Some(decider(&shared, headers, request.extensions())?.tenant)
    };
    let standing = if is_id(&asked) { shared.store.standing(tenant, asked.clone()).await? } else { None };
    let Some((row, why)) = standing else {
        let detail = "no decision is on record for a call with this request id";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", detail));
    };
    let body = json!({
        "request_id": row.request_id,
        "asked_request_id": asked,
        "idempotency_key": row.key,
        "action_id": row.action_id,
        "status": row.status.word(),
        "verdict": row.verdict.word(),
        "reviewer": row.reviewer,
        "decided_at": timestamp::format(row.decided_at),
        "detail": row.counted.as_deref().or(why),
    });
    Ok(json_text(StatusCode::OK, body.to_string()))
}

#[cfg(test)]
mod tests;
