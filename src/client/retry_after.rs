//! `Retry-After` in both of its forms (RFC 9110, 10.2.3): seconds, or an HTTP date.

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// How long the server asks to wait. A date counts from the answer's own `Date`, else from `now`. What is negative,
/// past or unreadable is no hint at all; more seconds than a number can hold are as many as it can.
pub(crate) fn read(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let from = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(now);
    until.duration_since(from).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_everything_that_is_neither() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let seconds = |n| Some(Duration::from_secs(n));
        for (retry_after, date, expected) in [
            ("0", None, seconds(0)),
            ("2", None, seconds(2)),
            (" 7 ", None, seconds(7)),
            ("18446744073709551615", None, seconds(u64::MAX)),
            ("99999999999999999999999", None, seconds(u64::MAX)),
            ("-1", None, None),
            ("+1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("", None, None),
            ("Sun, 06 Nov 1994 08:49:42 GMT", None, seconds(5)),
            ("Sunday, 06-Nov-94 08:49:42 GMT", None, seconds(5)),
            ("Sun Nov  6 08:49:42 1994", None, seconds(5)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", None, None),
            ("Sun, 06 Nov 1994 08:49:42 GMT", Some("Sun, 06 Nov 1994 08:49:40 GMT"), seconds(2)),
            ("Sun, 06 Nov 1994 08:49:42 GMT", Some("garbage"), seconds(5)),
            ("Sun, 99 Nov 1994 08:49:42 GMT", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(read(&headers, now), expected, "{retry_after:?} {date:?}");
        }
        assert_eq!(read(&HeaderMap::new(), now), None);
        let mut bytes = HeaderMap::new();
        bytes.insert(RETRY_AFTER, http::HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(read(&bytes, now), None);
    }
}
