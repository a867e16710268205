//! What a rule looks at, and how an action fits it.

use super::number::Decimal;
use super::pattern::{Fit, Pattern, TEXT, Text};
use super::pointer::{Found, Pointer};
use crate::domain::Visible;
use crate::domain::json::{Kind, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What an agent asks for, as rules look at it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    tenant: Text<'a>,
    agent: Text<'a>,
    action: Text<'a>,
    server: Option<Text<'a>>,
    labels: Vec<(&'a str, Text<'a>)>,
    payload: &'a Value,
    /// The texts in the payload that were compared, by where they stand: each is folded once.
    texts: RefCell<HashMap<usize, Rc<Text<'a>>>>,
}

impl<'a> Subject<'a> {
    /// `agent` is the credential's name. The payload must hold no key twice.
    pub(crate) fn new(
        tenant: &'a str,
        agent: &'a str,
        action: &'a str,
        server: Option<&'a str>,
        labels: &'a [(String, String)],
        payload: &'a Value,
    ) -> Self {
        let labels = labels.iter().map(|(name, value)| (name.as_str(), Text::new(value))).collect();
        let server = server.map(Text::new);
        let [tenant, agent, action] = [tenant, agent, action].map(Text::new);
        Self { tenant, agent, action, server, labels, payload, texts: RefCell::default() }
    }

    fn text(&self, value: &'a Value, text: &'a str) -> Rc<Text<'a>> {
        let mut texts = self.texts.borrow_mut();
        Rc::clone(texts.entry(value.span.start).or_insert_with(|| Rc::new(Text::new(text))))
    }
}

/// One thing that a rule asks for. A list of patterns is any of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matcher {
    Tenant(Vec<Pattern>),
    Agent(Vec<Pattern>),
    Action(Vec<Pattern>),
    Server(Vec<Pattern>),
    Label(String, Vec<Pattern>),
    Payload(Pointer, Test),
}

/// What is asked of a place in the payload.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// It is this text, or matches this pattern.
    Text(Pattern),
    /// It is this number.
    Number(Decimal, String),
    Bool(bool),
    /// It is a number from the one to the other, both of them included.
    Range(Option<(Decimal, String)>, Option<(Decimal, String)>),
    /// It is there, or is not.
    Exists(bool),
}

impl Matcher {
    /// How an action fits.
    pub(super) fn fit(&self, subject: &Subject<'_>) -> Fit {
        let any = |patterns: &[Pattern], text: &Text<'_>| {
            patterns.iter().map(|pattern| pattern.fit(text)).max().unwrap_or(Fit::No)
        };
        match self {
            Self::Tenant(patterns) => any(patterns, &subject.tenant),
            Self::Agent(patterns) => {
                patterns.iter().map(|pattern| pattern.fit_agent(&subject.agent)).max().unwrap_or(Fit::No)
            }
            Self::Action(patterns) => any(patterns, &subject.action),
            Self::Server(patterns) => subject.server.as_ref().map_or(Fit::No, |server| any(patterns, server)),
            Self::Label(name, patterns) => {
                let label = subject.labels.iter().find(|(label, _)| label == name);
                label.map_or(Fit::No, |(_, value)| any(patterns, value))
            }
            Self::Payload(pointer, test) => test.fit(pointer.find(subject.payload), subject),
        }
    }

    /// What it asks for, in words: `action "send_*"`, `payload "/amount" from 1000`.
    pub(super) fn words(&self) -> String {
        let any = |patterns: &[Pattern]| {
            let each: Vec<_> = patterns.iter().map(|pattern| quoted(pattern.text())).collect();
            each.join(" or ")
        };
        match self {
            Self::Tenant(patterns) => format!("tenant {}", any(patterns)),
            Self::Agent(patterns) => format!("agent {}", any(patterns)),
            Self::Action(patterns) => format!("action {}", any(patterns)),
            Self::Server(patterns) => format!("server {}", any(patterns)),
            Self::Label(name, patterns) => format!("label {} {}", quoted(name), any(patterns)),
            Self::Payload(pointer, test) => format!("payload {} {}", quoted(pointer.text()), test.words()),
        }
    }

    /// What the action has there, in words.
    pub(super) fn found(&self, subject: &Subject<'_>) -> String {
        match self {
            Self::Tenant(_) => quoted(subject.tenant.raw()),
            Self::Agent(_) => quoted(subject.agent.raw()),
            Self::Action(_) => quoted(subject.action.raw()),
            Self::Server(_) => subject.server.as_ref().map_or("none".into(), |server| quoted(server.raw())),
            Self::Label(name, _) => {
                let label = subject.labels.iter().find(|(label, _)| label == name);
                label.map_or("none".into(), |(_, value)| quoted(value.raw()))
            }
            Self::Payload(pointer, _) => match pointer.find(subject.payload) {
                Found::Value(value) => in_words(value),
                Found::Nothing => "nothing".into(),
                Found::Other(value) => format!("nothing, below {}", in_words(value)),
            },
        }
    }
}

impl Test {
    fn fit<'a>(&self, found: Found<'a>, subject: &Subject<'a>) -> Fit {
        let value = match (self, found) {
            (Self::Exists(wanted), Found::Value(_)) => return yes(*wanted),
            (Self::Exists(wanted), Found::Nothing) => return yes(!wanted),
            (Self::Exists(wanted), Found::Other(_)) => return if *wanted { Fit::No } else { Fit::Alike },
            (_, Found::Nothing) => return Fit::No,
            // Who asks for a member of an object and finds a text, or a list, does not know what is in there.
            (_, Found::Other(_)) => return Fit::Alike,
            (_, Found::Value(value)) => value,
        };
        match (self, &value.kind) {
            // What is null is not there.
            (_, Kind::Null) => Fit::No,
            (Self::Text(pattern), Kind::String(text)) => pattern.fit(&subject.text(value, text)),
            (Self::Bool(wanted), Kind::Bool(found)) => yes(wanted == found),
            (Self::Number(wanted, _), Kind::Number(text)) => {
                Decimal::of(text).map_or(Fit::Alike, |number| yes(number == *wanted))
            }
            (Self::Range(min, max), Kind::Number(text)) => Decimal::of(text).map_or(Fit::Alike, |number| {
                let from = min.as_ref().is_none_or(|(min, _)| number >= *min);
                let to = max.as_ref().is_none_or(|(max, _)| number <= *max);
                yes(from && to)
            }),
            // A value of another type: nobody knows what the tool makes of it.
            _ => Fit::Alike,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Text(pattern) => quoted(pattern.text()),
            Self::Number(_, text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::Range(min, max) => {
                let end = |word: &str, end: &Option<(Decimal, String)>| {
                    end.as_ref().map(|(_, text)| format!("{word} {text}"))
                };
                let ends = [end("from", min), end("to", max)];
                ends.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            Self::Exists(true) => "is there".into(),
            Self::Exists(false) => "is not there".into(),
        }
    }
}

fn yes(fits: bool) -> Fit {
    if fits { Fit::Yes } else { Fit::No }
}

fn quoted(text: &str) -> String {
    let end = text.char_indices().nth(TEXT).map_or(text.len(), |(end, _)| end);
    Visible::quoted(&text[..end]).cut(60).plain()
}

fn in_words(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".into(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(text) => Visible::head(text, 60).plain(),
        Kind::String(text) => quoted(text),
        Kind::Array(elements) => format!("a list of {}", elements.len()),
        Kind::Object(members) => format!("an object of {}", members.len()),
    }
}
