//! A JSON value as it was read: decoded where that loses nothing, with the bytes that it stands in.

use std::ops::Range;

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

    /// The name of a key that stands twice in one object, at any depth.
    pub fn duplicate_key(&self) -> Option<&str> {
        let mut values = vec![self];
        while let Some(value) = values.pop() {
            match &value.kind {
                Kind::Object(members) => {
                    if let Some(member) = members.iter().find(|member| member.duplicate) {
                        return Some(&member.name);
                    }
                    values.extend(members.iter().map(|member| &member.value));
                }
                Kind::Array(elements) => values.extend(elements),
                _ => {}
            }
        }
        None
    }
}
