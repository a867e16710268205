//! Answers one hook: reads the event, asks the gateway, writes the answer, once and whole, before the time is up.
//!
//! One thread waits and writes; whatever can hang or break is done on others. No way out of here lets a tool run but the
//! text of a [`Reply`] to an approval that was taken.

use super::Asking;
use crate::agent::hook::{Agent, Call, INPUT_LIMIT, Named, Pace, Reply, Trouble, Unread, by};
use crate::cli::interrupt::interrupted;
use crate::cli::output::complain;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Stops the tool at PreToolUse, in both agents, where its reason stands on standard error.
const STOP: u8 = 2;

/// How often it is looked whether anybody still listens.
const LOOK: Duration = Duration::from_millis(500);

/// Answers it. The exit code is 0 where the answer is on standard output, and 2 where there is none.
pub(super) fn run(agent: Agent, asking: &Asking) -> ExitCode {
    let pace = Pace::new(Instant::now(), asking.timeout);
    let said = catch_unwind(AssertUnwindSafe(|| say(agent, asking, pace)));
    match said.unwrap_or_else(|_| Err("it broke in the middle".to_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&format!("{why}; the tool is not to be run"));
            ExitCode::from(STOP)
        }
    }
}

/// Says yes or no on standard output; else why it cannot.
fn say(agent: Agent, asking: &Asking, pace: Pace) -> Result<(), String> {
    let reply = match read(agent, pace) {
        Ok(call) => decide(agent, call, asking, pace),
        Err(unread) => {
            let event = match unread.event {
                Named::Event(event) => Some(event),
                Named::Nothing => asking.event,
                // An event that stops no tool, or that this program does not know: no answer of ours fits it.
                Named::Other(_) => None,
            };
            Reply::no(agent, event.ok_or_else(|| unread.words.clone())?, &unread.words)
        }
    };
    // At once: half an answer is no answer to the agent.
    let text = format!("{}\n", reply.text());
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("the answer cannot be written to standard output: {error}"))
}

fn read(agent: Agent, pace: Pace) -> Result<Call, Unread> {
    let nothing = |why: &str| Unread { event: Named::Nothing, words: format!("the hook's input {why}") };
    let read = by(pace.input(), move || {
        let mut bytes = Vec::new();
        let limit = u64::try_from(INPUT_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
        match std::io::stdin().lock().take(limit).read_to_end(&mut bytes) {
            Ok(_) => Call::read(agent, &bytes),
            Err(error) => Err(nothing(&format!("cannot be read: {error}"))),
        }
    });
    read.unwrap_or_else(|trouble| {
        Err(nothing(match trouble {
            Trouble::Late => "does not end",
            Trouble::Broken => "broke this program",
        }))
    })
}

fn decide(agent: Agent, call: Call, asking: &Asking, pace: Pace) -> Reply {
    let event = call.event();
    let provider = asking.provider.clone();
    let asked = by(pace.answered(), move || -> anyhow::Result<Reply> {
        let submission = call.submission(pace.asked_for()).map_err(anyhow::Error::msg)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime.block_on(async {
            let interrupted = interrupted()?;
            let stop = async {
                tokio::select! { () = interrupted => {}, () = unheard() => {} }
            };
            let gate = provider.gate()?;
            anyhow::Ok(gate.check_within(&submission, &call.key(), pace.left(), stop, |_| ()).await)
        })?;
        Ok(Reply::to(agent, event, &answer))
    });
    match asked {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => Reply::no(agent, event, &format!("{error:#}")),
        Err(trouble) => Reply::no(agent, event, words(trouble)),
    }
}

/// Done once whoever ran the hook has closed its end of standard output: it was killed, or its user has stopped it. Then there
/// is nobody to be told, and nothing for a reviewer to decide.
async fn unheard() {
    loop {
        tokio::time::sleep(LOOK).await;
        let out = std::io::stdout();
        let mut out = [PollFd::new(&out, PollFlags::empty())];
        // No flag is asked for: an end that is gone is told all the same.
        let told = poll(&mut out, Some(&Timespec::default()));
        if told.is_ok() && out[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return;
        }
    }
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Late => "the time for it was up",
        Trouble::Broken => "the hook broke in the middle",
    }
}
