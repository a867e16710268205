//! A JSON value written out: keys in their own order, numbers as they were written, strings quoted and made visible, keys
//! that stand twice marked. Without recursion, so that depth is never a crash.

use super::preview;
use super::stream::{FoldKind, Form, OpenFold, Stream, grouped, size};
use crate::console::theme::Role;
use crate::domain::json::{Kind, Member, Value};

/// What is nested deeper than this many arrays and objects is folded, with its size.
const DEEP: usize = 64;

/// What is still to be written, innermost first.
enum Step<'v> {
    Value(&'v Value, usize, bool),
    Member(&'v Member, usize, bool),
    Close { bracket: &'static str, level: usize, comma: bool, fold: Option<OpenFold> },
}

/// The value as a stream.
pub(super) fn stream(value: &Value) -> Stream {
    let mut stream = Stream::default();
    let mut steps = vec![Step::Value(value, 0, false)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Value(value, level, comma) => {
                line(&mut stream, level);
                write(&mut stream, value, level, comma, &mut steps);
            }
            Step::Member(member, level, comma) => {
                line(&mut stream, level);
                if member.duplicate {
                    stream.push(Role::Marked, "‹duplicate key› ");
                }
                quoted(&mut stream, Role::JsonKey, &member.name, None);
                stream.push(Role::JsonMark, ": ");
                write(&mut stream, &member.value, level, comma, &mut steps);
            }
            Step::Close { bracket, level, comma, fold } => {
                line(&mut stream, level);
                if let Some(fold) = fold {
                    stream.close(fold);
                }
                stream.push(Role::JsonMark, bracket);
                end(&mut stream, comma);
            }
        }
    }
    stream
}

fn write<'v>(stream: &mut Stream, value: &'v Value, level: usize, comma: bool, steps: &mut Vec<Step<'v>>) {
    match &value.kind {
        Kind::Null => stream.push(Role::JsonValue, "null"),
        Kind::Bool(value) => stream.push(Role::JsonValue, if *value { "true" } else { "false" }),
        Kind::Number(text) => stream.text(Role::JsonValue, text, Form { block: None, quoted: false }),
        Kind::String(text) => {
            quoted(stream, Role::Foreign, text, Some(level + 1));
            end(stream, comma);
            preview::write(stream, text, level + 1);
            return;
        }
        Kind::Array(elements) if elements.is_empty() => stream.push(Role::JsonMark, "[]"),
        Kind::Object(members) if members.is_empty() => stream.push(Role::JsonMark, "{}"),
        Kind::Array(elements) => {
            let fold = open(stream, "[", value, level);
            steps.push(Step::Close { bracket: "]", level, comma, fold });
            let last = elements.len() - 1;
            let element = |(at, value)| Step::Value(value, level + 1, at != last);
            steps.extend(elements.iter().enumerate().map(element).rev());
            return;
        }
        Kind::Object(members) => {
            let fold = open(stream, "{", value, level);
            steps.push(Step::Close { bracket: "}", level, comma, fold });
            let last = members.len() - 1;
            let member = |(at, member)| Step::Member(member, level + 1, at != last);
            steps.extend(members.iter().enumerate().map(member).rev());
            return;
        }
    }
    end(stream, comma);
}

/// The bracket, and a fold behind it where this is the first level that is too deep.
fn open(stream: &mut Stream, bracket: &str, value: &Value, level: usize) -> Option<OpenFold> {
    stream.push(Role::JsonMark, bracket);
    (level == DEEP).then(|| {
        let (values, bytes) = (inside(value), value.span.len());
        let noun = if values == 1 { "value" } else { "values" };
        let sign = format!("‹{} {noun} deeper than {DEEP}, {}›", grouped(values), size(bytes));
        stream.fold(FoldKind::Large, &sign)
    })
}

/// How many values there are inside a value, at any depth.
fn inside(value: &Value) -> usize {
    let (mut rest, mut count) = (vec![value], 0);
    while let Some(value) = rest.pop() {
        let before = rest.len();
        match &value.kind {
            Kind::Array(elements) => rest.extend(elements),
            Kind::Object(members) => rest.extend(members.iter().map(|member| &member.value)),
            _ => {}
        }
        count += rest.len() - before;
    }
    count
}

fn quoted(stream: &mut Stream, role: Role, text: &str, block: Option<usize>) {
    stream.push(Role::JsonMark, "\"");
    stream.text(role, text, Form { block, quoted: true });
    stream.push(Role::JsonMark, "\"");
}

fn line(stream: &mut Stream, level: usize) {
    stream.break_line(level, level + 2);
}

fn end(stream: &mut Stream, comma: bool) {
    if comma {
        stream.push(Role::JsonMark, ",");
    }
}
