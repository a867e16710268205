//! The one instant that matters next. `None` means that nothing on the screen changes by itself: no wake-up at all.

use super::{Model, Now, announce, presence};
use crate::domain::timestamp::{age_holds, between, countdown_holds};
use crate::feed::Link;
use jiff::Timestamp;
use std::time::Duration;

/// When, on the clock that only grows, the screen next changes by itself.
pub fn next_deadline(model: &Model, now: Now) -> Option<Duration> {
    let outcomes = &model.outcomes;
    let counting = outcomes.sending() + outcomes.held() + outcomes.asking() > 0
        || model.queue.filter().is_timed() && !model.queue.is_empty()
        || matches!(model.link, Link::Reconnecting { .. });
    let second = counting.then_some(Duration::from_nanos(1));
    let changes = second.into_iter().chain(times(model, now.wall)).min();
    // Everything that changes within a second changes at its end, in one frame.
    let changes = changes.map(|after| now.tick + until_second_at_or_behind(now, after));
    let notice = model.notice.as_ref().map(|notice| notice.until);
    changes.into_iter().chain(notice).chain(announce::next(model)).chain(presence::next(model)).min()
}

/// How long the times that show stay as they are.
fn times(model: &Model, now: Timestamp) -> Option<Duration> {
    let of = |created_at, expires_at| {
        let left = countdown_holds(between(now, expires_at));
        left.into_iter().chain([age_holds(between(created_at, now))]).min()
    };
    let rows = model.layout.list.is_some().then(|| {
        model.queue.rows().filter_map(|(row, _)| {
            let (created_at, expires_at) = row.times();
            of(created_at, expires_at)
        })
    });
    let selected = model.queue.selected().filter(|_| model.layout.detail.is_some());
    let selected = selected.and_then(|action| of(action.created_at, action.expires_at));
    let expiry = model.queue.next_expiry().filter(|_| model.settings.expires_here);
    let expiry = expiry.map(|at| between(now, at));
    rows.into_iter().flatten().chain(selected).chain(expiry).min()
}

/// The time to the next second of the time of day: then countdowns change.
pub fn until_next_second(now: Now) -> Duration {
    until_second_at_or_behind(now, Duration::from_nanos(1))
}

/// How long it is to the end of the second of the time of day in which that time is over.
fn until_second_at_or_behind(now: Now, after: Duration) -> Duration {
    let past = now.wall.subsec_nanosecond().rem_euclid(1_000_000_000);
    let then = Duration::from_nanos(u64::from(past.unsigned_abs())) + after;
    let whole = Duration::from_secs(then.as_secs() + u64::from(then.subsec_nanos() > 0));
    whole - (then - after)
}
