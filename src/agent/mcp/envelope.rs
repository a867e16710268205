//! One line of a client's, read strictly, as the message that `rmcp` takes.
//!
//! `rmcp` reads with serde_json, which rounds numbers, drops the first of two equal keys, and refuses `1e400` and lone
//! surrogates: a message like that gets no answer from it, and its client waits for ever. So the arguments of a call go
//! through it as text, in a string, and come out byte for byte as they came in; and what cannot be read is refused by
//! name wherever its id can be found. This file must not know of any tool.

use crate::domain::json::{self, JsonError, Limits, Value, quote};
use rmcp::model::{ErrorData, NumberOrString, RequestId};
use rmcp::service::{RoleServer, RxJsonRpcMessage};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a client's message is.
pub(super) type Message = RxJsonRpcMessage<RoleServer>;

/// The longest message that is read.
pub(super) const LONGEST: usize = Limits::SEALED.bytes;
/// Wider than what the gateway takes, so that a call with too much in it is refused as a call, not as a message.
const MESSAGE: Limits = Limits { bytes: LONGEST, depth: 128, values: 100_000 };
/// The member that a call's arguments are carried in, as text.
pub(super) const TEXT: &str = "text";
/// The member that says instead why they could not be read.
pub(super) const REFUSED: &str = "refused";

/// What one line is.
#[derive(Debug)]
pub(super) enum Line {
    /// A message.
    Message(Box<Message>),
    /// None, and who sent it is told so.
    Reply(Option<RequestId>, ErrorData),
    /// None, and there is nobody to tell.
    Nothing(String),
}

/// Reads one line.
pub(super) fn read(line: &[u8]) -> Line {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return Line::Nothing("an empty line".into());
    }
    match (json::parse(line, MESSAGE), std::str::from_utf8(line)) {
        (Ok(value), Ok(text)) => message(&value, text),
        (Err(error), _) => salvage(line, &error),
        (Ok(_), Err(_)) => Line::Nothing("no UTF-8".into()),
    }
}

fn message(value: &Value, text: &str) -> Line {
    let carried = carry(value, text);
    let refuse = |why: String| match value.get("id") {
        Some(id) => Line::Reply(request_id(id), ErrorData::invalid_request(why, None)),
        None => Line::Nothing(why),
    };
    // Twice the bytes: in a string, every quote and every backslash has one before it.
    let limits = Limits { bytes: 2 * LONGEST + 64, ..MESSAGE };
    if let Err(error) = json::parse_unique(carried.as_bytes(), limits) {
        return refuse(error.to_string());
    }
    match serde_json::from_str(&carried) {
        Ok(message) => Line::Message(Box::new(message)),
        Err(_) => refuse("it is no message of the protocol".into()),
    }
}

/// The message, with the arguments of a call in a string.
fn carry(value: &Value, text: &str) -> String {
    let is_call = value.get("method").and_then(Value::as_str) == Some("tools/call");
    match value.get("params").and_then(|params| params.get("arguments")).filter(|_| is_call) {
        None => text.to_owned(),
        Some(arguments) => {
            let (before, after) = (&text[..arguments.span.start], &text[arguments.span.end..]);
            format!("{before}{{\"{TEXT}\":{}}}{after}", quote(arguments.text(text)))
        }
    }
}

fn request_id(id: &Value) -> Option<RequestId> {
    match &id.kind {
        json::Kind::String(text) => Some(NumberOrString::String(text.as_str().into())),
        json::Kind::Number(text) => text.parse().ok().map(NumberOrString::Number),
        _ => None,
    }
}

/// The little that must be found in a line that cannot be read, so that its sender does not wait for ever.
#[derive(Deserialize)]
struct Head {
    id: Option<NumberOrString>,
    method: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    params: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

fn salvage(line: &[u8], error: &JsonError) -> Line {
    let why = format!("it cannot be read: {error}");
    let Ok(Head { id: Some(id), method }) = serde_json::from_slice(line) else {
        // Where it is no JSON at all, an answer to nothing would only be answered in turn.
        let is_json = serde_json::from_slice::<IgnoredAny>(line).is_ok();
        return if is_json {
            Line::Reply(None, ErrorData::invalid_request(why, None))
        } else {
            Line::Nothing(why)
        };
    };
    let call = method.filter(|method| method == "tools/call").and_then(|_| serde_json::from_slice(line).ok());
    let Some(Call { params: Named { name } }) = call else {
        return Line::Reply(Some(id), ErrorData::invalid_request(why, None));
    };
    let call = serde_json::json!({
        "jsonrpc": "2.0",
        "id": id,
        "method": "tools/call",
        "params": { "name": name, "arguments": { REFUSED: why } },
    });
    match serde_json::from_value(call) {
        Ok(message) => Line::Message(Box::new(message)),
        Err(_) => Line::Reply(Some(id), ErrorData::invalid_request(why, None)),
    }
}

#[cfg(test)]
mod tests;
