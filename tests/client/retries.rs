//! The tries, waits and limits of one call, on a paused clock.

use crate::script::{Answer, Script, body, builder, client, status};
use aegis_console::client::{AttemptEvent, Jitter};
use aegis_console::domain::Outcome;
use std::time::Duration;
use tokio::time::Instant;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn four_tries_with_the_published_waits_then_the_weaker_word() {
    let script = Script::deciding([status(503)]);
    let started = Instant::now();
    let resolution = client(&script).approve("k").send().await.unwrap();
    assert_eq!(resolution.outcome, Outcome::Unconfirmed, "a 5xx may have landed");
    let waited: Vec<_> = resolution.tries.iter().map(|one| one.waited.as_millis()).collect();
    assert_eq!(waited, [0, 500, 1000, 2000]);
    assert_eq!(resolution.tries.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(started.elapsed(), ms(3500));
    assert_eq!(script.looks(), 1, "one last look");
}

#[tokio::test(start_paused = true)]
async fn the_waits_are_spread_inside_the_published_ones() {
    for _ in 0..20 {
        let script = Script::deciding([Answer::NotSent]);
        let client = builder(&script).jitter(Jitter::Equal).build().unwrap();
        let resolution = client.approve("k").send().await.unwrap();
        assert_eq!(resolution.outcome, Outcome::NotSent);
        for (one, whole) in resolution.tries.iter().skip(1).zip([500, 1000, 2000]) {
            // The paused clock counts in whole milliseconds, rounded up.
            assert!((ms(whole / 2)..=ms(whole + 1)).contains(&one.waited), "{:?}", one.waited);
        }
        assert_eq!(script.looks(), 0, "nothing can have landed, so nothing is asked");
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_all_of_it_as_it_happens() {
    let script =
        Script::new([Answer::Lost, status(202)], [status(404), body(200, r#"{"status":"COMMITTED"}"#)]);
    let mut running = client(&script).approve("k").start().unwrap();
    let resolution = running.resolution.await;
    assert_eq!(resolution.outcome, Outcome::Committed);
    let mut told = Vec::new();
    while let Some(event) = running.events.recv().await {
        told.push(match event {
            AttemptEvent::Started { number, of, .. } => format!("started {number} of {of}"),
            AttemptEvent::Answered { number, http_status: Some(status), error: None, .. } => {
                format!("{number}: {status}")
            }
            AttemptEvent::Answered { number, error, .. } => format!("{number}: {}", error.unwrap()),
            AttemptEvent::Waiting { next_number, of, .. } => format!("waiting for {next_number} of {of}"),
            AttemptEvent::Looking => "looking".into(),
        });
    }
    let expected = [
        "started 1 of 4",
        "1: reset by ␛[2Jpeer",
        "waiting for 2 of 4",
        "looking",
        "started 2 of 4",
        "2: 202",
        "looking",
    ];
    assert_eq!(told, expected);
    assert_eq!(resolution.tries[0].error.as_deref(), Some("reset by ␛[2Jpeer"));
}

#[tokio::test(start_paused = true)]
async fn nobody_needs_to_listen() {
    let script = Script::deciding([status(500)]);
    let running = builder(&script).max_retries(300).deadline(Duration::from_secs(100_000)).build().unwrap();
    let running = running.approve("k").start().unwrap();
    drop(running.events);
    assert_eq!(running.resolution.await.tries.len(), 301);
    let unread = builder(&script).max_retries(300).deadline(Duration::from_secs(100_000)).build().unwrap();
    let unread = unread.approve("k").start().unwrap();
    assert_eq!(unread.resolution.await.tries.len(), 301, "a full channel holds nothing up");
}

#[tokio::test(start_paused = true)]
async fn a_try_ends_at_its_timeout_whatever_the_transport_does() {
    let script = Script::new([Answer::Hang], [Answer::Hang]);
    let started = Instant::now();
    let resolution = client(&script).approve("k").send().await.unwrap();
    assert_eq!(resolution.outcome, Outcome::Unconfirmed);
    assert!(resolution.tries[0].error.as_deref().unwrap().contains("10 s"), "{:?}", resolution.tries[0]);
    assert!(started.elapsed() <= Duration::from_secs(45), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_past_the_deadline() {
    for decisions in
        [Answer::Hang, Answer::Lost, status(503), body(409, r#"{"status":"PENDING"}"#), status(202)]
    {
        for looks in [Answer::Hang, status(503), body(200, r#"{"status":"PENDING"}"#)] {
            let script = Script::new([decisions.clone()], [looks.clone()]);
            let client = builder(&script).deadline(ms(3_000)).max_retries(50).build().unwrap();
            let started = Instant::now();
            client.approve("k").send().await.unwrap();
            assert!(started.elapsed() <= ms(3_010), "{decisions:?} {looks:?}: {:?}", started.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured() {
    let hinted = |status, value: &str| Answer::Hinted(status, "retry-after", value.into());
    let script = Script::deciding([hinted(429, "3"), hinted(503, "4"), status(202)]);
    let resolution = client(&script).approve("k").send().await.unwrap();
    let waited: Vec<_> = resolution.tries.iter().map(|one| one.waited.as_secs()).collect();
    assert_eq!((resolution.outcome, waited), (Outcome::Accepted, vec![0, 3, 4]));

    let script = Script::deciding([hinted(429, "3600")]);
    let resolution = client(&script).approve("k").send().await.unwrap();
    let Outcome::Quota { until: Some(until) } = resolution.outcome else { panic!("{resolution:?}") };
    assert!(until > jiff::Timestamp::now() + Duration::from_secs(3500));
    assert_eq!(script.posts().len(), 1);

    let script = Script::deciding([hinted(503, "3600")]);
    let resolution = client(&script).approve("k").send().await.unwrap();
    assert_eq!((resolution.outcome, resolution.tries.len()), (Outcome::Unconfirmed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_puts_it_off_every_time() {
    let hinted = Answer::Hinted(429, "retry-after", "1".into());
    let quota = client(&Script::deciding([hinted.clone()])).approve("k").send().await.unwrap();
    assert!(matches!(quota.outcome, Outcome::Quota { until: Some(_) }), "{quota:?}");
    assert_eq!(quota.tries.len(), 4);
    let then_gone = client(&Script::deciding([hinted, Answer::NotSent])).approve("k").send().await.unwrap();
    assert_eq!(then_gone.outcome, Outcome::Quota { until: None }, "something did reach the server");
    let early = client(&Script::deciding([status(425)])).approve("k").send().await.unwrap();
    assert_eq!((early.outcome, early.tries.len()), (Outcome::Refused, 4));
    let late = client(&Script::deciding([status(408)])).approve("k").send().await.unwrap();
    assert_eq!((late.outcome, late.tries.len()), (Outcome::Unconfirmed, 4), "a proxy may have said it");
}

#[tokio::test(start_paused = true)]
async fn no_retries_where_none_are_wanted() {
    let script = Script::deciding([status(500)]);
    let client = builder(&script).max_retries(0).build().unwrap();
    assert_eq!(client.approve("k").send().await.unwrap().tries.len(), 1);
}
