//! Times as the wire writes them: RFC 3339 in UTC, ending in `Z`, and how long something took in words.

use jiff::Timestamp;
use std::time::Duration;

/// The time with microseconds and `Z`, as every answer of the gateway bears it.
pub fn format(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Reads an RFC 3339 time; an offset other than `Z` is converted.
pub fn parse(text: &str) -> Option<Timestamp> {
    // RFC 3339 needs a `T`, digits and an offset; jiff alone would take more than that.
    let plain = text.len() <= 40 && text.is_ascii() && !text.contains(['[', ' ']);
    plain.then(|| text.parse().ok()).flatten()
}

/// `04:31`, `1:02:03`, `2d 03h`: what is left, to the second, rounded down; never negative.
pub fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, seconds / 3_600) {
        (0, 0) => format!("{:02}:{:02}", minutes, seconds % 60),
        (0, _) => format!("{}:{:02}:{:02}", hours, minutes, seconds % 60),
        _ => format!("{days}d {hours:02}h"),
    }
}

/// How long [`countdown`] says the same; `None` where it has come to its end.
pub fn countdown_holds(left: Duration) -> Option<Duration> {
    let unit = if left.as_secs() < 86_400 { 1 } else { 3_600 };
    let over = Duration::new(left.as_secs() % unit, left.subsec_nanos());
    (left.as_secs() > 0).then(|| over + Duration::from_nanos(1))
}

/// How long [`age`] says the same.
pub fn age_holds(since: Duration) -> Duration {
    let unit = match since.as_secs() {
        0..60 => 1,
        60..3_600 => 60,
        3_600..86_400 => 3_600,
        _ => 86_400,
    };
    Duration::from_secs(unit) - Duration::new(since.as_secs() % unit, since.subsec_nanos())
}

/// `9s`, `2m`, `3h`, `5d`: an age in at most four columns (up to `999d`).
pub fn age(since: Duration) -> String {
    match since.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", (seconds / 86_400).min(999)),
    }
}

/// `38 ms`, `1.9 s`, `2m 05s`: how long something took.
pub fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        millis @ 1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        millis => format!("{}m {:02}s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// Reads `30s`, `10m`, `24h`, `7d`: what agents and rules give as a length of time.
pub fn span(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = plain.then(|| digits.parse().ok()).flatten()?;
    Some(Duration::from_secs(count * seconds))
}

/// Writes what [`span`] reads, in the largest unit of which it is a whole number.
pub fn span_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let unit = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, letter) = unit.unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

/// The time from `from` to `to`; zero where `to` is earlier.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_back() {
        for text in ["0s", "30s", "90s", "10m", "24h", "7d", "61m"] {
            let words = span_words(span(text).unwrap());
            assert_eq!(span(&words), span(text), "{text}");
        }
        assert_eq!(span_words(Duration::from_secs(900)), "15m");
        assert_eq!(span_words(Duration::from_secs(172_800)), "2d");
        for text in ["", "s", "5", "5x", "-5s", "5 m", "1.5h", "١m", "9999999999s", "m5"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn the_wire_form_reads_back() {
        let at = parse("2026-11-23T12:03:11.25Z").unwrap();
        assert_eq!(format(at), "2026-11-23T12:03:11.250000Z");
        assert_eq!(parse(&format(at)), Some(at));
        assert_eq!(parse("2026-11-23T13:03:11.25+01:00"), Some(at));
        for bad in [
            "",
            "2026-11-23",
            "12:00",
            "2026-11-23 12:03:11Z",
            "2026-11-23T12:03:11",
            "2026-11-23T12:03:11Z[UTC]",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_hold_exactly_as_long_as_they_say() {
        let nano = Duration::from_nanos(1);
        for millis in [
            0,
            1,
            999,
            1_000,
            1_500,
            59_999,
            60_000,
            61_001,
            3_599_999,
            3_600_000,
            86_399_500,
            86_400_000,
            86_400_001,
            190_000_000,
        ] {
            let time = Duration::from_millis(millis);
            if let Some(holds) = countdown_holds(time) {
                assert_eq!(countdown(time.saturating_sub(holds - nano)), countdown(time), "{millis}");
                assert_ne!(countdown(time.saturating_sub(holds)), countdown(time), "{millis}");
            }
            let holds = age_holds(time);
            assert_eq!(age(time + holds - nano), age(time), "{millis}");
            assert_ne!(age(time + holds), age(time), "{millis}");
        }
        assert_eq!(countdown_holds(Duration::from_millis(999)), None);
    }

    #[test]
    fn words_for_durations() {
        let s = Duration::from_secs;
        assert_eq!(countdown(s(271)), "04:31");
        assert_eq!(countdown(s(3_723)), "1:02:03");
        assert_eq!(countdown(s(183_600)), "2d 03h");
        assert_eq!([age(s(9)), age(s(120)), age(s(7_200)), age(s(864_000))], ["9s", "2m", "2h", "10d"]);
        let ms = Duration::from_millis;
        assert_eq!([took(ms(38)), took(ms(1_900)), took(s(125))], ["38 ms", "1.9 s", "2m 05s"]);
        assert_eq!(between(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH - s(1)), Duration::ZERO);
    }
}
