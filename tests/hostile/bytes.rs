//! What the console may say to a terminal, as a grammar, and the tiny parser for it. Whatever else comes is a violation:
//! the grammar is an allow-list, so that nothing has to be known of what terminals can be made to do.
//!
//! ```text
//! bytes    = { mode | move | clear | erase | scroll | style | question | bell | text }
//! mode     = ESC "[?" ( 7 | 25 | 1004 | 1049 | 2004 | 2026 ) ( "h" | "l" )    wrap, cursor, focus, other screen, paste, frame
//! move     = ESC "[" row [ ";" column ] "H" | ESC "[" [ column ] "G" | ESC "[" [ count ] ( "A" | "B" | "C" | "D" )
//! clear    = ESC "[r" ESC "[m" ESC "[2J"                                  before a frame that is sent whole
//! erase    = ESC "[K" | ESC "[" count "X"                                 blanks
//! scroll   = ESC "[" top ";" bottom "r" move ESC "[" [ count ] ( "L" | "M" ) ESC "[r"     and nothing in between
//! style    = ESC "[" [ number { ";" number } ] "m"
//! question = ESC "[5n" | ESC "[?2026$p"                                   whether a frame has been taken in, or can be held
//! bell     = BEL                                                          between frames only, where nobody else speaks
//! title    = ESC "]0;aegis-console: " counts BEL | ESC "[" ( 22 | 23 ) ";0t"    the counts alone; kept and given back
//! text     = a character that draws something, and nothing else (see `harmless`)
//! ```

use icu_properties::props::{BidiClass, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// One thing that the terminal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Draw this where the cursor is.
    Draw(char),
    /// The cursor goes to this column and row, counted from 0.
    Move(usize, usize),
    /// The cursor goes to this column of its row, counted from 0.
    Column(usize),
    /// The cursor goes by so many columns and rows.
    By(isize, isize),
    /// Everything is blank.
    Clear,
    /// So many places from the cursor on are blank, or all to the end of the row.
    Erase(Option<usize>),
    /// Only the rows from the first to the second, counted from 0, scroll; or all again.
    Region(Option<(usize, usize)>),
    /// So many lines go or come at the cursor: less than nothing come.
    DeleteLines(isize),
    /// The terminal is asked whether it has taken in everything before.
    AskReady,
    /// The terminal is asked whether it can show a frame when it is complete.
    AskWhole,
    /// A mode is switched on or off.
    Mode(u16, bool),
    /// Colours and the like.
    Style,
    /// The terminal's title.
    Title,
    /// The bell.
    Bell,
}

/// Reads bytes as they come; what has not come whole stays until it has.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    rest: Vec<u8>,
    in_frame: bool,
    /// How much of a scroll has come.
    scroll: usize,
}

impl Reader {
    /// The orders of these bytes, and what in them the console must never say.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Order>, String> {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let (mut orders, mut at) = (Vec::new(), 0);
        while at < rest.len() {
            match self.order(&rest[at..]) {
                Ok(Some((order, length))) => {
                    self.scroll = match (self.scroll, order) {
                        (0, Order::Region(Some(_))) => 1,
                        (1, Order::Move(..)) => 2,
                        (2, Order::DeleteLines(_)) => 3,
                        (0 | 3, Order::Region(None)) => 0,
                        (0, order) if !matches!(order, Order::DeleteLines(_)) => 0,
                        (_, order) => return Err(format!("{order:?} out of its place reached the terminal")),
                    };
                    if let Order::Mode(2026, on) = order {
                        self.in_frame = on;
                    }
                    orders.push(order);
                    at += length;
                }
                Ok(None) => break,
                Err(what) => {
                    let around = rest[at.saturating_sub(24)..(at + 16).min(rest.len())].escape_ascii();
                    return Err(format!("{what} reached the terminal, in \"{around}\""));
                }
            }
        }
        self.rest = rest[at..].to_vec();
        Ok(orders)
    }

    /// The first order and its length; `None` where it has not come whole.
    fn order(&self, bytes: &[u8]) -> Result<Option<(Order, usize)>, String> {
        match bytes[0] {
            0x1b => sequence(bytes),
            0x07 if !self.in_frame => Ok(Some((Order::Bell, 1))),
            byte @ (0..=0x1f | 0x7f) => Err(format!("the control byte 0x{byte:02x}")),
            byte => {
                let length = match byte {
                    0..=0x7f => 1,
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf4 => 4,
                    _ => return Err(format!("the byte 0x{byte:02x}, which begins no UTF-8,")),
                };
                let Some(bytes) = bytes.get(..length) else { return Ok(None) };
                let text =
                    std::str::from_utf8(bytes).map_err(|_| format!("{bytes:02x?}, which is no UTF-8,"))?;
                let c = text.chars().next().unwrap();
                harmless(c)?;
                Ok(Some((Order::Draw(c), length)))
            }
        }
    }
}

fn sequence(bytes: &[u8]) -> Result<Option<(Order, usize)>, String> {
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if second == b']' {
        return title(bytes);
    }
    if second != b'[' {
        return Err(format!("ESC and {:?}", char::from(second)));
    }
    let Some(end) = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return if bytes.len() > 64 { Err("an endless sequence".into()) } else { Ok(None) };
    };
    let (parameters, last) = (&bytes[2..2 + end], bytes[2 + end]);
    let wrong = || format!("the sequence ESC[{}{}", parameters.escape_ascii(), char::from(last));
    let (private, parameters) = match parameters.strip_prefix(b"?") {
        Some(parameters) => (true, parameters),
        None => (false, parameters),
    };
    let text = std::str::from_utf8(parameters).map_err(|_| wrong())?;
    if private && last == b'p' && text == "2026$" {
        return Ok(Some((Order::AskWhole, end + 3)));
    }
    let numbers = text.split(';').map(|number| if number.is_empty() { Ok(0) } else { number.parse::<u16>() });
    let numbers: Vec<u16> = numbers.collect::<Result<_, _>>().map_err(|_| wrong())?;
    let order = match (private, last, &numbers[..]) {
        (true, b'h' | b'l', [mode @ (7 | 25 | 1004 | 1049 | 2004 | 2026)]) => {
            Order::Mode(*mode, last == b'h')
        }
        (false, b'H', [row @ 1..=u16::MAX, column @ 2..=u16::MAX]) => {
            Order::Move(usize::from(column - 1), usize::from(row - 1))
        }
        (false, b'H', [row @ 1..=u16::MAX]) => Order::Move(0, usize::from(row - 1)),
        (false, b'G', [0]) => Order::Column(0),
        (false, b'G', [column @ 2..=u16::MAX]) => Order::Column(usize::from(column - 1)),
        // A count of one is not said.
        (false, b'A'..=b'D' | b'L' | b'M', [count @ (0 | 2..=300)]) => {
            let count = isize::try_from((*count).max(1)).unwrap();
            match last {
                b'A' => Order::By(0, -count),
                b'B' => Order::By(0, count),
                b'C' => Order::By(count, 0),
                b'D' => Order::By(-count, 0),
                b'L' => Order::DeleteLines(-count),
                _ => Order::DeleteLines(count),
            }
        }
        (false, b'J', [2]) => Order::Clear,
        (false, b'K', [0]) if parameters.is_empty() => Order::Erase(None),
        (false, b'X', [count @ 4..=300]) => Order::Erase(Some(usize::from(*count))),
        (false, b'r', [0]) if parameters.is_empty() => Order::Region(None),
        (false, b'r', [top @ 1..=u16::MAX, bottom]) if top < bottom => {
            Order::Region(Some((usize::from(top - 1), usize::from(bottom - 1))))
        }
        (false, b't', [22 | 23, 0]) => Order::Title,
        (false, b'n', [5]) => Order::AskReady,
        (false, b'm', _) => Order::Style,
        _ => return Err(wrong()),
    };
    Ok(Some((order, end + 3)))
}

/// The title says how much of what there is, in the console's own words.
fn title(bytes: &[u8]) -> Result<Option<(Order, usize)>, String> {
    const BEGINS: &[u8] = b"\x1b]0;aegis-console: ";
    let common = bytes.iter().zip(BEGINS).take_while(|(one, other)| one == other).count();
    if common < BEGINS.len().min(bytes.len()) {
        return Err("a string of an operating system".into());
    }
    let counts = bytes.get(BEGINS.len()..).unwrap_or_default();
    let length =
        counts.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b' ' | b',' | b'a'..=b'z')).count();
    match counts.get(length) {
        _ if length > 60 => Err("a long title".into()),
        None => Ok(None),
        Some(0x07) => Ok(Some((Order::Title, BEGINS.len() + length + 1))),
        Some(byte) => Err(format!("the byte 0x{byte:02x} in a title")),
    }
}

/// A character that draws something, and that no terminal takes for anything else: by Unicode property.
fn harmless(c: char) -> Result<(), String> {
    use GeneralCategory as Category;
    if matches!(c, ' '..='~') {
        return Ok(());
    }
    let named = |what: &str| Err(format!("U+{:04X}, {what},", u32::from(c)));
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        Category::Control => named("a control"),
        Category::Format => named("a format character"),
        Category::PrivateUse => named("for private use"),
        Category::Unassigned => named("not assigned"),
        Category::Surrogate => named("a surrogate"),
        Category::LineSeparator | Category::ParagraphSeparator => named("the end of a line"),
        Category::SpaceSeparator => named("a blank that is no blank"),
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => named("which draws nothing"),
        _ => Ok(()),
    }
}

/// Whether the character must have been announced as hidden where an agent's text has it: line feeds and tabs that a
/// string has show as what they are.
pub(crate) fn is_hidden(c: char) -> bool {
    !matches!(c, '\n' | '\t') && harmless(c).is_err()
}

/// Whether the character takes no column of its own but changes the one before it.
pub(crate) fn is_mark(c: char) -> bool {
    use GeneralCategory as Category;
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, Category::NonspacingMark | Category::EnclosingMark)
}

/// Whether a terminal that orders by UAX #9 runs it from right to left.
pub(crate) fn is_right_to_left(c: char) -> bool {
    let class = CodePointMapData::<BidiClass>::new().get(c);
    matches!(class, BidiClass::RightToLeft | BidiClass::ArabicLetter | BidiClass::ArabicNumber)
}

/// Whether the character has a direction of its own or is a number, so that one beside letters from right to left would
/// be moved, or would move them.
pub(crate) fn is_digit(c: char) -> bool {
    let class = CodePointMapData::<BidiClass>::new().get(c);
    matches!(class, BidiClass::EuropeanNumber | BidiClass::ArabicNumber)
}

#[test]
fn whatever_the_console_does_not_say_is_caught() {
    let caught = [
        "\x1b]0;title\x07",
        "\x1b]0;aegis-console: 1 Pending\x07",
        "\x1b]0;aegis-console: 1 pending\x1b\\",
        "\x1b]2;aegis-console: 1 pending\x07",
        "\x1b]52;c;cm0=\x07",
        "\x1b]8;;https://a.example\x1b\\",
        "\x1bP$q\"p\x1b\\",
        "\x1b_G\x1b\\",
        "\x1bc",
        "\x1b#8",
        "\x1b(0",
        "\x1b7",
        "\x1bM",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[5 q",
        "\x1b[!p",
        "\x1b[5;1r",
        "\x1b[1;5rx",
        "\x1b[1;5r\x1b[1;1H\x1b[M\x1b[2J",
        "\x1b[1;5r\x1b[M",
        "\x1b[M",
        "\x1b[2L",
        "\x1b[?1003h",
        "\x1b[21t",
        "\x1b[1A",
        "\x1b[999C",
        "\x1b[E",
        "\x1b[2K",
        "\x1b[0K",
        "\x1b[1K",
        "\x1b[X",
        "\x1b[S",
        "\x1b[2T",
        "\x1b[?5n",
        "\x1b[?1049$p",
        "\x1b[2026$p",
        "\x1b[3J",
        "\x1b[201~",
        "\x1b[5b",
        "\x1b[1@",
        "\x1b[>1u",
        "\x1b[?6c",
        "\u{9b}31m",
        "\u{9d}0;t\u{9c}",
        "\u{90}q",
        "\r",
        "\n",
        "\t",
        "\x08",
        "\x05",
        "\x0e",
        "\0",
        "\x7f",
        "\x1b[?2026h\x07",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{e000}",
        "\u{3164}",
        "\u{a0}",
        "\u{3000}",
        "\u{2028}",
        "\u{85}",
        "\u{ad}",
        "\u{378}",
        "\u{115f}",
        "\u{34f}",
    ];
    for bytes in caught {
        assert!(Reader::default().read(bytes.as_bytes()).is_err(), "{bytes:?} got through");
    }
    assert!(Reader::default().read(b"\xff\xfe").is_err(), "broken UTF-8 got through");
}

#[test]
fn what_the_console_says_is_read_whatever_the_pieces() {
    let said = "\x1b[?2026h\x1b[2J\x1b[3;7H\x1b[1;38;5;4m│ naïve 漢\x1b[0m\x1b[2;5r\x1b[2H\x1b[3M\x1b[r\x1b[4HX\x1b[3C\x1b[B\x1b[G\x1b[K\x1b[12X\x1b[?2026l\x1b[5n\x07"
        .as_bytes();
    let mut whole = Reader::default();
    let orders = whole.read(said).unwrap();
    assert_eq!(orders[2], Order::Move(6, 2));
    assert!(orders.contains(&Order::Region(Some((1, 4)))) && orders.contains(&Order::DeleteLines(3)));
    assert_eq!(orders.last(), Some(&Order::Bell));
    let mut pieces = Reader::default();
    let again: Vec<_> = said.iter().flat_map(|byte| pieces.read(&[*byte]).unwrap()).collect();
    assert_eq!(again, orders);
}
