//! Strict JSON for what nobody can trust: number text kept, duplicate keys found, depth, size and count limited,
//! and where every value stands in the source, so that bytes can be handed on as they came.
//!
//! serde_json's `Value` keeps the last of two equal keys, rounds numbers and refuses `1e400`; with the wrong features
//! turned on anywhere in the tree it even reads magic keys. So untrusted JSON comes through here. Nothing here may
//! write JSON (except for quoting a string), and nothing may make anything canonical.

mod error;
mod parser;
mod value;

pub use error::{JsonError, Problem};
pub use value::{Kind, Member, Value};

use parser::Parser;

/// What a document may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Nested arrays and objects; 1 is a flat object.
    pub depth: usize,
    /// Values of any kind, containers included.
    pub values: usize,
}

impl Limits {
    /// The limits at the gateway's door (wire.md, part 3).
    pub const DOOR: Self = Self { bytes: 256 * 1024, depth: 64, values: 20_000 };
    /// The limits for a decision at the gateway: a submission at the door's limits and the gateway's own fields, sent back.
    pub const DECISION: Self = Self { bytes: 1024 * 1024, depth: 66, values: 20_200 };
    /// The limits for a sealed action: wider than the door's, because a queue file has been through no door, and what is
    /// refused here can only be rejected.
    pub const SEALED: Self = Self { bytes: 8 * 1024 * 1024, depth: 512, values: 20_200 };
    /// The limits for telling what an action is that cannot be read.
    const OUTLINE: Self = Self { bytes: Self::SEALED.bytes, depth: 128 * 1024, values: usize::MAX };
    /// The limits for what a server answers about one decision.
    pub const ANSWER: Self = Self { bytes: 64 * 1024, depth: 16, values: 1_000 };
    /// The limits for one page of the queue, each of whose actions carries its sealed text in a string.
    pub const PAGE: Self = Self { bytes: 64 * 1024 * 1024, depth: 16, values: 100_000 };
}

/// Reads one value; duplicate keys are kept and marked. For what is shown.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    Parser::new(bytes, limits)?.document()
}

/// Reads one value and refuses duplicate keys at any depth. For what is taken in.
pub fn parse_unique(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    let value = parse(bytes, limits)?;
    match value.duplicate_key() {
        Some(name) => {
            Err(JsonError { at: value.span.start, problem: Problem::DuplicateKey(name.to_owned()) })
        }
        None => Ok(value),
    }
}

/// Reads an object's own members and no more: what is nested in them is checked, and comes as empty arrays and objects.
/// For what is too deep, or has too many values, to be read in full.
pub fn outline(bytes: &[u8]) -> Result<Value, JsonError> {
    let mut parser = Parser::new(bytes, Limits::OUTLINE)?;
    parser.kept = 1;
    parser.document()
}

/// The text as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod minefield;
#[cfg(test)]
mod tests;
