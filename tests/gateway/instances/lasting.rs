//! The real binary, killed between the decision and the telling: what was decided is told all the same.

use super::receiver::{Receiver, SOON, Says, order};
use crate::authority::Authority;
use crate::database::{self, Fresh, Kept};
use crate::support::http;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A gateway of its own; killed when it is dropped.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(data: &Path, kept: &Kept) -> Self {
        Self::with(data, kept, None, &[])
    }

    /// With those flags; one that trusts the authorities of that file, as a machine does that has them.
    fn with(data: &Path, kept: &Kept, authorities: Option<&Path>, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).stdin(Stdio::null());
        command.args(flags).env_remove("AEGIS_CONSOLE_STORE").stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(url) = kept.url() {
            use secrecy::ExposeSecret as _;
            command.env("AEGIS_CONSOLE_STORE", url.expose_secret());
        }
        if let Some(file) = authorities {
            command.env("SSL_CERT_FILE", file);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("it said {line:?}"))
            .to_owned();
        Self { child, url }
    }

    async fn post(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let mut request =
            http().post(format!("{}{path}", self.url)).bearer_auth(token).body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A provisioner's token, made on the command line.
fn fleet(data: &Path, kept: &Kept) -> String {
    let mut make = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    make.args(["token", "create", "--role", "provisioner", "--name", "fleet", "--data"]).arg(data);
    make.env_remove("AEGIS_CONSOLE_STORE");
    if let Some(url) = kept.url() {
        use secrecy::ExposeSecret as _;
        make.env("AEGIS_CONSOLE_STORE", url.expose_secret());
    }
    let made = make.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_called_over_tls_where_its_certificate_is_trusted_and_stands_for_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (data, authority) = (dir.path().join("data"), Authority::new());
    let kept = Kept::File(data.join("gateway.db"));
    let file = dir.path().join("authorities.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let served = Served::with(&data, &kept, Some(&file), &[]);
    let fleet = fleet(&data, &kept);
    let (ours, strangers) =
        (Receiver::over_tls(authority.certify()).await, Receiver::over_tls(Authority::new().certify()).await);
    let url = |receiver: &Receiver, host: &str| format!("https://{host}:{}/aap/events", receiver.addr.port());
    for (n, (receiver, host, status)) in [
        (&ours, "localhost", 201),
        (&ours, "127.0.0.1", 201),
        (&ours, "127.0.0.2", 422),
        (&strangers, "localhost", 422),
    ]
    .into_iter()
    .enumerate()
    {
        let (key, body) = (format!("k{n}"), order("codex", &url(receiver, host)));
        let (answered, made) =
            served.post("/aap/v1/instances", &fleet, &[("Idempotency-Key", &key)], &body).await;
        assert_eq!(answered, status, "{host}: {made}");
    }
    assert_eq!((ours.challenges().len(), strangers.challenges().len()), (2, 0));
    // Nobody speaks TLS there.
    let plain = Receiver::start().await;
    let body = order("codex", &url(&plain, "localhost"));
    let (answered, _) = served.post("/aap/v1/instances", &fleet, &[("Idempotency-Key", "p")], &body).await;
    assert_eq!(answered, 422);

    // Where others reach the gateway, this machine is no place for a webhook, unless its owner says so.
    drop(served);
    let flags = ["--behind-proxy", "--webhooks-to", "localhost"];
    let served = Served::with(&data, &kept, Some(&file), &flags);
    for (key, url, status) in
        [("named", url(&ours, "localhost"), 201), ("not-named", url(&ours, "127.0.0.1"), 400)]
    {
        let body = order("codex", &url);
        let (answered, made) =
            served.post("/aap/v1/instances", &fleet, &[("Idempotency-Key", key)], &body).await;
        assert_eq!(answered, status, "{key}: {made}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_told_though_the_gateway_was_killed_before_it_could() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let kept = match database::server() {
        None => Kept::File(data.join("gateway.db")),
        Some(server) => Kept::Server(Fresh::schema(server).await),
    };
    let receiver = Receiver::start().await;
    let served = Served::start(&data, &kept);
    let fleet = fleet(&data, &kept);
    assert!(fleet.starts_with("aegis_provisioner_"));

    let body = order("codex", &receiver.url());
    let (status, made) = served.post("/aap/v1/instances", &fleet, &[("Idempotency-Key", "k")], &body).await;
    assert_eq!(status, 201, "{made}");
    let token = made["credential"]["token"].as_str().unwrap();
    let ask = json!({"tool": "deploy", "arguments": {}, "timeout": "10m"});
    let (status, asked) = served.post("/aap/v1/requests", token, &[("Idempotency-Key", "a")], &ask).await;
    assert_eq!(status, 201, "{asked}");
    let id = asked["id"].as_str().unwrap();
    let reviewer = std::fs::read_to_string(data.join("reviewer.token")).unwrap();
    // The first try hangs; in the middle of it the gateway is killed.
    receiver.says([Says::Nothing]);
    let shown = http().get(format!("{}/api/v1/hitl/actions/{id}", served.url)).bearer_auth(reviewer.trim());
    let shown: Value = serde_json::from_str(&shown.send().await.unwrap().text().await.unwrap()).unwrap();
    let review = json!({"review": {"action_id": id, "digest": shown["digest"]}});
    let (key, thread) = (format!("aap:{id}"), id);
    let headers = [("Idempotency-Key", key.as_str()), ("Thread-Id", thread), ("X-Request-Id", "r-1")];
    let (status, decided) = served.post("/api/v1/hitl/approve", reviewer.trim(), &headers, &review).await;
    assert_eq!(status, 202, "{decided}");
    receiver.until(1).await;
    drop(served);

    let served = Served::start(&data, &kept);
    // The same instance again, from what the database and its maker hold.
    let (status, again) = served.post("/aap/v1/instances", &fleet, &[("Idempotency-Key", "k")], &body).await;
    assert_eq!((status, &again), (200, &made));
    // What the dead one had begun comes up again when its lease is over: 30 s. Here it is over now.
    kept.change("UPDATE delivery SET next_at = 0").await;
    let came = receiver.until(2).await;
    assert_eq!((&came[0].id, &came[0].body), (&came[1].id, &came[1].body));
    assert!(came[1].signed && came[1].body["request_id"] == id);
    let begun = Instant::now();
    while kept.rows("SELECT state FROM delivery").await != ["delivered"] {
        assert!(begun.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(served);
}
