//! The time of day: the one place where it is read by what waits, sends and records. It must not be asked how long
//! something took: that is the work of a clock which only grows.
//!
//! In builds with debug assertions a simulation can give a thread another time of day.

use jiff::Timestamp;
#[cfg(feature = "console")]
use jiff::tz::TimeZone;

#[cfg(debug_assertions)]
type Reading = Box<dyn Fn() -> Timestamp>;

#[cfg(debug_assertions)]
thread_local! {
    static OTHER: std::cell::RefCell<Option<Reading>> = const { std::cell::RefCell::new(None) };
}

/// The time of day.
pub(crate) fn now() -> Timestamp {
    #[cfg(debug_assertions)]
    if let Some(now) = OTHER.with_borrow(|other| other.as_ref().map(|other| other())) {
        return now;
    }
    Timestamp::now()
}

/// The time zone of this machine, or the one that `TZ` names. To know a zone by its name, jiff reads every directory of
/// the database first, which a screen that comes up has no time for; the machine's own zone is one file.
#[cfg(feature = "console")]
pub(crate) fn zone() -> TimeZone {
    let named = std::env::var_os("TZ").is_some();
    let machine = || TimeZone::tzif("local", &std::fs::read("/etc/localtime").ok()?).ok();
    (!named).then(machine).flatten().unwrap_or_else(TimeZone::system)
}

/// Gives this thread another time of day.
#[cfg(debug_assertions)]
pub fn set(reading: impl Fn() -> Timestamp + 'static) {
    OTHER.set(Some(Box::new(reading)));
}
