//! TOML to rules. Every mistake is named with its line and what was meant, and one mistake is no rules at all: half of
//! them could be weaker than any.

use super::matcher::Matcher;
use super::pointer::Pointer;
use super::{Effect, MATCHERS, MOST, MOST_REVIEWERS, More, Rule, Rules, value};
use crate::document::{Document, Entry, Mistakes, did_you_mean, entries, in_words, nearest};
use crate::domain::Visible;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a rule may hold: what it looks at, then what it does.
const KEYS: [&str; 14] = [
    "name",
    "tenant",
    "agent",
    "action",
    "server",
    "labels",
    "payload",
    "risk",
    "reviewers",
    "review_window",
    "time",
    "grace",
    "refuse",
    "allow",
];
/// How long an agent can give its reviewers, and a rule too.
const TIME: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 24 * 60 * 60));
/// Within what time several reviewers must agree.
const WINDOW: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 60 * 60));

impl Rules {
    /// Reads a text; `source` is what it is called in mistakes.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn read(source: &str, text: &str) -> Result<Self, Mistakes> {
        let (mut document, table) = Document::parse(source, text);
        let mut rules: Vec<Rule> = Vec::new();
        for entry in entries(&table) {
            match (entry.name, entry.value.get_ref()) {
                ("rule", DeValue::Array(list)) if list.iter().all(|rule| rule.get_ref().is_table()) => {
                    if list.len() > MOST {
                        document
                            .wrong(&entry.at, format!("there are {} rules; {MOST} is the most", list.len()));
                    }
                    for rule in list.iter().take(MOST) {
                        rules.extend(read_rule(&mut document, rule, &rules));
                    }
                }
                ("rule", _) => {
                    document.wrong(&entry.at, "write [[rule]], with two brackets, above each rule");
                }
                (other, _) => {
                    let name = Visible::head(other, 40).plain();
                    let meant = if KEYS.contains(&other) {
                        ": it belongs under [[rule]]".to_owned()
                    } else {
                        did_you_mean(other, ["rule"])
                    };
                    document.wrong(
                        &entry.at,
                        format!("{name} is not of this file, which holds [[rule]]s{meant}"),
                    );
                }
            }
        }
        document.finish().map(|()| Self { rules })
    }
}

/// What was read of one rule so far.
#[derive(Default)]
struct Draft {
    name: Option<String>,
    matchers: Vec<Matcher>,
    more: More,
    refuse: Option<String>,
    allow: bool,
    /// Whether anything could not be read: then what is missing is no mistake of its own.
    wrong: bool,
}

fn read_rule(document: &mut Document<'_>, rule: &Spanned<DeValue<'_>>, before: &[Rule]) -> Option<Rule> {
    let table = rule.get_ref().as_table()?;
    let at = head(rule);
    let mut draft = Draft::default();
    for entry in entries(table) {
        let read = read_entry(document, &mut draft, &entry);
        draft.wrong |= read.is_none();
        if entry.name == "name"
            && let Some(other) = before.iter().find(|rule| Some(&rule.name) == draft.name.as_ref())
        {
            let line = other.line;
            document.wrong(&entry.value.span(), format!("the rule in line {line} has this name too"));
        }
    }
    check(document, &draft, &at, table);
    let line = document.line(&at);
    let effect = match (draft.refuse, draft.allow) {
        (Some(words), _) => Effect::Refuse(words),
        (None, true) => Effect::Allow,
        (None, false) => Effect::More(draft.more),
    };
    Some(Rule { name: draft.name?, line, matchers: draft.matchers, effect })
}

/// The `[[rule]]` of a rule, and not all of its lines.
fn head(rule: &Spanned<DeValue<'_>>) -> Range<usize> {
    let span = rule.span();
    span.start..span.end.min(span.start + "[[rule]]".len())
}

/// Reads one key; `None` where it is a mistake, which has been noted.
fn read_entry(document: &mut Document<'_>, draft: &mut Draft, entry: &Entry<'_, '_>) -> Option<()> {
    match entry.name {
        "name" => draft.name = Some(value::name(document, entry)?),
        "tenant" => draft.matchers.push(Matcher::Tenant(value::patterns(document, entry)?)),
        "agent" => draft.matchers.push(Matcher::Agent(value::patterns(document, entry)?)),
        "action" => draft.matchers.push(Matcher::Action(value::patterns(document, entry)?)),
        "server" => draft.matchers.push(Matcher::Server(value::patterns(document, entry)?)),
        "labels" => {
            for label in below(document, entry)? {
                let patterns = value::patterns(document, &label)?;
                draft.matchers.push(Matcher::Label(label.name.to_owned(), patterns));
            }
        }
        "payload" => {
            for place in below(document, entry)? {
                let pointer = pointer(document, &place)?;
                draft.matchers.push(Matcher::Payload(pointer, value::test(document, &place)?));
            }
        }
        "risk" => draft.more.risk = Some(value::risk(document, entry)?),
        "reviewers" => draft.more.reviewers = Some(value::whole(document, entry, MOST_REVIEWERS)?),
        "review_window" => draft.more.window = Some(value::span(document, entry, WINDOW)?),
        "time" => draft.more.time = Some(value::span(document, entry, TIME)?),
        "grace" => draft.more.grace = Some(value::grace(document, entry)?),
        "refuse" => draft.refuse = Some(value::words(document, entry)?),
        "allow" => match value::boolean(document, entry)? {
            true => draft.allow = true,
            false => {
                document.wrong(&entry.at, "allow = false says nothing; leave it out");
                return None;
            }
        },
        other => {
            let name = Visible::head(other, 40).plain();
            let meant = match (other.starts_with('/'), nearest(other, KEYS)) {
                (true, _) => format!(": did you mean payload.\"{name}\"?"),
                (false, Some(near)) => format!(": did you mean {near}?"),
                (false, None) => format!("; there are {}", KEYS.join(", ")),
            };
            document.wrong(&entry.at, format!("{name} is no part of a rule{meant}"));
            return None;
        }
    }
    Some(())
}

/// The entries of a table of labels or of places.
fn below<'t, 'a>(document: &mut Document<'_>, entry: &Entry<'t, 'a>) -> Option<Vec<Entry<'t, 'a>>> {
    let Some(table) = entry.value.get_ref().as_table() else {
        let like = if entry.name == "labels" { "labels.env = \"prod\"" } else { "payload.\"/amount\" = 5" };
        let found = in_words(entry.value.get_ref());
        document.wrong(&entry.value.span(), format!("write {} like {like}, not {found}", entry.name));
        return None;
    };
    let found = entries(table);
    if found.is_empty() || found.len() > MATCHERS {
        let message = format!("{} takes 1 to {MATCHERS} of them in one rule", entry.name);
        document.wrong(&entry.at, message);
        return None;
    }
    Some(found)
}

fn pointer(document: &mut Document<'_>, place: &Entry<'_, '_>) -> Option<Pointer> {
    let no_pointer = |why| {
        let name = Visible::head(place.name, 40).plain();
        let meant = if place.name.starts_with('/') || place.name.is_empty() {
            String::new()
        } else {
            format!(": did you mean \"/{name}\"?")
        };
        document.wrong(&place.at, format!("\"{name}\" is no JSON pointer, it {why}{meant}"));
    };
    Pointer::parse(place.name).map_err(no_pointer).ok()
}

/// What can only be said of a rule as a whole.
fn check(document: &mut Document<'_>, draft: &Draft, at: &Range<usize>, table: &DeTable<'_>) {
    let said = |key: &str| table.get(key).is_some();
    if !said("name") {
        document.wrong(at, "this rule has no name; what it does is told under it");
    }
    let more: Vec<_> =
        ["risk", "reviewers", "review_window", "time", "grace"].into_iter().filter(|key| said(key)).collect();
    let place = |key: &str| table.iter().find(|(name, _)| name.get_ref() == key).map(|(name, _)| name.span());
    for (key, does) in [("refuse", "refuses"), ("allow", "allows")] {
        let others = more.iter().copied().chain((key == "refuse" && said("allow")).then_some("allow"));
        if let Some(other) = said(key).then(|| others.into_iter().next()).flatten() {
            let at = place(other).unwrap_or_else(|| at.clone());
            document.wrong(
                &at,
                format!("a rule that {does} does nothing else: write {other} in a rule of its own"),
            );
        }
    }
    if more.is_empty() && !said("refuse") && !said("allow") && !draft.wrong {
        let effects = "risk, reviewers, review_window, time, grace, refuse or allow";
        document.wrong(at, format!("this rule does nothing: give it {effects}"));
    }
    if let More { time: Some(time), grace: Some(grace), .. } = draft.more
        && grace >= time
    {
        let at = place("grace").unwrap_or_else(|| at.clone());
        document
            .wrong(&at, "no approval could ever be sent: grace is as long as the time to decide, or longer");
    }
    if draft.allow {
        check_allow(document, draft, at, place("allow"), place("labels"));
    }
}

/// A rule that allows must say what it allows, and must not rest on the agent's own word.
fn check_allow(
    document: &mut Document<'_>,
    draft: &Draft,
    at: &Range<usize>,
    allow: Option<Range<usize>>,
    labels: Option<Range<usize>>,
) {
    let actions = draft.matchers.iter().find_map(|matcher| match matcher {
        Matcher::Action(patterns) => Some(patterns),
        _ => None,
    });
    let at = allow.unwrap_or_else(|| at.clone());
    match actions {
        None if draft.wrong => {}
        None => document.wrong(&at, "a rule that allows must name its actions: give it action = \"…\""),
        Some(patterns) if patterns.iter().any(super::pattern::Pattern::is_any) => {
            document.wrong(
                &at,
                "a rule that allows must name its actions: \"*\" alone would allow whatever there is",
            );
        }
        Some(_) => {}
    }
    if let Some(labels) = labels {
        let why = "labels are the agent's own word, and nothing is allowed for that: look at the payload";
        document.wrong(&labels, why);
    }
}
