//! Instances of agents, for a platform that starts agents by itself (AAP, provisioning): `POST /aap/v1/instances`, `GET` and
//! `DELETE /aap/v1/instances/{id}`.
//!
//! An instance's credential is an agent's: it asks, and goes on with its own. It bears the name `PROVISIONER/NAME`, so that
//! whoever decides sees who made it. A provisioner's credential makes instances and does nothing else. What is asked for is
//! read in `order`; what receivers are told is `webhooks`'.

mod order;

use super::Shared;
use super::answer::{Refusal, json_text};
use super::ask::idempotency_key;
use super::auth::{self, Bucket, Caller, Rate};
use super::body;
use super::store::{InstanceRow, NewInstance, Provisioned};
use super::webhooks::{Challenge, Unverified};
use crate::domain::timestamp;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use order::{LIMITS, Order};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use uuid::Uuid;

/// How long an instance's credential is good: as long as the longest wait for a decision.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many instances a provisioner may ask for at once, and how many more each second: each asking is a call to a place
/// of its choosing.
const ASKINGS: Rate = Rate { most: 60.0, per_second: 1.0 };
/// How many provisioners are remembered.
const PROVISIONERS: usize = 4_096;

/// Tenant and provisioner.
type Asker = (Arc<str>, Arc<str>);
/// Whose key: tenant, provisioner, Idempotency-Key.
type Key = (Arc<str>, Arc<str>, String);

/// Instances that are being made at this moment.
#[derive(Debug, Default)]
pub(crate) struct Making {
    /// One at a time of each key, so that no receiver is asked twice for one asking.
    keys: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
    askings: Mutex<HashMap<Asker, Bucket>>,
}

impl Making {
    /// Counts an asking; `false` where there were too many.
    fn may_ask(&self, caller: &Caller, now: Instant) -> bool {
        let mut askings = self.askings.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(&caller.tenant), Arc::clone(&caller.name));
        if askings.len() >= PROVISIONERS {
            askings.retain(|_, bucket| !bucket.is_full(ASKINGS, now));
        }
        askings.entry(key).or_insert_with(|| Bucket::full(ASKINGS, now)).take(ASKINGS, now)
    }

    /// What is locked while an instance is made under that key.
    fn turn(&self, key: &Key) -> Arc<tokio::sync::Mutex<()>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(keys.entry(key.clone()).or_default())
    }
}

/// `POST /aap/v1/instances`
pub(crate) async fn provision(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, content) = request.into_parts();
    let key = idempotency_key(&head.headers)?;
    let order = Order::read(&body::bytes(content, LIMITS.bytes).await?, &shared.webhooks)?;
    if !shared.making.may_ask(&caller, Instant::now()) {
        let detail = "this provisioner has asked for many instances in a short time; ask again";
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_askings", detail);
        return Err(refusal.retry_after(1));
    }
    let turn = shared.making.turn(&(Arc::clone(&caller.tenant), Arc::clone(&caller.name), key.clone()));
    let _turn = turn.lock().await;
    let known =
        shared.store.instance(Arc::clone(&caller.tenant), Arc::clone(&caller.name), key.clone()).await?;
    if let Some(known) = known {
        return again(&head.headers, &known, &order);
    }
    let id = Uuid::new_v4().to_string();
    verify(&shared, &order, &id).await?;
    let token = auth::instance_token(&head.headers, &id)?;
    let distinction = id.chars().take(8).collect::<String>();
    let new = NewInstance {
        name: order.name.clone().unwrap_or_else(|| format!("instance-{distinction}")),
        distinction,
        tenant: Arc::clone(&caller.tenant),
        provisioner: Arc::clone(&caller.name),
        maker: caller.held.map(|held| held.id),
        key,
        digest: order.digest.clone(),
        hash: auth::stored(&token),
        lifetime: LIFETIME,
        receiver: order.receiver.as_ref().map(|(receiver, _)| receiver.clone()),
        id,
    };
    // The token may have been taken back while the receiver was asked.
    shared.credentials.stands(&caller)?;
    match shared.store.provision(new).await? {
        Provisioned::Fresh(made) => {
            shared.credentials.refresh(&*shared.store).await?;
            Ok(answer(StatusCode::CREATED, &made, token.expose_secret()))
        }
        // Another gateway was asked at the same time.
        Provisioned::Known(known) => again(&head.headers, &known, &order),
        Provisioned::MakerGone => {
            shared.credentials.refresh(&*shared.store).await?;
            shared.credentials.stands(&caller)?;
            Err(Refusal::unauthenticated("the token that makes instances was taken back meanwhile"))
        }
        Provisioned::TooMany => {
            let detail = "as many instances are good as one provisioner may have (1000), or the tenant has as many as \
                it may, past ones included (10000); no more are made";
            Err(Refusal::new(StatusCode::CONFLICT, "too_many_instances", detail))
        }
    }
}

fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "this provisioner has no instance of that id")
}

/// `GET /aap/v1/instances/{id}`: without its credential.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Refusal> {
    let found = shared.store.instance_of(caller.tenant, caller.name, id).await?;
    let found = found.filter(|instance| !instance.revoked).ok_or_else(not_found)?;
    let receiver = found.receiver.as_ref().filter(|_| found.delivers);
    Ok(json_text(StatusCode::OK, shown(&found, receiver).to_string()))
}

/// `DELETE /aap/v1/instances/{id}`: its credential is taken back, what it has pending is withdrawn, and its receiver is told
/// nothing any more.
pub(crate) async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    body::none(request.into_body()).await?;
    if !shared.store.delete_instance(caller.tenant, caller.name, id).await? {
        return Err(not_found());
    }
    shared.credentials.refresh(&*shared.store).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Asks the receiver, where there is one, whether it expects this.
async fn verify(shared: &Shared, order: &Order, id: &str) -> Result<(), Refusal> {
    let Some((receiver, target)) = &order.receiver else { return Ok(()) };
    let challenge = Challenge {
        target,
        instance_id: id,
        registration_id: &receiver.registration_id,
        signing_secret: &receiver.signing_secret,
    };
    shared.webhooks.verify(&challenge, (shared.clock)()).await.map_err(|why| match why {
        Unverified::Busy => {
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_askings", why.to_string()).retry_after(1)
        }
        Unverified::Failed(failure) if failure.is_barred() => {
            order::bad_url(&format!("delivery.url: {failure}"))
        }
        why => Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "webhook_verification_failed",
            format!("no instance was made: {why}"),
        ),
    })
}

/// The instance that was made under the key of this call, where the same was asked for.
fn again(headers: &HeaderMap, known: &InstanceRow, order: &Order) -> Result<Response, Refusal> {
    let conflict = |code, detail: &str| Err(Refusal::new(StatusCode::CONFLICT, code, detail));
    if known.digest != order.digest {
        return conflict("idempotency_conflict", "this Idempotency-Key was used for another instance");
    }
    if known.revoked {
        return conflict("instance_deleted", "the credential of this instance has been revoked");
    }
    let token = auth::instance_token(headers, &known.id)?;
    if auth::stored(&token) != known.hash {
        let detail = "this instance was made with another token of this name, and only that one can be given its \
            credential again; use another Idempotency-Key for another instance";
        return conflict("idempotency_conflict", detail);
    }
    Ok(answer(StatusCode::OK, known, token.expose_secret()))
}

fn answer(status: StatusCode, made: &InstanceRow, token: &str) -> Response {
    let mut credential = json!({ "token": token });
    if let Some(until) = made.expires_at {
        credential["expires_at"] = timestamp::format(until).into();
    }
    let instance = shown(made, made.receiver.as_ref());
    json_text(status, json!({"instance": instance, "credential": credential}).to_string())
}

/// An instance as its maker sees it: never its credential, never the secret.
fn shown(instance: &InstanceRow, receiver: Option<&(String, String)>) -> Value {
    let name = instance.agent.split_once('/').map_or(instance.agent.as_str(), |(_, name)| name);
    let mut shown = json!({"id": instance.id, "name": name});
    if let Some((url, registration_id)) = receiver {
        shown["delivery"] = json!({"type": "webhook", "url": url, "registration_id": registration_id});
    }
    shown
}
