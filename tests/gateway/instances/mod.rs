//! Instances of agents: who may make them, what is asked of their receivers, and what they may then do.

mod delivery;
mod lasting;
pub(crate) mod receiver;

use crate::support::{Fixture, call};
use aegis_console::gateway::{Role, TokenDesk};
use receiver::{Instance, REGISTRATION, Receiver, SECRET, Says, making, order};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_receiver_that_says_what_is_asked_gets_an_instance() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let fleet = fixture.provisioner();
    let body = order("codex-1", &receiver.url());
    let made = fixture.send(making(&fleet, "k", &body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let json = made.json();
    assert_eq!(json["instance"]["name"], "codex-1");
    let told = json!({"type": "webhook", "url": receiver.url(), "registration_id": REGISTRATION});
    assert_eq!(json["instance"]["delivery"], told, "and not the secret");
    assert!(!made.text.contains(SECRET) && json["credential"]["expires_at"].as_str().unwrap().ends_with('Z'));
    let asked = receiver.challenges();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].signed);
    assert_eq!(asked[0].body["registration_id"], REGISTRATION);
    assert_eq!(asked[0].body["instance_id"], json["instance"]["id"]);
    assert_eq!(asked[0].body.as_object().unwrap().len(), 6);

    // The same again is the same answer, credential and all, and the receiver is not asked again.
    let again = fixture.send(making(&fleet, "k", &body)).await;
    assert_eq!((again.status, again.json()), (200, json.clone()));
    let spaced = serde_json::to_string_pretty(&body).unwrap();
    let again = fixture.send(making(&fleet, "k", &body).body(spaced)).await;
    assert_eq!((again.status, again.json()), (200, json.clone()));
    assert_eq!(receiver.challenges().len(), 1);
    let other = fixture.send(making(&fleet, "k", &order("codex-2", &receiver.url()))).await;
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_conflict"));
    let keyless = fixture.send(making(&fleet, "k", &body).without("Idempotency-Key")).await;
    assert_eq!((keyless.status, keyless.code().as_str()), (400, "missing_idempotency_key"));

    // Another provisioner's key is another key; another token of the same name cannot be given the credential.
    let theirs = fixture.gateway.credential(Role::Provisioner, "others").expose_secret().to_owned();
    let second = fixture.send(making(&theirs, "k", &body)).await;
    assert_eq!(second.status, 201, "{}", second.text);
    assert_ne!(second.json()["credential"], json["credential"]);
    let renewed = fixture.send(making(&fixture.provisioner(), "k", &body)).await;
    assert_eq!((renewed.status, renewed.code().as_str()), (409, "idempotency_conflict"));

    // Neither the token nor the secret is where it need not be.
    let token = Instance::of(&made).token;
    for table in ["audit", "outbox", "token"] {
        let rows = fixture.rows(&format!("SELECT * FROM {table}")).await.join("\n");
        assert!(!rows.contains(SECRET) && !rows.contains(&token), "{table}");
    }
    let told = fixture.rows("SELECT entry FROM audit WHERE kind = 'instance.created' ORDER BY seq").await;
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("fleet/codex-1") && !told[0].contains("/aap/events"), "{}", told[0]);
}

#[tokio::test]
async fn an_instance_needs_no_receiver_and_no_name_and_never_bears_a_name_twice() {
    let fixture = Fixture::start().await;
    let fleet = fixture.provisioner();
    let made = fixture.send(making(&fleet, "a", &json!({}))).await;
    let nameless = Instance::of(&made);
    assert_eq!(nameless.name, format!("instance-{}", &nameless.id[..8]));
    assert_eq!(made.json()["instance"].as_object().unwrap().len(), 2, "{}", made.text);
    let [first, second, third] = [("b", "codex"), ("c", "codex"), ("d", "CODEX")]
        .map(|(key, name)| making(&fleet, key, &json!({"instance_name": name})));
    let first = Instance::of(&fixture.send(first).await);
    let second = Instance::of(&fixture.send(second).await);
    let third = Instance::of(&fixture.send(third).await);
    assert_eq!(first.name, "codex");
    assert_eq!(second.name, format!("codex-{}", &second.id[..8]));
    assert_eq!(
        third.name,
        format!("CODEX-{}", &third.id[..8]),
        "upper and lower case alone tell nobody apart"
    );

    // Each sees what it has asked, and nothing else; under the same key too.
    let mine = fixture.asked_by(&first.token, "k", "10m").await;
    let theirs = fixture.asked_by(&second.token, "k", "10m").await;
    assert_ne!(mine, theirs);
    for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/consume"), ("POST", "/outcome")] {
        let foreign = call(method, format!("/aap/v1/requests/{mine}{path}")).bearer(&second.token);
        let foreign = foreign.header("Idempotency-Key", "x").body(match path {
            "/outcome" => r#"{"status":"succeeded"}"#,
            _ => "",
        });
        assert_eq!(fixture.send(foreign).await.status, 404, "{method} {path}");
    }
    let sealed = fixture.shown(&mine).await["sealed"].as_str().unwrap().to_owned();
    assert!(sealed.contains(r#""agent":"fleet/codex""#), "{sealed}");
}

#[tokio::test]
async fn an_instance_is_an_agent_and_its_maker_is_none() {
    let fixture = Fixture::start().await;
    let fleet = fixture.provisioner();
    let instance = Instance::of(&fixture.send(making(&fleet, "a", &json!({"instance_name": "x"}))).await);
    for (token, method, path) in [
        (&instance.token, "POST", "/aap/v1/instances"),
        (&instance.token, "POST", "/api/v1/hitl/approve"),
        (&instance.token, "GET", "/api/v1/hitl/actions"),
        (&instance.token, "GET", "/api/v1/tokens"),
        (&fleet, "POST", "/aap/v1/requests"),
        (&fleet, "POST", "/api/v1/hitl/approve"),
        (&fleet, "GET", "/api/v1/hitl/actions"),
        (&fleet, "GET", "/api/v1/tokens"),
    ] {
        let answer = fixture.send(call(method, path).bearer(token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_role"), "{method} {path}");
    }
    // Who makes an instance decides nothing that it asks, under whatever role they come.
    let id = fixture.asked_by(&instance.token, "k", "10m").await;
    let entry = fixture.look(&id).await;
    let same_name = fixture.gateway.reviewer("fleet").expose_secret().to_owned();
    let decision = fixture.decision("approve", &entry, None).without("Authorization").bearer(&same_name);
    let refused = fixture.send(decision).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "own_action"));
    let other_name = fixture.gateway.reviewer("fle").expose_secret().to_owned();
    let decision = fixture.decision("approve", &entry, None).without("Authorization").bearer(&other_name);
    assert_eq!(fixture.send(decision).await.status, 202);
    // It is paused by its name, like any other.
    let pause = call("POST", "/api/v1/hitl/agents/fleet%2Fx/pause").bearer(&fixture.reviewer);
    assert_eq!(fixture.send(pause).await.status, 200);
    let consume = call("POST", format!("/aap/v1/requests/{id}/consume")).bearer(&instance.token);
    let refused = fixture.send(consume.header("Idempotency-Key", "c")).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "agent_paused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_says_anything_else_gets_none() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let elsewhere = Receiver::start().await;
    let fleet = fixture.provisioner();
    let body = order("codex", &receiver.url());
    let redirect = Says::Status(307, Some(("location", elsewhere.url())));
    for says in [
        Says::Status(200, None),
        Says::Status(204, None),
        Says::Status(403, None),
        Says::Status(500, None),
        redirect,
        Says::Body(r#"{"challenge":"00000000-0000-4000-8000-000000000000"}"#.into()),
        Says::Body(format!("{{\"challenge\":\"{}\"}}", "x".repeat(1024 * 1024))),
    ] {
        let what = format!("{says:?}").chars().take(80).collect::<String>();
        receiver.says([says]);
        let answer = fixture.send(making(&fleet, "k", &body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "webhook_verification_failed"), "{what}");
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("/aap/events"), "{}", answer.text);
    }
    assert!(elsewhere.challenges().is_empty(), "no redirect is followed");
    // Nobody listens there.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = fixture.send(making(&fleet, "k", &order("codex", &format!("http://{closed}/")))).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "webhook_verification_failed"));
    assert_eq!(fixture.rows("SELECT count(*) FROM instance").await, ["0"]);
    assert_eq!(fixture.rows("SELECT count(*) FROM token WHERE role = 'agent'").await, ["0"]);

    // Two at once under one key are one asking, and what failed before does not stand in the way.
    let [a, b] = [(); 2].map(|()| fixture.send(making(&fleet, "k", &body)));
    let (a, b) = tokio::join!(a, b);
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 201]);
    assert_eq!(a.json(), b.json());
    assert_eq!(receiver.challenges().len(), 8, "seven in vain, one for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_does_not_answer_holds_nobody_up_for_long() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    receiver.says([Says::Nothing]);
    // An endless run of interim answers, which HTTP has one read on for.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flood = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {}
    });
    let fleet = fixture.provisioner();
    let begun = std::time::Instant::now();
    let (slow, flooded, other) = tokio::join!(
        fixture.send(making(&fleet, "slow", &order("slow", &receiver.url()))),
        fixture.send(making(&fleet, "flood", &order("flood", &flood))),
        fixture.send(making(&fleet, "other", &json!({}))),
    );
    for answer in [slow, flooded] {
        assert_eq!((answer.status, answer.code().as_str()), (422, "webhook_verification_failed"));
    }
    assert_eq!(other.status, 201);
    // Ten seconds each, all at once, and a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn no_webhook_goes_where_only_this_machine_can() {
    let fixture = Fixture::start().await;
    let fleet = fixture.provisioner();
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "http://a.example/",
    ] {
        let answer = fixture.send(making(&fleet, "k", &order("x", url))).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_webhook_url"), "{url}");
    }
    // Where others reach the gateway, this machine itself is none of their business either.
    let receiver = Receiver::start().await;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let desk = TokenDesk::open(&aegis_console::gateway::Database::Sqlite, &data).await.unwrap();
    let token = aegis_console::gateway::TokenOrder {
        tenant: "default".into(),
        name: "fleet".into(),
        role: Role::Provisioner,
        expires_in: None,
    };
    let (token, _) = desk.create(token, "test".into()).await.unwrap();
    desk.close().await;
    let kept = crate::database::Kept::File(data.join("gateway.db"));
    let exposed = Fixture::on(dir, kept, |config| config.behind_proxy = true).await;
    for url in [receiver.url(), format!("https://localhost:{}/", receiver.addr.port())] {
        let answer = exposed.send(making(token.expose_secret(), "k", &order("x", &url))).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_webhook_url"), "{url}");
    }
    assert!(receiver.challenges().is_empty());
}

#[tokio::test]
async fn a_provisioner_that_asks_for_too_many_waits() {
    let fixture = Fixture::start().await;
    let fleet = fixture.provisioner();
    let mut last = 0;
    for n in 0..200 {
        let answer = fixture.send(making(&fleet, &format!("k{n}"), &json!({}))).await;
        last = answer.status;
        if last == 429 {
            assert_eq!(answer.code(), "too_many_askings");
            assert!(answer.headers.contains_key("retry-after"));
            break;
        }
        assert_eq!(last, 201, "{}", answer.text);
    }
    assert_eq!(last, 429);
    let others = fixture.gateway.credential(Role::Provisioner, "others").expose_secret().to_owned();
    assert_eq!(fixture.send(making(&others, "k", &json!({}))).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_taken_away_leaves_nothing_pending_and_nobody_is_told() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let fleet = fixture.provisioner();
    let made = fixture.send(making(&fleet, "k", &order("codex", &receiver.url()))).await;
    let instance = Instance::of(&made);
    let [pending, decided] = [
        fixture.asked_by(&instance.token, "a", "10m").await,
        fixture.asked_by(&instance.token, "b", "10m").await,
    ];
    assert_eq!(fixture.decide("approve", &fixture.look(&decided).await, None).await.status, 202);
    receiver.until(1).await;
    let of =
        |method: &str, token: &str| call(method, format!("/aap/v1/instances/{}", instance.id)).bearer(token);
    let seen = fixture.send(of("GET", &fleet)).await;
    assert_eq!((seen.status, seen.json()), (200, made.json()["instance"].clone()));
    let others = fixture.gateway.credential(Role::Provisioner, "others").expose_secret().to_owned();
    for method in ["GET", "DELETE"] {
        assert_eq!(fixture.send(of(method, &others)).await.status, 404, "{method}");
        assert_eq!(fixture.send(of(method, &instance.token)).await.status, 403, "{method}");
    }
    for _ in 0..2 {
        let gone = fixture.send(of("DELETE", &fleet)).await;
        assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    }
    assert_eq!(fixture.send(of("GET", &fleet)).await.status, 404);
    assert_eq!(fixture.shown(&pending).await["state"], "cancelled");
    assert_eq!(fixture.shown(&decided).await["state"], "approved", "what was decided stays so");
    let refused =
        fixture.send(call("GET", format!("/aap/v1/requests/{pending}")).bearer(&instance.token)).await;
    assert_eq!(refused.code(), "token_revoked", "at once, where it was done");
    assert_eq!(fixture.rows("SELECT count(*) FROM delivery").await, ["1"]);
    let again = fixture.send(making(&fleet, "k", &order("codex", &receiver.url()))).await;
    assert_eq!(again.code(), "instance_deleted");
}
