//! Letters that run from right to left, in text that has lines of its own: drawn as they are among themselves, escaped
//! where an ASCII letter or a digit stands beside them. So a terminal that orders by UAX #9 moves nothing that a reader
//! goes by. Works on runs, because signs are ASCII too.

use super::property::{is_digit, is_left_to_right, is_right_to_left};
use super::runs::Run;
use std::ops::Range;

/// What a stretch of text is to the letters that run from right to left beside it.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    /// The end of the line, or a letter of another script: they end there and stay as they are.
    Apart,
    /// An ASCII letter, a digit, a sign.
    Beside,
}

/// Letters between two stretches that have a direction, on one line.
struct Group {
    letters: Vec<Range<usize>>,
    before: Side,
    has_digit: bool,
}

/// Which letters must be escaped, one range for each, in order. `runs` is the text cut as it would be without this rule.
pub(super) fn beside_ascii<'t>(runs: impl Iterator<Item = Run<'t>>) -> Vec<Range<usize>> {
    let mut escaped = Vec::new();
    let mut group = Group { letters: Vec::new(), before: Side::Apart, has_digit: false };
    let mut close = |group: &mut Group, after: Side| {
        let letters = std::mem::take(&mut group.letters);
        if group.has_digit || group.before == Side::Beside || after == Side::Beside {
            escaped.extend(letters);
        }
        (group.before, group.has_digit) = (after, false);
    };
    let mut at = 0;
    for run in runs {
        let source = run.source();
        match &run {
            Run::Plain(text) => {
                for (offset, c) in text.char_indices() {
                    if is_right_to_left(c) {
                        group.letters.push(at + offset..at + offset + c.len_utf8());
                        group.has_digit |= is_digit(c);
                    } else if c.is_ascii_alphanumeric() || is_digit(c) {
                        close(&mut group, Side::Beside);
                    } else if is_left_to_right(c) {
                        close(&mut group, Side::Apart);
                    }
                }
            }
            Run::Sign { .. } if source == "\n" => close(&mut group, Side::Apart),
            Run::Sign { text, .. } | Run::Fold { label: text, .. } => {
                if text.contains(|c: char| c.is_ascii_alphanumeric()) {
                    close(&mut group, Side::Beside);
                }
            }
        }
        at += source.len();
    }
    close(&mut group, Side::Apart);
    escaped
}
