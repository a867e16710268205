//! From a frame to bytes: all bytes of a frame are collected and written at once, and a frame that shows what is on the
//! screen already writes nothing.
//!
//! ratatui's own crossterm backend sends 25 bytes for an unchanged frame (it hides the cursor and resets the style each
//! time), names every colour by its number, places the cursor anew for each run and flushes in the middle of a frame; it
//! knows nothing of scrolling in a full screen. So the bytes are made here:
//!
//! | file | what it owns |
//! |---|---|
//! | `backend` | what the terminal shows and is to show; the shortest of the ways to say it |
//! | `placing` | which cells of a row must be drawn |
//! | `encoder` | how the cursor gets to them, and which bytes draw them |
//! | `pen` | colours and attributes |
//! | `scrolling` | which lines have only moved |

use super::{Now, Output, Program};
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use std::io::{self, Write};

mod backend;
mod encoder;
mod pen;
mod placing;
mod scrolling;

use backend::FrameBackend;
pub use scrolling::PaneAt;

/// A terminal's screen behind a writer.
#[derive(Debug)]
pub struct Screen<W: Write> {
    terminal: Terminal<FrameBackend<W>>,
    /// The frame before the last one, whose memory the next one takes.
    spare: Buffer,
}

impl<W: Write> Screen<W> {
    /// A screen of that size, of which nothing is known: the first frame is sent whole. `ask_synchronized` has the
    /// terminal asked whether it can show frames whole (DEC 2026).
    pub fn new(out: W, size: Size, ask_synchronized: bool) -> io::Result<Self> {
        let mut terminal = Terminal::new(FrameBackend::new(out, size, ask_synchronized))?;
        terminal.clear()?;
        Ok(Self { terminal, spare: Buffer::default() })
    }

    /// The terminal has another size now; the next frame is sent whole.
    pub fn resize(&mut self, size: Size) {
        self.terminal.backend_mut().size = size;
    }

    /// The terminal can show frames whole, or it cannot.
    pub fn synchronize(&mut self, can: bool) {
        self.terminal.backend_mut().synchronized = can;
    }

    /// Draws the program as it is now; how many bytes that took. `asks` has the terminal answer the frame. Errors are the
    /// writer's.
    pub fn draw<P: Program>(&mut self, program: &P, now: Now, asks: bool) -> io::Result<usize> {
        let frame = &mut self.spare;
        self.terminal.draw(|drawing| {
            program.view(drawing, now);
            if frame.area != drawing.area() {
                frame.resize(drawing.area());
            }
            std::mem::swap(frame, drawing.buffer_mut());
        })?;
        let backend = self.terminal.backend_mut();
        backend.asks = asks;
        backend.show(frame, program.panes())
    }

    /// Writes something that is no frame and moves nothing, after what is still to be written.
    pub(super) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.terminal.backend_mut().say(bytes)
    }

    /// Forgets what the terminal has not taken yet: it has been given back.
    pub(super) fn drop_pending(&mut self) {
        self.terminal.backend_mut().drop_pending();
    }

    /// Writes on with what the terminal has not taken yet.
    pub fn write_on(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().write_on()
    }

    /// Whether the terminal has not taken everything yet.
    pub fn is_blocked(&self) -> bool {
        self.terminal.backend().is_blocked()
    }

    /// The next frame is sent whole.
    pub fn repaint(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }
}

impl<W: Output> Screen<W> {
    /// Waits until the terminal takes more.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.terminal.backend().out.writable().await
    }
}

#[cfg(test)]
mod tests;
