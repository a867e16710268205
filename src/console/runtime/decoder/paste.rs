//! The text of a bracketed paste: collects bytes and knows whether they end with the mark that ends pastes. It reads no
//! clock: when a paste is over is the decoder's to say.

/// The mark that ends a paste.
const END: &[u8; 6] = b"\x1b[201~";
/// So much of a paste is kept; nothing that pastes are taken for is as long.
const LONGEST: usize = 1 << 20;

/// A paste that has begun.
#[derive(Debug, Default)]
pub(super) struct Paste {
    text: Vec<u8>,
    /// All bytes that came, kept or not.
    length: usize,
    /// How much of the mark the last bytes are.
    matched: usize,
}

impl Paste {
    pub(super) fn push(&mut self, byte: u8) {
        if self.text.len() < LONGEST {
            self.text.push(byte);
        }
        self.length += 1;
        self.matched = match END.get(self.matched) {
            Some(expected) if *expected == byte => self.matched + 1,
            // Only the first byte of the mark is ESC, so no other beginning of it can be under way.
            _ => usize::from(byte == END[0]),
        };
    }

    /// Whether the mark came last.
    pub(super) fn has_ended(&self) -> bool {
        self.matched == END.len()
    }

    /// The text without the mark at its end; what is not UTF-8 in it is replaced.
    pub(super) fn text(mut self) -> String {
        if self.has_ended() {
            self.text.truncate(self.length - END.len());
        }
        String::from_utf8_lossy(&self.text).into_owned()
    }
}
