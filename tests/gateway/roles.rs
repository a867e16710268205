//! Every route for every kind of caller, in one table. A route that has no row, and a row that has no route, fails.

use crate::support::{Answer, Call, Entry, Fixture, call};
use aegis_console::gateway::{Role, TokenDesk, TokenOrder, routes};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::time::Duration;

/// Who calls, in the order of the columns. The three of another tenant have a queue and agents of their own.
const CALLERS: [&str; 13] = [
    "nobody",
    "garbage",
    "unknown",
    "agent",
    "reviewer",
    "auditor",
    "admin",
    "provisioner",
    "their-agent",
    "their-reviewer",
    "their-admin",
    "expired",
    "revoked",
];

/// A status alone is an answer with that status and no problem; `?` is 401 `unauthenticated`, `exp` and `rev` are 401
/// `token_expired` and `token_revoked`, `role` is 403 `wrong_role`, `404` is `not_found`, `404a` is `unknown_agent`, `405` is
/// `method_not_allowed`.
const TABLE: &str = "
    method path                             no   garb unkn agen revi audi admi prov t-ag t-re t-ad expi revo
    GET    /healthz                         200  200  200  200  200  200  200  200  200  200  200  200  200
    GET    /openapi.json                    200  200  200  200  200  200  200  200  200  200  200  200  200
    GET    /readyz                          200  200  200  200  200  200  200  200  200  200  200  200  200
    GET    /metrics                         200  200  200  200  200  200  200  200  200  200  200  200  200
    POST   /api/v1/hitl/approve             ?    ?    ?    role 202  role role role role 202  role exp  rev
    POST   /api/v1/hitl/reject              ?    ?    ?    role 202  role role role role 202  role exp  rev
    GET    /api/v1/hitl/status/{request_id} ?    ?    ?    role 200  200  200  role role 404  404  exp  rev
    GET    /api/v1/hitl/actions             ?    ?    ?    role 200  200  200  role role 200  200  exp  rev
    GET    /api/v1/hitl/actions/{id}        ?    ?    ?    role 200  200  200  role role 404  404  exp  rev
    GET    /api/v1/hitl/events              ?    ?    ?    role 200  200  200  role role 200  200  exp  rev
    POST   /api/v1/hitl/presence            ?    ?    ?    role 200  role role role role 404  role exp  rev
    GET    /api/v1/hitl/agents              ?    ?    ?    role 200  200  200  role role 200  200  exp  rev
    POST   /api/v1/hitl/agents/{name}/pause ?    ?    ?    role 200  role 200  role role 404a 404a exp  rev
    POST   /api/v1/hitl/agents/{name}/resume ?    ?    ?    role 200  role 200  role role 404a 404a exp  rev
    GET    /api/v1/whoami                   ?    ?    ?    200  200  200  200  200  200  200  200  exp  rev
    GET    /api/v1/tokens                   ?    ?    ?    role role role 200  role role role 200  exp  rev
    POST   /api/v1/tokens                   ?    ?    ?    role role role 201  role role role 201  exp  rev
    DELETE /api/v1/tokens/{id}              ?    ?    ?    role role role 200  role role role 404  exp  rev
    POST   /aap/v1/instances                ?    ?    ?    role role role role 201  role role role exp  rev
    GET    /aap/v1/instances/{id}           ?    ?    ?    role role role role 200  role role role exp  rev
    DELETE /aap/v1/instances/{id}           ?    ?    ?    role role role role 204  role role role exp  rev
    POST   /aap/v1/requests                 ?    ?    ?    201  role role role role 201  role role exp  rev
    GET    /aap/v1/requests/{id}            ?    ?    ?    200  role role role role 404  role role exp  rev
    DELETE /aap/v1/requests/{id}            ?    ?    ?    200  role role role role 404  role role exp  rev
    POST   /aap/v1/requests/{id}/consume    ?    ?    ?    200  role role role role 404  role role exp  rev
    POST   /aap/v1/requests/{id}/outcome    ?    ?    ?    200  role role role role 404  role role exp  rev
";

/// Paths that are no route, or are called wrongly, and what everybody is told there.
const NONE: &[(&str, &str, u16, &str)] = &[
    ("GET", "/", 404, "not_found"),
    ("GET", "/aap/v1/instances", 405, "method_not_allowed"),
    ("GET", "/api/v1", 404, "not_found"),
    ("GET", "/api/v1/hitl/approve", 405, "method_not_allowed"),
    ("PUT", "/api/v1/tokens", 405, "method_not_allowed"),
    ("GET", "/api/v1/hitl/agents/bot/pause", 405, "method_not_allowed"),
];

/// Everybody of the table, with their tokens.
struct People {
    tokens: Vec<Option<String>>,
}

impl People {
    async fn of(fixture: &Fixture) -> Self {
        let desk = TokenDesk::open(&fixture.database(), &fixture.dir.path().join("data")).await.unwrap();
        let make = async |tenant: &str, name: &str, role, expires_in: Option<&str>| {
            let order = TokenOrder {
                tenant: tenant.into(),
                name: name.into(),
                role,
                expires_in: expires_in.map(Into::into),
            };
            desk.create(order, "test".into()).await.unwrap().0.expose_secret().to_owned()
        };
        // First, so that its time is over when the others are made.
        let expired = make("default", "gone", Role::Reviewer, Some("1s")).await;
        let revoked = make("default", "left", Role::Reviewer, None).await;
        assert_eq!(desk.revoke(None, "left", "test".into()).await.unwrap().len(), 1);
        let garbage = "0".repeat(64);
        let unknown = format!("aegis_reviewer_{garbage}");
        make("default", "idle", Role::Agent, None).await;
        let tokens = vec![
            None,
            Some(garbage),
            Some(unknown),
            Some(make("default", "bot", Role::Agent, None).await),
            Some(make("default", "alice", Role::Reviewer, None).await),
            Some(make("default", "otto", Role::Auditor, None).await),
            Some(make("default", "root", Role::Admin, None).await),
            Some(make("default", "fleet", Role::Provisioner, None).await),
            Some(make("theirs", "their-bot", Role::Agent, None).await),
            Some(make("theirs", "eve", Role::Reviewer, None).await),
            Some(make("theirs", "mallory", Role::Admin, None).await),
            Some(expired.clone()),
            Some(revoked),
        ];
        desk.close().await;
        let mut lapsed = false;
        for _ in 0..100 {
            let list = call("GET", "/api/v1/hitl/actions").bearer(&expired);
            lapsed = fixture.send(list).await.status == 401;
            if lapsed {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(lapsed, "a token of one second is still good");
        Self { tokens }
    }

    fn is(&self, name: &str) -> &str {
        let place = CALLERS.iter().position(|caller| *caller == name).unwrap();
        self.tokens[place].as_deref().unwrap()
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// What a call of that route is about, made anew for each: so that each could succeed.
async fn prepared(
    fixture: &Fixture,
    people: &People,
    method: &str,
    path: &str,
    label: &str,
) -> (Entry, Call) {
    let key = plain(&format!("{method}{path}{label}"));
    let body = json!({"tool": "send_email", "arguments": {}, "timeout": "10m"}).to_string();
    let ask = call("POST", "/aap/v1/requests").bearer(people.is("agent")).header("Idempotency-Key", &key);
    let asked = fixture.send(ask.body(body.clone())).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    let entry = fixture.look(asked.json()["id"].as_str().unwrap()).await;
    let own = |verb: &str| format!("/aap/v1/requests/{}/{verb}", entry.id);
    if path.ends_with("/consume") || path.ends_with("/outcome") || path.contains("/status/") {
        let decision = fixture.decision("approve", &entry, None).without("X-Request-Id");
        let decided = fixture.send(decision.header("X-Request-Id", &key)).await;
        assert_eq!(decided.status, 202, "{}", decided.text);
    }
    if path.ends_with("/outcome") {
        let consume = call("POST", own("consume")).bearer(people.is("agent")).header("Idempotency-Key", "c");
        assert_eq!(fixture.send(consume).await.status, 200);
    }
    let mut number = String::new();
    if path == "/api/v1/tokens/{id}" {
        let order = json!({"name": format!("spare-{label}"), "role": "agent"}).to_string();
        let made = call("POST", "/api/v1/tokens").bearer(people.is("admin")).body(order);
        number = fixture.send(made).await.json()["id"].to_string();
    }
    if path == "/aap/v1/instances/{id}" {
        let made = call("POST", "/aap/v1/instances").bearer(people.is("provisioner"));
        let made = fixture.send(made.header("Idempotency-Key", &key).body("{}")).await;
        number = made.json()["instance"]["id"].as_str().unwrap().to_owned();
    }
    let id = if number.is_empty() { &entry.id } else { &number };
    let concrete = path.replace("{id}", id).replace("{request_id}", &key).replace("{name}", "idle");
    let made = call(method, concrete).header("X-Request-Id", uuid::Uuid::new_v4().to_string());
    let review = json!({"review": {"action_id": entry.id, "digest": entry.digest}}).to_string();
    let made = match path {
        "/api/v1/hitl/approve" | "/api/v1/hitl/reject" => made.key(&entry.thread, &entry.key).body(review),
        "/api/v1/hitl/presence" => {
            made.body(json!({"action_id": entry.id, "digest": entry.digest}).to_string())
        }
        "/api/v1/tokens" if method == "POST" => {
            made.body(json!({"name": format!("new-{label}"), "role": "reviewer"}).to_string())
        }
        "/aap/v1/instances" => made.header("Idempotency-Key", format!("{key}2")).body("{}"),
        "/aap/v1/requests" => made.header("Idempotency-Key", format!("{key}2")).body(body),
        path if path.ends_with("/consume") => made.header("Idempotency-Key", "c"),
        path if path.ends_with("/outcome") => made.body(r#"{"status":"succeeded"}"#),
        path if path.ends_with("/pause") || path.ends_with("/resume") => made.body("{}"),
        _ => made,
    };
    (entry, made)
}

/// The status and the code that a cell stands for.
fn expected(cell: &str) -> (u16, &str) {
    match cell {
        "?" => (401, "unauthenticated"),
        "exp" => (401, "token_expired"),
        "rev" => (401, "token_revoked"),
        "role" => (403, "wrong_role"),
        "404" => (404, "not_found"),
        "404a" => (404, "unknown_agent"),
        good => (good.parse().unwrap_or_else(|_| panic!("{good} is no cell")), ""),
    }
}

fn code(answer: &Answer) -> String {
    if answer.status < 400 { String::new() } else { answer.code() }
}

/// What holds for every answer that says no.
fn in_form(answer: &Answer, path: &str, what: &str) {
    assert_eq!(answer.headers.contains_key("www-authenticate"), answer.status == 401, "{what}");
    if answer.status >= 400 {
        let aap = path.starts_with("/aap");
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert_eq!(kind, if aap { "application/json" } else { "application/problem+json" }, "{what}");
        assert_eq!(answer.json()["error"]["request_id"].is_string(), aap, "{what}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_route_for_every_caller() {
    let fixture = Fixture::start().await;
    let people = People::of(&fixture).await;
    let mut rows = TABLE.lines().map(str::trim).filter(|line| !line.is_empty());
    assert_eq!(rows.next().map(|head| head.split_whitespace().count()), Some(2 + CALLERS.len()));
    let mut told = Vec::new();
    for row in rows {
        let cells: Vec<_> = row.split_whitespace().collect();
        let (method, path) = (cells[0], cells[1]);
        assert_eq!(cells.len(), 2 + CALLERS.len(), "{row}");
        told.push((method.to_owned(), path.to_owned()));
        for ((caller, token), cell) in CALLERS.iter().zip(&people.tokens).zip(&cells[2..]) {
            let (entry, call) = prepared(&fixture, &people, method, path, caller).await;
            let call = match token {
                Some(token) => call.bearer(token),
                None => call,
            };
            let answer = fixture.send(call).await;
            let what = format!("{method} {path} as {caller}: {}", answer.text);
            assert_eq!((answer.status, code(&answer).as_str()), expected(cell), "{what}");
            in_form(&answer, path, &what);
            let untouched = !(200..300).contains(&answer.status) || caller.starts_with("their");
            if untouched
                && !path.ends_with("/consume")
                && !path.ends_with("/outcome")
                && !path.contains("/status/")
            {
                assert_eq!(fixture.shown(&entry.id).await["state"], "pending", "{what}");
            }
        }
    }
    let mut there: Vec<_> =
        routes().into_iter().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    told.sort();
    there.sort();
    assert_eq!(told, there, "the table has a row for each route, and no other");
}

#[tokio::test]
async fn where_there_is_no_route_everybody_is_told_the_same() {
    let fixture = Fixture::start().await;
    let people = People::of(&fixture).await;
    for (method, path, status, word) in NONE {
        for (caller, token) in CALLERS.iter().zip(&people.tokens) {
            let call = call(method, *path);
            let call = match token {
                Some(token) => call.bearer(token),
                None => call,
            };
            let answer = fixture.send(call).await;
            let what = format!("{method} {path} as {caller}: {}", answer.text);
            assert_eq!((answer.status, code(&answer).as_str()), (*status, *word), "{what}");
            in_form(&answer, path, &what);
        }
    }
}

#[tokio::test]
async fn what_is_another_tenants_and_what_is_nowhere_are_answered_alike() {
    let fixture = Fixture::start().await;
    let people = People::of(&fixture).await;
    let entry = fixture.entry("k", "10m").await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    let reads = ["/api/v1/hitl/actions/", "/api/v1/hitl/status/"];
    let calls = reads.iter().map(|path| ("GET", *path, people.is("their-reviewer")));
    let own = ["GET", "DELETE"].map(|method| (method, "/aap/v1/requests/", people.is("their-agent")));
    for (method, path, token) in calls.chain(own) {
        let [theirs, none] =
            [&entry.id, &nowhere].map(|id| call(method, format!("{path}{id}")).bearer(token));
        let (theirs, none) = (fixture.send(theirs).await, fixture.send(none).await);
        assert_eq!(theirs.status, 404);
        let plain = |answer: &Answer| {
            let mut json = answer.json();
            json["error"]["request_id"] = serde_json::Value::Null;
            json
        };
        assert_eq!((theirs.status, plain(&theirs)), (none.status, plain(&none)), "{method} {path}");
    }
    for path in ["/aap/v1/requests/%ff", "/api/v1/hitl/actions/%ff", "/api/v1/tokens/%ff"] {
        let answer = fixture.send(call("GET", path)).await;
        assert!([401, 405].contains(&answer.status), "{path}: nothing is told before the credential");
    }
    let unreadable = call("GET", "/api/v1/hitl/actions/%ff").bearer(people.is("reviewer"));
    assert_eq!(fixture.send(unreadable).await.code(), "not_found");
}
