//! The values in a rule: patterns, numbers, times. Each is read whole or is a mistake that says what may stand there.

use super::matcher::Test;
use super::number::Decimal;
use super::pattern::Pattern;
use crate::document::{Document, Entry, entries, in_words, nearest};
use crate::domain::action::LONGEST_GRACE;
use crate::domain::{Risk, Visible, timestamp};
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// Patterns in one list.
const PATTERNS: usize = 64;
/// Characters of a name, and of the words of a refusal.
const NAME: usize = 64;
const WORDS: usize = 200;
/// The risks that a rule can raise to. Nothing is ever raised to low.
const RISKS: [Risk; 3] = [Risk::Medium, Risk::High, Risk::Critical];
/// What a place in the payload can be asked for.
const TESTS: [&str; 5] = ["equals", "glob", "min", "max", "exists"];

type Value<'a> = Spanned<DeValue<'a>>;

fn must(document: &mut Document<'_>, entry: &Entry<'_, '_>, wanted: &str) {
    let name = Visible::head(entry.name, 40).plain();
    let found = in_words(entry.value.get_ref());
    document.wrong(&entry.value.span(), format!("{name} must be {wanted}, not {found}"));
}

/// A name, or the words of a refusal: what stands on screens and in answers.
fn plain(document: &mut Document<'_>, entry: &Entry<'_, '_>, longest: usize, wanted: &str) -> Option<String> {
    let is_plain = |text: &&str| {
        let shown = text.trim() == *text && !text.contains(['"', '\\']) && Visible::of(text).hidden() == 0;
        shown && (1..=longest).contains(&text.chars().count())
    };
    let text = entry.value.get_ref().as_str().filter(is_plain).map(str::to_owned);
    if text.is_none() {
        let wanted = format!(
            "{wanted}: 1 to {longest} characters, none of them hidden, a quote or a backslash, no blank at either end"
        );
        must(document, entry, &wanted);
    }
    text
}

pub(super) fn name(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<String> {
    plain(document, entry, NAME, "a name")
}

pub(super) fn words(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<String> {
    plain(document, entry, WORDS, "the words that the agent is told")
}

/// A pattern, or a list of them.
pub(super) fn patterns(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Vec<Pattern>> {
    let values: Vec<&Value<'_>> = match entry.value.get_ref() {
        DeValue::Array(list) if (1..=PATTERNS).contains(&list.len()) => list.iter().collect(),
        DeValue::String(_) => vec![entry.value],
        _ => {
            must(document, entry, &format!("a text, or a list of 1 to {PATTERNS} of them"));
            return None;
        }
    };
    let count = values.len();
    let read: Vec<_> = values.into_iter().filter_map(|value| pattern(document, entry.name, value)).collect();
    (read.len() == count).then_some(read)
}

fn pattern(document: &mut Document<'_>, name: &str, value: &Value<'_>) -> Option<Pattern> {
    let Some(text) = value.get_ref().as_str() else {
        let name = Visible::head(name, 40).plain();
        document.wrong(&value.span(), format!("{name} must be a text, not {}", in_words(value.get_ref())));
        return None;
    };
    Pattern::parse(text).map_err(|why| document.wrong(&value.span(), why)).ok()
}

/// What is asked of a place in the payload: a value that it must be, or a table.
pub(super) fn test(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Test> {
    let Some(table) = entry.value.get_ref().as_table() else { return equals(document, entry) };
    let (mut tests, mut range, mut ok) = (Vec::new(), (None, None), true);
    for inner in entries(table) {
        let read = match inner.name {
            "equals" => equals(document, &inner).map(|test| tests.push(test)),
            "glob" => pattern(document, "glob", inner.value).map(|pattern| tests.push(Test::Text(pattern))),
            "exists" => boolean(document, &inner).map(|exists| tests.push(Test::Exists(exists))),
            "min" => number(document, &inner).map(|number| range.0 = Some(number)),
            "max" => number(document, &inner).map(|number| range.1 = Some(number)),
            other => {
                let meant = match nearest(other, TESTS) {
                    Some(near) => format!(": did you mean {near}?"),
                    None => format!("; there are {}", TESTS.join(", ")),
                };
                let name = Visible::head(other, 40).plain();
                document
                    .wrong(&inner.at, format!("{name} is nothing that a payload can be asked for{meant}"));
                None
            }
        };
        ok &= read.is_some();
    }
    if let (Some((min, _)), Some((max, _))) = &range
        && min > max
    {
        document.wrong(&entry.at, "min is more than max: nothing is ever between them");
        return None;
    }
    if range != (None, None) {
        tests.push(Test::Range(range.0, range.1));
    }
    if ok && tests.len() != 1 {
        let wanted = "one of equals, glob, exists, or min and max";
        document.wrong(&entry.at, format!("write {wanted}; for more, write a rule for each"));
    }
    if ok && tests.len() == 1 { tests.pop() } else { None }
}

fn equals(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Test> {
    match entry.value.get_ref() {
        DeValue::String(text) => {
            let literal = Pattern::literal(text);
            literal.map_err(|why| document.wrong(&entry.value.span(), why)).ok().map(Test::Text)
        }
        DeValue::Boolean(value) => Some(Test::Bool(*value)),
        DeValue::Integer(_) | DeValue::Float(_) => {
            number(document, entry).map(|(number, text)| Test::Number(number, text))
        }
        _ => {
            must(
                document,
                entry,
                "a text, a number, true or false, or a table of equals, glob, min, max, exists",
            );
            None
        }
    }
}

fn number(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<(Decimal, String)> {
    let text = match entry.value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i128::from_str_radix(&digits, number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().replace('_', "")),
        _ => None,
    };
    let read = text.and_then(|text| Some((Decimal::of_rule(&text)?, text)));
    if read.is_none() {
        must(document, entry, "a number of at most 100 digits and 10000 places");
    }
    read
}

pub(super) fn boolean(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<bool> {
    let value = entry.value.get_ref().as_bool();
    if value.is_none() {
        must(document, entry, "true or false");
    }
    value
}

pub(super) fn risk(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Risk> {
    let text = entry.value.get_ref().as_str();
    let read = text.and_then(|text| RISKS.into_iter().find(|risk| risk.word() == text));
    if read.is_none() {
        let low = text == Some(Risk::Low.word());
        let meant = text.and_then(|text| nearest(text, RISKS.map(Risk::word)));
        let more = match meant {
            _ if low => "; a rule raises and never lowers".to_owned(),
            Some(word) => format!("; did you mean \"{word}\"?"),
            None => String::new(),
        };
        let found = in_words(entry.value.get_ref());
        let wanted = "\"medium\", \"high\" or \"critical\"";
        document.wrong(&entry.value.span(), format!("risk must be {wanted}, not {found}{more}"));
    }
    read
}

pub(super) fn whole(document: &mut Document<'_>, entry: &Entry<'_, '_>, most: u32) -> Option<u32> {
    let number = entry.value.get_ref().as_integer();
    let read =
        number.and_then(|number| u32::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok());
    let read = read.filter(|number| (1..=most).contains(number));
    if read.is_none() {
        must(document, entry, &format!("a whole number from 1 to {most}"));
    }
    read
}

/// A length of time: `"90s"`, `"15m"`, `"2h"`.
pub(super) fn span(
    document: &mut Document<'_>,
    entry: &Entry<'_, '_>,
    (shortest, longest): (Duration, Duration),
) -> Option<Duration> {
    let text = entry.value.get_ref().as_str();
    let read = text.and_then(timestamp::span).filter(|span| (shortest..=longest).contains(span));
    if read.is_none() {
        let [from, to] = [shortest, longest].map(timestamp::span_words);
        must(
            document,
            entry,
            &format!("a time like \"90s\", \"15m\" or \"2h\", from \"{from}\" to \"{to}\""),
        );
    }
    read
}

/// Seconds, or a length of time.
pub(super) fn grace(document: &mut Document<'_>, entry: &Entry<'_, '_>) -> Option<Duration> {
    let read = match entry.value.get_ref() {
        DeValue::Integer(number) => u64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
            .ok()
            .map(Duration::from_secs),
        DeValue::String(text) => timestamp::span(text),
        _ => None,
    };
    let read = read.filter(|grace| *grace <= LONGEST_GRACE);
    if read.is_none() {
        must(document, entry, "a number of seconds from 0 to 600, or a time like \"30s\"");
    }
    read
}
