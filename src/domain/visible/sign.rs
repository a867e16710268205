//! What is drawn in place of a character. The characters that signs are made of are signs themselves where a source has
//! them, so that a source cannot fake one.

use super::property::{hidden_ascii, is_hidden};
use std::fmt::Write as _;

/// Whether signs are made of this character.
pub(super) fn is_of_signs(c: char) -> bool {
    matches!(c, '‹' | '›' | '⇥' | '…' | '\u{2400}'..='\u{243f}')
}

/// Whether the character is never drawn as it is, whatever stands around it.
pub(super) fn is_due(c: char) -> bool {
    !matches!(c, ' '..='~') && (is_of_signs(c) || is_hidden(c))
}

/// The sign of any character.
pub(super) fn always(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\t' => "⇥".into(),
        '\u{7f}' => "␡".into(),
        ' ' => "␣".into(),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + code).map_or_else(|| escape(code), String::from),
        _ => escape(code),
    }
}

fn escape(code: u32) -> String {
    let mut sign = String::with_capacity(16);
    // Writing to a String cannot fail.
    let _ = write!(sign, "‹U+{code:04X}›");
    sign
}

/// The ASCII that a run of tag characters hides. Blanks at its ends or side by side are shown, so that they can be
/// counted.
pub(super) fn tags(run: &str) -> String {
    let ascii: Vec<char> = run.chars().filter_map(hidden_ascii).collect();
    let mut sign = String::from("‹tags: ");
    for (at, &c) in ascii.iter().enumerate() {
        let is_letter = |at: Option<usize>| at.and_then(|at| ascii.get(at)).is_some_and(|&c| c != ' ');
        let alone = is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
        sign.push(if c == ' ' && !alone { '␣' } else { c });
    }
    sign.push('›');
    sign
}
