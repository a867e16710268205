//! One thing that happened, as the exact JSON text that is hashed. The text is made once, here, and kept; nobody writes
//! it a second time. Where it stands in the log is `head`'s, whether it still holds `verify`'s.

pub use super::kind::Kind;
use crate::domain::json::{self, JsonError, Limits, Value};
use crate::domain::timestamp;
use jiff::Timestamp;
use std::fmt::Write as _;

/// What an entry may have at most. It holds a sealed action in a string, escaped.
const LIMITS: Limits = Limits { bytes: 64 * 1024 * 1024, depth: 16, values: 10_000 };

/// The facts of an entry: the members of a JSON object, in the order in which they were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(String);

impl Facts {
    /// A text.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.member(name, |out| quote(out, value))
    }

    /// A text, where there is one.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A number.
    #[must_use]
    pub fn number(self, name: &str, value: i64) -> Self {
        self.member(name, |out| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        })
    }

    /// A time.
    #[must_use]
    pub fn time(self, name: &str, value: Timestamp) -> Self {
        self.text(name, &timestamp::format(value))
    }

    /// What else is known.
    #[must_use]
    pub fn and(mut self, more: &Self) -> Self {
        if !self.0.is_empty() && !more.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&more.0);
        self
    }

    fn member(mut self, name: &str, value: impl FnOnce(&mut String)) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        quote(&mut self.0, name);
        self.0.push(':');
        value(&mut self.0);
        self
    }
}

/// Something that happened, before it has its place in the log.
#[derive(Debug, Clone)]
pub struct Happened<'h> {
    /// What.
    pub kind: Kind,
    /// Whose it is; empty where it concerns the gateway as a whole.
    pub tenant: &'h str,
    /// Who did it: a credential's name, `rule:NAME`, or `gateway`.
    pub by: &'h str,
    /// The action that it is about.
    pub action_id: Option<&'h str>,
    /// What else is known.
    pub facts: Facts,
}

/// The text of an entry.
pub(super) fn text(seq: u64, prev: &str, at: Timestamp, what: &Happened<'_>) -> String {
    let mut out = String::with_capacity(256 + what.facts.0.len());
    // Writing to a String cannot fail.
    let _ =
        write!(out, "{{\"seq\":{seq},\"prev\":\"{prev}\",\"at\":\"{}\",\"tenant\":", timestamp::format(at));
    quote(&mut out, what.tenant);
    let _ = write!(out, ",\"kind\":\"{}\",\"by\":", what.kind.word());
    quote(&mut out, what.by);
    if let Some(id) = what.action_id {
        out.push_str(",\"action_id\":");
        quote(&mut out, id);
    }
    out.push_str(",\"facts\":{");
    out.push_str(&what.facts.0);
    out.push_str("}}");
    out
}

/// A JSON string in plain ASCII: whatever is in it, it can be printed, sent and stored anywhere as it is.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// An entry that was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// The hash of the row before it, in hex; empty at the first.
    pub prev: String,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub tenant: String,
    /// What, as the word stands there.
    pub kind: String,
    /// Who.
    pub by: String,
    /// The action.
    pub action_id: Option<String>,
    facts: Value,
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    /// It is not JSON, or has a member twice.
    #[error("it is no JSON of this log: {0}")]
    Json(#[from] JsonError),
    /// A member is not there or is not what it must be.
    #[error("its member {0} is missing or wrong")]
    Member(&'static str),
}

impl Entry {
    /// Reads an entry. Members that this version does not know are left alone.
    ///
    /// # Errors
    /// [`NoEntry`], where the text is not what [`text`] writes.
    pub fn read(source: &str) -> Result<Self, NoEntry> {
        let value = json::parse_unique(source.as_bytes(), LIMITS)?;
        let text = |name: &'static str| {
            value.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(NoEntry::Member(name))
        };
        let seq = value.get("seq").map(|seq| seq.text(source)).and_then(number);
        let facts = value.get("facts").filter(|facts| facts.as_object().is_some());
        let facts = facts.ok_or(NoEntry::Member("facts"))?.clone();
        Ok(Self {
            seq: seq.ok_or(NoEntry::Member("seq"))?,
            prev: text("prev")?,
            at: timestamp::parse(&text("at")?).ok_or(NoEntry::Member("at"))?,
            tenant: text("tenant")?,
            kind: text("kind")?,
            by: text("by")?,
            action_id: value.get("action_id").map(|_| text("action_id")).transpose()?,
            facts,
        })
    }

    /// A fact that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }

    /// A fact that is a whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match &self.facts.get(name)?.kind {
            json::Kind::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The names of the facts, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.facts.as_object().unwrap_or_default().iter().map(|member| member.name.as_str())
    }
}

/// A whole number as this log writes it: digits and nothing else, no zero in front.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_text_and_reads_back() {
        let at = "2026-11-27T20:30:00.000001Z".parse().unwrap();
        let facts = Facts::default().text("sealed", "{\"a\":\"\u{1b}\\u0000 é😀\"}").number("ms", -3);
        let facts = facts.maybe("reason", None).maybe("note", Some("\0")).time("until", at);
        let (tenant, by) = ("acme", "dana");
        let what = Happened { kind: Kind::Asked, tenant, by, action_id: Some("id-1"), facts };
        let written = text(7, "ab", at, &what);
        assert_eq!(
            written,
            r#"{"seq":7,"prev":"ab","at":"2026-11-27T20:30:00.000001Z","tenant":"acme","kind":"asked","by":"dana","action_id":"id-1","facts":{"sealed":"{\"a\":\"\u001b\\u0000 \u00e9\ud83d\ude00\"}","ms":-3,"note":"\u0000","until":"2026-11-27T20:30:00.000001Z"}}"#
        );
        let read = Entry::read(&written).unwrap();
        assert_eq!((read.seq, read.prev.as_str(), read.at, read.kind.as_str()), (7, "ab", at, "asked"));
        assert_eq!(
            (read.tenant.as_str(), read.by.as_str(), read.action_id.as_deref()),
            (tenant, by, Some("id-1"))
        );
        assert_eq!(read.text("sealed"), Some("{\"a\":\"\u{1b}\\u0000 é😀\"}"));
        assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{written}");
        assert_eq!((read.number("ms"), read.text("reason"), read.text("note")), (Some(-3), None, Some("\0")));
        assert_eq!(read.names().collect::<Vec<_>>(), ["sealed", "ms", "note", "until"]);
    }

    #[test]
    fn what_is_no_entry_is_refused_by_name() {
        let facts = Facts::default();
        let what = Happened { kind: Kind::Started, tenant: "", by: "gateway", action_id: None, facts };
        let good = text(1, "", Timestamp::UNIX_EPOCH, &what);
        assert!(Entry::read(&good).is_ok());
        for (from, to, why) in [
            ("\"seq\":1", "\"seq\":01", "no JSON"),
            ("\"seq\":1", "\"seq\":1e0", "seq"),
            ("\"seq\":1", "\"seq\":\"1\"", "seq"),
            ("\"by\":\"gateway\"", "\"by\":null", "by"),
            ("\"kind\":\"started\"", "\"kind\":\"started\",\"kind\":\"stopped\"", "no JSON"),
            ("\"facts\":{}", "\"facts\":[]", "facts"),
            ("Z\"", "\"", "at"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            let error = Entry::read(&bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
