//! Orphans with a clock of the test's own: five minutes to the microsecond, and a key that is free again once.

use super::super::super::{Decided, Store as _};
use super::super::tests::{Fixture, SECOND, START};
use crate::domain::{ActionState, RowStatus};

const MINUTE: i64 = 60 * SECOND;

/// What another server would have left: a decision that was begun then and never ended.
async fn orphan(fixture: &Fixture, key: &str, action_id: Option<&str>, begun: i64) {
    let action_id = action_id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    let insert = format!(
        "INSERT INTO decision (tenant, thread, key, action_id, status, verdict, reviewer, request_id, decided_at)
         VALUES ('t', 'thread', '{key}', {action_id}, 'PENDING', 'reject', 'gone', 'old-{key}', {begun});
         INSERT INTO call (tenant, request_id, decision_id, at)
         SELECT tenant, request_id, id, decided_at FROM decision WHERE request_id = 'old-{key}';"
    );
    fixture.kept.change(&insert).await;
}

async fn status(fixture: &Fixture, request_id: &str) -> Option<(RowStatus, bool)> {
    let standing = fixture.store.standing(Some("t".into()), request_id.into()).await.unwrap();
    standing.map(|(row, why)| (row.status, why.is_some()))
}

#[tokio::test]
async fn an_orphan_is_given_up_after_five_minutes_and_its_key_decides_once_more() {
    let fixture = Fixture::new().await;
    orphan(&fixture, "k", None, START).await;
    let due = fixture.store.expire().await.unwrap();
    assert_eq!(
        due.map(jiff::Timestamp::as_microsecond),
        Some(START + 5 * MINUTE),
        "the janitor knows when to come"
    );
    fixture.set(START + 5 * MINUTE - 1);
    fixture.store.expire().await.unwrap();
    let Ok(Decided::Duplicate(row)) = fixture.decide("k").await else { panic!("not a duplicate") };
    assert_eq!((row.status, row.request_id.as_str()), (RowStatus::Pending, "old-k"));
    assert_eq!(status(&fixture, "old-k").await, Some((RowStatus::Pending, true)));
    fixture.set(START + 5 * MINUTE);
    assert_eq!(fixture.store.expire().await, Ok(None));
    assert_eq!(status(&fixture, "old-k").await, Some((RowStatus::Failed, true)));
    assert!(matches!(fixture.decide("k").await, Ok(Decided::Accepted(_))), "by the other verdict, even");
    assert!(
        matches!(fixture.decide("k").await, Ok(Decided::Duplicate(row)) if row.status == RowStatus::Committed)
    );
    assert_eq!(status(&fixture, "old-k").await, Some((RowStatus::Committed, false)));
    fixture.set(START + 60 * MINUTE);
    assert_eq!(fixture.store.expire().await, Ok(None), "what is committed is nobody's orphan");
    assert_eq!(fixture.kept.rows("SELECT status, verdict FROM decision").await, ["COMMITTED|approve"]);
    assert_eq!(fixture.kept.rows("SELECT kind FROM outbox").await, ["ExecutionApproved"]);
}

#[tokio::test]
async fn an_orphan_on_an_action_decides_nothing_and_the_action_can_still_be_decided() {
    let fixture = Fixture::new().await;
    fixture.set(START + 10 * MINUTE);
    fixture.ask_for("a", 1).await;
    orphan(&fixture, "key-a", Some("a"), START).await;
    let before = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
    assert_eq!((before.state, before.decision), (ActionState::Pending, None), "nobody has decided it");
    assert!(
        matches!(fixture.decide("key-a").await, Ok(Decided::Duplicate(row)) if row.status == RowStatus::Pending)
    );
    fixture.store.expire().await.unwrap();
    assert!(matches!(fixture.decide("key-a").await, Ok(Decided::Accepted(_))));
    let after = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
    assert_eq!((after.state, after.decision.unwrap().reviewer.as_str()), (ActionState::Approved, "dana"));
    assert_eq!(
        fixture.kept.rows("SELECT kind FROM outbox ORDER BY seq").await,
        ["ActionCreated", "ExecutionApproved"]
    );
}

#[tokio::test]
async fn a_key_whose_decision_has_an_event_is_never_given_away() {
    let fixture = Fixture::new().await;
    assert!(matches!(fixture.decide("k").await, Ok(Decided::Accepted(_))));
    fixture.kept.change("UPDATE decision SET status = 'FAILED'").await;
    assert!(
        matches!(fixture.decide("k").await, Ok(Decided::Duplicate(row)) if row.status == RowStatus::Failed)
    );
    assert_eq!(fixture.kept.rows("SELECT count(*) FROM outbox").await, ["1"]);
}
