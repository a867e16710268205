//! A ratatui backend that knows what the terminal shows, and says what is new in one write, or not at all.
//!
//! It is handed whole frames by the screen. What ratatui itself finds to have changed is not looked at: that leaves out
//! what a wide character hid and hides no more, and knows nothing of lines that have moved.

use super::encoder::{At, Encoder, Hand};
use super::scrolling::{PaneAt, Scrolled, scrolled};
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use std::io::{self, Write};

/// Asks a terminal to show nothing until the frame is complete (DEC 2026).
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";
/// Asks it whether it knows that.
const KNOWS_FRAMES: &[u8] = b"\x1b[?2026$p";
/// Asks a terminal whether it has taken in everything that was written before.
const READY: &[u8] = b"\x1b[5n";
/// A frame of so few bytes reaches the terminal as one, and needs no wrapping.
const SMALL: usize = 256;

/// Collects what a frame shows and writes what that takes when it is complete.
#[derive(Debug)]
pub(super) struct FrameBackend<W: Write> {
    pub(super) out: W,
    pub(super) size: Size,
    /// Whether the terminal is known to show frames whole.
    pub(super) synchronized: bool,
    /// Whether it is to be asked.
    ask_synchronized: bool,
    /// Whether the next frame asks to be answered.
    pub(super) asks: bool,
    /// What the terminal has not taken yet.
    pending: Vec<u8>,
    /// What the terminal shows.
    shown: Buffer,
    panes: Vec<PaneAt>,
    /// The screen must be cleared before.
    clear: bool,
    hand: Hand,
    /// Where the cursor shows, if it does.
    wanted: Option<Position>,
    visible: Option<bool>,
    place: Position,
}

impl<W: Write> FrameBackend<W> {
    /// A backend for a terminal of that size, of which nothing is known.
    pub(super) fn new(out: W, size: Size, ask_synchronized: bool) -> Self {
        Self {
            out,
            size,
            synchronized: false,
            ask_synchronized,
            asks: false,
            pending: Vec::new(),
            shown: Buffer::default(),
            panes: Vec::new(),
            clear: true,
            hand: Hand { pen: None, at: At::Unknown },
            wanted: None,
            visible: None,
            place: Position::ORIGIN,
        }
    }

    /// Everything that is known of the terminal is forgotten.
    fn forget(&mut self) {
        self.clear = true;
        self.shown = Buffer::empty(Rect::from((Position::ORIGIN, self.size)));
        self.panes.clear();
        self.visible = None;
    }

    /// The terminal shall show this, and then does: one write, or none. What it showed before is left in its place.
    /// Returns how many bytes that took.
    pub(super) fn show(&mut self, next: &mut Buffer, panes: Vec<PaneAt>) -> io::Result<usize> {
        let mut encoder = self.encode(next, &panes);
        std::mem::swap(&mut self.shown, next);
        (self.panes, self.clear) = (panes, false);
        self.cursor(&mut encoder);
        let Encoder { mut bytes, hand } = encoder;
        if bytes.is_empty() {
            return Ok(0);
        }
        self.hand = hand;
        if std::mem::take(&mut self.ask_synchronized) {
            // Before the screen is cleared, so that nothing stays where the question is taken for a text.
            bytes.splice(0..0, KNOWS_FRAMES.iter().copied());
        }
        if self.synchronized && bytes.len() > SMALL {
            bytes.splice(0..0, BEGIN_FRAME.iter().copied());
            bytes.extend_from_slice(END_FRAME);
        }
        if self.asks {
            bytes.extend_from_slice(READY);
        }
        self.say(&bytes)?;
        Ok(bytes.len())
    }

    /// Writes this after what is still to be written, as far as the terminal takes it now.
    pub(super) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        self.write_on()
    }

    /// Writes on with what the terminal has not taken yet.
    pub(super) fn write_on(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            match self.out.write(&self.pending) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }

    /// Forgets what the terminal has not taken yet.
    pub(super) fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Whether the terminal has not taken everything yet.
    pub(super) fn is_blocked(&self) -> bool {
        !self.pending.is_empty()
    }

    fn cursor(&mut self, encoder: &mut Encoder) {
        match self.wanted.map(|place| (usize::from(place.x), usize::from(place.y))) {
            None if self.visible != Some(false) => drop(encoder.bytes.splice(0..0, *b"\x1b[?25l")),
            None => {}
            Some((x, y)) => {
                if !encoder.bytes.is_empty() || self.hand.at != At::Exactly(x, y) {
                    encoder.go(x, y);
                }
                if self.visible != Some(true) {
                    encoder.bytes.extend_from_slice(b"\x1b[?25h");
                }
            }
        }
        self.visible = Some(self.wanted.is_some());
    }

    /// The shortest way from what shows to what is to show.
    fn encode(&self, next: &Buffer, panes: &[PaneAt]) -> Encoder {
        let mut best = self.encode_scrolled(next, None);
        if !self.clear {
            for scrolled in scrolled(&self.panes, panes, usize::from(self.size.height)) {
                let other = self.encode_scrolled(next, Some(scrolled));
                if other.bytes.len() < best.bytes.len() {
                    best = other;
                }
            }
        }
        best
    }

    fn encode_scrolled(&self, next: &Buffer, scrolled: Option<Scrolled>) -> Encoder {
        let mut encoder = Encoder::new(self.hand);
        if self.clear {
            encoder.clear();
        }
        if let Some(Scrolled { top, bottom, by }) = scrolled {
            encoder.scroll(top, bottom, by);
        }
        let columns = usize::from(self.size.width).max(1);
        let blank = vec![Cell::EMPTY; columns];
        for (y, is) in next.content.chunks(columns).enumerate() {
            let was = match scrolled.filter(|rows| (rows.top..rows.bottom).contains(&y)) {
                Some(rows) => y.checked_add_signed(rows.by).filter(|y| (rows.top..rows.bottom).contains(y)),
                None => Some(y),
            };
            let was = was.and_then(|y| self.shown.content.get(y * columns..(y + 1) * columns));
            encoder.row(y, was.unwrap_or(&blank), is);
        }
        encoder
    }
}

impl<W: Write> Backend for FrameBackend<W> {
    type Error = io::Error;

    /// Looks at nothing: frames are handed over whole.
    fn draw<'a, I>(&mut self, _: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.wanted = Some(self.place);
        Ok(())
    }

    /// What is known, never a query: the terminal's answer would arrive among the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.place)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.place = position.into();
        if self.wanted.is_some() {
            self.wanted = Some(self.place);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        match region {
            ClearType::All => self.forget(),
            // A screen that is drawn whole clears whole.
            _ => return Err(io::Error::other("only the whole screen is ever cleared")),
        }
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    /// The frame is written when it has been handed over.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
