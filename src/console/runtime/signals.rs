//! Signals, and the terminal that goes away: what must get through before any key.

use super::{EndOfInput, Input};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use std::fs::File;
use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Begins to listen for signals; must be called inside a runtime. SIGTERM and SIGHUP end the input, SIGINT is the key
/// ctrl-c, SIGWINCH brings the new size, SIGTSTP is ctrl-z and SIGCONT the end of that. Being listened to, none of them has its default effect from here on, also
/// where it was ignored before (`nohup`): a screen without a terminal has no reason to go on.
pub(super) fn listen(urgent: mpsc::Sender<Input>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    tokio::spawn(async move {
        loop {
            let input = tokio::select! {
                biased;
                _ = hangup.recv() => Input::End(EndOfInput::Hangup),
                _ = terminate.recv() => Input::End(EndOfInput::Terminate),
                _ = interrupt.recv() => Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
                _ = continued.recv() => Input::Continued,
                _ = stop.recv() => Input::StopRequested,
                _ = resized.recv() => match size() {
                    Some(size) => Input::Resize(size.width, size.height),
                    None => continue,
                },
            };
            if urgent.send(input).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Watches the terminal's line: with SIGHUP out of reach (sudo, some uses of tmux) nothing else tells that it hung up
/// while nothing is read from it. A poll for no event at all sleeps until there is an error or a hang-up, so the
/// watch costs no wake-up.
pub(super) fn watch(terminal: File, urgent: mpsc::Sender<Input>) -> io::Result<()> {
    std::thread::Builder::new().name("hang-up".into()).spawn(move || {
        let gone = loop {
            match poll(&mut [PollFd::new(&terminal, PollFlags::empty())], None) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => break EndOfInput::Hangup,
                Err(error) => break EndOfInput::Error(format!("the terminal cannot be watched: {error}")),
            }
        };
        // The receiver may be gone: then the loop has ended.
        let _ = urgent.blocking_send(Input::End(gone));
    })?;
    Ok(())
}

/// The terminal's size; `None` where it does not say.
pub(super) fn size() -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(Size { width: size.ws_col, height: size.ws_row })
}
