//! Places in the program where a test can end the process, as a kill or a power cut would, or hold it up. It must not know
//! what a place means, or do anything there by itself.
//!
//! Only builds with debug assertions have places: `cargo test` needs no feature for them, and a release has nothing that
//! could be switched on. There the environment variable [`VARIABLE`] ends the process: `after ended:3` aborts when the
//! place *after ended* is reached for the third time. `hold before start` stops it at a place as SIGSTOP does, until SIGCONT.

#[cfg(debug_assertions)]
use std::process::Command;
#[cfg(debug_assertions)]
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicU32, Ordering};

/// Names the place at which the process aborts, or with `hold ` before it stops, and after a colon how often it must have been reached.
#[cfg(debug_assertions)]
pub const VARIABLE: &str = "AEGIS_CONSOLE_ABORT_AT";

#[cfg(debug_assertions)]
type Hook = Box<dyn Fn(&str, &str) + Send + Sync>;

#[cfg(debug_assertions)]
static HOOK: OnceLock<Hook> = OnceLock::new();

/// The program is at a place: a moment (`before`, `after`) and what it is the moment of. In a release, nothing.
#[inline]
pub(crate) fn reached(moment: &str, what: &str) {
    #[cfg(debug_assertions)]
    HOOK.get_or_init(by_environment)(moment, what);
    #[cfg(not(debug_assertions))]
    let _ = (moment, what);
}

/// Has `hook` called at every place from now on, on the thread that reaches it, instead of looking at the environment.
/// Whether it was the first: later ones are not installed.
#[cfg(debug_assertions)]
pub fn install(hook: impl Fn(&str, &str) + Send + Sync + 'static) -> bool {
    HOOK.set(Box::new(hook)).is_ok()
}

#[cfg(debug_assertions)]
fn by_environment() -> Hook {
    let named = std::env::var(VARIABLE).unwrap_or_default();
    if named.is_empty() {
        return Box::new(|_, _| ());
    }
    let (named, is_held) = named.strip_prefix("hold ").map_or((&*named, false), |place| (place, true));
    let (place, times) = named.rsplit_once(':').unwrap_or((named, "1"));
    let (place, times) = (place.to_owned(), times.parse().unwrap_or(1));
    let count = AtomicU32::new(0);
    Box::new(move |moment, what| {
        let here = place.strip_prefix(moment).and_then(|rest| rest.strip_prefix(' ')) == Some(what);
        if here && count.fetch_add(1, Ordering::SeqCst) + 1 == times {
            if is_held {
                // The program and not a crate: this file is in every build with debug assertions, whatever its features.
                let _ = Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
                return;
            }
            std::process::abort();
        }
    })
}
