//! Why a text is not JSON that we take, in words. What they quote of the text is foreign: [`Visible`](crate::domain::Visible)
//! before it is drawn.

use std::fmt;

/// Why a text is not JSON that we take, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The byte at which it was found.
    pub at: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// More bytes than the limit given.
    TooLarge(usize),
    /// Deeper than the limit given.
    TooDeep(usize),
    /// More values than the limit given.
    TooMany(usize),
    /// The bytes are not UTF-8.
    NotUtf8,
    /// A byte-order mark stands before the text.
    ByteOrderMark,
    /// Half of a surrogate pair in a `\u` escape.
    LoneSurrogate,
    /// An unknown or cut escape.
    BadEscape,
    /// A byte below 0x20 inside a string.
    ControlInString(u8),
    /// A number that JSON has no form for: `01`, `+1`, `1.`, `NaN`.
    BadNumber,
    /// The text ends too early.
    EndsEarly,
    /// Something stands after the value.
    Trailing,
    /// The same key twice in one object.
    DuplicateKey(String),
    /// Anything else that should not stand here.
    Unexpected(char),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::TooLarge(limit) => write!(f, "larger than {limit} bytes"),
            Problem::TooDeep(limit) => write!(f, "nested deeper than {limit} levels"),
            Problem::TooMany(limit) => write!(f, "more than {limit} values"),
            Problem::NotUtf8 => f.write_str("invalid UTF-8"),
            Problem::ByteOrderMark => f.write_str("a byte-order mark stands before it"),
            Problem::LoneSurrogate => f.write_str("half a surrogate pair"),
            Problem::BadEscape => f.write_str("an escape that JSON does not have"),
            Problem::ControlInString(byte) => write!(f, "the control character 0x{byte:02x} inside a string"),
            Problem::BadNumber => f.write_str("a number that JSON has no form for"),
            Problem::EndsEarly => f.write_str("it ends too early"),
            Problem::Trailing => f.write_str("something stands after the value"),
            Problem::DuplicateKey(name) => write!(f, "the key {:?} stands twice", head(name)),
            Problem::Unexpected(c) => write!(f, "unexpected {c:?}"),
        }?;
        write!(f, " (byte {})", self.at)
    }
}

impl std::error::Error for JsonError {}

fn head(text: &str) -> String {
    text.chars().take(64).collect()
}
