//! `Retry-After` in every form, as the client waits by it: on a paused clock, through the whole of a call.

use aegis_console::client::http::{Request, Response};
use aegis_console::client::{AegisClient, Bytes, Jitter, TransportError};
use aegis_console::domain::Resolution;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

/// Sun, 06 Nov 1994 08:49:37 GMT, as the answer's own clock.
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
/// The first wait where there is no hint.
const USUAL: Duration = Duration::from_millis(500);

/// The first try is answered with `code` and those headers, all others with 202.
async fn approve(code: u16, headers: &[(&'static str, &str)], jitter: Jitter) -> Resolution {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let posts = AtomicUsize::new(0);
    let server = move |request: Request<Bytes>| -> Result<Response<Bytes>, TransportError> {
        let is_first = request.method() == "POST" && posts.fetch_add(1, SeqCst) == 0;
        let mut answer = Response::builder().status(if is_first { code } else { 202 });
        for (name, value) in headers.iter().filter(|_| is_first) {
            answer = answer.header(*name, value);
        }
        let body = if is_first { "{}" } else { r#"{"status":"COMMITTED"}"# };
        Ok(answer.body(Bytes::from_static(body.as_bytes())).unwrap())
    };
    let builder = AegisClient::builder().tenant_id("t").thread_id("h").jitter(jitter);
    let client = builder.transport(Arc::new(server)).build().unwrap();
    client.approve("k").send().await.unwrap()
}

fn seconds(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count))
}

/// The forms, with how long they ask to wait; `None` where they ask nothing that can be read.
fn forms() -> Vec<(&'static str, Option<&'static str>, Option<Duration>)> {
    vec![
        ("0", None, seconds(0)),
        ("1", None, seconds(1)),
        ("30", None, seconds(30)),
        ("31", None, seconds(31)),
        ("86400", None, seconds(86_400)),
        ("00000000000000000002", None, seconds(2)),
        ("18446744073709551615", None, seconds(u64::MAX)),
        ("340282366920938463463374607431768211456", None, seconds(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:42 GMT", Some(DATE), seconds(5)),
        ("Sunday, 06-Nov-94 08:49:42 GMT", Some(DATE), seconds(5)),
        ("Sun Nov  6 08:49:42 1994", Some(DATE), seconds(5)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(DATE), seconds(60)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(DATE), seconds(0)),
        ("Sun, 06 Nov 1994 08:49:30 GMT", Some(DATE), None),
        ("Sun, 06 Nov 1994 08:49:42 GMT", None, None),
        ("-1", None, None),
        ("+5", None, None),
        ("1.5", None, None),
        ("5s", None, None),
        ("5, 6", None, None),
        ("0x10", None, None),
        ("", None, None),
        ("soon", None, None),
        ("Sun, 06 Nov 1994 25:49:42 GMT", Some(DATE), None),
        ("Sun, 31 Feb 1994 08:49:42 GMT", Some(DATE), None),
        ("9999-12-31T23:59:59Z", None, None),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_503_waits_as_asked_and_otherwise_as_usual() {
    for (value, date, asked) in forms() {
        let mut headers = vec![("retry-after", value)];
        headers.extend(date.map(|date| ("date", date)));
        let resolution = approve(503, &headers, Jitter::None).await;
        let second = resolution.tries.get(1).map(|one| one.waited);
        match asked {
            Some(asked) if asked > Duration::from_secs(30) => {
                assert_eq!(resolution.outcome.word(), "unconfirmed", "{value}");
                assert_eq!(second, None, "{value}: nobody waits so long");
            }
            _ => {
                // Never sooner than half of the usual wait, whatever is asked.
                let expected = asked.map_or(USUAL, |asked| asked.max(USUAL / 2));
                let waited = second.unwrap_or_else(|| panic!("{value}: {resolution:?}"));
                assert!(
                    (expected..=expected + Duration::from_millis(1)).contains(&waited),
                    "{value}: {waited:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_time_that_can_be_waited_for_is_a_quota() {
    for (value, date, asked) in forms() {
        let mut headers = vec![("retry-after", value)];
        headers.extend(date.map(|date| ("date", date)));
        let resolution = approve(429, &headers, Jitter::None).await;
        let waits = asked.is_some_and(|asked| asked <= Duration::from_secs(30));
        let expected = if waits { ("committed", 2) } else { ("quota", 1) };
        assert_eq!((resolution.outcome.word(), resolution.tries.len()), expected, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_date_of_its_own_a_time_is_by_our_clock() {
    let at = |after| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(after));
    let resolution = approve(429, &[("retry-after", &at(20)), ("date", "no date")], Jitter::None).await;
    let waited = resolution.tries[1].waited;
    assert!((Duration::from_secs(18)..=Duration::from_secs(20)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn all_who_were_told_the_same_time_come_a_little_later_and_not_at_once() {
    let mut waits = Vec::new();
    for jitter in [Jitter::Equal, Jitter::Full].repeat(20) {
        let waited = approve(429, &[("retry-after", "10")], jitter).await.tries[1].waited;
        assert!((Duration::from_secs(10)..=Duration::from_millis(11_001)).contains(&waited), "{waited:?}");
        waits.push(waited);
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 20, "{waits:?}");
}
