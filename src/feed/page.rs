//! One page of a listing, read strictly, entry by entry, with the bytes that each entry stands in.

use crate::domain::action::UnreadableAction;
use crate::domain::json::{self, JsonError, Kind, Limits, Problem, Value};
use crate::domain::{Queued, Untrusted};
use jiff::Timestamp;
use std::ops::Range;

/// A page as the server sent it. A bad entry hides no other.
#[derive(Debug, Clone, PartialEq)]
pub struct RawPage {
    text: String,
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// How many actions rules have allowed without a person in the last 24 hours, where the server says so.
    pub allowed_by_rule: Option<u64>,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    span: Range<usize>,
    /// What it says, or why it cannot be read.
    pub queued: Result<Queued, UnreadableAction>,
}

impl RawPage {
    /// Reads `{"actions": […], "next": …}`; the error says what is wrong with the page as a whole.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, Untrusted> {
        // Duplicate keys are looked for in each entry, so that they spoil only that one.
        let value = json::parse(&bytes, Limits::PAGE).map_err(|error| error.to_string())?;
        let actions = value.get("actions").and_then(Value::as_array);
        let actions = actions.ok_or("its JSON has no array \"actions\"")?;
        let entries = actions.iter().map(|value| Entry { span: value.span.clone(), queued: read(value) });
        let entries = entries.collect();
        let next = match value.get("next").map(|next| &next.kind) {
            None | Some(Kind::Null) => None,
            Some(Kind::String(cursor)) if cursor.len() <= 1024 => Some(cursor.clone()),
            Some(_) => return Err("its \"next\" is no cursor".into()),
        };
        let allowed_by_rule = match value.get("allowed_by_rule").map(|count| &count.kind) {
            Some(Kind::Number(text)) => text.parse().ok(),
            _ => None,
        };
        let text = String::from_utf8(bytes).map_err(|_| "invalid UTF-8")?;
        Ok(Self { text, entries, next, allowed_by_rule })
    }

    /// Bytes of the whole page.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// The entry as what can be shown of it: an action that cannot be read is one too.
    pub fn queued(&self, entry: &Entry) -> Queued {
        let unreadable = |error| Queued::unreadable(self.text(entry), error, Timestamp::now());
        entry.queued.as_ref().map_or_else(unreadable, Queued::clone)
    }

    /// The entry exactly as the server sent it.
    pub fn text(&self, entry: &Entry) -> &str {
        &self.text[entry.span.clone()]
    }
}

/// Reads one entry, which must not hold a key twice.
pub(super) fn read(value: &Value) -> Result<Queued, UnreadableAction> {
    if let Some(name) = value.duplicate_key() {
        let problem = Problem::DuplicateKey(name.to_owned());
        return Err(JsonError { at: value.span.start, problem }.into());
    }
    Queued::read(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED: &str = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","payload":{"n":1e400},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;

    fn entry() -> String {
        Queued::pending(crate::domain::Action::read(SEALED).unwrap()).write()
    }

    fn page(text: String) -> Result<RawPage, Untrusted> {
        RawPage::read(text.into_bytes())
    }

    #[test]
    fn entries_are_handed_on_as_they_stand() {
        let odd = entry().replace("\"state\":", " \"extra\" : 1.10 ,\t\"state\":");
        let page = page(format!("{{\"actions\":[ {odd} ,{}],\"next\":\"c\"}}", entry())).unwrap();
        assert_eq!(page.entries.iter().map(|entry| page.text(entry)).collect::<Vec<_>>(), [odd, entry()]);
        assert_eq!(page.next.as_deref(), Some("c"));
    }

    #[test]
    fn a_bad_entry_spoils_no_other() {
        let twice = entry().replace("\"state\":", "\"state\":\"approved\",\"state\":");
        let page = page(format!("{{\"actions\":[{twice},7,{}],\"next\":null}}", entry())).unwrap();
        let readable: Vec<_> = page.entries.iter().map(|entry| entry.queued.is_ok()).collect();
        assert_eq!(readable, [false, false, true]);
        assert_eq!(page.next, None);
    }

    #[test]
    fn how_many_rules_allowed_is_a_number_or_nothing() {
        for (member, count) in [
            (r#","allowed_by_rule":7"#, Some(7)),
            ("", None),
            (r#","allowed_by_rule":null"#, None),
            (r#","allowed_by_rule":-1"#, None),
            (r#","allowed_by_rule":1e9"#, None),
            (r#","allowed_by_rule":"7""#, None),
        ] {
            let page = page(format!(r#"{{"actions":[],"next":null{member}}}"#)).unwrap();
            assert_eq!(page.allowed_by_rule, count, "{member}");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "{\"actions\":{}}",
            "{\"actions\":[],\"next\":7}",
            "<html>",
            "{\"actions\":[]} x",
        ] {
            assert!(page(text.to_owned()).is_err(), "{text}");
        }
    }
}
