//! When a webhook that was not delivered is tried again: pure. The times are Standard Webhooks' kind, soon at first because
//! an agent waits, then ever rarer; the end is AAP's, seven days after the request ended.

use jiff::{SignedDuration, Timestamp};

/// Seconds after the first failed try, after the second, and so on; the last one from then on.
const AFTER: [i64; 11] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400];
/// How long after the end of the request it is tried.
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest that a receiver is left alone because it asks for it.
const MOST_ASKED: SignedDuration = SignedDuration::from_hours(24);

/// When it is tried again after that try, counted from 1; `None` where it is given up. Up to a fifth is taken off by chance,
/// so that what failed together does not come again together. A receiver that asks for more time gets it, a day at most: it
/// may ask for a year by mistake, and is told all the same.
pub(super) fn next(
    tries: i64,
    now: Timestamp,
    resolved_at: Timestamp,
    asked: Option<SignedDuration>,
    chance: u16,
) -> Option<Timestamp> {
    let place = usize::try_from(tries.saturating_sub(1)).unwrap_or(0).min(AFTER.len() - 1);
    let whole = AFTER.get(place).copied().unwrap_or(86_400).saturating_mul(1_000);
    let off = whole / 5 * i64::from(chance) / i64::from(u16::MAX);
    let wait = SignedDuration::from_millis(whole - off).max(asked.unwrap_or_default().min(MOST_ASKED));
    let last = resolved_at.checked_add(WINDOW).ok()?;
    let next = now.checked_add(wait).ok()?;
    (next < last).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn it_comes_soon_then_rarely_and_ends_after_seven_days() {
        let (mut now, mut tries) = (at(0), 1);
        let mut waits = Vec::new();
        while let Some(next) = next(tries, now, at(0), None, 0) {
            waits.push(next.duration_since(now).as_secs());
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(waits[..4], [5, 30, 120, 600]);
        assert!(waits.is_sorted());
        let all: i64 = waits.iter().sum();
        assert!((6 * 86_400..7 * 86_400).contains(&all), "{all}");
        assert_eq!(waits.len(), 15);
    }

    #[test]
    fn chance_takes_a_fifth_off_at_most_and_a_receiver_may_ask_for_more() {
        assert_eq!(next(1, at(0), at(0), None, u16::MAX), Some(at(4)));
        let asked = |seconds| next(1, at(0), at(0), Some(SignedDuration::from_secs(seconds)), 0);
        assert_eq!(asked(1), Some(at(5)), "not for less");
        assert_eq!(asked(3_600), Some(at(3_600)));
        assert_eq!(asked(8 * 86_400), Some(at(86_400)), "nor for more than a day");
        assert_eq!(asked(i64::MAX), Some(at(86_400)));
        assert_eq!(next(i64::MAX, at(0), at(0), None, 0), Some(at(86_400)));
        assert_eq!(next(0, at(0), at(0), None, 0), Some(at(5)));
    }
}
