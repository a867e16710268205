//! What is done to the terminal, and undone on every way out: on drop, and when the program panics.
//!
//! There is one terminal in a process, so what has been done to it is a static. `ratatui::restore()` is not used: it
//! leaves bracketed paste and focus reporting on.

use super::Input;
use super::output::{terminal, write_last};
use crate::domain::Visible;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::style::{ResetColor, force_color_output};
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue};
use std::fs::File;
use std::io;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;
use tokio::sync::mpsc;

/// The terminal as the guard has it.
struct Held {
    out: File,
    /// The thread that the event loop runs on: a panic there ends the program, one elsewhere must not touch the screen.
    owner: ThreadId,
    urgent: mpsc::Sender<Input>,
}

static HELD: Mutex<Option<Held>> = Mutex::new(None);
/// Whether the title has been kept, and whether the mouse reports: what not every program does is undone by those only
/// that did it.
static TITLE: AtomicBool = AtomicBool::new(false);
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Holds the terminal in raw mode on the alternate screen, until it is dropped.
#[derive(Debug)]
pub(super) struct Guard(());

impl Guard {
    /// Takes the terminal. `urgent` hears of panics on other threads than this one.
    pub(super) fn take(urgent: mpsc::Sender<Input>) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = take_hook();
            set_hook(Box::new(move |info| on_panic(info, &before)));
        });
        // crossterm would turn every style into `ESC[m` under NO_COLOR and wipe bold and reverse with it, so that the
        // cursor's row disappears. Whether there are colours is the theme's to say.
        force_color_output(true);
        let out = terminal()?;
        let guard = Self(());
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Held { out: out.try_clone()?, owner: std::thread::current().id(), urgent });
        enter(&out)?;
        Ok(guard)
    }
}

fn enter(out: &File) -> io::Result<()> {
    enable_raw_mode()?;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
    // A character that the terminal takes for wider than we do must not reach the next row.
    queue!(bytes, DisableLineWrap)?;
    write_last(out, &bytes)
}

/// Gives the terminal back for a while: the process is to be stopped.
pub(super) fn give_back() {
    if let Some(held) = HELD.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        leave(held);
    }
}

/// Takes the terminal again, as whoever had it meanwhile left it.
pub(super) fn take_again() -> io::Result<()> {
    match HELD.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        Some(held) => {
            // Raw mode would be believed to be on still where it was not us who stopped the process.
            let _ = disable_raw_mode();
            enter(&held.out)
        }
        None => Ok(()),
    }
}

/// What keeps the title that the terminal had, if nothing has yet: the guard gives it back.
pub(super) fn keep_title() -> &'static [u8] {
    if TITLE.swap(true, Ordering::Relaxed) { b"" } else { b"\x1b[22;0t" }
}

/// What has the terminal report the mouse, or has it no longer: the guard switches it off.
pub(super) fn report_mouse(on: bool) -> &'static [u8] {
    MOUSE.store(on, Ordering::Relaxed);
    if on { b"\x1b[?1000h\x1b[?1006h" } else { b"\x1b[?1006l\x1b[?1000l" }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Undoes everything, once; errors are nobody's any more, since the terminal may be gone.
fn restore() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(held) = held {
        leave(&held);
    }
}

fn leave(held: &Held) {
    // What was being written may have been cut anywhere.
    let mut bytes = b"\x1b[?2026l\x1b[r".to_vec();
    if MOUSE.swap(false, Ordering::Relaxed) {
        bytes.extend_from_slice(b"\x1b[?1006l\x1b[?1000l");
    }
    let _ = queue!(
        bytes,
        EnableLineWrap,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    if TITLE.swap(false, Ordering::Relaxed) {
        bytes.extend_from_slice(b"\x1b[23;0t");
    }
    let _ = write_last(&held.out, &bytes);
    let _ = disable_raw_mode();
}

fn on_panic(info: &PanicHookInfo<'_>, before: &dyn Fn(&PanicHookInfo<'_>)) {
    let elsewhere = {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|held| held.owner != std::thread::current().id()).map(|held| held.urgent.clone())
    };
    match elsewhere {
        // What is lost where the channel is full is a repetition.
        Some(urgent) => drop(urgent.try_send(Input::TaskPanicked(words(info)))),
        None => {
            restore();
            before(info);
        }
    }
}

/// Where, and with what words. They may quote anything, so they are made visible.
fn words(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    Visible::of(&format!("{text} ({place})")).plain()
}
