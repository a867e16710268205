//! Tables for the outcomes: what is kept, what is counted, what can be sent again.

use super::rows::KEPT;
use super::*;
use crate::client::AttemptEvent;
use crate::domain::{ActionState, Outcome, Resolution, Verdict};

fn entry(id: &str) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k-{id}","agent":"g","action":"x",
        "payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    Queued::pending(Action::read(sealed).unwrap())
}

fn order(number: u128, action: &str) -> Order {
    Order {
        id: Uuid::from_u128(number),
        request_id: Uuid::from_u128(number + 1_000_000),
        action: entry(action).action,
        verdict: Verdict::Approve,
        reason: None,
        reviewer: None,
        decided_at: Timestamp::UNIX_EPOCH,
    }
}

fn resolution(outcome: Outcome) -> Resolution {
    Resolution {
        outcome,
        http_status: None,
        standing: None,
        detail: None,
        tries: Vec::new(),
        request_id: "r".into(),
        idempotency_key: "k".into(),
    }
}

fn decided(outcomes: &mut Outcomes, number: u128, action: &str, outcome: Outcome) {
    outcomes.decided(order(number, action), true, Duration::ZERO);
    let news = News::Resolved(resolution(outcome));
    let ours = outcomes.hear(Uuid::from_u128(number), news, Duration::from_secs(1));
    assert_eq!(ours.map(|ours| ours.order.action.id.as_str()), Some(action));
}

#[test]
fn only_what_was_given_up_on_can_be_sent_again() {
    for (outcome, again) in [
        (Outcome::Accepted, false),
        (Outcome::Committed, false),
        (Outcome::Mine, false),
        (Outcome::Same, false),
        (Outcome::Conflict, false),
        (Outcome::Unknown, false),
        (Outcome::Refused, false),
        (Outcome::Failed, true),
        (Outcome::InProgress, true),
        (Outcome::NotSent, true),
        (Outcome::Unconfirmed, true),
        (Outcome::Quota { until: None }, true),
    ] {
        let mut outcomes = Outcomes::default();
        decided(&mut outcomes, 1, "a", outcome.clone());
        assert_eq!(outcomes.try_again(Duration::ZERO), again.then(|| order(1, "a")), "{outcome:?}");
        assert_eq!(outcomes.queued(), usize::from(again));
    }
}

#[test]
fn an_older_decision_is_not_sent_again_past_a_newer_one() {
    let mut outcomes = Outcomes::default();
    outcomes.resize(Some(Rect::new(0, 0, 80, 10)));
    decided(&mut outcomes, 1, "a", Outcome::NotSent);
    decided(&mut outcomes, 2, "a", Outcome::Committed);
    outcomes.go(Intent::Bottom);
    assert_eq!(outcomes.selected().map(|row| row.id), Some(Uuid::from_u128(1)));
    assert_eq!(outcomes.try_again(Duration::ZERO), None);
}

#[test]
fn open_conflicts_stand_above_all_and_are_never_dropped() {
    let mut outcomes = Outcomes::default();
    decided(&mut outcomes, 1, "a", Outcome::Conflict);
    for number in 0..KEPT {
        let id = Uuid::from_u128(10 + number as u128);
        outcomes.settled(id, Timestamp::UNIX_EPOCH, Queued { state: ActionState::Expired, ..entry("b") });
    }
    assert_eq!(outcomes.rows.len(), KEPT);
    assert_eq!(outcomes.newest().map(|row| row.id), Some(Uuid::from_u128(1)));
    assert_eq!(outcomes.acknowledge(), Some(Uuid::from_u128(1)));
    assert_eq!((outcomes.conflicts(), outcomes.acknowledge()), (0, None));
    assert_ne!(outcomes.newest().map(|row| row.id), Some(Uuid::from_u128(1)));
}

#[test]
fn the_row_under_the_cursor_stays_in_sight() {
    let mut outcomes = Outcomes::default();
    outcomes.resize(Some(Rect::new(0, 0, 80, 5)));
    decided(&mut outcomes, 1, "a", Outcome::NotSent);
    outcomes.go(Intent::Bottom);
    for number in 2..20 {
        decided(&mut outcomes, number, "b", Outcome::Committed);
        outcomes.resize(Some(Rect::new(0, 0, 80, 5)));
    }
    assert!(outcomes.shown().iter().any(|row| row.id == Uuid::from_u128(1)));
}

#[test]
fn late_news_of_a_try_changes_nothing_that_has_ended() {
    let mut outcomes = Outcomes::default();
    decided(&mut outcomes, 1, "a", Outcome::Committed);
    let before = outcomes.rows.clone();
    for number in [1, 9] {
        outcomes.hear(Uuid::from_u128(number), News::Attempt(AttemptEvent::Looking), Duration::ZERO);
    }
    assert_eq!(outcomes.rows, before);
}
