//! That the user, or whoever runs this program, wants it to stop: SIGINT, SIGTERM or SIGHUP.

use tokio::signal::unix::{SignalKind, signal};

/// From now on those signals end nothing by themselves; the future is done once one has come.
///
/// # Errors
/// The signals cannot be listened for.
pub fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
