//! The parser: RFC 8259 to the letter, limits, and a stack of its own instead of recursion, so that depth is a limit and
//! never a crash.

use super::Limits;
use super::error::{JsonError, Problem};
use super::value::{Kind, Member, Value};
use std::collections::HashSet;

/// A container that is not closed yet.
enum Open {
    Array { start: usize, elements: Vec<Value> },
    Object { start: usize, members: Vec<Member>, seen: HashSet<String>, name: String },
}

/// Where the parser is in its source.
pub(super) struct Parser<'s> {
    source: &'s str,
    at: usize,
    values: usize,
    limits: Limits,
    /// How many levels of values are kept; what is nested deeper is only checked.
    pub(super) kept: usize,
    open: Vec<Open>,
}

impl<'s> Parser<'s> {
    /// At the start of a text that is UTF-8 and not too long.
    pub(super) fn new(bytes: &'s [u8], limits: Limits) -> Result<Self, JsonError> {
        if bytes.len() > limits.bytes {
            return Err(JsonError { at: limits.bytes, problem: Problem::TooLarge(limits.bytes) });
        }
        let source = std::str::from_utf8(bytes)
            .map_err(|error| JsonError { at: error.valid_up_to(), problem: Problem::NotUtf8 })?;
        if source.starts_with('\u{feff}') {
            return Err(JsonError { at: 0, problem: Problem::ByteOrderMark });
        }
        Ok(Self { source, at: 0, values: 0, limits, kept: usize::MAX, open: Vec::new() })
    }

    /// Reads the one value and what may stand after it: blanks.
    pub(super) fn document(mut self) -> Result<Value, JsonError> {
        let mut done = self.begin()?;
        loop {
            let Some(value) = done.take() else {
                done = self.begin()?;
                continue;
            };
            let is_kept = self.open.len() <= self.kept;
            let Some(open) = self.open.last_mut() else {
                self.blanks();
                return if self.at == self.source.len() { Ok(value) } else { self.fail(Problem::Trailing) };
            };
            match open {
                _ if !is_kept => {}
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
