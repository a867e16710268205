//! What commands write on standard output: JSON in which no character can act, and words that were made visible.

use crate::domain::Visible;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// One JSON text, on one line. The strings in it are as they came, but every character that a terminal could obey or
/// that nobody would see (controls, 0x7f, C1, bidirectional and other format characters) is written as `\u….`.
pub fn json(value: &impl Serialize) -> String {
    let mut out = String::new();
    // What commands print is strings, numbers and nothing that JSON could refuse.
    let text = serde_json::to_string(value).unwrap_or_default();
    // Outside of strings JSON is plain ASCII, so only characters inside of strings are touched.
    for c in text.chars() {
        if matches!(c, ' '..='~') || Visible::of(c.encode_utf8(&mut [0; 4])).hidden() == 0 {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// Writes a line on standard output. The line must hold nothing that was not made visible.
pub fn line(text: &str) {
    // Nobody reads it any more; the exit code still tells.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes a message on standard error, made visible line by line: mistakes in a file are several.
pub fn complain(message: &str) {
    let lines: Vec<_> = message.split('\n').map(|line| Visible::of(line).plain()).collect();
    // Standard error may be closed; the exit code still tells.
    let _ = writeln!(std::io::stderr(), "aegis-console: {}", lines.join("\n"));
}

/// A table whose columns line up, each cell cut at the columns it may take; its head first.
pub fn table<const N: usize>(head: [&str; N], widest: [usize; N], rows: &[[Visible; N]]) -> Vec<String> {
    let head = head.map(Visible::of);
    let all: Vec<_> = std::iter::once(&head).chain(rows).map(|row| cut(row, &widest)).collect();
    let width = |column: usize| all.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[Visible; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let blanks = width.saturating_sub(cell.width());
            format!("{}{:blanks$}", cell.plain(), "")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

fn cut<const N: usize>(row: &[Visible; N], widest: &[usize; N]) -> [Visible; N] {
    std::array::from_fn(|column| row[column].cut(widest[column]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_can_act_and_it_reads_back() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}\"\\ é漢😀 ‹U+202E›";
        let value = serde_json::json!({ (text): text });
        let out = json(&value);
        assert!(!out.chars().any(|c| c.is_control() || Visible::of(&c.to_string()).hidden() > 0), "{out}");
        assert!(out.contains("\\u007f\\u009b\\u202e\\udb40\\udc41") && out.contains("é漢😀"), "{out}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap(), value);
    }
}
