//! Tokens over HTTP, for admins, each within their own tenant: `GET`, `POST /api/v1/tokens` and `DELETE
//! /api/v1/tokens/{id}`. This gateway's addition to wire.md; the README documents it.

use super::super::Shared;
use super::super::answer::{Refusal, json_text};
use super::super::auth::{Caller, Role};
use super::super::body;
use super::super::query::{Query, whole};
use super::super::store::Which;
use super::{TokenError, TokenInfo, TokenOrder, make};
use crate::domain::Visible;
use crate::domain::json::Limits;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::sync::Arc;

/// `GET /api/v1/tokens`: every token of the tenant, those that are revoked included, in the order of making.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri().query(), &[])?;
    let rows = shared.store.tokens(Some(caller.tenant)).await?;
    let tokens: Vec<_> = rows.iter().map(|(_, row)| TokenInfo::of(row)).collect();
    Ok(json_text(StatusCode::OK, json!({ "tokens": tokens }).to_string()))
}

/// `POST /api/v1/tokens`: makes one, and gives it this once.
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let order = order(&body::bytes(request.into_body(), Limits::DOOR.bytes).await?, &caller.tenant)?;
    let (token, info) =
        make(&*shared.store, order, caller.name.to_string()).await?.map_err(|error| refusal(&error))?;
    shared.credentials.refresh(&*shared.store).await?;
    let mut body = json!(info);
    body["token"] = token.expose_secret().into();
    Ok(json_text(StatusCode::CREATED, body.to_string()))
}

/// `DELETE /api/v1/tokens/{id}`: revokes one; again is the same answer.
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    body::none(request.into_body()).await?;
    let not_found = || Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is no token of that number");
    let which = Which::Id(Some(caller.tenant), whole(&id).ok_or_else(not_found)?);
    let rows = shared.store.revoke_tokens(which, caller.name.to_string()).await?;
    let row = rows.first().ok_or_else(not_found)?;
    shared.credentials.refresh(&*shared.store).await?;
    Ok(json_text(StatusCode::OK, json!(TokenInfo::of(row)).to_string()))
}

fn order(bytes: &[u8], tenant: &str) -> Result<TokenOrder, Refusal> {
    let value = body::value(bytes, Limits::DOOR)?;
    let fields =
        value.as_object().ok_or_else(|| Refusal::bad("invalid_json", "the body must be an object"))?;
    if let Some(other) =
        fields.iter().find(|field| !["name", "role", "expires_in"].contains(&field.name.as_str()))
    {
        let name = Visible::of(&other.name).cut(64).plain();
        let detail = format!("the field {name:?} is not one of this call: name, role, expires_in");
        return Err(Refusal::bad("unknown_field", detail));
    }
    let text = |name: &str| match value.get(name) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => value
            .as_str()
            .map(|text| Some(text.to_owned()))
            .ok_or_else(|| Refusal::bad("invalid_field", format!("{name} must be a string"))),
    };
    let missing = |name| Refusal::bad("missing_field", format!("the field {name} is missing"));
    let role = text("role")?.ok_or_else(|| missing("role"))?;
    let role = Role::parse(&role).ok_or_else(|| {
        Refusal::bad("invalid_field", "role must be agent, reviewer, auditor, admin or provisioner")
    })?;
    let name = text("name")?.ok_or_else(|| missing("name"))?;
    Ok(TokenOrder { tenant: tenant.to_owned(), name, role, expires_in: text("expires_in")? })
}

fn refusal(error: &TokenError) -> Refusal {
    let (status, code) = match error {
        TokenError::Name | TokenError::Tenant | TokenError::Lifetime => {
            (StatusCode::BAD_REQUEST, "invalid_field")
        }
        TokenError::Alike(_) => (StatusCode::CONFLICT, "name_alike"),
        TokenError::TooMany => (StatusCode::CONFLICT, "too_many_tokens"),
        TokenError::Random(_) | TokenError::Data(_) | TokenError::Store(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    };
    Refusal::new(status, code, error.to_string())
}
