//! A command that gets the note on its standard input. No shell is between; it has so long, and then it and what it
//! started are killed.

use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// How long it may take.
const TIME: Duration = Duration::from_secs(10);

/// Runs it; it must end well.
pub(super) async fn put(words: &[String], note: &str) -> Result<(), String> {
    run(words, note, TIME).await
}

pub(super) async fn run(words: &[String], note: &str, time: Duration) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("no command is named")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.process_group(0).kill_on_drop(true).spawn();
    let mut child = child.map_err(|why| format!("cannot be started: {why}"))?;
    let fed = async {
        if let Some(mut input) = child.stdin.take() {
            // It need not read to the end.
            let _ = input.write_all(note.as_bytes()).await;
        }
        child.wait().await
    };
    match tokio::time::timeout(time, fed).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("ended with {status}")),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => {
            end(&mut child).await;
            Err(format!("did not end within {} s and was killed", time.as_secs_f32()))
        }
    }
}

/// Kills it with all that it started, and waits for it.
async fn end(child: &mut Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}
