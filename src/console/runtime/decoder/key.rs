//! The keys that come as one character: letters, controls, and either with alt. What a sequence means is `control`'s.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The key, pressed together with alt if that is so.
pub(super) fn with_alt(mut event: KeyEvent, alt: bool) -> KeyEvent {
    event.modifiers.set(KeyModifiers::ALT, alt || event.modifiers.contains(KeyModifiers::ALT));
    event
}

/// Shift is told for capital letters, as crossterm does.
pub(super) fn character_key(c: char) -> KeyEvent {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    KeyEvent::new(KeyCode::Char(c), shift)
}

/// The key that sends that control character, in raw mode.
pub(super) fn control_key(byte: u8) -> KeyEvent {
    let with_ctrl = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match byte {
        b'\r' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x7f => KeyCode::Backspace.into(),
        0x00 => with_ctrl(b' '),
        0x01..=0x1a => with_ctrl(byte - 1 + b'a'),
        _ => with_ctrl(byte.wrapping_sub(0x1c).wrapping_add(b'4')),
    }
}
