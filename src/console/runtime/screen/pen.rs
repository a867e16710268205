//! The terminal's pen: the colours and attributes that what is drawn next will have, and the shortest order that
//! changes one pen into another. A colour for underlines is not kept: nothing here is drawn with one.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use std::io::Write;

/// Attributes that show where there is nothing but a blank.
const SHOWN_ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// Each attribute, what switches it on and what switches it off; what is switched off by the same number stands together.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Colours and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    foreground: Color,
    background: Color,
    attributes: Modifier,
}

impl Pen {
    /// As the terminal has it after a reset.
    pub(super) const PLAIN: Self =
        Self { foreground: Color::Reset, background: Color::Reset, attributes: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { foreground: cell.fg, background: cell.bg, attributes: cell.modifier }
    }

    /// The pen to draw this cell with that is nearest to this one: a blank shows no foreground.
    pub(super) fn for_cell(self, cell: &Cell) -> Self {
        if is_blank(cell) {
            Self { background: cell.bg, attributes: self.attributes.difference(SHOWN_ON_BLANKS), ..self }
        } else {
            Self::of(cell)
        }
    }

    /// Writes what makes this pen of that one; of a pen that is not known, what makes it of any.
    pub(super) fn take(self, from: Option<Self>, bytes: &mut Vec<u8>) {
        if from == Some(self) {
            return;
        }
        let mut afresh = Codes::default();
        if self != Self::PLAIN {
            afresh.push(0);
        }
        self.changes(Self::PLAIN, &mut afresh);
        let changes = from.map(|from| {
            let mut codes = Codes::default();
            self.changes(from, &mut codes);
            codes
        });
        let codes = match changes {
            Some(changes) if changes.0.len() <= afresh.0.len() => changes,
            _ => afresh,
        };
        bytes.extend_from_slice(b"\x1b[");
        bytes.extend_from_slice(&codes.0);
        bytes.push(b'm');
    }

    fn changes(self, from: Self, codes: &mut Codes) {
        let mut have = from.attributes;
        for (attribute, _, off) in ATTRIBUTES {
            if have.contains(attribute) && !self.attributes.contains(attribute) {
                codes.push(off);
                // Its neighbour goes with it.
                for (neighbour, _, same) in ATTRIBUTES {
                    have.set(neighbour, have.contains(neighbour) && same != off);
                }
            }
        }
        for (attribute, on, _) in ATTRIBUTES {
            if self.attributes.contains(attribute) && !have.contains(attribute) {
                codes.push(on);
            }
        }
        if self.foreground != from.foreground {
            codes.colour(self.foreground, 0);
        }
        if self.background != from.background {
            codes.colour(self.background, 10);
        }
    }
}

/// The numbers of an order, with `;` between them.
#[derive(Debug, Default)]
struct Codes(Vec<u8>);

impl Codes {
    fn push(&mut self, code: u8) {
        if !self.0.is_empty() {
            self.0.push(b';');
        }
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{code}");
    }

    /// The sixteen colours have short names; `ground` is 0 for the foreground and 10 for the background.
    fn colour(&mut self, colour: Color, ground: u8) {
        let code = match colour {
            Color::Reset => 39,
            Color::Black => 30,
            Color::Red => 31,
            Color::Green => 32,
            Color::Yellow => 33,
            Color::Blue => 34,
            Color::Magenta => 35,
            Color::Cyan => 36,
            Color::Gray => 37,
            Color::DarkGray => 90,
            Color::LightRed => 91,
            Color::LightGreen => 92,
            Color::LightYellow => 93,
            Color::LightBlue => 94,
            Color::LightMagenta => 95,
            Color::LightCyan => 96,
            Color::White => 97,
            Color::Indexed(index) => {
                [38 + ground, 5, index].into_iter().for_each(|code| self.push(code));
                return;
            }
            Color::Rgb(red, green, blue) => {
                [38 + ground, 2, red, green, blue].into_iter().for_each(|code| self.push(code));
                return;
            }
        };
        self.push(code + ground);
    }
}

/// Whether the cell shows nothing but its background.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(SHOWN_ON_BLANKS)
}

/// Whether the cell is what erasing leaves.
pub(super) fn is_erased(cell: &Cell) -> bool {
    is_blank(cell) && cell.bg == Color::Reset
}

/// Whether nobody could tell the two apart.
pub(super) fn look_alike(one: &Cell, other: &Cell) -> bool {
    if is_blank(one) && is_blank(other) {
        return one.bg == other.bg;
    }
    one.symbol() == other.symbol() && Pen::of(one) == Pen::of(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn pen(style: Style) -> Pen {
        let mut cell = Cell::new("x");
        cell.set_style(style);
        Pen::of(&cell)
    }

    #[test]
    fn only_what_differs_is_said() {
        let plain = Style::new();
        for (from, to, said) in [
            (plain, plain, ""),
            (plain, plain.fg(Color::Red), "\x1b[31m"),
            (plain.fg(Color::Red), plain, "\x1b[m"),
            (plain.fg(Color::Red), plain.fg(Color::DarkGray), "\x1b[90m"),
            (plain.fg(Color::Red).bold(), plain.bold(), "\x1b[39m"),
            (plain.bold(), plain.bold().fg(Color::LightCyan), "\x1b[96m"),
            (plain.bold().dim(), plain.bold(), "\x1b[0;1m"),
            (plain.bold().dim().fg(Color::Rgb(1, 2, 3)), plain.dim().fg(Color::Rgb(1, 2, 3)), "\x1b[22;2m"),
            (plain.bold().reversed(), plain.reversed(), "\x1b[22m"),
            (plain, plain.bg(Color::Blue).fg(Color::White), "\x1b[97;44m"),
            (plain, plain.bg(Color::LightBlue), "\x1b[104m"),
            (plain, plain.fg(Color::Indexed(7)).bg(Color::Rgb(10, 0, 255)), "\x1b[38;5;7;48;2;10;0;255m"),
            (plain.bold().italic().fg(Color::Red), plain.underlined(), "\x1b[0;4m"),
        ] {
            let mut bytes = Vec::new();
            pen(to).take(Some(pen(from)), &mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), said, "{from:?} to {to:?}");
        }
        let mut bytes = Vec::new();
        pen(plain.bold()).take(None, &mut bytes);
        pen(plain).take(None, &mut bytes);
        assert_eq!(bytes, b"\x1b[0;1m\x1b[m");
    }

    #[test]
    fn a_blank_needs_no_foreground() {
        let red = pen(Style::new().red().bold());
        let cell = |style| {
            let mut cell = Cell::new(" ");
            cell.set_style(style);
            cell
        };
        assert_eq!(red.for_cell(&cell(Style::new().green())), red);
        assert_eq!(pen(Style::new().red().reversed()).for_cell(&cell(Style::new())), pen(Style::new().red()));
        assert_eq!(red.for_cell(&cell(Style::new().reversed())), pen(Style::new().reversed()));
        assert!(look_alike(&cell(Style::new().green()), &cell(Style::new().bold())));
        assert!(!look_alike(&cell(Style::new().green()), &cell(Style::new().on_green())));
        assert!(!look_alike(&cell(Style::new().green().reversed()), &cell(Style::new().red().reversed())));
    }
}
