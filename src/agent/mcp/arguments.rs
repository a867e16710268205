//! The arguments of a call as the client wrote them, and how they are read: member by member, each with an error that
//! names it.
//!
//! Nothing is forgiven: who is misunderstood here is shown to a reviewer wrongly.

use super::envelope::{REFUSED, TEXT};
use crate::domain::json::{self, Limits, Value};
use crate::domain::{Untrusted, action};
use rmcp::model::JsonObject;

/// An object of arguments: its text, and what was read of it.
#[derive(Debug)]
pub(super) struct Arguments {
    text: String,
    value: Value,
}

impl Arguments {
    /// What the envelope has carried here.
    ///
    /// # Errors
    /// In words for the model: it cannot be read, or is no object.
    pub(super) fn read(carried: Option<JsonObject>) -> Result<Self, String> {
        let carried = carried.unwrap_or_default();
        let member = |name: &str| carried.get(name).and_then(serde_json::Value::as_str);
        if let Some(why) = member(REFUSED) {
            return Err(format!("the call was refused: {why}"));
        }
        let text = member(TEXT).unwrap_or("{}").to_owned();
        let value = json::parse_unique(text.as_bytes(), Limits::DOOR);
        let value = value.map_err(|error| format!("the arguments cannot be used: {error}"))?;
        match value.as_object() {
            Some(_) => Ok(Self { text, value }),
            None => Err("the arguments must be a JSON object".into()),
        }
    }

    /// Refuses members of other names.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), String> {
        let members = self.value.as_object().unwrap_or_default();
        match members.iter().find(|member| !known.contains(&member.name.as_str())) {
            None => Ok(()),
            Some(member) => {
                let name = Untrusted::from(member.name.as_str()).visible().cut(64).plain();
                Err(format!("there is no argument \"{name}\"; there are: {}", known.join(", ")))
            }
        }
    }

    /// A text that may be missing; an empty one counts as missing.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.member(name) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
                None => Err(format!("\"{name}\" must be a text")),
            },
        }
    }

    /// A text that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, String> {
        self.text(name)?.ok_or_else(|| format!("\"{name}\" is missing"))
    }

    /// An object that must be there, byte for byte.
    pub(super) fn object(&self, name: &str) -> Result<&str, String> {
        match self.member(name) {
            Some(value) if value.as_object().is_some() => Ok(value.text(&self.text)),
            Some(_) => Err(format!("\"{name}\" must be an object")),
            None => Err(format!("\"{name}\" is missing")),
        }
    }

    /// The members of an object of texts; none where it is missing.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<(String, String)>, String> {
        let wrong = || format!("\"{name}\" must be an object of texts");
        let Some(value) = self.member(name) else { return Ok(Vec::new()) };
        let members = value.as_object().ok_or_else(wrong)?;
        let pair = |member: &json::Member| Some((member.name.clone(), member.value.as_str()?.to_owned()));
        members.iter().map(|member| pair(member).ok_or_else(wrong)).collect()
    }

    /// The name of a thread, where there is one.
    pub(super) fn thread(&self, name: &str) -> Result<Option<&str>, String> {
        match self.text(name)? {
            Some(id) if !action::is_id(id) => {
                Err(format!("\"{name}\" must be 1 to 128 of A-Z a-z 0-9 . _ : -"))
            }
            id => Ok(id),
        }
    }

    /// What is null is as good as missing: models write both.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }
}
