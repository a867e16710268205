//! JSON pointers (RFC 6901) into a payload.

use crate::domain::json::{Kind, Value};

/// Characters and steps that one may have.
const LONGEST: usize = 512;
const STEPS: usize = 64;

/// A pointer that names something below the payload itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    text: String,
    steps: Vec<String>,
}

/// What a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found<'v> {
    /// This value.
    Value(&'v Value),
    /// Nothing: no such member, no such element.
    Nothing,
    /// What stands on the way is of another type than the pointer takes it for: a text, say, where it asks for a member.
    Other(&'v Value),
}

impl Pointer {
    /// Reads one; where it is none, says what it must be.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix('/').ok_or("must begin with /")?;
        if text.len() > LONGEST {
            return Err("is longer than 512 bytes");
        }
        let step = |step: &str| {
            let plain = step.replace("~0", "").replace("~1", "");
            (!plain.contains('~')).then(|| step.replace("~1", "/").replace("~0", "~"))
        };
        let steps: Option<Vec<_>> = rest.split('/').map(step).collect();
        let steps = steps.ok_or("has a ~ that is neither ~0 (a ~) nor ~1 (a /)")?;
        if steps.len() > STEPS {
            return Err("is deeper than any payload can be");
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where it leads in this payload.
    pub(super) fn find<'v>(&self, payload: &'v Value) -> Found<'v> {
        let mut at = payload;
        for step in &self.steps {
            let next = match &at.kind {
                Kind::Object(_) => at.get(step),
                Kind::Array(elements) => match index(step) {
                    Some(index) => elements.get(index),
                    None => return Found::Other(at),
                },
                Kind::Null => None,
                Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return Found::Other(at),
            };
            match next {
                Some(next) => at = next,
                None => return Found::Nothing,
            }
        }
        Found::Value(at)
    }
}

/// The number of an element: digits, and no zero before them.
fn index(step: &str) -> Option<usize> {
    let plain = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    plain.then(|| step.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::{Limits, parse};

    #[test]
    fn it_leads_where_the_rfc_says() {
        let text = r#"{"a":{"b":[10,{"c":11}]},"":12,"x/y":13,"m~n":14,"0":15,"n":null,"s":"text","~1":16}"#;
        let payload = parse(text.as_bytes(), Limits::DOOR).unwrap();
        let found = |pointer: &str| match Pointer::parse(pointer).unwrap().find(&payload) {
            Found::Value(value) => value.text(text).to_owned(),
            Found::Nothing => "nothing".into(),
            Found::Other(value) => format!("other {}", value.text(text)),
        };
        for (pointer, leads) in [
            ("/a/b/0", "10"),
            ("/a/b/1/c", "11"),
            ("/", "12"),
            ("/x~1y", "13"),
            ("/m~0n", "14"),
            ("/0", "15"),
            ("/~01", "16"),
            ("/n", "null"),
            ("/n/x", "nothing"),
            ("/a/b/2", "nothing"),
            ("/A", "nothing"),
            ("/a/b/00", r#"other [10,{"c":11}]"#),
            ("/a/b/-", r#"other [10,{"c":11}]"#),
            ("/a/b/+1", r#"other [10,{"c":11}]"#),
            ("/a/b/99999999999999999999999", r#"other [10,{"c":11}]"#),
            ("/s/x", r#"other "text""#),
            ("/s/0", r#"other "text""#),
        ] {
            assert_eq!(found(pointer), leads, "{pointer}");
        }
    }

    #[test]
    fn what_is_no_pointer_says_why() {
        for (text, why) in [("a", "begin with /"), ("", "begin with /"), ("/a~2", "~0"), ("/~", "~0")] {
            assert!(Pointer::parse(text).unwrap_err().contains(why), "{text}");
        }
        assert!(Pointer::parse(&"/a".repeat(65)).is_err());
        assert!(Pointer::parse(&format!("/{}", "a".repeat(512))).is_err());
    }
}
