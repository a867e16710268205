//! A JSON value as lines: keys in their own order, numbers as they were written, strings quoted and made visible.
//!
//! Nothing is cut: long lines are wrapped. Without recursion, so that depth is never a crash. Wrapped once for a width
//! and kept by the caller, because wrapping a long text on every draw is what makes terminals slow.

use super::RoleLine;
use crate::console::theme::Role;
use crate::domain::Visible;
use crate::domain::json::{Kind, Member, Value};

/// How far a level is indented, and how many levels are at most: deeper ones say their depth.
const INDENT: usize = 2;

/// What is still to be written, innermost first.
enum Step<'v> {
    Value(&'v Value, usize, bool),
    Member(&'v Member, usize, bool),
    Close(&'static str, usize, bool),
}

/// The lines of a value for a width of `columns`.
pub fn lines(value: &Value, columns: usize) -> Vec<RoleLine> {
    let mut page = Page { columns, lines: Vec::new(), line: RoleLine::default() };
    let mut steps = vec![Step::Value(value, 0, false)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Value(value, depth, comma) => {
                page.indent(depth);
                page.value(value, depth, comma, &mut steps);
            }
            Step::Member(member, depth, comma) => {
                page.indent(depth);
                if member.duplicate {
                    page.line.push(Role::Marked, "‹duplicate key› ");
                }
                page.string(Role::JsonKey, &member.name, depth);
                page.line.push(Role::JsonMark, ": ");
                page.value(&member.value, depth, comma, &mut steps);
            }
            Step::Close(bracket, depth, comma) => {
                page.indent(depth);
                page.line.push(Role::JsonMark, bracket);
                page.end(depth, comma);
            }
        }
    }
    page.lines
}

struct Page {
    columns: usize,
    lines: Vec<RoleLine>,
    line: RoleLine,
}

impl Page {
    fn margin(&self, depth: usize) -> usize {
        (depth * INDENT).min(self.columns / 2)
    }

    fn indent(&mut self, depth: usize) {
        self.line.push(Role::Text, " ".repeat(self.margin(depth)));
    }

    fn value<'v>(&mut self, value: &'v Value, depth: usize, comma: bool, steps: &mut Vec<Step<'v>>) {
        match &value.kind {
            Kind::Null => self.line.push(Role::JsonValue, "null"),
            Kind::Bool(value) => self.line.push(Role::JsonValue, if *value { "true" } else { "false" }),
            Kind::Number(text) => self.line.push(Role::JsonValue, text.as_str()),
            Kind::String(text) => self.string(Role::Foreign, text, depth),
            Kind::Array(elements) if elements.is_empty() => self.line.push(Role::JsonMark, "[]"),
            Kind::Object(members) if members.is_empty() => self.line.push(Role::JsonMark, "{}"),
            Kind::Array(elements) => {
                self.line.push(Role::JsonMark, "[");
                self.end(depth, false);
                steps.push(Step::Close("]", depth, comma));
                let last = elements.len() - 1;
                let element = |(at, value)| Step::Value(value, depth + 1, at != last);
                steps.extend(elements.iter().enumerate().map(element).rev());
                return;
            }
            Kind::Object(members) => {
                self.line.push(Role::JsonMark, "{");
                self.end(depth, false);
                steps.push(Step::Close("}", depth, comma));
                let last = members.len() - 1;
                let member = |(at, member)| Step::Member(member, depth + 1, at != last);
                steps.extend(members.iter().enumerate().map(member).rev());
                return;
            }
        }
        self.end(depth, comma);
    }

    /// A string in quotes. A line feed is shown and then also ends the line, so that a script reads as a script.
    fn string(&mut self, role: Role, text: &str, depth: usize) {
        self.line.push(Role::JsonMark, "\"");
        let mut rest = text;
        while let Some(at) = rest.find('\n').filter(|at| at + 1 < rest.len()) {
            self.piece(role, &rest[..=at]);
            self.end(depth, false);
            self.line.push(Role::Text, " ".repeat(self.margin(depth + 1)));
            rest = &rest[at + 1..];
        }
        self.piece(role, rest);
        self.line.push(Role::JsonMark, "\"");
    }

    /// Text inside quotes: what could be taken for the end of the string, or for a sign, is escaped as in JSON.
    fn piece(&mut self, role: Role, text: &str) {
        let mut plain = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '"' | '\\')) {
            self.line.push_foreign(role, &Visible::of(&text[plain..at]));
            self.line.push(Role::Marked, format!("\\{c}"));
            plain = at + 1;
        }
        self.line.push_foreign(role, &Visible::of(&text[plain..]));
    }

    fn end(&mut self, depth: usize, comma: bool) {
        if comma {
            self.line.push(Role::JsonMark, ",");
        }
        let hanging = self.margin(depth + 2);
        self.lines.extend(std::mem::take(&mut self.line).wrap(self.columns, hanging));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::{self, Limits};

    fn draw(source: &str, columns: usize) -> Vec<String> {
        let value = json::parse(source.as_bytes(), Limits::DOOR).unwrap();
        lines(&value, columns).iter().map(RoleLine::text).collect()
    }

    #[test]
    fn numbers_order_and_duplicates_stand_as_they_came() {
        let source = r#"{"z":1.10,"a":[1e400,"false",false,{}],"z":null,"s":"a\"b\\c\u001b[2J"}"#;
        let expected = [
            "{",
            "  \"z\": 1.10,",
            "  \"a\": [",
            "    1e400,",
            "    \"false\",",
            "    false,",
            "    {}",
            "  ],",
            "  ‹duplicate key› \"z\": null,",
            "  \"s\": \"a\\\"b\\\\c␛[2J\"",
            "}",
        ];
        assert_eq!(draw(source, 60), expected);
    }

    #[test]
    fn a_script_reads_as_lines_and_its_line_feeds_show() {
        assert_eq!(
            draw(r#"{"c":"set -e\nrm -rf x\n"}"#, 40),
            ["{", "  \"c\": \"set -e␊", "    rm -rf x␊\"", "}"]
        );
    }

    #[test]
    fn long_text_is_wrapped_and_whole() {
        let text = "x".repeat(500);
        let drawn = draw(&format!("[{text:?}]"), 40);
        assert!(drawn.iter().all(|line| line.chars().count() <= 40));
        assert_eq!(drawn.concat().matches('x').count(), 500);
    }

    #[test]
    fn depth_is_drawn_without_recursion() {
        let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        assert_eq!(draw(&deep, 40).len(), 129);
    }
}
