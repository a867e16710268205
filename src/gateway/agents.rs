//! Pausing an agent's credential: `GET /hitl/agents`, `POST /hitl/agents/{name}/pause` and `…/resume`. This gateway's
//! addition to wire.md; the README documents it.
//!
//! A paused agent asks and consumes nothing (`store/sqlite` sees to that in its transactions). What it has asked stays in
//! the queue and can be decided; its waits, withdrawals and reports go on.

use super::Shared;
use super::answer::{Refusal, json_text};
use super::auth::Caller;
use super::body;
use super::store::{AgentRow, PauseCall};
use crate::domain::{Visible, timestamp};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /hitl/agents`: every agent that has a credential, has asked or was paused, in the order of their names.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, caller: Caller) -> Result<Response, Refusal> {
    let names = shared.credentials.agents(&caller.tenant);
    let agents: Vec<_> = shared.store.agents(caller.tenant, names).await?.iter().map(shown).collect();
    Ok(json_text(StatusCode::OK, json!({ "agents": agents }).to_string()))
}

/// `POST /hitl/agents/{name}/pause`
pub(crate) async fn pause(
    state: State<Arc<Shared>>,
    name: Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    set(state, name, caller, request, true).await
}

/// `POST /hitl/agents/{name}/resume`
pub(crate) async fn resume(
    state: State<Arc<Shared>>,
    name: Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    set(state, name, caller, request, false).await
}

async fn set(
    State(shared): State<Arc<Shared>>,
    Path(agent): Path<String>,
    caller: Caller,
    request: Request,
    paused: bool,
) -> Result<Response, Refusal> {
    body::none(request.into_body()).await?;
    let has_credential = shared.credentials.agents(&caller.tenant).contains(&agent);
    let unknown = || {
        let name = Visible::of(&agent).cut(64).plain();
        Refusal::new(StatusCode::NOT_FOUND, "unknown_agent", format!("there is no agent {name:?} here"))
    };
    if agent.contains('\0') {
        // No name holds it, and neither database stores it.
        return Err(unknown());
    }
    let (tenant, reviewer) = (caller.tenant, caller.name);
    let call = PauseCall { tenant, agent: agent.clone(), has_credential, paused, reviewer };
    let now = shared.store.pause(call).await?.ok_or_else(unknown)?;
    Ok(json_text(StatusCode::OK, shown(&now).to_string()))
}

/// An agent as the list and the events have it.
pub(crate) fn shown(agent: &AgentRow) -> Value {
    match &agent.paused {
        None => json!({"name": agent.name, "paused": false}),
        Some((by, at)) => {
            json!({"name": agent.name, "paused": true, "paused_by": by, "paused_at": timestamp::format(*at)})
        }
    }
}

/// What a paused agent is told.
pub(crate) fn refusal(agent: &str) -> Refusal {
    let name = Visible::of(agent).cut(64).plain();
    let detail = format!("the agent {name:?} is paused; a reviewer of this gateway can resume it");
    Refusal::new(StatusCode::FORBIDDEN, "agent_paused", detail)
}
