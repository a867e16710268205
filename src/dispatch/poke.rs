//! The socket beside the journal by which one process tells the one that holds the journal to look at it, so that nobody
//! has to look all the time. A poke says nothing but that; it holds no decision.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::net::UnixDatagram;

/// Where pokes for that journal go. A path over a hundred bytes is too long for a socket.
pub(super) fn beside(journal: &Path) -> PathBuf {
    let mut name = OsString::from(journal);
    name.push(".poke");
    name.into()
}

/// Listens. Only the holder of the journal's lock may: what it finds there was left behind.
pub(super) fn listen(socket: &Path) -> io::Result<UnixDatagram> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let bound = UnixDatagram::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(bound)
}

/// Pokes whoever listens. Nobody may.
pub(super) fn poke(socket: &Path) {
    let send = || {
        let sender = std::os::unix::net::UnixDatagram::unbound()?;
        sender.set_nonblocking(true)?;
        sender.send_to(b"!", socket)
    };
    // A full socket holds a poke already; one that nobody listens at is noticed by who waits for its decision.
    if let Err(error) = send() {
        tracing::debug!(%error, "nobody was poked");
    }
}
