//! A program on the real terminal: checks that there is one, takes it, runs the loop, gives it back.

use super::event_loop::{Exit, Sources, drive};
use super::guard::Guard;
use super::input::{Keyboard, Typed};
use super::output::TerminalOutput;
use super::pace::Pace;
use super::{Clock, Program, Screen, signals};
use ratatui::layout::Size;
use std::fs::File;
use std::io::{self, IsTerminal, stdin, stdout};
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;
use tokio::task::block_in_place;

/// Events that may wait which are not keys.
const URGENT: usize = 64;
/// The size of a terminal that does not know its own, as some serial lines and containers do.
const ASSUMED: Size = Size { width: 80, height: 24 };

/// Why a screen program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Standard output is a file or a pipe.
    #[error(
        "the screen needs a terminal, and standard output is none; without a terminal use `aegis-console list` and `aegis-console decide`"
    )]
    OutputIsNoTerminal,
    /// Standard input is a file or a pipe.
    #[error(
        "the screen needs a terminal, and standard input is none; without a terminal use `aegis-console list` and `aegis-console decide`, and to review actions from a pipe say `--queue -`"
    )]
    InputIsNoTerminal,
    /// `--queue -` was asked for, and standard input is the keyboard.
    #[error(
        "`--queue -` reads actions from standard input, which is the terminal here: pipe them in, or name a file"
    )]
    InputIsTerminal,
    /// There is no controlling terminal to read keys from.
    #[error("standard input brings the actions, and there is no terminal to read keys from (/dev/tty: {0})")]
    NoControllingTerminal(#[source] io::Error),
    /// The terminal refused.
    #[error("the terminal cannot be used: {0}")]
    Unusable(#[from] io::Error),
}

/// Runs the program on the process's terminal until it is finished or the terminal ends. Must be awaited on the thread
/// that called `block_on` on a multi-thread runtime: then a panic in a spawned task leaves the screen alone and arrives
/// as a message, and a panic of the program restores the terminal before it is printed.
///
/// `messages` brings news from the caller's tasks; `effects` is called on this thread, so it must not block.
pub async fn run<P: Program>(
    program: &mut P,
    keyboard: Keyboard,
    messages: mpsc::Receiver<P::Message>,
    effects: impl FnMut(P::Effect),
) -> Result<Exit, TerminalError> {
    check(keyboard)?;
    let terminal = terminal(keyboard)?;
    let (urgent_sender, urgent) = mpsc::channel(URGENT);
    signals::listen(urgent_sender.clone())?;
    let guard = Guard::take(urgent_sender.clone())?;
    signals::watch(terminal.try_clone()?, urgent_sender.clone())?;
    let keyboard = Typed::start(terminal, urgent_sender)?;
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let size = signals::size().unwrap_or(ASSUMED);
    let sources = Sources { urgent, keyboard, messages };
    let pace = Pace::new(is_set("SSH_CONNECTION"));
    // The loop has its thread's timers and descriptors to itself: those of a runtime of many threads are looked after by
    // another thread, and each timer would wake both of them several times. It ends in here, where a runtime may.
    let (tasks, mut effects) = (Handle::current(), effects);
    let exit = block_in_place(|| {
        let alone = Builder::new_current_thread().enable_all().build()?;
        alone.block_on(async {
            let effects = |effect| {
                // What an effect starts belongs to the caller's runtime.
                let _entered = tasks.enter();
                effects(effect);
            };
            let mut screen = Screen::new(TerminalOutput::new()?, size, !is_set("AEGIS_CONSOLE_NO_SYNC"))?;
            io::Result::Ok(drive(program, &mut screen, sources, pace, &Clock::system(), effects).await)
        })
    })?;
    drop(guard);
    Ok(exit)
}

/// Whether there is a terminal for the screen and one for the keys. [`run`] checks it too; a caller that has much to set
/// up asks first.
///
/// # Errors
/// What is missing, and what to do instead.
pub fn check(keyboard: Keyboard) -> Result<(), TerminalError> {
    if !stdout().is_terminal() {
        return Err(TerminalError::OutputIsNoTerminal);
    }
    match (keyboard, stdin().is_terminal()) {
        (Keyboard::StandardInput, false) => Err(TerminalError::InputIsNoTerminal),
        (Keyboard::ControllingTerminal, true) => Err(TerminalError::InputIsTerminal),
        _ => terminal(keyboard).map(drop),
    }
}

/// The terminal that the keys come from.
fn terminal(keyboard: Keyboard) -> Result<File, TerminalError> {
    match keyboard {
        Keyboard::StandardInput => {
            Ok(File::from(rustix::io::dup(rustix::stdio::stdin()).map_err(io::Error::from)?))
        }
        Keyboard::ControllingTerminal => File::open("/dev/tty").map_err(TerminalError::NoControllingTerminal),
    }
}
