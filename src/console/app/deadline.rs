//! The one instant that matters next. `None` means that nothing on the screen changes by itself: no wake-up at all.

use super::{Model, Now, announce};
use crate::feed::Link;
use std::time::Duration;

/// When, on the clock that only grows, the screen next changes by itself.
pub fn next_deadline(model: &Model, now: Now) -> Option<Duration> {
    let counting = model.layout.list.is_some() && !model.queue.is_empty()
        || model.layout.detail.is_some() && model.queue.cursor().is_some()
        || model.outcomes.sending() + model.outcomes.held() + model.outcomes.asking() > 0
        || model.settings.expires_here && !model.queue.is_empty()
        || matches!(model.link, Link::Reconnecting { .. });
    let second = counting.then(|| now.tick + until_next_second(now));
    let notice = model.notice.as_ref().map(|notice| notice.until);
    second.into_iter().chain(notice).chain(announce::next(model)).min()
}

/// The time to the next second of the time of day: then countdowns change.
pub fn until_next_second(now: Now) -> Duration {
    let past = now.wall.subsec_nanosecond().rem_euclid(1_000_000_000);
    Duration::from_nanos(1_000_000_000 - u64::from(past.unsigned_abs()))
}
