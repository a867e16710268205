//! The system's log: one line for a checkpoint, as `syslog(3)` sends it (RFC 3164), to be found again by `audit verify`.

use super::super::note::Note;
use jiff::Timestamp;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Facility `authpriv`, severity `notice`.
const PRIORITY: u8 = 10 * 8 + 5;

/// Sends the note as one line. A log that cannot take it now says so at once.
pub(super) fn put(socket: &Path, note: &str) -> Result<(), String> {
    let line = Note::line(note).ok_or("the checkpoint cannot be written on a line")?;
    let time = Timestamp::now().strftime("%b %e %H:%M:%S").to_string();
    let message = format!("<{PRIORITY}>{time} aegis-console[{}]: {line}", std::process::id());
    let send = || {
        let sender = UnixDatagram::unbound()?;
        sender.set_nonblocking(true)?;
        sender.send_to(message.as_bytes(), socket)
    };
    send().map(drop).map_err(|why| why.to_string())
}
