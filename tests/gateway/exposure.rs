//! Who else than this machine can reach a gateway, and what it asks for then.

use crate::authority::Authority;
use crate::database::Kept;
use crate::support::{Fixture, call, config};
use aegis_console::gateway::{Config, Gateway, GatewayError, TlsFiles};
use std::path::Path;

async fn refused(config: Config) -> GatewayError {
    Gateway::start(config).await.err().expect("it started")
}

fn beyond(data: &Path) -> Config {
    Config::new(([0, 0, 0, 0], 0).into(), data)
}

/// Gives somebody a token, as `token create` does.
fn name_somebody(data: &Path, expires_at: Option<i64>, revoked_at: Option<i64>) {
    let database = rusqlite::Connection::open(data.join("gateway.db")).unwrap();
    let sql = "INSERT INTO token (tenant, name, role, hash, created_at, created_by, expires_at, revoked_at)
               VALUES ('default', 'alice', 'reviewer', hex(randomblob(32)), 0, 'test', ?1, ?2)";
    database.execute(sql, (expires_at, revoked_at)).unwrap();
}

#[tokio::test]
async fn beyond_loopback_nothing_is_sent_in_the_clear_and_nobody_decides_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let error = refused(beyond(&data)).await;
    assert!(matches!(error, GatewayError::InTheClear(_)), "{error}");
    let says = error.to_string();
    assert!(["0.0.0.0", "127.0.0.1", "--tls-cert", "--behind-proxy"].iter().all(|word| says.contains(word)));
    for (behind_proxy, listen) in [(true, [0, 0, 0, 0]), (true, [127, 0, 0, 1])] {
        let mut config = Config::new((listen, 0).into(), &data);
        (config.behind_proxy, config.tenant_mode) = (behind_proxy, true);
        let error = refused(config).await;
        assert!(matches!(error, GatewayError::OpenToAll), "{error}");
    }
    assert!(!data.exists(), "nothing was touched");
}

#[tokio::test]
async fn others_reach_it_only_once_somebody_has_a_token_that_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (certificate, key) = Authority::new().files(dir.path());
    let exposed = |config: Config| Config { behind_proxy: true, ..config };
    let with_tls = Config { tls: Some(TlsFiles { certificate, key }), ..beyond(&data) };
    for config in [with_tls, exposed(beyond(&data)), exposed(config(&data))] {
        let error = refused(config).await;
        assert!(matches!(error, GatewayError::NoTokens), "{error}");
        assert!(error.to_string().contains("token create"), "{error}");
    }
    name_somebody(&data, Some(1), None);
    name_somebody(&data, None, Some(1));
    let error = refused(exposed(config(&data))).await;
    assert!(matches!(error, GatewayError::NoTokens), "past its time, or revoked: {error}");
    assert!(!data.join("agent.token").exists() && !data.join("reviewer.token").exists());
    name_somebody(&data, None, None);
    Gateway::start(exposed(config(&data))).await.unwrap().shutdown().await;
    assert!(!data.join("agent.token").exists() && !data.join("reviewer.token").exists());
}

#[tokio::test]
async fn the_token_files_are_for_this_machine_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let gateway = Gateway::start(config(&data)).await.unwrap();
    let tokens = [gateway.agent_token_file(), gateway.reviewer_token_file()]
        .map(|file| std::fs::read_to_string(file).unwrap().trim().to_owned());
    gateway.shutdown().await;
    name_somebody(&data, None, None);
    let kept = Kept::File(data.join("gateway.db"));
    let fixture = Fixture::on(dir, kept, |config| config.behind_proxy = true).await;
    let [agent, reviewer] = &tokens;
    let ask = call("GET", "/aap/v1/requests/unknown").bearer(agent);
    assert_eq!(fixture.send(ask).await.status, 401);
    let list = || call("GET", "/api/v1/hitl/actions");
    assert_eq!(fixture.send(list().bearer(reviewer)).await.status, 401);
    assert_eq!(fixture.send(list().bearer(&fixture.reviewer)).await.status, 200, "a token of one's own");
    let metrics = || call("GET", "/metrics");
    assert_eq!(fixture.send(metrics()).await.status, 401, "what is counted is for reviewers there");
    assert_eq!(fixture.send(metrics().bearer(&fixture.agent)).await.status, 403);
    assert_eq!(fixture.send(metrics().bearer(&fixture.reviewer)).await.status, 200);
}
