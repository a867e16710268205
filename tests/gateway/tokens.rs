//! Tokens of the database: made and revoked beside a gateway that runs, over HTTP and by the desk; names, bounds, floods.

use crate::support::{Answer, Call, Fixture, call, config, http};
use aegis_console::gateway::{Config, Gateway, Role, TokenDesk, TokenInfo, TokenOrder};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How soon a revoked token must be refused.
const SOON: Duration = Duration::from_secs(1);

fn order(name: &str, role: Role) -> TokenOrder {
    TokenOrder { tenant: "default".into(), name: name.into(), role, expires_in: None }
}

fn list(token: &str) -> Call {
    call("GET", "/api/v1/hitl/actions").bearer(token)
}

impl Fixture {
    async fn desk(&self) -> TokenDesk {
        TokenDesk::open(&self.database(), &self.dir.path().join("data")).await.unwrap()
    }

    /// A token that was made beside the gateway.
    async fn token(&self, order: TokenOrder) -> (String, TokenInfo) {
        let desk = self.desk().await;
        let (token, info) = desk.create(order, "test".into()).await.unwrap();
        desk.close().await;
        (token.expose_secret().to_owned(), info)
    }

    /// Calls until the answer has that status, and says how long that took.
    async fn until(&self, made: impl Fn() -> Call, status: u16) -> (Answer, Duration) {
        let begun = Instant::now();
        loop {
            let answer = self.send(made()).await;
            if answer.status == status || begun.elapsed() > Duration::from_secs(10) {
                assert_eq!(answer.status, status, "{}", answer.text);
                return (answer, begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_at_once_and_until_it_is_revoked() {
    let fixture = Fixture::start().await;
    for n in 0..5 {
        let (token, _) = fixture.token(order(&format!("new-{n}"), Role::Reviewer)).await;
        assert_eq!(fixture.send(list(&token)).await.status, 200, "made a moment ago");
    }
    let (token, info) = fixture.token(order("alice", Role::Reviewer)).await;
    let (agent, _) = fixture.token(order("robot", Role::Agent)).await;
    let entry = fixture.entry("k", "10m").await;
    let decision = fixture.decision("approve", &entry, None).without("Authorization").bearer(&token);
    let decided = fixture.send(decision).await;
    assert_eq!(
        (decided.status, decided.json()["reviewer"].as_str()),
        (202, Some("alice")),
        "{}",
        decided.text
    );
    assert_eq!(fixture.shown(&entry.id).await["decision"]["reviewer"], "alice");

    let mut events = fixture.listen_as(&token, None).await;
    let asked = call("POST", "/aap/v1/requests").bearer(&agent).header("Idempotency-Key", "w");
    let asked = fixture.send(asked.body(r#"{"tool":"t","arguments":{},"timeout":"10m"}"#)).await.json();
    let wait = format!("/aap/v1/requests/{}?wait=60s", asked["id"].as_str().unwrap());
    let waiting = fixture.send(call("GET", wait).bearer(&agent));
    let revoking = async {
        let desk = fixture.desk().await;
        assert_eq!(desk.revoke(None, &info.id.to_string(), "test".into()).await.unwrap().len(), 1);
        assert_eq!(desk.revoke(None, "robot", "test".into()).await.unwrap().len(), 1);
        let (answer, took) = fixture.until(|| list(&token), 401).await;
        assert_eq!(answer.code(), "token_revoked");
        assert!(took < SOON, "{took:?}");
        let begun = Instant::now();
        // The event of the asking, and who looks at what, may come first.
        while !events.ended().await {
            assert!(begun.elapsed() < SOON, "the stream goes on");
        }
        desk.close().await;
        Instant::now()
    };
    let (answer, revoked) = tokio::join!(waiting, revoking);
    assert_eq!((answer.status, answer.code().as_str()), (401, "token_revoked"));
    assert!(revoked.elapsed() < SOON);
    assert_eq!(fixture.send(list(&fixture.reviewer)).await.status, 200, "others are let in as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_is_refused_and_its_stream_ends() {
    let fixture = Fixture::start().await;
    let short = TokenOrder { expires_in: Some("2s".into()), ..order("bob", Role::Auditor) };
    let (token, info) = fixture.token(short).await;
    assert!(info.expires_at.is_some());
    let mut events = fixture.listen_as(&token, None).await;
    let begun = Instant::now();
    // Who looks at what comes first.
    while !events.ended().await {
        assert!(begun.elapsed() < Duration::from_secs(3), "the stream goes on");
    }
    assert_eq!(fixture.send(list(&token)).await.code(), "token_expired");
}

#[tokio::test]
async fn one_name_is_one_person_whatever_the_credential() {
    let fixture = Fixture::with(|config| config.bounds.pending_per_agent = 1).await;
    let (asks, _) = fixture.token(order("alice", Role::Agent)).await;
    let (asks_too, _) = fixture.token(order("alice", Role::Agent)).await;
    let (decides, _) = fixture.token(order("alice", Role::Reviewer)).await;
    let ask = |token: &str, key: &str| {
        let call = call("POST", "/aap/v1/requests").bearer(token).header("Idempotency-Key", key);
        call.body(r#"{"tool":"t","arguments":{},"timeout":"10m"}"#)
    };
    let asked = fixture.send(ask(&asks, "a")).await;
    assert_eq!(asked.status, 201);
    assert_eq!(
        fixture.send(ask(&asks_too, "b")).await.code(),
        "too_many_pending",
        "the bounds are the name's"
    );
    let again = fixture.send(ask(&asks_too, "a")).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &asked.json()["id"]), "and so are the requests");
    let entry = fixture.look(asked.json()["id"].as_str().unwrap()).await;
    for verdict in ["approve", "reject"] {
        let own = fixture.decision(verdict, &entry, None).without("Authorization").bearer(&decides);
        let answer = fixture.send(own).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "own_action"), "{}", answer.text);
    }
    // Another tenant's alice is another person, and sees nothing of it.
    let theirs = TokenOrder { tenant: "theirs".into(), ..order("alice", Role::Reviewer) };
    let (theirs, _) = fixture.token(theirs).await;
    let seen = fixture.send(list(&theirs)).await.json();
    assert_eq!(seen["actions"], json!([]));
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
}

#[tokio::test]
async fn admins_make_list_and_revoke_tokens_of_their_own_tenant() {
    let fixture = Fixture::start().await;
    let (admin, _) = fixture.token(order("root", Role::Admin)).await;
    let theirs = TokenOrder { tenant: "theirs".into(), ..order("mallory", Role::Admin) };
    let (theirs, _) = fixture.token(theirs).await;
    let make =
        |token: &str, body: &Value| call("POST", "/api/v1/tokens").bearer(token).body(body.to_string());
    let body = json!({"name": "carol", "role": "reviewer", "expires_in": "90d"});
    let made = fixture.send(make(&admin, &body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("aegis_reviewer_") && token.len() == 15 + 64, "scanners find it");
    let facts = ["name", "role", "tenant", "created_by"].map(|name| made[name].as_str().unwrap());
    assert_eq!(facts, ["carol", "reviewer", "default", "root"]);
    assert_eq!(fixture.send(list(&token)).await.status, 200);

    let listed = fixture.send(call("GET", "/api/v1/tokens").bearer(&admin)).await;
    let names: Vec<_> =
        listed.json()["tokens"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["root", "carol"], "those of the tenant, oldest first");
    assert!(!listed.text.contains(&token[15..]) && !listed.text.contains("hash"), "{}", listed.text);

    let revoke = |token: &str, id: &Value| call("DELETE", format!("/api/v1/tokens/{id}")).bearer(token);
    assert_eq!(fixture.send(revoke(&theirs, &made["id"])).await.code(), "not_found");
    assert_eq!(fixture.send(revoke(&admin, &json!(4711))).await.code(), "not_found");
    let revoked = fixture.send(revoke(&admin, &made["id"])).await;
    assert_eq!((revoked.status, revoked.json()["revoked_by"].as_str()), (200, Some("root")));
    assert_eq!(fixture.send(list(&token)).await.code(), "token_revoked", "at once, where it was done");
    assert_eq!(fixture.send(revoke(&admin, &made["id"])).await.json(), revoked.json(), "once");
    let told = fixture.rows("SELECT entry FROM audit WHERE kind LIKE 'token.%' ORDER BY seq").await;
    let told: Vec<Value> = told.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect();
    let facts = |row: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        [text(&row["kind"]), text(&row["tenant"]), text(&row["by"]), text(&row["facts"]["name"])].join(" ")
    };
    let expected = [
        "token.created default test root",
        "token.created theirs test mallory",
        "token.created default root carol",
        "token.revoked default root carol",
    ];
    assert_eq!(told.iter().map(facts).collect::<Vec<_>>(), expected, "each once");

    let wrong = [
        (json!({"role": "reviewer"}), "missing_field"),
        (json!({"name": "x"}), "missing_field"),
        (json!({"name": "x", "role": "root"}), "invalid_field"),
        (json!({"name": 7, "role": "admin"}), "invalid_field"),
        (json!({"name": "7", "role": "admin"}), "invalid_field"),
        (json!({"name": "rule:x", "role": "admin"}), "invalid_field"),
        (json!({"name": "x", "role": "admin", "expires_in": "soon"}), "invalid_field"),
        (json!({"name": "x", "role": "admin", "tenant": "theirs"}), "unknown_field"),
        (json!([]), "invalid_json"),
    ];
    for (body, code) in wrong {
        let answer = fixture.send(make(&admin, &body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{body}: {}", answer.text);
    }
    let alike = fixture.send(make(&admin, &json!({"name": "Carol", "role": "reviewer"}))).await;
    assert_eq!((alike.status, alike.code().as_str()), (409, "name_alike"), "{}", alike.text);
    assert_eq!(fixture.send(make(&theirs, &json!({"name": "Carol", "role": "agent"}))).await.status, 201);
    assert_eq!(fixture.send(make(&admin, &json!({"name": "carol", "role": "agent"}))).await.status, 201);
}

#[tokio::test]
async fn an_agent_with_a_token_of_the_database_can_be_paused_before_it_asks() {
    let fixture = Fixture::start().await;
    let (agent, _) = fixture.token(order("robot", Role::Agent)).await;
    let ask = call("POST", "/aap/v1/requests").bearer(&agent).header("Idempotency-Key", "k");
    let pause = call("POST", "/api/v1/hitl/agents/robot/pause").bearer(&fixture.reviewer);
    fixture.until(|| pause.clone(), 200).await;
    let answer = fixture.send(ask.body(r#"{"tool":"t","arguments":{},"timeout":"10m"}"#)).await;
    assert_eq!(answer.code(), "agent_paused");
}

#[tokio::test]
async fn tokens_last_over_a_restart_and_nothing_of_them_is_kept_but_their_hash() {
    let fixture = Fixture::start().await;
    let (token, _) = fixture.token(order("alice", Role::Reviewer)).await;
    let fixture = fixture.restart().await;
    assert_eq!(fixture.send(list(&token)).await.status, 200);
    let secret = token.strip_prefix("aegis_reviewer_").unwrap().as_bytes().to_owned();
    for file in std::fs::read_dir(fixture.dir.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_with_unknown_tokens_is_slowed_down_and_locks_nobody_out() {
    let fixture = Fixture::start().await;
    let (known, _) = fixture.token(order("alice", Role::Reviewer)).await;
    let (client, url) = (http(), format!("{}/api/v1/hitl/actions", fixture.gateway.url()));
    let status = async |token: &str| {
        let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    let mut seen = Vec::new();
    for n in 0..100 {
        seen.push(status(&format!("aegis_reviewer_{n:064x}")).await);
    }
    assert_eq!(seen[0], (401, false));
    assert_eq!(seen.last(), Some(&(429, true)), "{seen:?}");
    assert!(seen.iter().filter(|(status, _)| *status == 401).count() >= 60, "{seen:?}");
    assert_eq!(status(&known).await.0, 200, "from the same address");
    let (fresh, _) = fixture.token(order("bob", Role::Reviewer)).await;
    let begun = Instant::now();
    while status(&fresh).await.0 != 200 {
        assert!(begun.elapsed() < SOON, "a new token is locked out");
    }
}

/// Only there can be more than one: `AEGIS_CONSOLE_TEST_POSTGRES`.
#[tokio::test(flavor = "multi_thread")]
async fn every_gateway_of_a_database_knows_its_tokens() {
    let fixture = Fixture::start().await;
    let data = fixture.dir.path().join("other");
    let other = Config { database: fixture.database(), ..config(&data) };
    if matches!(other.database, aegis_console::gateway::Database::Sqlite) {
        return;
    }
    let other = Gateway::start(other).await.unwrap();
    let (admin, _) = fixture.token(order("root", Role::Admin)).await;
    let body = json!({"name": "alice", "role": "reviewer"}).to_string();
    let made = fixture.send(call("POST", "/api/v1/tokens").bearer(&admin).body(body)).await.json();
    let token = made["token"].as_str().unwrap();
    let status = async || {
        let url = format!("{}/api/v1/hitl/actions", other.url());
        http().get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 200, "at once");
    let revoke = call("DELETE", format!("/api/v1/tokens/{}", made["id"])).bearer(&admin);
    assert_eq!(fixture.send(revoke).await.status, 200);
    let begun = Instant::now();
    while status().await != 401 {
        assert!(begun.elapsed() < SOON, "it is still good at the other gateway");
    }
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_while_the_gateway_writes_without_a_break() {
    let fixture = Fixture::start().await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let write = async |worker: usize| {
        let mut refused = 0;
        for n in 0.. {
            if done.load(std::sync::atomic::Ordering::SeqCst) {
                break;
            }
            let body = r#"{"tool":"t","arguments":{},"timeout":"10m"}"#;
            let answer = fixture.ask(&format!("w{worker}-{n}"), body).await;
            refused += usize::from(answer.status != 201);
            // What waits is bounded, and a fast machine would come to that bound.
            if answer.status == 201 {
                let gone = fixture.withdraw(answer.json()["id"].as_str().unwrap()).await;
                refused += usize::from(gone.status != 200);
            }
        }
        refused
    };
    let make = async {
        let desk = fixture.desk().await;
        let mut longest = Duration::ZERO;
        for n in 0..20 {
            let begun = Instant::now();
            desk.create(order(&format!("n{n}"), Role::Reviewer), "test".into()).await.unwrap();
            longest = longest.max(begun.elapsed());
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        desk.close().await;
        longest
    };
    let (refused, longest) = tokio::join!(futures_util::future::join_all((0..32).map(write)), make);
    assert_eq!(refused.iter().sum::<usize>(), 0, "neither side is told that the database is busy");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    println!("the slowest of twenty took {longest:?}");
}
