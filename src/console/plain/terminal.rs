//! A session on the process's input and output: lines are read by a thread of their own, what is said goes out in one
//! write. The terminal stays as it is, in cooked mode: the line is edited by the kernel, or by whatever stands before it.

use super::session::{Output, Plain};
use crate::console::app::model;
use crate::console::app::{Context, Effect, EndOfInput, Message, Now};
use crate::console::runtime::{Clock, Exit, Keyboard};
use crate::console::shell::letters;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read};
use rustix::termios::{QueueSelector, Winsize, tcflush, tcgetwinsize};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _, stdin, stdout};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// Lines that may wait. Somebody who pipes more in waits in turn.
const WAITING: usize = 64;
/// A longer line is not one that anybody typed.
const LONGEST: usize = 64 * 1024;
/// How many messages are taken in before lines are looked at again.
const BATCH: usize = 256;
/// The size of a terminal that does not know its own.
const ASSUMED: (u16, u16) = (80, 24);

/// What came from where lines come from.
#[derive(Debug)]
enum Typed {
    /// A line, and when it was complete.
    Line(Vec<u8>, Instant),
    /// End of input: of a terminal it can be had again.
    End,
    /// Nothing will come any more, and why.
    Gone(EndOfInput),
}

/// Where lines come from.
pub(super) enum Source {
    /// A person.
    Terminal(File),
    /// A file or a pipe.
    Other(File),
    /// Nowhere: standard input brings something else, and there is no terminal.
    Nowhere,
}

/// Whether lines come from a person at a terminal.
pub fn is_person(keyboard: Keyboard) -> bool {
    matches!(source(keyboard), Ok(Source::Terminal(_)))
}

/// Columns and rows: what the terminal says, else what the environment does.
pub fn size() -> (u16, u16) {
    let of = |size: Winsize| (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row));
    let asked = tcgetwinsize(rustix::stdio::stdout()).ok().and_then(of);
    let asked = asked.or_else(|| tcgetwinsize(rustix::stdio::stdin()).ok().and_then(of));
    let set = |name| std::env::var(name).ok()?.parse().ok().filter(|size| *size > 0);
    asked.unwrap_or_else(|| (set("COLUMNS").unwrap_or(ASSUMED.0), set("LINES").unwrap_or(ASSUMED.1)))
}

fn source(keyboard: Keyboard) -> io::Result<Source> {
    Ok(match keyboard {
        Keyboard::StandardInput => {
            let file = File::from(rustix::io::dup(rustix::stdio::stdin())?);
            if stdin().is_terminal() { Source::Terminal(file) } else { Source::Other(file) }
        }
        Keyboard::ControllingTerminal => match File::open("/dev/tty") {
            Ok(file) => Source::Terminal(file),
            Err(_) => Source::Nowhere,
        },
    })
}

/// Runs the session until it is over or its terminal ends. `messages` brings news from the caller's tasks; `effects` is
/// called on this thread, so it must not block.
///
/// # Errors
/// The input or the signals could not be had.
pub async fn run(
    plain: &mut Plain,
    keyboard: Keyboard,
    mut messages: mpsc::Receiver<Message>,
    mut effects: impl FnMut(Effect),
) -> io::Result<Exit> {
    let source = source(keyboard)?;
    let terminal = match &source {
        Source::Terminal(file) => Some(file.try_clone()?),
        _ => None,
    };
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut resumed = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut lines = start(source)?;
    let clock = Clock::system();
    // Up to when what was typed was not meant for what has been printed since.
    let mut printed = Duration::ZERO;
    let (mut batch, mut open) = (Vec::with_capacity(BATCH), true);
    loop {
        if let Some(output) = plain.output(clock.now()) {
            if let Some(terminal) = terminal.as_ref().filter(|_| output.discard) {
                // A terminal that cannot even do this is told of by the reading thread.
                let _ = tcflush(terminal, QueueSelector::IFlush);
            }
            // From when it began to go out: who answers may be faster than this thread gets on.
            let now = clock.now();
            printed = now.tick;
            if let Err(error) = print(&output) {
                let end = EndOfInput::Error(format!("standard output cannot be written to: {error}"));
                do_with(now, |context| plain.ended(end, context));
            }
            plain.printed(&output, now);
        }
        match &plain.model().exit {
            Some(model::Exit::Quit) => return Ok(Exit::Finished),
            Some(model::Exit::Input(end)) => return Ok(Exit::Ended(end.clone())),
            None => {}
        }
        let deadline = plain.next_deadline(clock.now());
        let wanted = tokio::select! {
            biased;
            _ = hangup.recv() => do_with(clock.now(), |context| plain.ended(EndOfInput::Hangup, context)),
            _ = terminate.recv() => do_with(clock.now(), |context| plain.ended(EndOfInput::Terminate, context)),
            _ = interrupt.recv() => do_with(clock.now(), |context| plain.interrupted(context)),
            _ = resumed.recv() => plain.resumed(),
            _ = resized.recv() => {
                let (columns, rows) = size();
                do_with(clock.now(), |context| plain.tell(Message::Resized(columns, rows), context))
            }
            // Commands from a file wait until there is something to be asked about.
            typed = lines.recv(), if terminal.is_some() || plain.is_ready() => match typed {
                Some(Typed::Line(bytes, at)) => {
                    let now = clock.at(at);
                    let early = terminal.is_some() && now.tick <= printed;
                    // What is no text is no command either; it is named as what it is.
                    let text = String::from_utf8_lossy(&bytes);
                    do_with(now, |context| plain.line(&text, early, context))
                }
                Some(Typed::End) => do_with(clock.now(), |context| plain.end_of_lines(context)),
                Some(Typed::Gone(end)) => do_with(clock.now(), |context| plain.ended(end, context)),
                None => do_with(clock.now(), |context| plain.ended(EndOfInput::Closed, context)),
            },
            count = messages.recv_many(&mut batch, BATCH), if open => {
                open = count > 0;
                let mut wanted = Vec::new();
                for message in batch.drain(..) {
                    wanted.extend(do_with(clock.now(), |context| plain.tell(message, context)));
                }
                wanted
            }
            () = tokio::time::sleep_until(clock.instant(deadline.unwrap_or_default())), if deadline.is_some() => {
                do_with(clock.now(), |context| plain.tell(Message::DeadlineReached, context))
            }
        };
        wanted.into_iter().for_each(&mut effects);
    }
}

/// With the time, fresh ids and fresh letters.
fn do_with<T>(now: Now, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
    act(&mut Context { now, id: &mut Uuid::new_v4, letters: &mut letters })
}

/// In one write, so that nothing comes between.
fn print(output: &Output) -> io::Result<()> {
    let mut text = String::new();
    for line in &output.lines {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(output.prompt.as_deref().unwrap_or_default());
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Begins to read lines. The thread ends with its input, or with the first line after the receiver is gone.
fn start(source: Source) -> io::Result<mpsc::Receiver<Typed>> {
    let (sender, lines) = mpsc::channel(WAITING);
    let (file, is_terminal) = match source {
        Source::Terminal(file) => (Some(file), true),
        Source::Other(file) => (Some(file), false),
        Source::Nowhere => (None, false),
    };
    std::thread::Builder::new().name("lines".into()).spawn(move || {
        let gone = match file {
            Some(file) => read_lines(&file, is_terminal, &sender),
            None => Some(Typed::End),
        };
        if let Some(gone) = gone {
            // The receiver may be gone: then the session is over.
            let _ = sender.blocking_send(gone);
        }
    })?;
    Ok(lines)
}

/// Reads until nothing more comes; returns why, if anybody still wants to know.
fn read_lines(file: &File, is_terminal: bool, sender: &mpsc::Sender<Typed>) -> Option<Typed> {
    let failed =
        |error: Errno| Some(Typed::Gone(EndOfInput::Error(format!("input cannot be read: {error}"))));
    let (mut buffer, mut line, mut skip) = ([0; 4_096], Vec::new(), false);
    loop {
        let mut wanted = [PollFd::new(file, PollFlags::IN)];
        match poll(&mut wanted, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return failed(error),
            Ok(_) => {}
        }
        let hung_up = wanted[0].revents().intersects(PollFlags::HUP | PollFlags::ERR);
        // Before the read: what is thrown away by its time must not be told too late a one.
        let at = Instant::now();
        let bytes = match read(file, &mut buffer) {
            Ok(0) if is_terminal && hung_up => return Some(Typed::Gone(EndOfInput::Hangup)),
            Err(Errno::IO) if is_terminal => return Some(Typed::Gone(EndOfInput::Hangup)),
            // Half a line that ends here is not a line that anybody has finished.
            Ok(0) if !is_terminal => return Some(Typed::End),
            Ok(0) => {
                line.clear();
                if sender.blocking_send(Typed::End).is_err() {
                    return None;
                }
                continue;
            }
            // Other programs on the terminal may have set it so.
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return failed(error),
            Ok(count) => &buffer[..count],
        };
        for byte in bytes {
            match byte {
                b'\n' if skip => skip = false,
                b'\n' => {
                    if sender.blocking_send(Typed::Line(std::mem::take(&mut line), at)).is_err() {
                        return None;
                    }
                }
                _ if skip => {}
                _ if line.len() >= LONGEST => (skip, line) = (true, Vec::new()),
                byte => line.push(*byte),
            }
        }
    }
}
