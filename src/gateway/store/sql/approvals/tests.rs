//! Several reviewers on one action, with a clock of the test's own: approvals within 4 s, the action within 10 s.

use super::super::super::{Decided, DecisionCall, Review, Store as _, StoreError};
use super::super::tests::{Fixture, SECOND, START};
use crate::domain::{ActionState, RowStatus, Verdict};

/// What became of a call, shortly.
fn shortly(decided: Result<Decided, StoreError>) -> String {
    match decided.unwrap() {
        Decided::Accepted(row) => format!("accepted {}", row.reviewer),
        Decided::Counted { count, needed, row } => format!("{count} of {needed} {}", row.status.word()),
        Decided::Duplicate(row) => {
            format!("409 {} {} {} {}", row.reviewer, row.verdict.word(), row.request_id, row.status.word())
        }
        other => format!("{other:?}"),
    }
}

async fn decide(fixture: &Fixture, reviewer: &str, verdict: Verdict, digest: Option<&str>) -> String {
    let review = digest.map(|digest| Review {
        action_id: Some("a".into()),
        digest: Some(digest.to_owned()),
        reason: Some(format!("{reviewer} has looked")),
    });
    let call = DecisionCall {
        tenant: "t".into(),
        thread: "thread".into(),
        key: "key-a".into(),
        request_id: format!("request-{reviewer}"),
        verdict,
        reviewer: reviewer.into(),
        body: "sha256:00".into(),
        review,
    };
    shortly(fixture.store.decide(call).await)
}

async fn approve(fixture: &Fixture, reviewer: &str, digest: &str) -> String {
    decide(fixture, reviewer, Verdict::Approve, Some(digest)).await
}

/// What a status call with that reviewer's request id says: reviewer, verdict, status, detail.
async fn status(fixture: &Fixture, reviewer: &str) -> String {
    let standing = fixture.store.standing(Some("t".into()), format!("request-{reviewer}")).await.unwrap();
    let Some((row, detail)) = standing else { return "none".into() };
    let detail = detail.and_then(|detail| detail.split(':').next()).unwrap_or_default();
    format!("{} {} {} {detail}", row.reviewer, row.verdict.word(), row.status.word()).trim_end().to_owned()
}

async fn state(fixture: &Fixture) -> ActionState {
    fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap().state
}

#[tokio::test]
async fn two_distinct_reviewers_decide_and_one_alone_does_not() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 2).await;
    assert_eq!(approve(&fixture, "alice", &digest).await, "1 of 2 PENDING");
    assert_eq!(state(&fixture).await, ActionState::Pending);
    assert_eq!(status(&fixture, "alice").await, "alice approve PENDING");
    assert_eq!(approve(&fixture, "alice", &digest).await, "409 alice approve request-alice PENDING");
    assert_eq!(approve(&fixture, "bob", &digest).await, "accepted bob");
    assert_eq!(state(&fixture).await, ActionState::Approved);
    for reviewer in ["alice", "bob"] {
        assert_eq!(status(&fixture, reviewer).await, format!("{reviewer} approve COMMITTED"));
        let again = approve(&fixture, reviewer, &digest).await;
        assert_eq!(again, format!("409 {reviewer} approve request-{reviewer} COMMITTED"));
    }
    assert_eq!(approve(&fixture, "carol", &digest).await, "409 bob approve request-bob COMMITTED");
    assert_eq!(fixture.kinds().await, ["ActionCreated", "ActionReviewed", "ExecutionApproved"]);
    let record = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
    let told: Vec<_> = record.approvals.iter().map(|it| (it.reviewer.as_str(), it.status)).collect();
    assert_eq!(told, [("alice", RowStatus::Committed), ("bob", RowStatus::Committed)]);
}

#[tokio::test]
async fn any_rejection_ends_it_also_that_of_who_approved() {
    for rejecter in ["bob", "alice"] {
        let fixture = Fixture::new().await;
        let digest = fixture.ask_for("a", 3).await;
        assert_eq!(approve(&fixture, "alice", &digest).await, "1 of 3 PENDING");
        let rejected = decide(&fixture, rejecter, Verdict::Reject, Some(&digest)).await;
        assert_eq!(rejected, format!("accepted {rejecter}"));
        assert_eq!(status(&fixture, "alice").await, format!("{rejecter} reject COMMITTED"));
        assert_eq!(
            approve(&fixture, "bob", &digest).await,
            format!("409 {rejecter} reject request-{rejecter} COMMITTED")
        );
    }
}

#[tokio::test]
async fn an_approval_lapses_once_and_its_call_may_be_sent_again() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 2).await;
    assert_eq!(approve(&fixture, "alice", &digest).await, "1 of 2 PENDING");
    fixture.set(START + 4 * SECOND - 1);
    let next = fixture.store.expire().await.unwrap().unwrap();
    assert_eq!(next.as_microsecond(), START + 4 * SECOND, "the next thing is that it lapses");
    fixture.set(START + 4 * SECOND);
    assert_eq!(approve(&fixture, "bob", &digest).await, "1 of 2 PENDING", "before anybody has let it lapse");
    fixture.store.expire().await.unwrap();
    assert_eq!(status(&fixture, "alice").await, "alice approve FAILED lapsed");
    assert_eq!(approve(&fixture, "alice", &digest).await, "accepted alice");
    assert_eq!(status(&fixture, "alice").await, "alice approve COMMITTED");
    fixture.set(START + 9 * SECOND);
    fixture.store.expire().await.unwrap();
    assert_eq!(status(&fixture, "bob").await, "bob approve COMMITTED", "what decided does not lapse");
}

#[tokio::test]
async fn a_lapse_is_told_and_acted_on_once() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 2).await;
    approve(&fixture, "alice", &digest).await;
    fixture.set(START + 5 * SECOND);
    let [one, two] = [fixture.store.expire(), fixture.store.expire()];
    let (one, two) = tokio::join!(one, two);
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(fixture.kinds().await, ["ActionCreated", "ActionReviewed", "ActionReviewed"]);
    fixture.set(START + 10 * SECOND);
    fixture.store.expire().await.unwrap();
    assert_eq!(state(&fixture).await, ActionState::Expired);
    assert_eq!(status(&fixture, "alice").await, "alice approve FAILED expired");
}

#[tokio::test]
async fn an_approval_that_names_no_digest_is_not_counted_and_nobody_counts_twice() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 2).await;
    assert_eq!(decide(&fixture, "alice", Verdict::Approve, None).await, "DigestMissing");
    assert_eq!(decide(&fixture, "alice", Verdict::Approve, Some("sha256:00")).await, "DigestDiffers");
    assert_eq!(decide(&fixture, "bot", Verdict::Approve, Some(&digest)).await, "OwnAction");
    let all = (0..20).map(|_| approve(&fixture, "alice", &digest));
    let told = futures_util::future::join_all(all).await;
    assert_eq!(told.iter().filter(|told| *told == "1 of 2 PENDING").count(), 1, "{told:?}");
    assert_eq!(state(&fixture).await, ActionState::Pending);
}

#[tokio::test]
async fn of_many_who_approve_at_once_as_many_as_are_needed_decide() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 3).await;
    let names: Vec<_> = (0..12).map(|n| format!("r{n}")).collect();
    let told =
        futures_util::future::join_all(names.iter().map(|name| approve(&fixture, name, &digest))).await;
    let count = |what: &str| told.iter().filter(|told| told.starts_with(what)).count();
    assert_eq!((count("1 of 3"), count("2 of 3"), count("accepted"), count("409")), (1, 1, 1, 9), "{told:?}");
}

/// What the queue tells of the reviewers: how many of how many, each with the reason that is told, and until when.
async fn review(fixture: &Fixture, id: &str) -> String {
    let record = fixture.store.record("t".into(), id.into()).await.unwrap().unwrap();
    let Some(review) = record.queued().unwrap().review else { return "none".into() };
    let approval = |approval: &crate::domain::Approval| {
        let reason = approval.reason.as_ref().map_or("-", |reason| reason.raw());
        format!(" {}: {reason}", approval.reviewer.raw())
    };
    let approvals: String = review.approvals.iter().map(approval).collect();
    let until = review.until.map(|at| format!(" until {}", at.as_microsecond() - START)).unwrap_or_default();
    format!("{} of {}{approvals}{until}", review.count(), review.needed)
}

#[tokio::test]
async fn the_queue_says_who_has_approved_and_keeps_the_reasons_until_it_is_decided() {
    let fixture = Fixture::new().await;
    let digest = fixture.ask_for("a", 2).await;
    assert_eq!(review(&fixture, "a").await, "0 of 2");
    approve(&fixture, "alice", &digest).await;
    let until = 4 * SECOND;
    assert_eq!(review(&fixture, "a").await, format!("1 of 2 alice: - until {until}"));
    for _ in 0..2 {
        let standing = fixture.store.standing(Some("t".into()), "request-alice".into()).await.unwrap();
        assert_eq!(standing.unwrap().0.counted.as_deref(), Some("1 of 2"));
        assert!(approve(&fixture, "alice", &digest).await.starts_with("409 alice"));
    }
    fixture.set(START + 5 * SECOND);
    fixture.store.expire().await.unwrap();
    assert_eq!(review(&fixture, "a").await, "0 of 2", "what has lapsed does not count");
    approve(&fixture, "bob", &digest).await;
    approve(&fixture, "carol", &digest).await;
    assert_eq!(review(&fixture, "a").await, "2 of 2 bob: bob has looked carol: carol has looked");
    fixture.ask_for("b", 1).await;
    assert_eq!(review(&fixture, "b").await, "none");
}
