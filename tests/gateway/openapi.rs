//! `openapi.json` against the gateway: every route is in it and nothing else, it says whom each takes, and real answers are
//! what it says.

use crate::instances::receiver::{Receiver, Says, making, order};
use crate::support::{Answer, Call, Entry, Fixture, call};
use aegis_console::gateway::{Role, routes};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn description() -> Value {
    serde_json::from_str(include_str!("../../assets/openapi.json")).unwrap()
}

/// Every operation by method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().clone();
        let path = path.clone();
        methods.into_iter().map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

/// What a reference refers to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        None => value,
        Some(name) => document
            .pointer(name.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{name} refers to nothing")),
    }
}

/// What is wrong with a value under a schema; of JSON Schema just the words that the file uses.
fn wrong(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let say = |what: &str| Some(format!("{at}: {what}: {value}"));
    for (word, rule) in schema.as_object().unwrap() {
        let found = match word.as_str() {
            "$ref" => wrong(document, resolved(document, schema), value, at),
            "type" => {
                let fits = match rule.as_str().unwrap() {
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "null" => value.is_null(),
                    other => panic!("{other} is no type that the file uses"),
                };
                if fits { None } else { say(&format!("is no {rule}")) }
            }
            "const" => {
                if rule == value {
                    None
                } else {
                    say(&format!("is not {rule}"))
                }
            }
            "enum" => {
                if rule.as_array().unwrap().contains(value) {
                    None
                } else {
                    say(&format!("is none of {rule}"))
                }
            }
            "anyOf" | "oneOf" => {
                let fits =
                    rule.as_array().unwrap().iter().filter(|one| wrong(document, one, value, at).is_none());
                let enough = if word == "anyOf" { fits.count() >= 1 } else { fits.count() == 1 };
                if enough { None } else { say(&format!("fits {word} not")) }
            }
            "required" => {
                let missing =
                    rule.as_array().unwrap().iter().find(|name| value.get(name.as_str().unwrap()).is_none());
                missing.and_then(|name| say(&format!("has no {name}")))
            }
            "properties" => rule
                .as_object()
                .unwrap()
                .iter()
                .find_map(|(name, rule)| wrong(document, rule, value.get(name)?, &format!("{at}.{name}"))),
            "additionalProperties" => {
                assert_eq!(*rule, json!(false));
                let known = schema["properties"].as_object();
                let known = |name: &String| known.is_some_and(|known| known.contains_key(name));
                let other = value.as_object().and_then(|members| members.keys().find(|name| !known(name)));
                other.and_then(|name| say(&format!("has {name}, which is not told of")))
            }
            "items" => {
                let mut items = value.as_array().into_iter().flatten();
                items.find_map(|item| wrong(document, rule, item, &format!("{at}[]")))
            }
            "minimum" => {
                if value.as_i64() >= rule.as_i64() {
                    None
                } else {
                    say("is too small")
                }
            }
            "maximum" => {
                if value.as_i64() <= rule.as_i64() {
                    None
                } else {
                    say("is too large")
                }
            }
            "minLength" => {
                let length = value.as_str().map(|text| text.chars().count() as u64);
                if length >= rule.as_u64() { None } else { say("is too short") }
            }
            // Patterns are checked by schemathesis (README); the others say nothing that could be wrong.
            "pattern" | "description" | "examples" | "default" | "format" | "maxLength" => None,
            other => panic!("the checker does not know {other}"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Sends it and holds the answer against the file.
struct Held<'f> {
    fixture: &'f Fixture,
    document: Value,
    operations: BTreeMap<(String, String), Value>,
}

impl Held<'_> {
    async fn send(&self, method: &str, template: &str, sent: Call, expected: u16) -> Answer {
        let answer = self.fixture.send(sent).await;
        let name = format!("{method} {template}");
        assert_eq!(answer.status, expected, "{name}: {}", answer.text);
        let operation = &self.operations[&(method.to_owned(), template.to_owned())];
        let told = &operation["responses"][expected.to_string()];
        assert!(told.is_object(), "{name} does not tell of {expected}: {}", answer.text);
        let kind = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
        let content = &resolved(&self.document, told)["content"][kind];
        assert!(content.is_object(), "{name} {expected} does not tell of {kind}");
        if kind.ends_with("json") {
            let found = wrong(&self.document, &content["schema"], &answer.json(), "$");
            assert_eq!(found, None, "{name} {expected}: {}", answer.text);
        }
        answer
    }
}

#[test]
fn every_route_is_in_it_and_nothing_else_is() {
    let document = description();
    let told: BTreeSet<_> = operations(&document).into_keys().collect();
    let routes: BTreeSet<_> =
        routes().iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(told, routes);
    for ((method, path), operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path: BTreeSet<_> = parameters
            .iter()
            .map(|parameter| resolved(&document, parameter))
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let holes = path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(in_path, holes, "{method} {path}");
        for answer in operation["responses"].as_object().unwrap().values() {
            assert!(resolved(&document, answer)["description"].is_string(), "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn it_says_whose_token_each_call_takes() {
    let fixture = Fixture::with(|config| config.bounds.streams_per_person = 0).await;
    let admin = fixture.gateway.credential(Role::Admin, "ada").expose_secret().to_owned();
    let auditor = fixture.gateway.credential(Role::Auditor, "otto").expose_secret().to_owned();
    let provisioner = fixture.provisioner();
    let roles = [
        ("agent", &fixture.agent),
        ("reviewer", &fixture.reviewer),
        ("auditor", &auditor),
        ("admin", &admin),
        ("provisioner", &provisioner),
    ];
    for ((method, path), operation) in operations(&description()) {
        let told: Vec<_> =
            operation["x-roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
        let open = operation["security"].as_array().unwrap().iter().any(|one| one == &json!({}));
        let nobody = told.is_empty() || (open && path == "/metrics");
        let place = path.replace("{", "").replace("}", "");
        let status = fixture.send(call(&method, place.clone())).await.status;
        assert_eq!(status != 401, nobody, "{method} {path} without a token: {status}");
        for (role, token) in roles {
            let answer = fixture.send(call(&method, place.clone()).bearer(token)).await;
            let refused = answer.status == 403 && answer.code() == "wrong_role";
            assert_eq!(refused, !(nobody || told.contains(&role)), "{method} {path} {role}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn real_answers_are_what_it_says() {
    let fixture = Fixture::start().await;
    let document = description();
    let held = Held { fixture: &fixture, operations: operations(&document), document };
    let admin = fixture.gateway.credential(Role::Admin, "ada").expose_secret().to_owned();
    let (agent, reviewer) = (fixture.agent.as_str(), fixture.reviewer.as_str());
    let [requests, one, consume, outcome] = [
        "/aap/v1/requests",
        "/aap/v1/requests/{id}",
        "/aap/v1/requests/{id}/consume",
        "/aap/v1/requests/{id}/outcome",
    ];
    let ask = |key: &str, body: &str| {
        call("POST", requests).bearer(agent).header("Idempotency-Key", key).body(body)
    };
    let body = r#"{"tool":"t","server":"s","arguments":{"a":1.10},"timeout":"10m","agent_reasoning":"r",
        "context":{"thread_id":"t-1","labels":{"env":"prod"}}}"#;
    let first =
        held.send("POST", requests, ask("k1", body), 201).await.json()["id"].as_str().unwrap().to_owned();
    held.send("POST", requests, ask("k1", body), 200).await;
    held.send("POST", requests, ask("k1", &body.replace("1.10", "2")), 409).await;
    held.send("POST", requests, ask("k2", "{}"), 400).await;
    held.send("POST", requests, ask("k2", "{}").without("Authorization"), 401).await;
    held.send("POST", requests, ask("k2", "{}").without("Authorization").bearer(reviewer), 403).await;
    held.send("POST", requests, ask("k2", &"x".repeat(300_000)), 413).await;
    held.send("POST", requests, ask("k2", body).header("Host", "evil.example"), 421).await;
    let own = |method: &str, path: &str, id: &str| call(method, path.replace("{id}", id)).bearer(agent);
    held.send("GET", one, own("GET", one, &first), 200).await;
    held.send("GET", one, own("GET", one, "unknown"), 404).await;
    held.send("POST", consume, own("POST", consume, &first).header("Idempotency-Key", "c"), 409).await;
    // The queue.
    let [actions, action] = ["/api/v1/hitl/actions", "/api/v1/hitl/actions/{id}"];
    let read = |path: &str| call("GET", path.replace("{id}", &first)).bearer(reviewer);
    held.send("GET", actions, read(actions), 200).await;
    held.send("GET", actions, read("/api/v1/hitl/actions?limit=0"), 400).await;
    held.send("GET", action, read(action), 200).await;
    held.send("GET", action, read("/api/v1/hitl/actions/unknown"), 404).await;
    let entry: Entry = fixture.look(&first).await;
    let presence = "/api/v1/hitl/presence";
    let look = |body: Value| call("POST", presence).bearer(reviewer).body(body.to_string());
    held.send("POST", presence, look(json!({"action_id": first, "digest": entry.digest})), 200).await;
    held.send("POST", presence, look(json!({"action_id": null})), 200).await;
    held.send("POST", presence, look(json!({"action_id": "unknown", "digest": entry.digest})), 404).await;
    held.send("POST", presence, look(json!({"action_id": 7})), 422).await;
    // Deciding.
    let [approve, reject, status] =
        ["/api/v1/hitl/approve", "/api/v1/hitl/reject", "/api/v1/hitl/status/{request_id}"];
    let stale =
        Entry { digest: entry.digest.replace(|digit: char| digit.is_ascii_digit(), "0"), ..entry.clone() };
    held.send("POST", approve, fixture.decision("approve", &stale, None), 412).await;
    held.send("POST", approve, fixture.decision("approve", &entry, Some("r")).body("[]"), 422).await;
    let decided =
        held.send("POST", approve, fixture.decision("approve", &entry, Some("r")), 202).await.json();
    held.send("POST", reject, fixture.decision("reject", &entry, None), 409).await;
    let bare = call("POST", reject).bearer(reviewer).key("thread", "nobody-asked").body("{}");
    held.send("POST", reject, bare, 202).await;
    let follow = |id: &str| call("GET", status.replace("{request_id}", id)).bearer(reviewer);
    held.send("GET", status, follow(decided["request_id"].as_str().unwrap()), 200).await;
    held.send("GET", status, follow("unknown"), 404).await;
    held.send("GET", one, own("GET", one, &first), 200).await;
    held.send("POST", consume, own("POST", consume, &first).header("Idempotency-Key", "c"), 200).await;
    held.send("GET", action, read(action), 200).await;
    let report = |body: &str| own("POST", outcome, &first).body(body);
    held.send("POST", outcome, report(r#"{"status":"failed","note":"n"}"#), 200).await;
    held.send("POST", outcome, report(r#"{"status":"succeeded"}"#), 409).await;
    held.send("POST", outcome, report(r#"{"status":"maybe"}"#), 400).await;
    held.send("GET", action, read(action), 200).await;
    let second =
        held.send("POST", requests, ask("k3", body), 201).await.json()["id"].as_str().unwrap().to_owned();
    held.send("DELETE", one, own("DELETE", one, &second), 200).await;
    held.send("DELETE", one, own("DELETE", one, &first), 409).await;
    // One that needs two, and who is asked of it.
    let two = body.replace(r#""labels""#, r#""reviewers_needed":2,"labels""#);
    let third =
        held.send("POST", requests, ask("k4", &two), 201).await.json()["id"].as_str().unwrap().to_owned();
    let entry = fixture.look(&third).await;
    held.send("POST", approve, fixture.decision("approve", &entry, None), 202).await;
    held.send("POST", approve, fixture.decision("approve", &entry, None), 409).await;
    held.send("GET", actions, read(actions), 200).await;
    // Instances.
    let (instances, fleet) = ("/aap/v1/instances", fixture.provisioner());
    let receiver = Receiver::start().await;
    let order = order("codex", &receiver.url());
    held.send("POST", instances, making(&fleet, "i", &order), 201).await;
    held.send("POST", instances, making(&fleet, "i", &order), 200).await;
    held.send("POST", instances, making(&fleet, "i", &json!({})), 409).await;
    held.send("POST", instances, making(&fleet, "j", &json!({})), 201).await;
    held.send("POST", instances, making(&fleet, "l", &json!({"x": 1})), 400).await;
    held.send("POST", instances, making(agent, "l", &json!({})), 403).await;
    let instance = "/aap/v1/instances/{id}";
    let made = held.send("POST", instances, making(&fleet, "i", &order), 200).await;
    let of = |method: &str, id: &str| call(method, instance.replace("{id}", id)).bearer(&fleet);
    let id = made.json()["instance"]["id"].as_str().unwrap().to_owned();
    held.send("GET", instance, of("GET", &id), 200).await;
    held.send("DELETE", instance, of("DELETE", &id).body("[]"), 400).await;
    assert_eq!(fixture.send(of("DELETE", &id)).await.status, 204);
    held.send("GET", instance, of("GET", &id), 404).await;
    held.send("DELETE", instance, of("DELETE", "unknown"), 404).await;
    held.send("POST", instances, making(&fleet, "i", &order), 409).await;
    receiver.says([Says::Status(403, None)]);
    held.send("POST", instances, making(&fleet, "l", &order), 422).await;
    // Agents, tokens, and the gateway itself.
    let [agents, pause, resume] =
        ["/api/v1/hitl/agents", "/api/v1/hitl/agents/{name}/pause", "/api/v1/hitl/agents/{name}/resume"];
    let set = |path: &str, name: &str| call("POST", path.replace("{name}", name)).bearer(reviewer);
    held.send("POST", pause, set(pause, "bot"), 200).await;
    held.send("POST", requests, ask("k5", body), 403).await;
    held.send("GET", agents, read(agents), 200).await;
    held.send("POST", resume, set(resume, "bot"), 200).await;
    held.send("POST", resume, set(resume, "nobody"), 404).await;
    let [tokens, token] = ["/api/v1/tokens", "/api/v1/tokens/{id}"];
    let make = |body: Value| call("POST", tokens).bearer(&admin).body(body.to_string());
    let order = json!({"name": "alice", "role": "reviewer", "expires_in": "90d"});
    let made = held.send("POST", tokens, make(order), 201).await.json()["id"].to_string();
    held.send("POST", tokens, make(json!({"name": "ALICE", "role": "reviewer"})), 409).await;
    held.send("POST", tokens, make(json!({"name": "a b", "role": "reviewer"})), 400).await;
    held.send("GET", tokens, call("GET", tokens).bearer(&admin), 200).await;
    held.send("DELETE", token, call("DELETE", token.replace("{id}", &made)).bearer(&admin), 200).await;
    held.send("DELETE", token, call("DELETE", token.replace("{id}", "999")).bearer(&admin), 404).await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        held.send("GET", path, call("GET", path), 200).await;
        held.send("GET", path, call("GET", path).header("Origin", "http://evil.example"), 403).await;
    }
}
