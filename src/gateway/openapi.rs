//! `GET /openapi.json`: what can be called here, for programs. The file is written by hand; tests hold it against the table
//! of routes and against real answers.

use super::answer::json_text;
use axum::http::StatusCode;
use axum::response::Response;

const TEXT: &str = include_str!("../../assets/openapi.json");

/// `GET /openapi.json`
pub(crate) async fn description() -> Response {
    json_text(StatusCode::OK, TEXT.into())
}
