//! What commands write on standard output: JSON in which no character can act, and words that were made visible.

use crate::domain::Visible;
use std::fmt::Write as _;
use std::io::Write as _;

/// One JSON text, on one line. The strings in it are as they came, but every character that a terminal could obey or
/// that nobody would see (controls, 0x7f, C1, bidirectional and other format characters) is written as `\u….`.
pub fn json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    // Outside of strings JSON is plain ASCII, so only characters inside of strings are touched.
    for c in value.to_string().chars() {
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
