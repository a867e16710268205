//! What is told of a call that was answered: numbers (`metrics`), and one line in the log.
//!
//! The line says which route, by its template, and never what was sent: no path, no query, no header, no body. Of the
//! caller it has the name and role of the credential that it knows; what a caller only claims is not in it.

use super::Shared;
use super::auth::Caller;
use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use std::time::{Duration, Instant};

/// What the route of a call is called that has none.
const NO_ROUTE: &str = "none";

/// How long a call was held because it asked to be: an extension of its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waited(pub(crate) Duration);

/// A call under way.
pub(crate) struct Call {
    route: Option<MatchedPath>,
    method: Method,
    request_id: String,
    began: Instant,
}

impl Call {
    /// It begins now.
    pub(crate) fn begin(request: &axum::extract::Request, request_id: &str) -> Self {
        Self {
            route: request.extensions().get::<MatchedPath>().cloned(),
            method: request.method().clone(),
            request_id: request_id.to_owned(),
            began: Instant::now(),
        }
    }

    /// It was answered, with that code where it was refused.
    pub(crate) fn answered(
        self,
        shared: &Shared,
        caller: Option<&Caller>,
        response: &Response,
        code: Option<&'static str>,
    ) {
        let (status, took) = (response.status(), self.began.elapsed());
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let waited = response.extensions().get::<Waited>().map_or(Duration::ZERO, |waited| waited.0);
        shared.metrics.answered(route, &self.method, status, took.saturating_sub(waited));
        if let Some(code) = code {
            shared.metrics.refused(code);
        }
        self.line(route, caller, status, took, code);
    }

    fn line(
        &self,
        route: &str,
        caller: Option<&Caller>,
        status: StatusCode,
        took: Duration,
        code: Option<&'static str>,
    ) {
        let (name, role) = caller.map_or(("", ""), |caller| (&*caller.name, caller.role.word()));
        tracing::info!(
            route,
            method = word(&self.method),
            status = status.as_u16(),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            caller = name,
            role,
            code = code.unwrap_or_default(),
            request_id = self.request_id,
            "call"
        );
    }
}

/// The methods that something here is called with; of any other only that it was another: the word is the caller's.
pub(crate) fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}
