//! Asking: the five calls of the Agent Approval Protocol under `/aap` (wire.md, part 2).
//!
//! What a submission may be is in `submission`, what an agent reads back in `wire`. An agent sees its own requests only;
//! every other id is 404.

mod seal;
mod submission;
mod trial;
mod wire;

pub use trial::{Looked, Matched, Outcome, Trial, trial};

use super::Shared;
use super::agents;
use super::answer::{Refusal, json_text};
use super::audit::entry::{Facts, Kind};
use super::auth::Caller;
use super::calls::Waited;
use super::damage;
use super::door::visible;
use super::query::Query;
use super::rules::Refusing;
use super::server::Stop;
use super::store::{Asked, ByRule, Conflict, NewAction, Own, Owner, Record, Told};
use super::{body, bounds};
use crate::domain::json::{self, Limits};
use crate::domain::{ActionState, Digest, timestamp};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use seal::{Asker, Ruled};
use std::sync::Arc;
use std::time::Duration;
use submission::Submission;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use uuid::Uuid;

/// How long an approval may be consumed: what AAP's own test provider gives.
pub(crate) const APPROVAL_VALIDITY: Duration = Duration::from_secs(5 * 60);
/// Bytes of a refused submission that the audit log holds, and what a row of it takes besides.
const REFUSED_TEXT: usize = 16 * 1024;
const REFUSED_ROW: usize = 1024;
/// The longest `wait`; a longer one is cut to it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

fn owner(caller: &Caller) -> Owner {
    Owner { tenant: Arc::clone(&caller.tenant), agent: Arc::clone(&caller.name) }
}

/// The header without which nothing is asked or made.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, Refusal> {
    let missing = || Refusal::bad("missing_idempotency_key", "the header Idempotency-Key is missing");
    visible(headers, "Idempotency-Key")?.map(str::to_owned).ok_or_else(missing)
}

fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "this agent has no request of that id")
}

/// `POST /aap/v1/requests`
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, content) = request.into_parts();
    let owner = owner(&caller);
    let ask_key = idempotency_key(&head.headers)?;
    let bytes = body::bytes(content, Limits::DOOR.bytes).await?;
    let submission = Submission::read(&bytes)?;

    let id = Uuid::now_v7().to_string();
    let key = format!("aap:{id}");
    let created_at = (shared.clock)();
    let asker = Asker { id: &id, key: &key, tenant: &caller.tenant, agent: &caller.name };
    let rules = shared.rulebook.held().rules;
    let sealed = match submission.seal(&asker, &rules, created_at)? {
        Ruled::Refused(refusing) => return refused(&shared, &caller, ask_key, &bytes, refusing).await,
        Ruled::Sealed(sealed) => sealed,
    };
    let rule = sealed
        .allowed_by()
        .map(|name| ByRule { name: name.to_owned(), request_id: Uuid::new_v4().to_string() });
    let action = &sealed.action;
    let bytes_stored = submission.source.len() + action.sealed.len();
    shared.usage.store(&caller, bytes_stored, std::time::Instant::now())?;
    let new = NewAction {
        thread: action.thread_id.raw().to_owned(),
        digest: action.digest.to_string(),
        created_at: action.created_at,
        expires_at: action.expires_at,
        submission: submission.source.to_owned(),
        sealed: Arc::clone(&action.sealed),
        reviewers_needed: action.reviewers_needed,
        review_window: sealed.window,
        rule,
        tenant: caller.tenant,
        agent: caller.name,
        id,
        key,
        ask_key,
    };
    match shared.store.ask(new, shared.bounds.pending_per_agent).await? {
        Asked::Fresh(record) => Ok(json_text(StatusCode::CREATED, wire::request(&record))),
        Asked::Known(record) => again(&shared, &record, &bytes),
        Asked::Paused => Err(agents::refusal(&owner.agent)),
        Asked::Gone => Err(Refusal::challenge("token_revoked", "this token has been revoked")),
        Asked::TooMany => Err(bounds::too_many_pending(shared.bounds.pending_per_agent)),
    }
}

/// What an agent is told whose request a rule refuses: that, unless the request was taken before there was the rule.
/// Nothing is kept of a refused request but its row in the audit log.
async fn refused(
    shared: &Shared,
    caller: &Caller,
    ask_key: String,
    body: &[u8],
    refusing: Refusing<'_>,
) -> Result<Response, Refusal> {
    if let Some(record) = shared.store.asked(owner(caller), ask_key.clone()).await? {
        return again(shared, &record, body);
    }
    let text = String::from_utf8_lossy(body);
    // The log is never emptied, so what goes into it counts as stored, and what is long is told by its digest.
    let told = if body.len() <= REFUSED_TEXT { Some(&*text) } else { None };
    shared.usage.store(caller, REFUSED_ROW + told.map_or(0, str::len), std::time::Instant::now())?;
    let Refusing { rule, words } = refusing;
    let facts = Facts::default()
        .text("rule", rule)
        .text("words", words)
        .text("ask_key", &ask_key)
        .text("sha256", &Digest::of(body).to_string())
        .maybe("submission", told);
    let (tenant, by) = (Arc::clone(&caller.tenant), caller.name.to_string());
    shared.store.tell(Told { kind: Kind::Refused, tenant, by, action_id: None, facts }).await?;
    let detail = format!("refused by the rule \"{rule}\": {words}");
    Err(Refusal::new(StatusCode::FORBIDDEN, "refused_by_rule", detail))
}

/// The request that stands under the key of this one, where both are the same.
fn again(shared: &Shared, record: &Record, body: &[u8]) -> Result<Response, Refusal> {
    if same_submission(body, &record.submission) {
        return known(shared, record);
    }
    let detail = "this Idempotency-Key was used for another submission";
    Err(Refusal::new(StatusCode::CONFLICT, "idempotency_conflict", detail))
}

fn same_submission(body: &[u8], stored: &str) -> bool {
    let read = |bytes| json::parse_unique(bytes, Limits::DOOR);
    match (read(body), read(stored.as_bytes())) {
        (Ok(a), Ok(b)) => a.same(&b),
        _ => body == stored.as_bytes(),
    }
}

/// `GET /aap/v1/requests/{id}?wait=25s`
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let owner = owner(&caller);
    let wait = match Query::read(request.uri().query(), &["wait"])?.get("wait") {
        None => Duration::ZERO,
        Some(text) => timestamp::span(text)
            .ok_or_else(|| Refusal::bad("invalid_wait", "wait must be like 25s or 1m; 60s is the longest"))?,
    };
    let began = Instant::now();
    let settled = settled(&shared, &owner, &id, wait.min(LONGEST_WAIT), &shared.stop);
    let record = tokio::select! {
        record = settled => record?,
        refusal = shared.credentials.ended(&caller) => return Err(refusal),
    };
    let mut response = known(&shared, &record)?;
    if !wait.is_zero() {
        response.extensions_mut().insert(Waited(began.elapsed()));
    }
    Ok(response)
}

/// A request that stood before this call. An approval is an executor's licence: none is told of an action that is not
/// what was decided on.
fn known(shared: &Shared, record: &Record) -> Result<Response, Refusal> {
    if record.state == ActionState::Approved
        && let Err(why) = record.intact()
    {
        shared.damages.note(&record.id, why);
        return Err(damage::refusal(StatusCode::CONFLICT, why));
    }
    Ok(json_text(StatusCode::OK, wire::request(record)))
}

/// The request once it is decided or the time has passed. Holds on news alone, and reads only where there is some.
async fn settled(
    shared: &Shared,
    owner: &Owner,
    id: &str,
    wait: Duration,
    stop: &Stop,
) -> Result<Record, Refusal> {
    let until = Instant::now() + wait;
    // Before the first look, so that nothing falls between.
    let mut changes = shared.store.changes();
    loop {
        let record = current(shared, owner, id).await?;
        if record.state != ActionState::Pending || Instant::now() >= until {
            return Ok(record);
        }
        let _one = shared.metrics.waiting.one();
        let left = timestamp::between((shared.clock)(), record.expires_at).max(Duration::from_millis(1));
        let wake = until.min(Instant::now() + left);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(wake) => break,
                () = stop.stopped() => return Ok(record),
                change = changes.recv() => match change {
                    Ok(change) if change.action_id.as_deref() != Some(id) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Ok(record),
                },
            }
        }
    }
}

/// The request as of now: expired, where its deadline has passed and nobody has written so yet.
async fn current(shared: &Shared, owner: &Owner, id: &str) -> Result<Record, Refusal> {
    let read = || async {
        let found = shared.store.record(Arc::clone(&owner.tenant), id.to_owned()).await?;
        found.filter(|record| record.agent == *owner.agent).ok_or_else(not_found)
    };
    let record = read().await?;
    if record.state == ActionState::Pending && record.expires_at <= (shared.clock)() {
        shared.store.expire().await?;
        return read().await;
    }
    Ok(record)
}

/// `DELETE /aap/v1/requests/{id}`
pub(crate) async fn withdraw(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let owner = owner(&caller);
    body::none(request.into_body()).await?;
    own(&shared, &owner.clone(), shared.store.withdraw(owner, id).await?)
}

/// `POST /aap/v1/requests/{id}/consume`
pub(crate) async fn consume(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, content) = request.into_parts();
    let owner = owner(&caller);
    let key = idempotency_key(&head.headers)?;
    body::none(content).await?;
    let answer = shared.store.consume(owner.clone(), id.clone(), key).await?;
    if let Own::Damaged(why) = &answer {
        shared.damages.note(&id, *why);
    }
    own(&shared, &owner, answer)
}

/// `POST /aap/v1/requests/{id}/outcome`
pub(crate) async fn outcome(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let owner = owner(&caller);
    let report = submission::report(&body::bytes(request.into_body(), Limits::DOOR.bytes).await?)?;
    own(&shared, &owner.clone(), shared.store.report(owner, id, report).await?)
}

fn own(shared: &Shared, owner: &Owner, answer: Own) -> Result<Response, Refusal> {
    let (code, detail) = match answer {
        Own::Done(record) => return known(shared, &record),
        Own::NotFound => return Err(not_found()),
        Own::Paused => return Err(agents::refusal(&owner.agent)),
        Own::Damaged(why) => return Err(damage::refusal(StatusCode::CONFLICT, why)),
        Own::Conflict(Conflict::AlreadyTerminal) => ("already_terminal", "the request is decided or expired"),
        Own::Conflict(Conflict::NotApproved) => ("not_approved", "the request is not approved"),
        Own::Conflict(Conflict::ApprovalExpired) => {
            ("approval_expired", "the approval was not taken in time and is void")
        }
        Own::Conflict(Conflict::AlreadyConsumed) => {
            ("already_consumed", "the approval has been taken under another Idempotency-Key")
        }
        Own::Conflict(Conflict::NotConsumed) => ("not_consumed", "the approval has not been taken"),
        Own::Conflict(Conflict::OtherOutcome) => {
            ("outcome_conflict", "another outcome has been reported for this request")
        }
    };
    Err(Refusal::new(StatusCode::CONFLICT, code, detail))
}
