//! What the decoder can be in the midst of, and which bytes open it. When it is over is the decoder's to say.

use super::paste::Paste;

/// The longest control sequence that is understood; the longest key has about thirty bytes.
const LONGEST: usize = 64;

/// What is being read.
#[derive(Debug, Default)]
pub(super) enum State {
    #[default]
    Ground,
    /// `ESC`, or `ESC ESC`.
    Escape {
        twice: bool,
    },
    /// `Esc` has been told; the rest of a torn sequence may follow.
    Torn,
    /// The first bytes of a character.
    Character {
        bytes: Vec<u8>,
        alt: bool,
    },
    /// After `CSI` or `SS3`.
    Control(Control),
    /// The three bytes of an old mouse report.
    Mouse {
        left: u8,
    },
    /// In a string: whether BEL ends it, and whether `ESC` came last.
    String {
        bell: bool,
        escape: bool,
    },
    Paste(Paste),
}

/// What opens a control sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    Csi,
    Ss3,
}

/// A control sequence that has begun.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) opener: Opener,
    pub(super) bytes: Vec<u8>,
    /// A second `ESC` came before it.
    pub(super) alt: bool,
    /// Its `Esc` has been told already.
    pub(super) torn: bool,
}

impl Control {
    pub(super) fn is_too_long(&self) -> bool {
        self.bytes.len() > LONGEST
    }

    /// One byte more than is understood is kept, to tell that it was too long.
    pub(super) fn push(&mut self, byte: u8) {
        if self.bytes.len() <= LONGEST {
            self.bytes.push(byte);
        }
    }
}

/// What that byte opens after `ESC`.
pub(super) fn opened(byte: u8, alt: bool, torn: bool) -> Option<State> {
    let control = |opener| State::Control(Control { opener, bytes: Vec::new(), alt, torn });
    match byte {
        b'[' => Some(control(Opener::Csi)),
        b'O' => Some(control(Opener::Ss3)),
        b']' => Some(State::String { bell: true, escape: false }),
        b'P' | b'X' | b'^' | b'_' => Some(State::String { bell: false, escape: false }),
        _ => None,
    }
}

/// What a control of eight bits opens: the same as `ESC` and the byte 0x40 below it.
pub(super) fn c1(byte: u8) -> Option<State> {
    (0x80..=0x9f).contains(&byte).then(|| opened(byte - 0x40, false, false)).flatten()
}
