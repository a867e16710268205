//! Strict JSON for what nobody can trust: number text kept, duplicate keys found, depth, size and count limited,
//! and where every value stands in the source, so that bytes can be handed on as they came.
//!
//! serde_json's `Value` keeps the last of two equal keys, rounds numbers and refuses `1e400`; with the wrong features
//! turned on anywhere in the tree it even reads magic keys. So untrusted JSON comes through here. This file must not
//! write JSON (except for quoting a string) and must never make anything canonical.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

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
    /// The limits for a sealed action: a submission at the door's limits, quoted and with the gateway's own fields.
    pub const SEALED: Self = Self { bytes: 1024 * 1024, depth: 66, values: 20_200 };
    /// The limits for what a server answers about one decision.
    pub const ANSWER: Self = Self { bytes: 64 * 1024, depth: 16, values: 1_000 };
    /// The limits for one page of the queue, each of whose actions carries its sealed text in a string.
    pub const PAGE: Self = Self { bytes: 64 * 1024 * 1024, depth: 16, values: 100_000 };
}

/// One value and the bytes of the source that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the source, without the blanks around it.
    pub span: Range<usize>,
}

/// The kinds of JSON value. Strings are decoded, numbers are not.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as its text: `1.10` and `1.1` are two different texts.
    Number(String),
    /// A string, its escapes decoded.
    String(String),
    /// `[…]`
    Array(Vec<Value>),
    /// `{…}`, keys in their own order, duplicates kept.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key, decoded.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Whether an earlier member of the same object has the same (decoded) key.
    pub duplicate: bool,
}

impl Value {
    /// The decoded text, where this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, where this is an object.
    pub fn as_object(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, where this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The first member of that name, where this is an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// The exact bytes this was read from. `source` must be the text that was parsed.
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        &source[self.span.clone()]
    }

    /// Whether two values are the same JSON: objects by key, numbers by their text (so `1.0` is not `1.00`).
    pub fn same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Array(a), Kind::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Kind::Object(a), Kind::Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|member| other.get(&member.name).is_some_and(|value| member.value.same(value)))
            }
            (a, b) => a == b,
        }
    }

    /// The name of the first key that stands twice in one object, at any depth.
    pub fn duplicate_key(&self) -> Option<&str> {
        match &self.kind {
            Kind::Object(members) => members.iter().find_map(|member| {
                if member.duplicate { Some(member.name.as_str()) } else { member.value.duplicate_key() }
            }),
            Kind::Array(elements) => elements.iter().find_map(Self::duplicate_key),
            _ => None,
        }
    }
}

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

/// Reads one value; duplicate keys are kept and marked. For what is shown.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError { at: limits.bytes, problem: Problem::TooLarge(limits.bytes) });
    }
    let source = std::str::from_utf8(bytes)
        .map_err(|error| JsonError { at: error.valid_up_to(), problem: Problem::NotUtf8 })?;
    if source.starts_with('\u{feff}') {
        return Err(JsonError { at: 0, problem: Problem::ByteOrderMark });
    }
    Parser { source, at: 0, values: 0, limits, open: Vec::new() }.document()
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

/// The text as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A container that is not closed yet.
enum Open {
    Array { start: usize, elements: Vec<Value> },
    Object { start: usize, members: Vec<Member>, seen: HashSet<String>, name: String },
}

/// An explicit stack instead of recursion: depth is a limit, never a crash.
struct Parser<'s> {
    source: &'s str,
    at: usize,
    values: usize,
    limits: Limits,
    open: Vec<Open>,
}

impl Parser<'_> {
    fn document(mut self) -> Result<Value, JsonError> {
        let mut done = self.begin()?;
        loop {
            let Some(value) = done.take() else {
                done = self.begin()?;
                continue;
            };
            let Some(open) = self.open.last_mut() else {
                self.blanks();
                return if self.at == self.source.len() { Ok(value) } else { self.fail(Problem::Trailing) };
            };
            match open {
                Open::Array { elements, .. } => elements.push(value),
                Open::Object { members, seen, name, .. } => {
                    let name = std::mem::take(name);
                    let duplicate = !seen.insert(name.clone());
                    members.push(Member { name, value, duplicate });
                }
            }
            done = self.after_value()?;
        }
    }

    /// After a value inside a container: a comma (then nothing is finished), or the end of the container.
    fn after_value(&mut self) -> Result<Option<Value>, JsonError> {
        self.blanks();
        match (self.peek(), self.open.last()) {
            (Some(b','), Some(Open::Array { .. })) => {
                self.at += 1;
                Ok(None)
            }
            (Some(b','), Some(Open::Object { .. })) => {
                self.at += 1;
                self.blanks();
                self.key().map(|()| None)
            }
            (Some(b']'), Some(Open::Array { .. })) | (Some(b'}'), Some(Open::Object { .. })) => self.close(),
            _ => self.unexpected(),
        }
    }

    /// Starts a value. A container that is not empty is left open, and nothing is finished.
    fn begin(&mut self) -> Result<Option<Value>, JsonError> {
        self.blanks();
        self.values += 1;
        if self.values > self.limits.values {
            return self.fail(Problem::TooMany(self.limits.values));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'[') => {
                self.nest(Open::Array { start, elements: Vec::new() })?;
                return if self.peek() == Some(b']') { self.close() } else { Ok(None) };
            }
            Some(b'{') => {
                let (members, seen) = (Vec::new(), HashSet::new());
                self.nest(Open::Object { start, members, seen, name: String::new() })?;
                return if self.peek() == Some(b'}') { self.close() } else { self.key().map(|()| None) };
            }
            Some(b'"') => Kind::String(self.string()?),
            Some(b't') => self.literal("true", Kind::Bool(true))?,
            Some(b'f') => self.literal("false", Kind::Bool(false))?,
            Some(b'n') => self.literal("null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            _ => return self.unexpected(),
        };
        Ok(Some(Value { kind, span: start..self.at }))
    }

    fn nest(&mut self, open: Open) -> Result<(), JsonError> {
        if self.open.len() == self.limits.depth {
            return self.fail(Problem::TooDeep(self.limits.depth));
        }
        self.open.push(open);
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn close(&mut self) -> Result<Option<Value>, JsonError> {
        self.at += 1;
        let end = self.at;
        Ok(self.open.pop().map(|open| match open {
            Open::Array { start, elements } => Value { kind: Kind::Array(elements), span: start..end },
            Open::Object { start, members, .. } => Value { kind: Kind::Object(members), span: start..end },
        }))
    }

    /// A key and its colon, kept in the innermost object until its value is there.
    fn key(&mut self) -> Result<(), JsonError> {
        if self.peek() != Some(b'"') {
            return self.unexpected();
        }
        let key = self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return self.unexpected();
        }
        self.at += 1;
        if let Some(Open::Object { name, .. }) = self.open.last_mut() {
            *name = key;
        }
        Ok(())
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<Kind, JsonError> {
        if !self.source[self.at..].starts_with(word) {
            return self.unexpected();
        }
        self.at += word.len();
        Ok(kind)
    }

    /// RFC 8259, section 6: an optional minus, no leading zero, digits around the point and after the `e`.
    fn number(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') && self.digits() == 0 {
            return self.fail(Problem::BadNumber);
        }
        if self.skip(b'.') && self.digits() == 0 {
            return self.fail(Problem::BadNumber);
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _sign = self.skip(b'+') || self.skip(b'-');
            if self.digits() == 0 {
                return self.fail(Problem::BadNumber);
            }
        }
        if matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z')) {
            return self.fail(Problem::BadNumber);
        }
        Ok(self.source[start..self.at].to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let plain = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            text.push_str(&self.source[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(byte) => return self.fail(Problem::ControlInString(byte)),
                None => return self.fail(Problem::EndsEarly),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 2;
        let fail = |problem| Err(JsonError { at: start, problem });
        Ok(match self.source.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let Some(first) = self.hex4() else { return fail(Problem::BadEscape) };
                let code = match first {
                    0xd800..=0xdbff => {
                        let pair = self.source[self.at..].starts_with("\\u");
                        self.at += if pair { 2 } else { 0 };
                        match pair.then(|| self.hex4()).flatten() {
                            Some(low @ 0xdc00..=0xdfff) => {
                                0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)
                            }
                            _ => return fail(Problem::LoneSurrogate),
                        }
                    }
                    code => code,
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return fail(Problem::LoneSurrogate),
                }
            }
            _ => return fail(Problem::BadEscape),
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.source.as_bytes().get(self.at..self.at + 4)?;
        let code = digits
            .iter()
            .try_fold(0, |code, &digit| char::from(digit).to_digit(16).map(|digit| code * 16 + digit))?;
        self.at += 4;
        Some(code)
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected<T>(&self) -> Result<T, JsonError> {
        self.fail(self.source[self.at..].chars().next().map_or(Problem::EndsEarly, Problem::Unexpected))
    }

    fn fail<T>(&self, problem: Problem) -> Result<T, JsonError> {
        Err(JsonError { at: self.at, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Value, Problem> {
        parse(text.as_bytes(), Limits::DOOR).map_err(|error| error.problem)
    }

    #[test]
    fn values_keep_their_text_order_and_place() {
        let source = r#" {"n": 1.10, "big":9007199254740993,"huge":1e400 , "s":"a\n\u00e9\ud83d\ude00", "l":[true,null,[]]} "#;
        let value = read(source).unwrap();
        assert_eq!(value.text(source), source.trim());
        let kind = |name| &value.get(name).unwrap().kind;
        assert_eq!(kind("n"), &Kind::Number("1.10".into()));
        assert_eq!(kind("big"), &Kind::Number("9007199254740993".into()));
        assert_eq!(kind("huge"), &Kind::Number("1e400".into()));
        assert_eq!(kind("s"), &Kind::String("a\né😀".into()));
        assert_eq!(value.get("l").unwrap().text(source), "[true,null,[]]");
        let names: Vec<_> = value.as_object().unwrap().iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["n", "big", "huge", "s", "l"]);
    }

    #[test]
    fn magic_keys_of_serde_json_stay_an_object() {
        let value = read(r#"{"$serde_json::private::Number": "999"}"#).unwrap();
        assert_eq!(value.as_object().unwrap()[0].name, "$serde_json::private::Number");
        let raw = read(r#"{"$serde_json::private::RawValue": "1"}"#).unwrap();
        assert_eq!(raw.as_object().unwrap()[0].value.as_str(), Some("1"));
    }

    #[test]
    fn duplicate_keys_are_found_at_any_depth_and_through_escapes() {
        let value = read(r#"{"a":[{"b":{"x":1,"\u0078":2}}]}"#).unwrap();
        assert_eq!(value.duplicate_key(), Some("x"));
        let error = parse_unique(br#"{"a":1,"\u0061":2}"#, Limits::DOOR).unwrap_err();
        assert_eq!(error.problem, Problem::DuplicateKey("a".into()));
        assert!(parse_unique(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#, Limits::DOOR).is_ok());
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_reason() {
        use Problem::*;
        for (text, problem) in [
            ("", EndsEarly),
            ("{", EndsEarly),
            ("[1,]", Unexpected(']')),
            ("{\"a\":1,}", Unexpected('}')),
            ("{a:1}", Unexpected('a')),
            ("[1 2]", Unexpected('2')),
            ("[1}", Unexpected('}')),
            ("nul", Unexpected('n')),
            ("'a'", Unexpected('\'')),
            ("01", BadNumber),
            ("1.", BadNumber),
            (".5", Unexpected('.')),
            ("+1", Unexpected('+')),
            ("-", BadNumber),
            ("1e", BadNumber),
            ("1x", BadNumber),
            ("NaN", Unexpected('N')),
            ("1 1", Trailing),
            ("{}\0", Trailing),
            ("\u{feff}{}", ByteOrderMark),
            ("\"a\nb\"", ControlInString(b'\n')),
            ("\"a\0\"", ControlInString(0)),
            (r#""\x""#, BadEscape),
            (r#""\u12g4""#, BadEscape),
            (r#""\ud800""#, LoneSurrogate),
            (r#""\ud800\u0041""#, LoneSurrogate),
            (r#""\udc00""#, LoneSurrogate),
            (r#""abc"#, EndsEarly),
            ("\"\\", BadEscape),
        ] {
            assert_eq!(read(text), Err(problem), "{text:?}");
        }
        assert_eq!(parse(b"\"\xff\"", Limits::DOOR).unwrap_err().problem, NotUtf8);
    }

    #[test]
    fn limits_hold_to_the_last_step() {
        let small = Limits { bytes: 20, depth: 3, values: 4 };
        let read = |text: &str| parse(text.as_bytes(), small).map(|_| ()).map_err(|error| error.problem);
        assert_eq!(read("[[[]]]"), Ok(()));
        assert_eq!(read("[[[[]]]]"), Err(Problem::TooDeep(3)));
        assert_eq!(read("[1,2,3]"), Ok(()));
        assert_eq!(read("[1,2,3,4]"), Err(Problem::TooMany(4)));
        assert_eq!(read("\"123456789012345678\""), Ok(()));
        assert_eq!(read("\"1234567890123456789\""), Err(Problem::TooLarge(20)));
        let deep = "[".repeat(200_000);
        assert_eq!(parse(deep.as_bytes(), Limits::DOOR).unwrap_err().problem, Problem::TooDeep(64));
    }

    #[test]
    fn the_same_json_in_another_order_is_the_same() {
        let (a, b) =
            (read(r#"{"a":1,"b":[1,"x"]}"#).unwrap(), read(r#"{ "b":[1,"\u0078"],"a":1 }"#).unwrap());
        assert!(a.same(&b));
        for other in [r#"{"a":1.0,"b":[1,"x"]}"#, r#"{"a":1}"#, r#"{"a":"1","b":[1,"x"]}"#] {
            assert!(!a.same(&read(other).unwrap()), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_reads_back(text in any::<String>(), number in any::<i64>()) {
            let source = serde_json::json!({"t": text, "n": number, (text.clone()): [text]}).to_string();
            let value = read(&source).unwrap();
            prop_assert!(value.as_object().unwrap().iter().any(|member| member.value.as_str() == Some(&text)) || text == "t" || text == "n");
            prop_assert_eq!(quote(&text), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes, Limits::DOOR);
        }

        #[test]
        fn no_json_like_text_makes_it_panic(text in r#"[\[\]{}:,"\\u0-9eE+\-. dD8cC]{0,48}"#) {
            let ours = parse(text.as_bytes(), Limits::DOOR).is_ok();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert!(!ours || theirs, "we take what serde_json refuses: {}", text);
        }
    }
}
