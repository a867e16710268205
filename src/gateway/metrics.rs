//! `GET /metrics`: what the gateway counts, as OpenMetrics text, which Prometheus reads.
//!
//! Every label has few values that are known beforehand: a route's template, a method, a class of statuses, a code of this
//! gateway's own. Never a tenant, an agent, a thread or an id: each of those would be a series for ever, and tell who does
//! what to whoever may scrape.

use super::Shared;
use super::answer::Refusal;
use super::calls;
use super::store::EventKind;
use crate::domain::Verdict;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// What a scraper is told that it gets.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of what a call may take, in seconds.
const CALL_SECONDS: [f64; 13] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of what a person may take to decide, in seconds: from one to three days.
const DECISION_SECONDS: [f64; 12] =
    [1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 259_200.0];
/// Upper bounds of what a commit may take, in seconds.
const COMMIT_SECONDS: [f64; 11] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<Called, Counter>,
    call_seconds: Family<Route, Histogram, fn() -> Histogram>,
    refusals: Family<Refused, Counter>,
    webhooks: Family<Tried, Counter>,
    decision_seconds: Family<Decided, Histogram, fn() -> Histogram>,
    pending: Gauge,
    damaged: Gauge,
    /// Connections that are open.
    pub(crate) connections: Level,
    /// Agents' calls that wait for a decision.
    pub(crate) waiting: Level,
    /// Streams of events that are listened to.
    pub(crate) listeners: Level,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Called {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refused {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tried {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Decided {
    verdict: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Happened {
    kind: &'static str,
}

/// How many of something there are at this moment. Clones count the same.
#[derive(Clone, Default)]
pub(crate) struct Level(Gauge);

/// One of them; dropped, there is one fewer.
pub(crate) struct One(Gauge);

impl Level {
    /// One more.
    pub(crate) fn one(&self) -> One {
        self.0.inc();
        One(self.0.clone())
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the store tells of its commits. Clones count the same.
#[derive(Clone)]
pub(crate) struct Commits {
    jobs: Histogram,
    seconds: Histogram,
    events: Family<Happened, Counter>,
}

impl Commits {
    /// Nothing is counted yet.
    pub(crate) fn new() -> Self {
        Self {
            jobs: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            seconds: Histogram::new(COMMIT_SECONDS),
            events: Family::default(),
        }
    }

    /// A commit that carried so many calls took so long, its sync included.
    pub(crate) fn committed(&self, jobs: usize, took: Duration) {
        self.jobs.observe(u32::try_from(jobs).map_or(f64::MAX, f64::from));
        self.seconds.observe(took.as_secs_f64());
    }

    /// An event of that kind was committed.
    pub(crate) fn happened(&self, kind: EventKind) {
        self.events.get_or_create(&Happened { kind: kind.stored() }).inc();
    }
}

impl Metrics {
    /// For a gateway on that kind of store.
    pub(crate) fn new(store: &'static str, commits: &Commits) -> Self {
        let mut registry = Registry::with_prefix("aegis_gateway");
        fn family<S: Clone + std::hash::Hash + Eq, M, C: MetricConstructor<M>>(c: C) -> Family<S, M, C> {
            Family::new_with_constructor(c)
        }
        let metrics = Self {
            calls: Family::default(),
            call_seconds: family((|| Histogram::new(CALL_SECONDS)) as fn() -> Histogram),
            refusals: Family::default(),
            webhooks: Family::default(),
            decision_seconds: family((|| Histogram::new(DECISION_SECONDS)) as fn() -> Histogram),
            pending: Gauge::default(),
            damaged: Gauge::default(),
            connections: Level::default(),
            waiting: Level::default(),
            listeners: Level::default(),
            registry: Registry::default(),
        };
        let about = Info::new([("version", env!("CARGO_PKG_VERSION")), ("store", store)]);
        registry.register("build", "The program and what it keeps its data in", about);
        registry.register("calls", "Calls that were answered", metrics.calls.clone());
        let help = "Time to an answer, without the time that a call asked to wait; of a stream, to its head";
        registry.register("call_seconds", help, metrics.call_seconds.clone());
        registry.register(
            "refusals",
            "Calls that were refused, by the code of the answer",
            metrics.refusals.clone(),
        );
        let help = "Tries to tell an instance's receiver that a request has ended, by how they ended";
        registry.register("webhooks", help, metrics.webhooks.clone());
        let help = "Time from the asking to the decision that this gateway took";
        registry.register("decision_seconds", help, metrics.decision_seconds.clone());
        registry.register("pending_actions", "Actions that wait for a decision", metrics.pending.clone());
        let help = "Stored actions that were met since the start and are not what was stored";
        registry.register("damaged_actions", help, metrics.damaged.clone());
        registry.register("connections", "Connections that are open", metrics.connections.0.clone());
        registry.register(
            "waiting_calls",
            "Agents' calls that wait for a decision",
            metrics.waiting.0.clone(),
        );
        registry.register("listeners", "Streams of events that are open", metrics.listeners.0.clone());
        let help = "Events that this gateway committed, by their kind";
        registry.register("events", help, commits.events.clone());
        registry.register("commit_jobs", "Calls that one commit carried", commits.jobs.clone());
        registry.register("commit_seconds", "Time of a commit, its sync included", commits.seconds.clone());
        Self { registry, ..metrics }
    }

    /// A call was answered.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let (route, method) = (route.to_owned(), calls::word(method));
        self.call_seconds.get_or_create(&Route { route: route.clone(), method }).observe(took.as_secs_f64());
        let status = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.calls.get_or_create(&Called { route, method, status }).inc();
    }

    /// A call was refused.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&Refused { code }).inc();
    }

    /// A try to deliver a webhook ended so.
    pub(crate) fn webhook(&self, result: &'static str) {
        self.webhooks.get_or_create(&Tried { result }).inc();
    }

    /// An action was decided that long after it was asked.
    pub(crate) fn decided(&self, verdict: Verdict, after: Duration) {
        let verdict = verdict.word();
        self.decision_seconds.get_or_create(&Decided { verdict }).observe(after.as_secs_f64());
    }
}

/// `GET /metrics`
pub(crate) async fn scrape(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    let metrics = &shared.metrics;
    metrics.pending.set(shared.store.pending().await?);
    metrics.damaged.set(i64::try_from(shared.damages.count()).unwrap_or(i64::MAX));
    let mut body = String::new();
    text::encode(&mut body, &metrics.registry).map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the metrics could not be written")
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], Body::from(body)).into_response())
}
