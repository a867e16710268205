//! What comes in with a call: its bytes, counted and timed, and the strict JSON in them. Every entrance of the gateway
//! reads its body here, so that one set of limits and words holds for all of them.

use super::answer::Refusal;
use crate::domain::Visible;
use crate::domain::json::{self, JsonError, Limits, Problem, Value};
use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use hyper::body::Body as _;
use std::time::Duration;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The whole body, at most `limit` bytes of it and in at most [`BODY_TIME`].
pub(crate) async fn bytes(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let too_large = || {
        let detail = format!("the body is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) > limit {
        return Err(too_large());
    }
    let read = async {
        let (mut bytes, mut chunks) = (Vec::new(), body.into_data_stream());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::bad("broken_body", "the body ended too early"))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(BODY_TIME, read).await.unwrap_or_else(|_| {
        let detail = format!("the body did not arrive within {} s", BODY_TIME.as_secs());
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "slow_body", detail))
    })
}

/// The value in a body, with no key twice at any depth.
pub(crate) fn value(bytes: &[u8], limits: Limits) -> Result<Value, Refusal> {
    json::parse_unique(bytes, limits).map_err(|error| refusal(&error))
}

/// The body of a call that takes none: nothing, or `{}`. Anything else was meant to say something, and would be ignored.
pub(crate) async fn none(body: Body) -> Result<(), Refusal> {
    let bytes = bytes(body, Limits::DOOR.bytes).await?;
    if bytes.is_empty() {
        return Ok(());
    }
    match value(&bytes, Limits::DOOR)?.as_object() {
        Some([]) => Ok(()),
        Some([first, ..]) => {
            let name = Visible::of(&first.name).cut(64).plain();
            let detail = format!("the field {name:?} is not one of this call: it takes no body, or {{}}");
            Err(Refusal::bad("unknown_field", detail))
        }
        None => Err(Refusal::bad("invalid_json", "this call takes no body, or {}")),
    }
}

/// Why the JSON was not taken, with a code that names the limit.
fn refusal(error: &JsonError) -> Refusal {
    let code = match &error.problem {
        Problem::TooLarge(_) => {
            return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error.to_string());
        }
        Problem::TooDeep(_) => "too_deep",
        Problem::TooMany(_) => "too_many_values",
        Problem::DuplicateKey(name) => {
            let name = Visible::of(name).cut(64).plain();
            return Refusal::bad("duplicate_key", format!("the key {name:?} stands twice in one object"));
        }
        Problem::NotUtf8 | Problem::LoneSurrogate => "invalid_unicode",
        _ => "invalid_json",
    };
    Refusal::bad(code, format!("the body is not JSON that is taken here: {error}"))
}
