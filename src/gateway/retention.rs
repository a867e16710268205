//! The one task that forgets what ended long ago, where the gateway was told for how long to keep it. In small batches, so
//! that whoever decides meanwhile waits for none of them long.

use super::Shared;
use super::server::Stop;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Nothing younger is ever forgotten: a key that was used stays used for longer than any client sends it again.
pub const SHORTEST_KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often it looks.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// Actions that one transaction forgets.
const BATCH: i64 = 64;
/// Between two batches.
const PAUSE: Duration = Duration::from_millis(50);

/// Forgets until the gateway stops; without a time to keep, nothing.
pub(crate) async fn run(shared: Arc<Shared>, keep: Option<Duration>, stop: Stop) {
    let Some(keep) = keep else { return };
    loop {
        let forgotten = forget(&shared, keep).await;
        let pause = if forgotten >= 1 { PAUSE } else { EVERY };
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One batch; how many have gone.
async fn forget(shared: &Shared, keep: Duration) -> u64 {
    let Some(before) = before((shared.clock)(), keep) else { return 0 };
    match shared.store.forget(before, BATCH).await {
        Ok(0) => 0,
        Ok(gone) => {
            tracing::info!(gone, "what ended long ago is forgotten");
            gone
        }
        Err(error) => {
            tracing::error!(%error, "what is old could not be forgotten; it is tried again");
            0
        }
    }
}

/// What ended before then is old.
fn before(now: Timestamp, keep: Duration) -> Option<Timestamp> {
    let keep = SignedDuration::try_from(keep.max(SHORTEST_KEEP)).ok()?;
    now.checked_sub(keep).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_younger_than_the_shortest_time_is_old() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        assert_eq!(before(now, days(90)), at("2026-08-29T12:00:00Z"));
        assert_eq!(before(now, days(1)), at("2026-11-20T12:00:00Z"));
        assert_eq!(before(now, Duration::ZERO), at("2026-11-20T12:00:00Z"));
        assert_eq!(before(now, Duration::MAX), None, "for ever");
    }
}
