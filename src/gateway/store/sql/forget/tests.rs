//! What is forgotten and what is not, with a clock of the test's own.

use super::super::super::{Decided, DecisionCall, Own, Store as _};
use super::super::tests::{Fixture, SECOND, START};
use crate::domain::Verdict;
use jiff::Timestamp;

const DAY: i64 = 24 * 60 * 60 * SECOND;

fn day(n: i64) -> Timestamp {
    Timestamp::from_microsecond(START + n * DAY).unwrap()
}

async fn there(fixture: &Fixture, id: &str) -> bool {
    fixture.store.record("t".into(), id.into()).await.unwrap().is_some()
}

/// Forgets what ended before that day, until nothing more does.
async fn forget(fixture: &Fixture, before: i64) -> u64 {
    let mut all = 0;
    loop {
        match fixture.store.forget(day(before), 3).await.unwrap() {
            0 => return all,
            gone => all += gone,
        }
    }
}

#[tokio::test]
async fn what_ended_long_ago_goes_with_all_that_belongs_to_it_and_what_waits_stays() {
    let fixture = Fixture::new().await;
    for id in ["approved", "taken", "expired"] {
        fixture.ask(id).await;
    }
    for key in ["key-approved", "key-taken", "nobody-asked"] {
        assert!(matches!(fixture.decide(key).await, Ok(Decided::Accepted(_))), "{key}");
        assert!(matches!(fixture.decide(key).await, Ok(Decided::Duplicate(_))), "{key}");
    }
    assert!(matches!(fixture.consume("taken").await, Own::Done(_)));
    fixture.set(START + 20 * SECOND);
    fixture.store.expire().await.unwrap();
    fixture.set(START + 2 * DAY);
    fixture.ask("waits").await;
    assert_eq!(forget(&fixture, 0).await, 0, "nothing is as old as that");
    assert!(fixture.store.standing(None, "request-nobody-asked".into()).await.unwrap().is_some());
    assert_eq!(forget(&fixture, 1).await, 4);
    for id in ["approved", "taken", "expired"] {
        assert!(!there(&fixture, id).await, "{id}");
    }
    for request in ["request-key-approved", "request-key-taken", "request-nobody-asked"] {
        assert!(fixture.store.standing(None, request.into()).await.unwrap().is_none(), "{request}");
    }
    assert!(there(&fixture, "waits").await);
    assert_eq!(fixture.kinds().await, ["ActionCreated"], "of the one that waits");
    assert_eq!(forget(&fixture, 100).await, 0, "what waits is never forgotten");
    fixture.ask("approved").await;
    assert!(
        matches!(fixture.decide("nobody-asked").await, Ok(Decided::Accepted(_))),
        "its key is free again"
    );
}

#[tokio::test]
async fn a_key_that_was_sent_again_and_the_newest_event_keep_what_they_belong_to() {
    let fixture = Fixture::new().await;
    for id in ["again", "quiet", "newest"] {
        fixture.ask(id).await;
        assert!(matches!(fixture.decide(&format!("key-{id}")).await, Ok(Decided::Accepted(_))), "{id}");
    }
    let last = fixture.store.last_event().await.unwrap();
    fixture.set(START + 3 * DAY);
    let call = DecisionCall {
        tenant: "t".into(),
        thread: "thread".into(),
        key: "key-again".into(),
        request_id: "another".into(),
        verdict: Verdict::Approve,
        reviewer: "erin".into(),
        body: "sha256:00".into(),
        review: None,
    };
    assert!(matches!(fixture.store.decide(call).await, Ok(Decided::Duplicate(_))));
    assert_eq!(forget(&fixture, 2).await, 1);
    let left =
        [there(&fixture, "again").await, there(&fixture, "quiet").await, there(&fixture, "newest").await];
    assert_eq!(left, [true, false, true]);
    assert_eq!(fixture.store.last_event().await.unwrap(), last, "listeners go on from it");
}
