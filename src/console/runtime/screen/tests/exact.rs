//! Whatever was drawn before and whatever is drawn now: the terminal shows exactly the buffer, styles included. The
//! terminal is vt100's, which is not ours.

use super::*;
use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

const SIZE: Size = Size { width: 20, height: 8 };

/// Shows a buffer, and claims that panes have been scrolled.
#[derive(Debug, Clone)]
struct Picture(Buffer, Vec<PaneAt>, Option<(u16, u16)>);

impl Program for Picture {
    type Message = Input;
    type Effect = ();

    fn update(&mut self, _: Input, _: Now) -> Vec<()> {
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, _: Now) {
        frame.buffer_mut().clone_from(&self.0);
        if let Some(place) = self.2 {
            frame.set_cursor_position(place);
        }
    }

    fn panes(&self) -> Vec<PaneAt> {
        self.1.clone()
    }

    fn painted(&mut self, _: Now) {}

    fn next_deadline(&self, _: Now) -> Option<Duration> {
        None
    }

    fn dirty(&mut self) -> bool {
        false
    }

    fn finished(&self) -> bool {
        false
    }

    fn input(event: Input) -> Input {
        event
    }
}

fn colour() -> impl Strategy<Value = Color> {
    prop::sample::select(vec![
        Color::Reset,
        Color::Reset,
        Color::Red,
        Color::Gray,
        Color::DarkGray,
        Color::White,
        Color::Indexed(200),
        Color::Rgb(1, 20, 255),
    ])
}

fn style() -> impl Strategy<Value = Style> {
    let shown = vec![
        Modifier::empty(),
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::ITALIC,
        Modifier::UNDERLINED,
        Modifier::REVERSED,
        Modifier::BOLD | Modifier::REVERSED,
    ];
    (colour(), prop_oneof![4 => Just(Color::Reset), 1 => colour()], prop::sample::select(shown))
        .prop_map(|(fg, bg, modifier)| Style::reset().fg(fg).bg(bg).add_modifier(modifier))
}

/// A text somewhere, in a style.
fn stroke() -> impl Strategy<Value = (u16, u16, &'static str, Style)> {
    let text = prop::sample::select(vec![
        "a",
        "word",
        " ",
        "  ",
        "        ",
        "                    ",
        "│",
        "────",
        "▌",
        "é",
        "漢",
        "字字",
        "risk high",
        "x  y   z",
    ]);
    (0..SIZE.width, 0..SIZE.height, text, style())
}

#[derive(Debug, Clone)]
enum Change {
    Draw(Vec<(u16, u16, &'static str, Style)>),
    /// These rows move by so many, and are said to.
    Scroll {
        top: u16,
        rows: u16,
        by: i16,
        told: i16,
    },
    Cursor(Option<(u16, u16)>),
    Blank,
    Repaint,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => prop::collection::vec(stroke(), 1..12).prop_map(Change::Draw),
        4 => (0..SIZE.height, 1..SIZE.height, -3..4_i16, -3..4_i16)
            .prop_map(|(top, rows, by, told)| Change::Scroll { top, rows: rows.min(SIZE.height - top), by, told: if told > 1 { told } else { by } }),
        1 => prop::option::of((0..SIZE.width, 0..SIZE.height)).prop_map(Change::Cursor),
        1 => Just(Change::Blank),
        1 => Just(Change::Repaint),
    ]
}

/// The rows move; what is hidden and comes to light is blank.
fn moved(buffer: &Buffer, top: u16, rows: u16, by: i16) -> Buffer {
    let mut moved = buffer.clone();
    for y in top..top + rows {
        let from = y.checked_add_signed(by).filter(|from| (top..top + rows).contains(from));
        for x in 0..SIZE.width {
            moved[(x, y)] = from.map_or(Cell::EMPTY, |from| buffer[(x, from)].clone());
        }
    }
    moved
}

/// What a person sees of a colour.
fn seen(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(1) => Color::Red,
        vt100::Color::Idx(7) => Color::Gray,
        vt100::Color::Idx(8) => Color::DarkGray,
        vt100::Color::Idx(15) => Color::White,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}

fn compare(screen: &vt100::Screen, buffer: &Buffer) {
    for y in 0..SIZE.height {
        let mut x = 0;
        while x < SIZE.width {
            let (cell, expected) = (screen.cell(y, x).unwrap(), &buffer[(x, y)]);
            let contents = if cell.contents().is_empty() { " " } else { cell.contents() };
            let place = format!("column {x}, row {y} of\n{}", screen.contents());
            assert_eq!(contents, expected.symbol(), "{place}");
            assert_eq!(seen(cell.bgcolor()), expected.bg, "{place}");
            let modifier = expected.modifier;
            assert_eq!(cell.underline(), modifier.contains(Modifier::UNDERLINED), "{place}");
            assert_eq!(cell.inverse(), modifier.contains(Modifier::REVERSED), "{place}");
            if contents != " " || cell.underline() || cell.inverse() {
                assert_eq!(seen(cell.fgcolor()), expected.fg, "{place}");
                assert_eq!(cell.bold(), modifier.contains(Modifier::BOLD), "{place}");
                assert_eq!(cell.dim(), modifier.contains(Modifier::DIM), "{place}");
                assert_eq!(cell.italic(), modifier.contains(Modifier::ITALIC), "{place}");
            }
            x += u16::try_from(expected.symbol().width().max(1)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_terminal_shows_the_buffer(changes in prop::collection::vec(change(), 1..12), synchronized: bool) {
        let mut terminal = vt100::Parser::new(8.try_into().unwrap(), 20.try_into().unwrap(), 0);
        let mut out = Vec::new();
        let mut screen = Screen::new(Writing(&mut terminal, &mut out), SIZE, true).unwrap();
        screen.synchronize(synchronized);
        let mut picture = Picture(Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height)), Vec::new(), None);
        let mut top = 100_usize;
        for change in changes {
            match change {
                Change::Draw(strokes) => {
                    for (x, y, text, style) in strokes {
                        picture.0.set_string(x, y, text, style);
                    }
                }
                Change::Scroll { top: first, rows, by, told } => {
                    let rect = Rect::new(2, first, 10, rows);
                    picture.1 = vec![PaneAt { rect, top }];
                    screen.draw(&picture, NOW, false).unwrap();
                    top = top.checked_add_signed(isize::from(told)).unwrap();
                    picture.0 = moved(&picture.0, first, rows, by);
                    picture.1 = vec![PaneAt { rect, top }];
                }
                Change::Cursor(place) => picture.2 = place,
                Change::Blank => picture.0.reset(),
                Change::Repaint => screen.repaint().unwrap(),
            }
            screen.draw(&picture, NOW, false).unwrap();
            let terminal = &screen.terminal.backend().out.0;
            compare(terminal.screen(), &picture.0);
            assert_eq!(terminal.screen().hide_cursor(), picture.2.is_none());
            if let Some((x, y)) = picture.2 {
                assert_eq!(terminal.screen().cursor_position(), (y, x));
            }
        }
    }
}

/// What is written, to the terminal and for a look at it.
struct Writing<'w>(&'w mut vt100::Parser, &'w mut Vec<u8>);

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.process(bytes);
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
