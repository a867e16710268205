//! Frames on terminals that give every character that is not ASCII one column more than we do, or one less.

use crate::console::runtime::screen::FrameBackend;
use crate::console::runtime::{Input, Now, Program, Screen};
use jiff::Timestamp;
use proptest::prelude::*;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use std::io::{self, Write};
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const SIZE: Size = Size { width: 24, height: 3 };
const NOW: Now = Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::ZERO };

/// A terminal with an opinion of its own. It knows the few controls that frames are made of, and no line wrap.
struct Fake {
    /// What it adds to the width of what is not ASCII.
    wider: i32,
    /// The character that begins in a cell; `None` in the further cells of a wide one.
    cells: Vec<Vec<Option<char>>>,
    x: usize,
    y: usize,
}

impl Fake {
    fn new(wider: i32) -> Self {
        let row = vec![Some(' '); usize::from(SIZE.width)];
        Self { wider, cells: vec![row; usize::from(SIZE.height)], x: 0, y: 0 }
    }

    /// What stood in the cell before leaves it, with all its cells.
    fn erase(&mut self, x: usize) {
        let row = &mut self.cells[self.y];
        let mut first = x;
        while row[first].is_none() {
            first -= 1;
        }
        row[first] = Some(' ');
        for further in row[first + 1..].iter_mut().take_while(|cell| cell.is_none()) {
            *further = Some(' ');
        }
    }

    fn print(&mut self, c: char) {
        let own = i32::try_from(c.width().unwrap()).unwrap();
        let columns = usize::try_from(if c.is_ascii() { own } else { (own + self.wider).max(0) }).unwrap();
        let end = (self.x + columns).min(usize::from(SIZE.width));
        for x in self.x..end {
            self.erase(x);
        }
        for x in self.x..end {
            self.cells[self.y][x] = (x == self.x).then_some(c);
        }
        self.x = end.min(usize::from(SIZE.width) - 1);
    }

    fn read(&mut self, bytes: &str) {
        let mut rest = bytes.chars();
        while let Some(c) = rest.next() {
            if c != '\x1b' {
                self.print(c);
                continue;
            }
            assert_eq!(rest.next(), Some('['));
            let mut parameters = String::new();
            let last = loop {
                match rest.next().unwrap() {
                    c @ ('0'..='9' | ';' | '?') => parameters.push(c),
                    last => break last,
                }
            };
            let number =
                |at| parameters.split(';').nth(at).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
            match last {
                'H' => (self.y, self.x) = (number(0) - 1, number(1) - 1),
                'J' => self.cells = Self::new(self.wider).cells,
                'G' => self.x = number(0) - 1,
                'A' => self.y -= number(0),
                'B' => self.y += number(0),
                'C' => self.x += number(0),
                'D' => self.x -= number(0),
                'X' | 'K' => {
                    let end = if last == 'K' { usize::from(SIZE.width) } else { self.x + number(0) };
                    for x in self.x..end {
                        self.erase(x);
                        self.cells[self.y][x] = Some(' ');
                    }
                }
                'm' | 'h' | 'l' | 'r' => {}
                other => panic!("{other}"),
            }
        }
    }
}

impl Write for Fake {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.read(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows these lines.
struct Lines(Vec<Vec<&'static str>>);

impl Lines {
    fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height));
        for (y, line) in (0..SIZE.height).zip(&self.0) {
            buffer.set_string(0, y, line.concat(), Style::new());
        }
        buffer
    }
}

impl Program for Lines {
    type Message = Input;
    type Effect = ();

    fn update(&mut self, _: Input, _: Now) -> Vec<()> {
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, _: Now) {
        frame.buffer_mut().merge(&self.buffer());
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

/// The cells that characters begin in, by the widths that we know.
fn cells(buffer: &Buffer) -> Vec<(usize, usize, String)> {
    let mut out = Vec::new();
    for y in 0..SIZE.height {
        let mut x = 0;
        while x < SIZE.width {
            let symbol = buffer[(x, y)].symbol();
            out.push((usize::from(x), usize::from(y), symbol.to_owned()));
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
    }
    out
}

/// Draws the frames one after the other, and compares after each.
fn check(wider: i32, frames: &[Lines]) {
    let mut fake = Fake::new(wider);
    let mut screen = Screen::new(&mut fake, SIZE, false).unwrap();
    for lines in frames {
        screen.draw(lines, NOW, false).unwrap();
        let backend: &FrameBackend<&mut Fake> = screen.terminal.backend();
        for (x, y, symbol) in cells(&lines.buffer()) {
            let there = backend.out.cells[y][x];
            let expected = symbol.chars().next();
            let one_of_several = symbol.chars().count() > 1;
            if symbol.is_ascii() {
                assert_eq!(there, expected, "{wider:+}: column {x}, row {y}: {:?}", backend.out.cells[y]);
            } else if wider == 0 && !one_of_several {
                assert_eq!(there, expected, "column {x}, row {y}: {:?}", backend.out.cells[y]);
            } else if wider < 0 && !one_of_several {
                let further = x + 1..x + symbol.width();
                assert!(
                    backend.out.cells[y][further].iter().all(|cell| *cell == Some(' ') || cell.is_none())
                );
            }
        }
    }
}

#[test]
fn words_after_doubtful_characters_stand_where_they_belong() {
    for wider in [-1, 0, 1] {
        check(
            wider,
            &[
                Lines(vec![vec!["│ risk high │ ", "…", " approve"], vec!["plain words all along"]]),
                // Only the doubtful character changes, and what stands beside it does not.
                Lines(vec![vec!["│ risk high │ ", "漢", "approve"], vec!["plain ", "é", "ords all along"]]),
                Lines(vec![
                    vec!["│ risk high │ ", "漢", "approve"],
                    vec!["plain ", "e\u{301}\u{302}\u{303}", "ords all along"],
                ]),
                Lines(vec![vec!["──────────────", "漢", "approve"], vec!["plain ", "漢", "rds all along"]]),
                Lines(vec![vec!["── title ─────", "ab", "approve"], vec!["plain words ", "👨‍👩‍👧", " along"]]),
            ],
        );
    }
}

#[test]
fn only_doubtful_characters_cost_moves() {
    let bytes = |texts: &[&'static str]| {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, SIZE, false).unwrap();
        for text in texts {
            screen.draw(&Lines(vec![vec![*text]]), NOW, false).unwrap();
        }
        drop(screen);
        let said = String::from_utf8(out).unwrap();
        said.split_once("\x1b[2J").unwrap().1.to_owned()
    };
    assert_eq!(bytes(&["plain"]), "\x1b[1Hplain");
    // A move after the run, and what it may have covered.
    assert_eq!(bytes(&["──────"]), "\x1b[1H──────\x1b[7G\x1b[K");
    assert_eq!(bytes(&["──────x"]), "\x1b[1H──────\x1b[7Gx\x1b[K");
    assert_eq!(bytes(&["a漢b"]), "\x1b[1Ha漢\x1b[4Gb");
    assert_eq!(bytes(&["aéb"]), "\x1b[1Haé\x1b[3Gb");
    // Where something stood, its cells are blanked first.
    assert_eq!(bytes(&["axb", "aéb"]), "\x1b[1Haxb\x1b[1;2H \x1b[Dé\x1b[3Gb");
    assert_eq!(bytes(&["axyb", "a漢b"]), "\x1b[1Haxyb\x1b[1;2H  \x1b[2D漢\x1b[4Gb");
}

/// A line of the console's own words with all kinds of characters between them.
fn line() -> impl Strategy<Value = Vec<&'static str>> {
    let piece = prop::sample::select(vec![
        "a",
        "Z",
        "1",
        " ",
        " ",
        "ok",
        "─",
        "──",
        "│",
        "▏",
        "●",
        "…",
        "‹",
        "é",
        "e\u{301}",
        "a\u{300}\u{301}\u{302}",
        "漢",
        "字",
        "⚠\u{fe0f}",
        "👨‍👩‍👧",
        "🇩🇪",
        "ﷺ",
        "ด้",
        "क्षि",
    ]);
    prop::collection::vec(piece, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn ascii_stands_where_it_belongs(
        frames in prop::collection::vec(prop::collection::vec(line(), 3..=3), 1..5),
        wider in -1..=1_i32,
    ) {
        check(wider, &frames.into_iter().map(Lines).collect::<Vec<_>>());
    }

    /// One cell at a time, which is what a countdown or a cursor is.
    #[test]
    fn also_when_little_changes(
        first in prop::collection::vec(line(), 3..=3),
        edits in prop::collection::vec((0_usize..3, any::<usize>(), line()), 1..6),
        wider in -1..=1_i32,
    ) {
        let mut lines = first;
        let mut frames = vec![Lines(lines.clone())];
        for (row, place, with) in edits {
            let line = &mut lines[row];
            if !line.is_empty() {
                let place = place % line.len();
                line[place] = with.first().copied().unwrap_or(" ");
            }
            frames.push(Lines(lines.clone()));
        }
        check(wider, &frames);
    }
}
