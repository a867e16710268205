//! Who is looking at which action: `POST /hitl/presence`, so that two people do not work on the same one. This gateway's
//! addition to wire.md; the README documents it. It decides nothing and holds for seconds.

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::Caller;
use super::body;
use super::store::{LookCall, Looking};
use crate::domain::json::{Kind, Limits};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long it holds. Whoever goes on looking says so again every third of it.
const HOLDS: Duration = Duration::from_secs(30);

/// `POST /hitl/presence` with `{"action_id": "…", "digest": "sha256:…"}`, or `{"action_id": null}`.
pub(crate) async fn look(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let at = place(&body::bytes(request.into_body(), Limits::DECISION.bytes).await?)?;
    let (tenant, reviewer) = (caller.tenant, Arc::clone(&caller.name));
    let everybody = shared.store.look(LookCall { tenant, reviewer, at, holds: HOLDS }).await?;
    let everybody = everybody.ok_or_else(|| {
        let detail = "the queue has no action of that id with that digest";
        Refusal::new(StatusCode::NOT_FOUND, "not_found", detail)
    })?;
    Ok(json_text(StatusCode::OK, others(&everybody, &caller.name)))
}

/// What the body names: an action and the digest of what is seen of it, or nothing.
fn place(bytes: &[u8]) -> Result<Option<(String, String)>, Refusal> {
    let value = body::value(bytes, Limits::DECISION)?;
    let text = |name: &'static str| match value.get(name).map(|value| &value.kind) {
        Some(Kind::String(text)) => Ok(Some(text.clone())),
        Some(Kind::Null) | None => Ok(None),
        Some(_) => {
            let detail = format!("{name} must be a string or null");
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_presence", detail))
        }
    };
    match (text("action_id")?, text("digest")?) {
        (Some(action_id), Some(digest)) => Ok(Some((action_id, digest))),
        (None, None) if value.get("action_id").is_some() => Ok(None),
        _ => {
            let detail = "the body must be {\"action_id\": …, \"digest\": …}, or {\"action_id\": null}";
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_presence", detail))
        }
    }
}

/// Everybody but the one who is told.
pub(crate) fn others(everybody: &[Looking], name: &str) -> String {
    let others = everybody.iter().filter(|look| look.reviewer != name);
    let looking: Vec<_> =
        others.map(|look| json!({"reviewer": look.reviewer, "action_id": look.action_id})).collect();
    json!({ "looking": looking }).to_string()
}
