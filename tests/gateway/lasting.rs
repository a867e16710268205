//! What lasts: the data of one start at the next, its modes, its lock.

use crate::database::Kept;
use crate::support::{Fixture, call, config};
use aegis_console::gateway::{DataError, Gateway, GatewayError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

impl Fixture {
    /// Stops, and starts again on the same data.
    pub(crate) async fn restart(self) -> Self {
        let Self { gateway, dir, kept, .. } = self;
        gateway.shutdown().await;
        Self::on(dir, kept, |_| {}).await
    }
}

#[tokio::test]
async fn everything_in_the_directory_is_the_owners_alone() {
    let fixture = Fixture::start().await;
    fixture.entry("k", "10m").await;
    let mut expected = vec!["agent.token", "lock", "reviewer.token"];
    if matches!(fixture.kept, Kept::File(_)) {
        expected.extend(["gateway.db-shm", "gateway.db-wal"]);
    }
    let data = fixture.dir.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().path()).collect();
    for name in expected {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name}: {files:?}");
    }
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn what_was_decided_and_asked_is_there_at_the_next_start() {
    let fixture = Fixture::start().await;
    let (decided, open) = (fixture.entry("k", "10m").await, fixture.entry("l", "10m").await);
    let first = fixture.decide("approve", &decided, Some("yes")).await.json();
    let token = |fixture: &Fixture| {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        (read(fixture.gateway.agent_token_file()), read(fixture.gateway.reviewer_token_file()))
    };
    let tokens = token(&fixture);
    let fixture = fixture.restart().await;
    assert_eq!(token(&fixture), tokens);
    let list = call("GET", "/api/v1/hitl/actions").bearer(tokens.1.trim());
    assert_eq!(fixture.send(list).await.json()["actions"].as_array().unwrap().len(), 2);
    assert_eq!(
        fixture.decide("reject", &decided, None).await.json()["decision"]["request_id"],
        first["request_id"]
    );
    assert_eq!(fixture.decide("approve", &open, None).await.status, 202);
    assert_eq!(fixture.status(first["request_id"].as_str().unwrap()).await.json()["reviewer"], "dana");
    let old = fixture.agent.clone();
    let fixture = fixture.restart().await;
    let of_another_life = call("GET", format!("/aap/v1/requests/{}", open.id)).bearer(&old);
    assert_eq!(fixture.send(of_another_life).await.status, 401, "a credential of one process ends with it");
}

#[tokio::test]
async fn what_passed_its_deadline_while_nothing_ran_is_expired_at_the_start() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "1s").await;
    let deadline = fixture.request(&entry.id).await["deadline_at"].as_str().unwrap().to_owned();
    let Fixture { gateway, dir, kept, .. } = fixture;
    gateway.shutdown().await;
    // Nothing runs that could signal the deadline: it has to pass.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let fixture = Fixture::on(dir, kept, |_| {}).await;
    let answer = fixture.decide("approve", &entry, None).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "expired"));
    let request = fixture.request(&entry.id).await;
    assert_eq!(
        (request["status"].as_str(), request["decision"]["decided_at"].as_str()),
        (Some("expired"), Some(deadline.as_str()))
    );
}

#[tokio::test]
async fn a_second_gateway_on_the_same_data_is_refused() {
    let fixture = Fixture::start().await;
    let data = fixture.dir.path().join("data");
    let error = Gateway::start(config(&data)).await.err().unwrap();
    assert!(matches!(error, GatewayError::Data(DataError::Locked(_))), "{error}");
    assert!(error.to_string().contains(&data.display().to_string()), "{error}");
    assert_eq!(fixture.entry("k", "10m").await.thread.len(), 36, "the first goes on");
}

#[tokio::test]
async fn a_port_in_use_leaves_no_trace() {
    let fixture = Fixture::start().await;
    let mut second = config(&fixture.dir.path().join("second"));
    second.listen = fixture.gateway.addr();
    let error = Gateway::start(second).await.err().unwrap().to_string();
    assert!(error.contains(&fixture.gateway.addr().to_string()) && error.contains("--listen"), "{error}");
    assert!(!fixture.dir.path().join("second").exists());
}

#[tokio::test]
async fn a_directory_that_is_not_the_gateways_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let shared = dir.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
    let start = || Gateway::start(config(&shared));
    let gateway = start().await.unwrap();
    assert_eq!(mode(&shared), 0o700, "an empty one is taken, and closed to others");
    gateway.shutdown().await;

    let busy = dir.path().join("busy");
    std::fs::create_dir(&busy).unwrap();
    std::fs::write(busy.join("letter.txt"), "mine").unwrap();
    std::fs::set_permissions(&busy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = Gateway::start(config(&busy)).await.err().unwrap().to_string();
    assert!(error.contains("busy") && error.contains("--data"), "{error}");
    assert_eq!((mode(&busy), std::fs::read_dir(&busy).unwrap().count()), (0o755, 1));
}

#[tokio::test]
async fn damaged_files_are_named_and_left_alone() {
    let fixture = Fixture::start().await;
    if fixture.is_about_files("damaged files are named and left alone") {
        return;
    }
    let Fixture { gateway, dir, .. } = fixture;
    let data = dir.path().join("data");
    gateway.shutdown().await;
    let spoil = |name: &str, text: &str| {
        let path = data.join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        (path, whole)
    };
    for (name, text, names) in [
        ("reviewer.token", "", "reviewer.token"),
        ("agent.token", "not a token\n", "agent.token"),
        ("gateway.db", "this is no database, but it is long enough to be looked at as one", "gateway.db"),
    ] {
        let (path, whole) = spoil(name, text);
        let error = Gateway::start(config(&data)).await.err().unwrap().to_string();
        assert!(error.contains(names), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::write(&path, whole).unwrap();
    }
    let newer = rusqlite::Connection::open(data.join("gateway.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Gateway::start(config(&data)).await.err().unwrap().to_string();
    assert!(error.contains("newer") && error.contains("99"), "{error}");
}
