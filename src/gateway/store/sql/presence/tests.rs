//! What the audit log is told of who looked at what, with a clock of the test's own.

use super::super::super::{LookCall, Store as _};
use super::super::tests::{Fixture, SECOND, START};
use std::time::Duration;

async fn look(fixture: &Fixture, reviewer: &str, at: Option<(&str, &str)>) -> Vec<String> {
    let at = at.map(|(id, digest)| (id.to_owned(), digest.to_owned()));
    let call = LookCall { tenant: "t".into(), reviewer: reviewer.into(), at, holds: Duration::from_secs(30) };
    let all = fixture.store.look(call).await.unwrap().unwrap();
    all.into_iter().map(|look| format!("{} {}", look.reviewer, look.action_id)).collect()
}

/// The rows of the log about looks: kind, by, action, milliseconds.
async fn told(fixture: &Fixture) -> Vec<String> {
    let rows = fixture.kept.rows("SELECT entry FROM audit WHERE kind IN ('seen', 'left') ORDER BY seq").await;
    let shortly = |row: &String| {
        let entry: serde_json::Value = serde_json::from_str(row).unwrap();
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let ms = entry["facts"]["ms"].as_i64().map(|ms| format!(" {ms}")).unwrap_or_default();
        format!("{} {} {}{ms}", text("kind"), text("by"), text("action_id"))
    };
    rows.iter().map(shortly).collect()
}

#[tokio::test]
async fn a_look_is_told_when_it_begins_and_how_long_it_lasted() {
    let fixture = Fixture::new().await;
    let (a, b) = (fixture.ask_for("a", 1).await, fixture.ask_for("b", 1).await);
    assert_eq!(look(&fixture, "alice", Some(("a", &a))).await, ["alice a"]);
    fixture.set(START + 10 * SECOND);
    assert_eq!(look(&fixture, "alice", Some(("a", &a))).await, ["alice a"], "goes on");
    assert_eq!(look(&fixture, "bob", Some(("a", &a))).await, ["alice a", "bob a"]);
    fixture.set(START + 12 * SECOND);
    assert_eq!(look(&fixture, "alice", Some(("b", &b))).await, ["alice b", "bob a"]);
    fixture.set(START + 15 * SECOND);
    assert_eq!(look(&fixture, "alice", None).await, ["bob a"]);
    assert_eq!(look(&fixture, "alice", None).await, ["bob a"], "nothing again");
    fixture.set(START + 60 * SECOND);
    fixture.store.expire().await.unwrap();
    fixture.store.expire().await.unwrap();
    let expected = [
        "seen alice a",
        "seen bob a",
        "left alice a 12000",
        "seen alice b",
        "left alice b 3000",
        "left bob a 30000",
    ];
    assert_eq!(told(&fixture).await, expected, "who said nothing more looked for as long as it holds");
}
