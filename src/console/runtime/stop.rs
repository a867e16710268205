//! Stopping the process as job control does it (ctrl-z), where there is somebody to let it go on.

use rustix::process::{Signal, getpgrp, getpid, getppid, getsid, kill_process_group};

/// Stops the group that the process is in, as shells expect; `false` where nobody could continue it. That it goes on is
/// told by SIGCONT, not by this returning.
pub(super) fn stop_group() -> bool {
    let group = getpgrp();
    let session = getsid(None).ok();
    // A group that no shell of its session has started would stand still for ever.
    let parent_session = getppid().and_then(|parent| getsid(Some(parent)).ok());
    let orphaned = session == Some(group) || (group == getpid() && parent_session != session);
    !orphaned && kill_process_group(group, Signal::STOP).is_ok()
}
