//! How many columns a text takes, as the screen's buffer counts them: who measures otherwise loses the end of a line
//! without a word. What terminals make of it is `console/runtime/screen/placing`'s concern.

use unicode_width::UnicodeWidthStr;

/// Columns of a text. The voiced marks of half-width Katakana are drawn in a column of their own, though they extend the
/// character before them.
pub fn columns_of(text: &str) -> usize {
    let voiced = if text.is_ascii() { 0 } else { text.matches(['\u{ff9e}', '\u{ff9f}']).count() };
    text.width() + voiced
}
