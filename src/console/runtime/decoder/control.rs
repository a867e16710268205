//! What a complete control sequence means: the keys of xterm, rxvt, the Linux console, tmux and kitty, the mouse, the
//! focus. A list of what is known: all else is a reply, and never a key.

use super::Reply;
use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// What a sequence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Focus(bool),
    PasteBegins,
    /// The mouse's old report: three bytes follow, which may be any.
    MouseFollows,
    Reply(Reply),
}

/// After `CSI`: parameters and intermediate bytes, then the last byte.
pub(super) fn csi(parameters: &[u8], last: u8) -> Meaning {
    let other = Meaning::Reply(Reply::Other);
    let meaning = match parameters {
        b"?2026;1$" | b"?2026;2$" if last == b'y' => Some(Meaning::Reply(Reply::Synchronized(true))),
        b"?2026;0$" | b"?2026;3$" | b"?2026;4$" if last == b'y' => {
            Some(Meaning::Reply(Reply::Synchronized(false)))
        }
        [b'[', ..] => linux(parameters, last).map(Meaning::Key),
        [b'<', rest @ ..] => fields(rest).and_then(|fields| mouse(&fields, last, 0)).map(Meaning::Mouse),
        _ => fields(parameters).and_then(|fields| plain_csi(&fields, last)),
    };
    meaning.unwrap_or(other)
}

/// After `SS3` (`ESC O`): the keypad, the arrows and the first function keys.
pub(super) fn ss3(parameters: &[u8], last: u8) -> Meaning {
    let key = fields(parameters).and_then(|fields| {
        let code = match last {
            b'R' => KeyCode::F(3),
            _ => letter(last).or_else(|| keypad(last))?,
        };
        match fields.as_slice() {
            [] if matches!(last, b'a'..=b'd') => Some(KeyEvent::new(code, KeyModifiers::CONTROL)),
            [] => Some(code.into()),
            // Some terminals put the modifiers here, with a 1 in front or without.
            [modifiers] | [Field { first: Some(1), .. }, modifiers] => pressed(code, Some(modifiers)),
            _ => None,
        }
    });
    key.map_or(Meaning::Reply(Reply::Other), Meaning::Key)
}

/// One parameter: `first:second:…`.
#[derive(Debug, Clone, Copy, Default)]
struct Field {
    first: Option<u32>,
    second: Option<u32>,
}

/// The parameters, if they are numbers with `;` and `:` between them.
fn fields(parameters: &[u8]) -> Option<Vec<Field>> {
    if parameters.is_empty() {
        return Some(Vec::new());
    }
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let field = |text: &str| {
        let mut numbers = text.split(':').map(number);
        let first = numbers.next()??;
        let second = numbers.next().unwrap_or(Some(None))?;
        numbers.all(|number| number.is_some()).then_some(Field { first, second })
    };
    let text = std::str::from_utf8(parameters).ok()?;
    // `parse` would take a sign too.
    let known = |c: char| c.is_ascii_digit() || c == ';' || c == ':';
    if !text.chars().all(known) {
        return None;
    }
    text.split(';').map(|text| if text.is_empty() { Some(Field::default()) } else { field(text) }).collect()
}

fn plain_csi(fields: &[Field], last: u8) -> Option<Meaning> {
    let first = fields.first().and_then(|field| field.first);
    let key = match (last, fields) {
        (b'I' | b'O', []) => return Some(Meaning::Focus(last == b'I')),
        (b'M', []) => return Some(Meaning::MouseFollows),
        (b'M', [_, _, _]) => return mouse(fields, last, 32).map(Meaning::Mouse),
        (b'n', [_]) if first == Some(0) => return Some(Meaning::Reply(Reply::Ready)),
        (b'~', [_]) if first == Some(200) => return Some(Meaning::PasteBegins),
        // `CSI 1;2R` could be shift-F3 as well as where the cursor is.
        (b'R', _) => None,
        (b'Z', []) => Some(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        (b'Z', [Field { first: Some(1), .. }, modifiers]) => pressed(KeyCode::BackTab, Some(modifiers)),
        (b'a'..=b'd', []) => Some(KeyEvent::new(letter(last)?, KeyModifiers::SHIFT)),
        (_, []) => letter(last).map(KeyEvent::from),
        (b'a'..=b'd', _) => None,
        (b'u', [code]) => coded(*code, None),
        (b'u', [code, modifiers] | [code, modifiers, _]) => coded(*code, Some(modifiers)),
        // What xterm and tmux call `modifyOtherKeys`.
        (b'~', [_, modifiers, code]) if first == Some(27) => coded(*code, Some(modifiers)),
        (b'~', [_]) => pressed(numbered(first?)?, None),
        (b'~', [_, modifiers]) => pressed(numbered(first?)?, Some(modifiers)),
        // rxvt's way.
        (b'^', [_]) => Some(KeyEvent::new(numbered(first?)?, KeyModifiers::CONTROL)),
        (b'@', [_]) => {
            Some(KeyEvent::new(numbered(first?)?, KeyModifiers::CONTROL.union(KeyModifiers::SHIFT)))
        }
        (_, [_, modifiers]) if first == Some(1) => pressed(letter(last)?, Some(modifiers)),
        _ => None,
    };
    key.map(Meaning::Key)
}

fn linux(parameters: &[u8], last: u8) -> Option<KeyEvent> {
    (parameters == b"[" && (b'A'..=b'E').contains(&last)).then(|| KeyCode::F(last - b'A' + 1).into())
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' | b'a' => KeyCode::Up,
        b'B' | b'b' => KeyCode::Down,
        b'C' | b'c' => KeyCode::Right,
        b'D' | b'd' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// The keypad in application mode.
fn keypad(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'M' => KeyCode::Enter,
        b'I' => KeyCode::Tab,
        b'X' => KeyCode::Char('='),
        b'j'..=b'y' => KeyCode::Char(char::from(last - b'j' + b'*')),
        _ => return None,
    })
}

/// The number before `~`.
fn numbered(number: u32) -> Option<KeyCode> {
    let function = |below: u32| u8::try_from(number - below).ok().map(KeyCode::F);
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => function(10)?,
        17..=21 => function(11)?,
        23..=26 => function(12)?,
        28 | 29 => function(13)?,
        31..=34 => function(14)?,
        _ => return None,
    })
}

/// `CSI code;modifiers u`: fixterms and kitty. The alternate code is the letter with shift.
fn coded(code: Field, modifiers: Option<&Field>) -> Option<KeyEvent> {
    let mut event = pressed(KeyCode::Null, modifiers)?;
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    event.code = match code.first? {
        9 if shift => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 | 57414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        number @ 57399..=57408 => KeyCode::Char(char::from_digit(number - 57399, 10)?),
        57409 => KeyCode::Char('.'),
        57410 => KeyCode::Char('/'),
        57411 => KeyCode::Char('*'),
        57412 => KeyCode::Char('-'),
        57413 => KeyCode::Char('+'),
        57415 => KeyCode::Char('='),
        57416 => KeyCode::Char(','),
        57417 => KeyCode::Left,
        57418 => KeyCode::Right,
        57419 => KeyCode::Up,
        57420 => KeyCode::Down,
        57421 => KeyCode::PageUp,
        57422 => KeyCode::PageDown,
        57423 => KeyCode::Home,
        57424 => KeyCode::End,
        57425 => KeyCode::Insert,
        57426 => KeyCode::Delete,
        number @ 57376..=57398 => KeyCode::F(u8::try_from(number - 57376 + 13).ok()?),
        // Shift, media keys and the like, which nothing here listens to.
        57344..=63743 => return None,
        number => {
            let shifted = code.second.filter(|_| shift).and_then(char::from_u32);
            let c = char::from_u32(number).filter(|c| !c.is_control())?;
            let capital = |c: char| if shift { c.to_uppercase().next().unwrap_or(c) } else { c };
            KeyCode::Char(shifted.filter(|c| !c.is_control()).unwrap_or_else(|| capital(c)))
        }
    };
    Some(event)
}

/// A key with the modifiers, the kind and the locks that `modifiers:kind` names.
fn pressed(code: KeyCode, modifiers: Option<&Field>) -> Option<KeyEvent> {
    let field = modifiers.copied().unwrap_or_default();
    let mask = field.first.unwrap_or(1).checked_sub(1).filter(|mask| *mask < 256)?;
    let kind = match field.second.unwrap_or(1) {
        1 => KeyEventKind::Press,
        2 => KeyEventKind::Repeat,
        3 => KeyEventKind::Release,
        _ => return None,
    };
    let mut event = KeyEvent::new_with_kind(code, KeyModifiers::NONE, kind);
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ] {
        event.modifiers.set(modifier, mask & bit != 0);
    }
    event.state.set(KeyEventState::CAPS_LOCK, mask & 64 != 0);
    event.state.set(KeyEventState::NUM_LOCK, mask & 128 != 0);
    Some(event)
}

/// `button;column;row`, with columns and rows from 1. `above` is what old terminals add to the button.
fn mouse(fields: &[Field], last: u8, above: u32) -> Option<MouseEvent> {
    let [button, column, row] = fields else { return None };
    let button = button.first?.checked_sub(above)?;
    let place = |field: &Field| u16::try_from(field.first?.checked_sub(1)?).ok();
    let (column, row) = (place(column)?, place(row)?);
    let which = |number| match number {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let moving = button & 0x20 != 0;
    let kind = match (button & 3 | (button & 0xc0) >> 4, moving, last) {
        (number @ 0..=2, false, b'm') => MouseEventKind::Up(which(number)),
        (number @ 0..=2, false, b'M') => MouseEventKind::Down(which(number)),
        (number @ 0..=2, true, b'M') => MouseEventKind::Drag(which(number)),
        (3, false, b'M') => MouseEventKind::Up(MouseButton::Left),
        (3, true, b'M') => MouseEventKind::Moved,
        (4, false, b'M') => MouseEventKind::ScrollUp,
        (5, false, b'M') => MouseEventKind::ScrollDown,
        (6, false, b'M') => MouseEventKind::ScrollLeft,
        (7, false, b'M') => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, button & 4 != 0);
    modifiers.set(KeyModifiers::ALT, button & 8 != 0);
    modifiers.set(KeyModifiers::CONTROL, button & 16 != 0);
    Some(MouseEvent { kind, column, row, modifiers })
}
