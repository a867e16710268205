//! What a payload is like: two actions are alike when agent, action and the form of the payload are the same, and then
//! what differs between them can be said without comparing their texts.
//!
//! A hint for a list. What is decided together is compared text by text, in the frozen table.

use super::json::{Kind, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Members that are told apart; what comes behind them counts as one.
const MEMBERS: usize = 24;

/// The form of a payload, and a fingerprint of each of its members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// The keys of the payload and the kinds of their values, in their own order.
    pub form: u64,
    /// The members, by their exact text.
    pub members: Box<[u64]>,
}

impl Shape {
    /// The shape of a payload that stands in `source`.
    pub fn of(payload: &Value, source: &str) -> Self {
        let members = payload.as_object().unwrap_or_default();
        let mut form = DefaultHasher::new();
        for member in members {
            (&member.name, kind(&member.value)).hash(&mut form);
        }
        let mut prints: Vec<_> = members.iter().map(|member| print(member.value.text(source))).collect();
        if prints.len() > MEMBERS {
            let rest = prints.split_off(MEMBERS - 1);
            prints.push(print(rest));
        }
        Self { form: form.finish(), members: prints.into() }
    }

    /// The numbers of the members in which two payloads of one form differ.
    pub fn differing(&self, other: &Self) -> impl Iterator<Item = usize> {
        self.members.iter().zip(&other.members).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at)
    }
}

fn print(text: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn kind(value: &Value) -> u8 {
    match &value.kind {
        Kind::Null => 0,
        Kind::Bool(_) => 1,
        Kind::Number(_) => 2,
        Kind::String(_) => 3,
        Kind::Array(_) => 4,
        Kind::Object(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::{Limits, parse};

    fn shape(text: &str) -> Shape {
        Shape::of(&parse(text.as_bytes(), Limits::SEALED).unwrap(), text)
    }

    #[test]
    fn the_form_is_keys_and_kinds_and_what_differs_is_told_by_its_number() {
        let one = shape(r#"{"to":"a","amount":1,"note":null}"#);
        let two = shape(r#"{"to":"b","amount":1.0,"note":null}"#);
        assert_eq!(one.form, two.form);
        assert_eq!(one.differing(&two).collect::<Vec<_>>(), [0, 1]);
        for other in [r#"{"to":"a","amount":"1","note":null}"#, r#"{"amount":1,"to":"a","note":null}"#, "{}"]
        {
            assert_ne!(shape(other).form, one.form, "{other}");
        }
    }

    #[test]
    fn what_is_behind_the_last_member_that_is_told_apart_counts_as_one() {
        let with = |last: u32| {
            let members: Vec<_> =
                (0..40).map(|n| format!(r#""{n}":{}"#, if n == 39 { last } else { 0 })).collect();
            shape(&format!("{{{}}}", members.join(",")))
        };
        assert_eq!(with(1).members.len(), MEMBERS);
        assert_eq!(with(1).differing(&with(2)).collect::<Vec<_>>(), [MEMBERS - 1]);
    }
}
