//! What a gateway forgets that was told for how long to keep what has ended.

use crate::database::Kept;
use crate::support::{Fixture, call};
use aegis_console::gateway::SHORTEST_KEEP;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

async fn start(dir: TempDir, keep: Option<Duration>) -> Fixture {
    let kept = Kept::File(dir.path().join("data/gateway.db"));
    Fixture::on(dir, kept, |config| config.keep = keep).await
}

/// Makes what there is eight days older.
fn age(data: &Path) {
    let database = rusqlite::Connection::open(data.join("gateway.db")).unwrap();
    let day = 24 * 60 * 60 * 1_000_000_i64;
    for sql in [
        "UPDATE action SET ended_at = ended_at - ?1",
        "UPDATE decision SET decided_at = decided_at - ?1",
        "UPDATE call SET at = at - ?1",
        "UPDATE outbox SET at = at - ?1",
    ] {
        database.execute(sql, [8 * day]).unwrap();
    }
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_at_the_start_and_nothing_is_where_nothing_was_said() {
    let fixture = start(tempfile::tempdir().unwrap(), None).await;
    let (old, waits) = (fixture.entry("old", "10m").await, fixture.entry("waits", "10m").await);
    assert_eq!(fixture.decide("approve", &old, None).await.status, 202);
    fixture.entry("newest", "10m").await;
    let Fixture { gateway, dir, .. } = fixture;
    gateway.shutdown().await;
    age(&dir.path().join("data"));
    let fixture = start(dir, None).await;
    let look = async |fixture: &Fixture, id: &str| {
        let path = format!("/api/v1/hitl/actions/{id}");
        fixture.send(call("GET", path).bearer(&fixture.reviewer)).await.status
    };
    assert_eq!(look(&fixture, &old.id).await, 200);
    let Fixture { gateway, dir, .. } = fixture;
    gateway.shutdown().await;
    // As long as nothing shorter is possible, whatever is asked for.
    let fixture = start(dir, Some(SHORTEST_KEEP / 100)).await;
    let gone = async {
        while look(&fixture, &old.id).await != 404 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is still there");
    assert_eq!(look(&fixture, &waits.id).await, 200);
    assert_eq!(fixture.ask("old", r#"{"tool":"t","arguments":{},"timeout":"10m"}"#).await.status, 201);
}
