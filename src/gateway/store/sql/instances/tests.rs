//! Instances and the tokens beside them, with a clock of the test's own.

use super::super::super::{
    Asked, Made, NewInstance, NewToken, Provisioned, Receiver, Store as _, Which, sqlite,
};
use super::super::tests::{Fixture, START, key};
use crate::gateway::auth::Role;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// An instance of the provisioner `fleet` that is to be made, whose receiver is at that host.
pub(in super::super) fn new(name: &str, host: &str) -> NewInstance {
    NewInstance {
        id: format!("id-{name}"),
        tenant: "t".into(),
        provisioner: "fleet".into(),
        maker: None,
        key: format!("key-{name}"),
        digest: "d".into(),
        name: name.into(),
        distinction: "2".into(),
        hash: format!("hash-{name}"),
        lifetime: SignedDuration::from_hours(24),
        receiver: Some(Receiver {
            url: format!("https://{host}/"),
            host: host.into(),
            registration_id: "r".into(),
            signing_secret: "whsec_s".into(),
        }),
    }
}

#[tokio::test]
async fn an_instance_is_made_once_for_a_key_and_never_under_a_name_that_was_used() {
    let fixture = Fixture::new().await;
    let make = async |new: NewInstance| fixture.store.provision(new).await.unwrap();
    let Provisioned::Fresh(first) = make(new("a", "h")).await else { panic!("it is new") };
    assert_eq!((first.agent.as_str(), first.delivers), ("fleet/a", true));
    assert_eq!(make(new("a", "h")).await, Provisioned::Known(first));
    let other = NewInstance { id: "id-b".into(), key: "key-b".into(), hash: "b".into(), ..new("A", "h") };
    let Provisioned::Fresh(other) = make(other).await else { panic!("it is new") };
    assert_eq!(other.agent, "fleet/A-2");
    // Theirs of that name is another's.
    let theirs =
        NewInstance { provisioner: "others".into(), id: "c".into(), hash: "c".into(), ..new("a", "h") };
    let Provisioned::Fresh(theirs) = make(theirs).await else { panic!("it is new") };
    assert_eq!(theirs.agent, "others/a");
    let of = async |provisioner: &str| {
        fixture.store.instance_of("t".into(), provisioner.into(), "id-a".into()).await
    };
    assert!(of("fleet").await.unwrap().is_some() && of("others").await.unwrap().is_none());
    assert!(!fixture.store.delete_instance("t".into(), "others".into(), "id-a".into()).await.unwrap());
    let ask = |id: &str| fixture.action("fleet/a", id, 1);
    assert!(matches!(fixture.store.ask(ask("x"), 9).await, Ok(Asked::Fresh(_))));
    for _ in 0..2 {
        assert!(fixture.store.delete_instance("t".into(), "fleet".into(), "id-a".into()).await.unwrap());
        assert!(of("fleet").await.unwrap().is_some_and(|instance| instance.revoked && !instance.delivers));
    }
    assert_eq!(fixture.store.ask(ask("y"), 9).await, Ok(Asked::Gone), "a call that was on its way");
    let rows = fixture.kept.rows("SELECT id, state FROM action").await;
    assert_eq!(rows, ["x|cancelled"]);
    assert_eq!(fixture.kept.rows("SELECT count(*) FROM delivery").await, ["0"]);
}

#[tokio::test]
async fn tokens_of_the_schema_before_are_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let before = rusqlite::Connection::open(&file).unwrap();
    for sql in [
        include_str!("../../../../../assets/migrations/0001_queue_and_decisions.sql"),
        include_str!("../../../../../assets/migrations/0002_pauses.sql"),
        include_str!("../../../../../assets/migrations/0003_trust.sql"),
        include_str!("../../../../../assets/migrations/0004_forgetting.sql"),
        "INSERT INTO token (id, tenant, name, role, hash, created_at, created_by, revoked_at, revoked_by)
            VALUES (3, 't', 'alice', 'reviewer', 'h', 1, 'root', NULL, NULL), (7, 't', 'bob', 'admin', 'i', 2, 'root', 3, 'root');
         PRAGMA user_version = 4;",
    ] {
        before.execute_batch(sql).unwrap();
    }
    drop(before);
    let now = Timestamp::from_microsecond(START).unwrap();
    let store = sqlite::open(&file, None, Arc::new(move || now), Duration::from_secs(5), key()).unwrap();
    let rows = store.tokens(None).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|(hash, row)| (hash.as_str(), row.id, &*row.name, row.role, row.revoked.is_some()))
        .collect();
    assert_eq!(told, [("h", 3, "alice", Role::Reviewer, false), ("i", 7, "bob", Role::Admin, true)]);
    let Provisioned::Fresh(made) = store.provision(new("a", "h")).await.unwrap() else { panic!("it is new") };
    assert_eq!(made.hash, "hash-a");
    assert_eq!(store.tokens(None).await.unwrap()[2].1.id, 8);
}

#[tokio::test]
async fn a_makers_token_that_is_taken_back_makes_no_more_and_takes_what_it_made_with_it() {
    let fixture = Fixture::new().await;
    let order = |name: &str, lifetime| NewToken {
        tenant: "t".into(),
        name: name.into(),
        role: Role::Provisioner,
        hash: format!("hash-of-{name}"),
        lifetime,
        by: "root".into(),
    };
    let token = async |order: NewToken| match fixture.store.create_token(order).await {
        Ok(Made::Done(row)) => row.id,
        other => panic!("{other:?}"),
    };
    let fleet = token(order("fleet", None)).await;
    let past = token(order("past", Some(SignedDuration::ZERO))).await;
    let make = async |new: NewInstance| fixture.store.provision(new).await.unwrap();
    let made = make(NewInstance { maker: Some(fleet), ..new("a", "h") }).await;
    assert!(matches!(made, Provisioned::Fresh(_)), "{made:?}");
    assert_eq!(make(NewInstance { maker: Some(past), ..new("b", "h") }).await, Provisioned::MakerGone);
    let theirs = NewInstance { provisioner: "others".into(), ..new("c", "h") };
    assert!(matches!(make(theirs).await, Provisioned::Fresh(_)));
    for (agent, id) in [("fleet/a", "x"), ("others/c", "y")] {
        assert!(matches!(fixture.store.ask(fixture.action(agent, id, 1), 9).await, Ok(Asked::Fresh(_))));
    }
    fixture.store.revoke_tokens(Which::Id(None, fleet), "root".into()).await.unwrap();
    assert_eq!(make(NewInstance { maker: Some(fleet), ..new("d", "h") }).await, Provisioned::MakerGone);
    let rows = fixture.kept.rows("SELECT name, revoked_by FROM token WHERE role = 'agent' ORDER BY id").await;
    assert_eq!(rows, ["fleet/a|root", "others/c|NULL"]);
    let rows = fixture.kept.rows("SELECT delivery, signing_secret FROM instance WHERE id = 'id-a'").await;
    assert_eq!(rows, ["ended|NULL"]);
    let rows = fixture.kept.rows("SELECT id, state FROM action ORDER BY id").await;
    assert_eq!(rows, ["x|cancelled", "y|pending"]);
}

#[tokio::test]
async fn a_token_of_a_role_to_come_keeps_no_other_from_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let now = Timestamp::from_microsecond(START).unwrap();
    let open = || sqlite::open(&file, None, Arc::new(move || now), Duration::from_secs(5), key()).unwrap();
    open().close().await;
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             INSERT INTO token (id, tenant, name, role, hash, created_at, created_by)
             VALUES (1, 't', 'later', 'herald', 'h', 1, 'root'), (2, 't', 'alice', 'reviewer', 'i', 1, 'root');",
        )
        .unwrap();
    drop(newer);
    let store = open();
    for tenant in [None, Some("t".into())] {
        let rows = store.tokens(tenant).await.unwrap();
        let names: Vec<_> = rows.iter().map(|(_, row)| &*row.name).collect();
        assert_eq!(names, ["alice"]);
    }
}
