//! Every route of the gateway, and whose credential it takes: one table, from which the router is built. A call whose
//! credential it does not take never reaches its handler.

use super::auth::{self, Role, has_authorization};
use super::tokens::http as tokens;
use super::{
    Shared, agents, answer::Refusal, ask, decide, door, events, instances, metrics, openapi, presence, queue,
    whoami,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{self, MethodRouter};
use std::sync::Arc;

/// Whose credential a route takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    /// Nobody's: it answers whoever calls.
    Anyone,
    /// That of these roles.
    Only(&'static [Role]),
    /// That of these roles; where only this machine reaches the gateway, nobody's.
    OrThisMachine(&'static [Role]),
    /// That of these roles; in tenant mode also a call without any.
    OrTenant(&'static [Role]),
}

/// Asks, and goes on with its own.
const ASKS: Takes = Takes::Only(&[Role::Agent]);
/// Decides.
const DECIDES: Takes = Takes::OrTenant(&[Role::Reviewer]);
/// Reads what a reviewer reads.
const READS: Takes = Takes::Only(&[Role::Reviewer, Role::Auditor, Role::Admin]);
/// Says where it looks: whoever may decide.
const LOOKS: Takes = Takes::Only(&[Role::Reviewer]);
/// Reads what became of a decision.
const FOLLOWS: Takes = Takes::OrTenant(&[Role::Reviewer, Role::Auditor, Role::Admin]);
/// Reads what is counted.
const COUNTS: Takes = Takes::OrThisMachine(&[Role::Reviewer, Role::Auditor, Role::Admin]);
/// Stops an agent, and lets it go on.
const PAUSES: Takes = Takes::Only(&[Role::Reviewer, Role::Admin]);
/// Is told who it is.
const KNOWN: Takes = Takes::Only(&Role::ALL);
/// Makes and revokes tokens.
const MANAGES: Takes = Takes::Only(&[Role::Admin]);

/// Makes instances of agents, and takes them away.
const PROVISIONS: Takes = Takes::Only(&[Role::Provisioner]);

/// One route.
struct Route {
    method: &'static str,
    path: &'static str,
    takes: Takes,
    handler: MethodRouter<Arc<Shared>>,
}

fn table() -> Vec<Route> {
    vec![
        get("/healthz", Takes::Anyone, queue::healthz),
        get("/readyz", Takes::Anyone, queue::readyz),
        get("/openapi.json", Takes::Anyone, openapi::description),
        get("/metrics", COUNTS, metrics::scrape),
        // Deciding, as the published AEGIS client calls it.
        post("/api/v1/hitl/approve", DECIDES, decide::approve),
        post("/api/v1/hitl/reject", DECIDES, decide::reject),
        get("/api/v1/hitl/status/{request_id}", FOLLOWS, decide::status),
        // The queue.
        get("/api/v1/hitl/actions", READS, queue::list),
        get("/api/v1/hitl/actions/{id}", READS, queue::one),
        get("/api/v1/hitl/events", READS, events::stream),
        post("/api/v1/hitl/presence", LOOKS, presence::look),
        get("/api/v1/hitl/agents", READS, agents::list),
        post("/api/v1/hitl/agents/{name}/pause", PAUSES, agents::pause),
        post("/api/v1/hitl/agents/{name}/resume", PAUSES, agents::resume),
        // Credentials.
        get("/api/v1/whoami", KNOWN, whoami::whoami),
        get("/api/v1/tokens", MANAGES, tokens::list),
        post("/api/v1/tokens", MANAGES, tokens::create),
        delete("/api/v1/tokens/{id}", MANAGES, tokens::revoke),
        // Asking (AAP).
        post("/aap/v1/instances", PROVISIONS, instances::provision),
        get("/aap/v1/instances/{id}", PROVISIONS, instances::get),
        delete("/aap/v1/instances/{id}", PROVISIONS, instances::delete),
        post("/aap/v1/requests", ASKS, ask::create),
        get("/aap/v1/requests/{id}", ASKS, ask::get),
        delete("/aap/v1/requests/{id}", ASKS, ask::withdraw),
        post("/aap/v1/requests/{id}/consume", ASKS, ask::consume),
        post("/aap/v1/requests/{id}/outcome", ASKS, ask::outcome),
    ]
}

fn get<T: 'static>(path: &'static str, takes: Takes, handler: impl Handler<T, Arc<Shared>>) -> Route {
    Route { method: "GET", path, takes, handler: routing::get(handler) }
}

fn post<T: 'static>(path: &'static str, takes: Takes, handler: impl Handler<T, Arc<Shared>>) -> Route {
    Route { method: "POST", path, takes, handler: routing::post(handler) }
}

fn delete<T: 'static>(path: &'static str, takes: Takes, handler: impl Handler<T, Arc<Shared>>) -> Route {
    Route { method: "DELETE", path, takes, handler: routing::delete(handler) }
}

/// Every route as its method and its path, with names in braces where a path holds a value.
pub fn routes() -> Vec<(&'static str, &'static str)> {
    table().iter().map(|route| (route.method, route.path)).collect()
}

/// The routes as a service, with everything that stands at the door.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for Route { path, takes, handler, .. } in table() {
        let check = from_fn_with_state((Arc::clone(shared), takes), check);
        router = router.route(path, handler.route_layer(check));
    }
    router
        .fallback(|| async {
            Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path")
        })
        .method_not_allowed_fallback(|| async {
            let detail = "this path is not called with this method";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(from_fn_with_state(Arc::clone(shared), door::guard))
        .with_state(Arc::clone(shared))
}

async fn check(
    State((shared, takes)): State<(Arc<Shared>, Takes)>,
    request: Request,
    next: Next,
) -> Response {
    match takes.admit(&shared, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl Takes {
    /// 401 without a credential that is known, 403 with one that is not taken here.
    fn admit(self, shared: &Shared, request: &Request) -> Result<(), Refusal> {
        let roles = match self {
            Self::Anyone => return Ok(()),
            Self::OrTenant(_) if shared.tenant_mode && !has_authorization(request.headers()) => return Ok(()),
            Self::OrThisMachine(_) if !shared.exposed => return Ok(()),
            Self::Only(roles) | Self::OrThisMachine(roles) | Self::OrTenant(roles) => roles,
        };
        let caller = auth::caller(request.extensions())?;
        if roles.contains(&caller.role) {
            return Ok(());
        }
        let taken: Vec<_> = roles.iter().map(|role| role.whose()).collect();
        let detail =
            format!("this call needs {} credential, not {}", taken.join(" or "), caller.role.whose());
        Err(Refusal::new(StatusCode::FORBIDDEN, "wrong_role", detail))
    }
}
