//! Changes to a JSON text at one place, in the text's own indentation; every byte elsewhere stays. It knows nothing of
//! hooks. A text is changed by where its values stand in it, so the value must have been read from that text.

use crate::domain::json::{Kind, Value, quote};
use std::ops::Range;

/// One step down into a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'n> {
    /// Of an object.
    Member(&'n str),
    /// Of an array.
    Element(usize),
}

/// A value as it is to be written, a line each, with a tab for each level.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    pub(super) lines: Vec<String>,
}

impl Lines {
    /// As the only value of an array or an object.
    fn inside(self, open: char, close: char) -> Self {
        let inner = self.lines.into_iter().map(|line| format!("\t{line}"));
        Self { lines: std::iter::once(open.to_string()).chain(inner).chain([close.to_string()]).collect() }
    }

    /// As a member of an object.
    fn named(mut self, name: &str) -> Self {
        if let Some(first) = self.lines.first_mut() {
            first.insert_str(0, &format!("{}: ", quote(name)));
        }
        self
    }

    fn written(&self, style: &Style, depth: usize) -> String {
        let indented = self.lines.iter().enumerate().map(|(at, line)| {
            let text = line.trim_start_matches('\t');
            let depth = if at == 0 { 0 } else { depth + line.len() - text.len() };
            format!("{}{text}", style.unit.repeat(depth))
        });
        indented.collect::<Vec<_>>().join(style.end)
    }
}

/// How a text is laid out.
struct Style {
    unit: String,
    end: &'static str,
}

impl Style {
    /// The indentation of the first line that has any; two blanks where none has.
    fn of(text: &str) -> Self {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let blanks = |line: &str| line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned();
        let unit = text.lines().map(blanks).find(|unit| !unit.is_empty());
        Self { unit: unit.unwrap_or_else(|| "  ".to_owned()), end }
    }

    fn line(&self, depth: usize) -> String {
        format!("{}{}", self.end, self.unit.repeat(depth))
    }
}

/// Puts another value in the place of the one there.
pub(super) fn replace(text: &str, value: &Value, path: &[Place<'_>], with: &Lines) -> String {
    let Some(found) = path.iter().try_fold(value, |value, place| down(value, *place)) else {
        return text.to_owned();
    };
    spliced(text, found.span.clone(), &with.written(&Style::of(text), path.len()))
}

/// Puts a value behind the last one of the array at that path of members; makes what is missing of the path.
pub(super) fn append(text: &str, value: &Value, path: &[&str], lines: &Lines) -> String {
    let (mut at, mut depth) = (value, 0);
    while let Some(next) = path.get(depth).and_then(|name| at.get(name)) {
        (at, depth) = (next, depth + 1);
    }
    let mut lines = lines.clone();
    for (level, name) in path.iter().enumerate().skip(depth).rev() {
        let (open, close) = if level + 1 == path.len() { ('[', ']') } else { ('{', '}') };
        lines = lines.inside(open, close).named(name);
    }
    let style = Style::of(text);
    let last = match &at.kind {
        Kind::Array(elements) => elements.last(),
        Kind::Object(members) => members.last().map(|member| &member.value),
        _ => return text.to_owned(),
    };
    let new = lines.written(&style, depth + 1);
    let (before, after) = (style.line(depth + 1), style.line(depth));
    match last {
        Some(last) => spliced(text, last.span.end..last.span.end, &format!(",{before}{new}")),
        None => spliced(text, at.span.start + 1..at.span.end - 1, &format!("{before}{new}{after}")),
    }
}

/// Takes the value at that path out, with its name and one comma.
pub(super) fn remove(text: &str, value: &Value, path: &[Place<'_>]) -> String {
    let Some((last, way)) = path.split_last() else { return text.to_owned() };
    let Some(holder) = way.iter().try_fold(value, |value, place| down(value, *place)) else {
        return text.to_owned();
    };
    let (siblings, at) = match (&holder.kind, *last) {
        (Kind::Array(elements), Place::Element(at)) => (elements.iter().collect::<Vec<_>>(), Some(at)),
        (Kind::Object(members), Place::Member(name)) => {
            let at = members.iter().position(|member| member.name == name);
            (members.iter().map(|member| &member.value).collect(), at)
        }
        _ => return text.to_owned(),
    };
    let Some(at) = at.filter(|at| *at < siblings.len()) else { return text.to_owned() };
    let end = siblings[at].span.end;
    let range = match (at, siblings.get(at + 1)) {
        (0, None) => holder.span.start + 1..holder.span.end - 1,
        // Up to where the next one, or its name, begins.
        (0, Some(_)) => {
            let start = holder.span.start + 1;
            start + blanks(&text[start..])..end + comma(&text[end..])
        }
        (at, _) => siblings[at - 1].span.end..end,
    };
    spliced(text, range, "")
}

fn down<'v>(value: &'v Value, place: Place<'_>) -> Option<&'v Value> {
    match place {
        Place::Member(name) => value.get(name),
        Place::Element(at) => value.as_array()?.get(at),
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// How far it is to behind a comma and the blanks around it.
fn comma(text: &str) -> usize {
    let before = blanks(text);
    let rest = text[before..].strip_prefix(',').unwrap_or(&text[before..]);
    text.len() - rest.len() + blanks(rest)
}

fn spliced(text: &str, range: Range<usize>, with: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(range, with);
    text
}
