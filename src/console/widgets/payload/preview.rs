//! What opaque words of a string decode to, as the console reads them: on lines of their own, in the console's own signs,
//! which no agent can write, with what they decode to in quotes inside. It is no part of what was sent.

use super::stream::{Form, Stream, grouped};
use crate::console::theme::Role;
use crate::domain::findings::{Opaque, opaque};

/// So many words of one string are read; the others are counted.
const WORDS: usize = 4;
/// So many bytes are shown of what is not text.
const BYTES: usize = 16;

/// Writes what the opaque words of a string read as, below it.
pub(super) fn write(stream: &mut Stream, text: &str, level: usize) {
    for (number, word) in opaque(text).enumerate() {
        match number {
            0..WORDS => read(stream, &word, level),
            WORDS => {
                let more = opaque(text).count() - WORDS;
                line(stream, level, |stream| {
                    stream.push(Role::Marked, &format!("‹{} more opaque›", grouped(more)));
                });
            }
            _ => break,
        }
    }
}

fn read(stream: &mut Stream, word: &Opaque, level: usize) {
    let (form, length) = (word.form.word(), grouped(word.span.len()));
    let head = format!("‹{form}, {length} characters, {} bytes", grouped(word.bytes));
    let is_whole = word.beginning.len() >= word.bytes;
    let more = if is_whole { "" } else { "…" };
    line(stream, level, |stream| match text(&word.beginning, is_whole) {
        Some(text) => {
            stream.push(Role::Marked, &format!("{head}, reads \""));
            stream.plain_text(Role::Foreign, text, Form { block: None, quoted: true });
            stream.push(Role::Marked, &format!("\"{more}›"));
        }
        None => {
            let bytes: Vec<_> = word.beginning.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
            stream.push(Role::Marked, &format!("{head}, not text: {} …›", bytes.join(" ")));
        }
    });
}

/// The bytes as text, where they are that; a character that the end cuts in two is left out.
fn text(bytes: &[u8], is_whole: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if !is_whole && error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).and_then(|bytes| std::str::from_utf8(bytes).ok())
        }
        Err(_) => None,
    }
}

fn line(stream: &mut Stream, level: usize, write: impl FnOnce(&mut Stream)) {
    stream.break_line(level, level + 1);
    stream.aside(write);
}
