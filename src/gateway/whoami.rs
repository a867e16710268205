//! Who a credential is: `GET /api/v1/whoami`, so that whoever sets something up need not find out by asking or deciding. This
//! gateway's addition to wire.md. It changes nothing and tells nothing of anybody else.

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::{Caller, Role};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `GET /whoami`: name, role, tenant; of an agent, whether it is paused.
pub(crate) async fn whoami(State(shared): State<Arc<Shared>>, caller: Caller) -> Result<Response, Refusal> {
    let mut told = json!({ "name": *caller.name, "role": caller.role.word(), "tenant": *caller.tenant });
    if caller.role == Role::Agent {
        let own = shared.store.agent(Arc::clone(&caller.tenant), Arc::clone(&caller.name)).await?;
        told["paused"] = own.paused.is_some().into();
    }
    Ok(json_text(StatusCode::OK, told.to_string()))
}
