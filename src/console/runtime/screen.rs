//! From a frame to bytes: all bytes of a frame are collected and written at once, and a frame that shows what is on the
//! screen already writes nothing.
//!
//! ratatui's own crossterm backend sends 25 bytes for an unchanged frame (it hides the cursor and resets the style each
//! time) and flushes in the middle of a frame; so it is used here only to encode, into a buffer. Which cells it encodes,
//! and with which moves of the cursor between them, is `placing`'s to say.

use super::{Now, Program};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io::{self, Write};

mod placing;

use placing::Placing;

/// Asks a terminal to show nothing until the frame is complete (DEC 2026); those that do not know it ignore it.
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";

/// A terminal's screen behind a writer.
#[derive(Debug)]
pub struct Screen<W: Write> {
    terminal: Terminal<FrameBackend<W>>,
}

impl<W: Write> Screen<W> {
    /// A screen of that size, of which nothing is known: the first frame is sent whole. `synchronized` wraps frames in
    /// DEC 2026.
    pub fn new(out: W, size: Size, synchronized: bool) -> io::Result<Self> {
        let mut terminal = Terminal::new(FrameBackend::new(out, size, synchronized))?;
        terminal.clear()?;
        Ok(Self { terminal })
    }

    /// The terminal has another size now; the next frame is sent whole.
    pub fn resize(&mut self, size: Size) {
        self.terminal.backend_mut().size = size;
    }

    /// Draws the program as it is now. Errors are the writer's.
    pub fn draw<P: Program>(&mut self, program: &P, now: Now) -> io::Result<()> {
        self.terminal.draw(|frame| program.view(frame, now)).map(|_| ())
    }

    /// The next frame is sent whole.
    pub fn repaint(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }
}

/// A ratatui backend that collects what a frame takes and writes it when the frame is complete.
#[derive(Debug)]
pub struct FrameBackend<W: Write> {
    out: W,
    size: Size,
    synchronized: bool,
    /// The frame's bytes so far.
    bytes: Vec<u8>,
    placing: Placing,
    /// Where the cursor was put last, and whether it shows; `None` where that is not known.
    cursor: Option<Position>,
    shown: Option<bool>,
}

impl<W: Write> FrameBackend<W> {
    /// See [`Screen::new`].
    pub fn new(out: W, size: Size, synchronized: bool) -> Self {
        Self {
            out,
            size,
            synchronized,
            bytes: Vec::new(),
            placing: Placing::default(),
            cursor: None,
            shown: None,
        }
    }

    fn encode(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.bytes)
    }
}

impl<W: Write> Backend for FrameBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let placed = self.placing.place(content);
        if placed.is_empty() {
            return Ok(());
        }
        self.cursor = None;
        self.encode().draw(placed.iter().map(|(x, y, cell)| (*x, *y, cell)))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(false) == Some(false) { Ok(()) } else { self.encode().hide_cursor() }
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(true) == Some(true) { Ok(()) } else { self.encode().show_cursor() }
    }

    /// What is known, never a query: the terminal's answer would arrive among the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.replace(position) == Some(position) {
            return Ok(());
        }
        self.encode().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        if region == ClearType::All {
            self.placing.cleared(self.size);
        }
        self.encode().clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    /// The frame is complete: one write, or none.
    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        if self.synchronized {
            self.bytes.splice(0..0, BEGIN_FRAME.iter().copied());
            self.bytes.extend_from_slice(END_FRAME);
        }
        let written = self.out.write_all(&self.bytes).and_then(|()| self.out.flush());
        self.bytes.clear();
        written
    }
}

#[cfg(test)]
mod tests;
