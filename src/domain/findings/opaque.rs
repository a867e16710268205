//! Long values that say nothing to a reader: words in base64 or hex, and the beginning of what they decode to. A guess
//! from length, alphabet and variety; it decodes what it shows and nothing more.

use std::ops::Range;

/// A word from this length on may be opaque, in bytes.
const LENGTH: usize = 64;
/// As much of it as is decoded, in bytes of the word.
const DECODED: usize = 256;
/// Bits per character that random base64 has more of than a path or a run of words (6 at most).
const BASE64_BITS: f64 = 4.7;
/// The same for hex (4 at most).
const HEX_BITS: f64 = 3.2;

/// How an opaque value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Hexadecimal digits.
    Hex,
    /// Base64, of either alphabet.
    Base64,
}

impl Form {
    /// `hex`, `base64`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

/// A word that says nothing to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// Where it stands in the text.
    pub span: Range<usize>,
    /// How it is written.
    pub form: Form,
    /// How many bytes it decodes to.
    pub bytes: usize,
    /// The beginning of what it decodes to: to be made visible like all that is foreign.
    pub beginning: Vec<u8>,
}

/// The opaque words of a text, in order.
pub fn opaque(text: &str) -> impl Iterator<Item = Opaque> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            while bytes.get(at).is_some_and(|&byte| is_of_base64(byte)) {
                at += 1;
            }
            let word = start..at;
            let padding = bytes[at..].iter().take(2).take_while(|&&byte| byte == b'=').count();
            // The byte that ended the word.
            at += padding.max(1);
            if word.len() >= LENGTH
                && let Some(opaque) = judge(bytes, word)
            {
                let end = opaque.span.end + padding;
                return Some(Opaque { span: opaque.span.start..end, ..opaque });
            }
        }
        None
    })
}

fn is_of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn judge(text: &[u8], span: Range<usize>) -> Option<Opaque> {
    let word = &text[span.clone()];
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    let bits = bits(word);
    let is_hex =
        word.iter().all(u8::is_ascii_hexdigit) && has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit);
    let beginning = &word[..word.len().min(DECODED)];
    if is_hex && bits > HEX_BITS {
        return Some(Opaque { span, form: Form::Hex, bytes: word.len() / 2, beginning: hex(beginning) });
    }
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (is_mixed && bits > BASE64_BITS).then(|| Opaque {
        span,
        form: Form::Base64,
        bytes: word.len() * 3 / 4,
        beginning: base64(beginning),
    })
}

/// The entropy of its characters, in bits for each.
fn bits(word: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in word {
        counts[usize::from(byte)] += 1;
    }
    let total: u32 = counts.iter().sum();
    let share = |count: u32| f64::from(count) / f64::from(total);
    counts.iter().filter(|&&count| count > 0).map(|&count| -share(count) * share(count).log2()).sum()
}

fn hex(word: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    word.chunks_exact(2).filter_map(pair).collect()
}

fn base64(word: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        })
    };
    let mut out = Vec::with_capacity(word.len() * 3 / 4);
    for group in word.chunks(4) {
        let bits = group.iter().fold(0, |bits, &byte| bits << 6 | digit(byte)) << (6 * (4 - group.len()));
        let [_, a, b, c] = bits.to_be_bytes();
        out.extend_from_slice(&[a, b, c][..group.len() * 3 / 4]);
    }
    out
}
