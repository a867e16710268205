//! That everything is told, in the transaction of what it tells, and that the log then holds; on either database.

use super::super::super::{Decided, LookCall, PauseCall, Report, Store as _, StoreError, Told};
use super::super::tests::{Fixture, SECOND, START, key, owner};
use crate::gateway::audit::entry::{Entry, Facts, Kind};
use crate::gateway::audit::verify::{self, verify};
use std::collections::HashSet;
use std::time::Duration;

async fn told(fixture: &Fixture) -> Vec<Entry> {
    fixture
        .log(|log| {
            let (mut all, mut after) = (Vec::new(), i64::MIN);
            loop {
                let rows = log.rows(after).unwrap();
                let Some(last) = rows.last() else { return all };
                after = last.seq;
                all.extend(rows.iter().map(|row| Entry::read(&row.row.as_ref().unwrap().entry).unwrap()));
            }
        })
        .await
}

async fn kinds(fixture: &Fixture) -> Vec<String> {
    told(fixture).await.into_iter().map(|entry| entry.kind).collect()
}

async fn verified(fixture: &Fixture) -> verify::Report {
    let report = fixture.log(|log| verify(log, vec![key().public()], Vec::new()).unwrap()).await;
    assert_eq!(report.troubles, []);
    report
}

#[tokio::test]
async fn an_action_is_told_from_its_asking_to_its_outcome() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    assert!(matches!(fixture.decide("key-a").await, Ok(Decided::Accepted(_))));
    assert!(matches!(fixture.decide("key-a").await, Ok(Decided::Duplicate(_))));
    fixture.consume("a").await;
    // The same answer again is nothing new.
    fixture.consume("a").await;
    let report = Report { succeeded: true, note: Some("done \u{1b}[2J".into()) };
    fixture.store.report(owner(), "a".into(), report).await.unwrap();
    let all = told(&fixture).await;
    let kinds: Vec<_> = all.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["asked", "sent", "decided", "answered", "sent", "answered", "consumed", "outcome"]);
    assert!(all.iter().all(|entry| entry.action_id.as_deref() == Some("a") && entry.tenant == "t"));
    let by: Vec<_> = all.iter().map(|entry| entry.by.as_str()).collect();
    assert_eq!(by, ["bot", "dana", "dana", "gateway", "dana", "gateway", "bot", "bot"]);
    let record = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
    assert_eq!(all[0].text("sealed"), Some(&*record.sealed));
    assert_eq!(
        (all[0].text("digest"), all[6].text("digest")),
        (Some(&*record.digest), Some(&*record.digest))
    );
    assert_eq!((all[1].text("request_id"), all[1].text("body")), (Some("request-key-a"), Some("sha256:00")));
    assert_eq!((all[3].number("status"), all[3].text("answer")), (Some(202), Some("accepted")));
    assert_eq!((all[5].number("status"), all[5].text("answer")), (Some(409), Some("duplicate")));
    assert_eq!((all[7].text("outcome"), all[7].text("note")), (Some("succeeded"), Some("done \u{1b}[2J")));
    assert_eq!(verified(&fixture).await.rows, 8);
}

#[tokio::test]
async fn several_reviewers_deadlines_and_pauses_are_told() {
    let fixture = Fixture::new().await;
    fixture.ask_for("a", 2).await;
    assert!(matches!(fixture.decide("key-a").await, Ok(Decided::DigestMissing)));
    fixture.ask("b").await;
    fixture.store.withdraw(owner(), "b".into()).await.unwrap();
    let pause = |paused| PauseCall {
        tenant: "t".into(),
        agent: "bot".into(),
        has_credential: true,
        paused,
        reviewer: "dana".into(),
    };
    for paused in [true, true, false] {
        fixture.store.pause(pause(paused)).await.unwrap();
    }
    fixture.set(START + 11 * SECOND);
    fixture.store.expire().await.unwrap();
    assert_eq!(
        kinds(&fixture).await,
        ["asked", "sent", "answered", "asked", "withdrawn", "paused", "resumed", "expired"]
    );
    verified(&fixture).await;
}

#[tokio::test]
async fn who_saw_it_and_for_how_long_is_told() {
    let fixture = Fixture::new().await;
    let (a, b) = (fixture.ask_for("a", 1).await, fixture.ask_for("b", 1).await);
    let look = |at: Option<(&str, &str)>| {
        let at = at.map(|(id, digest)| (id.to_owned(), digest.to_owned()));
        let call =
            LookCall { tenant: "t".into(), reviewer: "dana".into(), at, holds: Duration::from_secs(30) };
        fixture.store.look(call)
    };
    // Said again while it goes on: nothing new.
    for (after, at) in
        [(0, Some(("a", &*a))), (10, Some(("a", &*a))), (15, Some(("b", &*b))), (100, None), (101, None)]
    {
        fixture.set(START + after * SECOND);
        look(at).await.unwrap();
    }
    let all: Vec<_> = told(&fixture).await.into_iter().skip(2).collect();
    let told: Vec<_> = all
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.action_id.as_deref().unwrap(), entry.number("ms")))
        .collect();
    // Of the second nothing was heard any more, and it holds for 30 s.
    let expected =
        [("seen", "a", None), ("left", "a", Some(15_000)), ("seen", "b", None), ("left", "b", Some(30_000))];
    assert_eq!(told, expected);
    assert_eq!((all[0].text("digest"), all[0].by.as_str()), (Some(&*a), "dana"));
    verified(&fixture).await;
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_row_and_no_gap() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    let failed = fixture.store.writer.run(|tx| {
        tx.audit(Kind::Seen, "t", "dana", None, Facts::default())?;
        Err::<(), _>(StoreError::Database("a test".into()))
    });
    let kept = fixture.decide("key-a");
    let (failed, kept) = tokio::join!(failed, kept);
    assert!(failed.is_err() && kept.is_ok());
    assert_eq!(kinds(&fixture).await, ["asked", "sent", "decided", "answered"]);
    verified(&fixture).await;
}

#[tokio::test]
async fn every_so_many_rows_are_signed_and_the_rest_when_it_is_asked_for() {
    let fixture = Fixture::new().await;
    let mut grew = fixture.store.log_grew();
    assert_eq!(fixture.store.last_checkpoint(u64::MAX).await.unwrap(), None);
    // Nothing to sign.
    fixture.store.checkpoint().await.unwrap();
    let calls = (0..130).map(|number| {
        let facts = Facts::default().number("number", number);
        let (kind, tenant, by) = (Kind::Seen, "t".into(), "dana".into());
        fixture.store.tell(Told { kind, tenant, by, action_id: None, facts })
    });
    for done in futures_util::future::join_all(calls).await {
        done.unwrap();
    }
    assert_eq!(*grew.borrow_and_update(), 130);
    assert_eq!(fixture.store.log_size().await.unwrap(), 130);
    let size = fixture.store.last_checkpoint(u64::MAX).await.unwrap().map(|note| note.size);
    assert_eq!(size, Some(128));
    assert_eq!(verified(&fixture).await.stored, (2, 128));
    fixture.store.checkpoint().await.unwrap();
    fixture.store.checkpoint().await.unwrap();
    assert_eq!(verified(&fixture).await.stored, (3, 130));
    let size = fixture.store.last_checkpoint(129).await.unwrap().map(|note| note.size);
    assert_eq!(size, Some(128));
    let numbers: HashSet<_> = told(&fixture).await.iter().map(|entry| entry.number("number")).collect();
    assert_eq!(numbers.len(), 130);
}

#[tokio::test]
async fn whoever_was_at_the_rows_is_found_out_on_either_database() {
    for (sql, row, word) in [
        ("UPDATE audit SET entry = replace(entry, 'dana', 'evie') WHERE seq = 2", 2, "edited"),
        ("UPDATE audit SET kind = 'seen' WHERE seq = 3", 3, "column kind"),
        ("DELETE FROM audit WHERE seq = 2", 2, "deleted"),
        ("DELETE FROM audit WHERE seq > 2", 3, "cut off"),
    ] {
        let fixture = Fixture::new().await;
        fixture.ask("a").await;
        fixture.decide("key-a").await.unwrap();
        let unlocked = match fixture.kept.url() {
            None => vec!["DROP TRIGGER audit_is_not_changed", "DROP TRIGGER audit_is_not_taken_away"],
            Some(_) => vec!["ALTER TABLE audit DISABLE TRIGGER USER"],
        };
        for sql in unlocked.into_iter().chain([sql]) {
            fixture.store.writer.run(move |tx| tx.db.execute(sql, &[]).map(drop)).await.unwrap();
        }
        let report = fixture.log(|log| verify(log, vec![key().public()], Vec::new()).unwrap()).await;
        let first = report.troubles.first().unwrap_or_else(|| panic!("nothing: {sql}"));
        assert!(first.row == row && first.to_string().contains(word), "{sql}: {first}");
    }
}

#[tokio::test]
async fn where_the_log_does_not_end_where_it_says_nothing_is_done() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    let tamper = |sql: &'static str| fixture.store.writer.run(move |tx| tx.db.execute(sql, &[]).map(drop));
    tamper("UPDATE audit_head SET hash = 'none'").await.unwrap();
    let refused = fixture.decide("key-a").await;
    assert!(
        matches!(&refused, Err(StoreError::Database(why)) if why.contains("audit verify")),
        "{refused:?}"
    );
    let record = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
    assert_eq!(record.decision, None);
    // Nor is a row changed or taken away by mistake.
    for sql in ["UPDATE audit SET kind = 'seen'", "DELETE FROM audit"] {
        assert!(matches!(tamper(sql).await, Err(StoreError::Database(why)) if why.contains("append-only")));
    }
}
