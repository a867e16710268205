//! The keyboard, on a thread of its own: crossterm blocks for ever after half an escape sequence, and nothing may wait
//! for it.

use super::{EndOfInput, Input};
use crossterm::event::{Event, read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

/// Where keys are read from. (crossterm reads standard input if that is a terminal, else `/dev/tty`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyboard {
    /// Standard input, which must be a terminal.
    StandardInput,
    /// The terminal that the process belongs to, because standard input brings something else.
    ControllingTerminal,
}

/// An event as crossterm read it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// The event.
    pub event: Event,
    /// When it was read.
    pub at: Instant,
}

/// Keys that may wait for the loop. More than that were not pressed for what is on the screen, and are dropped.
const WAITING: usize = 1024;

/// Starts to read. The thread ends with the process, or with the first event after the receiver is gone: a blocked
/// read cannot be called off.
pub(super) fn start(urgent: mpsc::Sender<Input>) -> std::io::Result<mpsc::Receiver<RawEvent>> {
    let (keys, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new().name("keyboard".into()).spawn(move || {
        let error = match catch_unwind(AssertUnwindSafe(|| read_into(&keys))) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it sent what cannot be understood".into(),
        };
        let end = EndOfInput::Error(format!("the terminal cannot be read: {error}"));
        // The receiver may be gone: then the loop has ended.
        let _ = urgent.blocking_send(Input::End(end));
        // The channel stays open until the reason has been told.
        drop(keys);
    })?;
    Ok(receiver)
}

fn read_into(keys: &mpsc::Sender<RawEvent>) -> std::io::Result<()> {
    loop {
        let event = read()?;
        // Sizes come from the signal, which half an escape sequence cannot hold up.
        if matches!(event, Event::Resize(..)) {
            continue;
        }
        if let Err(TrySendError::Closed(_)) = keys.try_send(RawEvent { event, at: Instant::now() }) {
            return Ok(());
        }
    }
}
