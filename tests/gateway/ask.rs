//! Asking (AAP): what is taken, what comes back, waiting, consuming once, and how it went.

use crate::support::{Answer, Fixture, call};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ODD: &str = r#" {"tool":"t" , "arguments":{ "a":1.10,"b":1e400,"c":9007199254740993,"\u0064":"\u00e9é" ,"e":[ null ]},"timeout":"10m","agent_reasoning":"","context":{}}
"#;

fn submission(change: impl FnOnce(&mut Value)) -> String {
    let mut body = json!({"tool": "send_email", "arguments": {"to": "a@b.example"}, "timeout": "10m"});
    change(&mut body);
    body.to_string()
}

impl Fixture {
    async fn consume(&self, id: &str, key: &str) -> Answer {
        self.agent_call("POST", format!("/aap/v1/requests/{id}/consume"), Some(key), "").await
    }

    async fn report(&self, id: &str, body: &str) -> Answer {
        self.agent_call("POST", format!("/aap/v1/requests/{id}/outcome"), None, body).await
    }

    pub(super) async fn withdraw(&self, id: &str) -> Answer {
        self.agent_call("DELETE", format!("/aap/v1/requests/{id}"), None, "").await
    }
}

#[tokio::test]
async fn the_submission_comes_back_byte_for_byte_and_the_payload_is_sealed_as_it_was_sent() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("k", ODD).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let arguments = r#"{ "a":1.10,"b":1e400,"c":9007199254740993,"\u0064":"\u00e9é" ,"e":[ null ]}"#;
    assert!(answer.text.contains(&format!(r#""arguments":{arguments},"timeout":"10m""#)), "{}", answer.text);
    let id = answer.text.split(r#""id":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let got = fixture.send(call("GET", format!("/aap/v1/requests/{id}")).bearer(&fixture.agent)).await;
    assert_eq!(got.text, answer.text);
    let shown = fixture.shown(&id).await;
    assert!(shown["sealed"].as_str().unwrap().contains(&format!(r#""payload":{arguments},"#)), "{shown}");
}

#[tokio::test]
async fn a_request_has_the_protocols_fields_and_no_other() {
    let fixture = Fixture::start().await;
    let body = submission(|body| {
        body["server"] = "mail".into();
        body["agent_reasoning"] = "the customer asked".into();
        body["context"] = json!({"thread_id": "order-42", "run_id": "run-7"});
    });
    let answer = fixture.ask("k", body).await.json();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let asked = [
        "agent_reasoning",
        "arguments",
        "context",
        "created_at",
        "deadline_at",
        "id",
        "server",
        "status",
        "timeout",
        "tool",
    ];
    assert_eq!(names(&answer), asked);
    let id = answer["id"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok());
    let entry = fixture.look(id).await;
    assert_eq!((entry.thread.as_str(), entry.key), ("order-42", format!("aap:{id}")));
    fixture.decide("approve", &fixture.look(id).await, None).await;
    fixture.consume(id, "c").await;
    fixture.report(id, r#"{"status":"failed","note":"no disk"}"#).await;
    let ended = fixture.request(id).await;
    let mut expected: Vec<_> = asked.into_iter().chain(["consumption", "decision"]).collect();
    expected.sort_unstable();
    assert_eq!(names(&ended), expected);
    assert_eq!(names(&ended["decision"]), ["decided_at", "expires_at", "status"]);
    assert_eq!(names(&ended["consumption"]), ["consumed_at", "outcome"]);
    assert_eq!(names(&ended["consumption"]["outcome"]), ["note", "reported_at", "status"]);
    for time in [&ended["created_at"], &ended["decision"]["expires_at"], &ended["consumption"]["consumed_at"]]
    {
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    }
}

#[tokio::test]
async fn asking_again_under_one_key_is_the_same_request_and_another_body_is_a_conflict() {
    let fixture = Fixture::start().await;
    let first = fixture.ask("k", submission(|_| {})).await;
    let again = fixture.ask("k", submission(|_| {})).await;
    let spaced =
        fixture.ask("k", r#"{"timeout":"10m","arguments":{"to":"a@b.example"}, "tool":"send_email"}"#).await;
    assert_eq!((first.status, again.status, spaced.status), (201, 200, 200));
    assert_eq!((&again.text, &spaced.text), (&first.text, &first.text));
    for body in
        [submission(|body| body["tool"] = "other".into()), submission(|body| body["timeout"] = "600s".into())]
    {
        let answer = fixture.ask("k", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "idempotency_conflict"));
    }
    let unkeyed = call("POST", "/aap/v1/requests").bearer(&fixture.agent).body(submission(|_| {}));
    let answer = fixture.send(unkeyed).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "missing_idempotency_key"));
    let another = fixture.gateway.agent("another");
    let same_key =
        call("POST", "/aap/v1/requests").bearer(another.expose_secret()).header("Idempotency-Key", "k");
    assert_eq!(fixture.send(same_key.body(submission(|_| {}))).await.status, 201, "a key is its agent's own");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let fixture = Fixture::start().await;
    let deep =
        format!(r#"{{"tool":"t","timeout":"1m","arguments":{{"a":{}{}}}}}"#, "[".repeat(70), "]".repeat(70));
    let many = format!(r#"{{"tool":"t","timeout":"1m","arguments":{{"a":[{}1]}}}}"#, "1,".repeat(20_000));
    let labels: Value =
        (0..65).map(|n| (format!("l{n}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (b"".to_vec(), "invalid_json", "ends too early"),
        (b"[]".to_vec(), "invalid_json", "object"),
        (br#"{"tool":"t","tool":"u"}"#.to_vec(), "duplicate_key", "tool"),
        (
            br#"{"tool":"t","timeout":"1m","arguments":{"a":[{"x":1,"\u0078":2}]}}"#.to_vec(),
            "duplicate_key",
            "x",
        ),
        (b"{\"tool\":\"\xff\"}".to_vec(), "invalid_unicode", "UTF-8"),
        (br#"{"tool":"\ud800"}"#.to_vec(), "invalid_unicode", "surrogate"),
        (deep.into(), "too_deep", "64"),
        (many.into(), "too_many_values", "20000"),
        (submission(|body| body["note"] = "x".into()).into(), "unknown_field", "note"),
        (submission(|body| body["\u{1b}[2J"] = "x".into()).into(), "unknown_field", "␛[2J"),
        (submission(|body| body["server"] = Value::Null).into(), "invalid_field", "server"),
        (submission(|body| body["tool"] = "".into()).into(), "invalid_field", "tool"),
        (submission(|body| body["tool"] = 1.into()).into(), "invalid_field", "tool"),
        (submission(|body| body["arguments"] = json!([])).into(), "invalid_field", "arguments"),
        (submission(|body| body["context"] = "x".into()).into(), "invalid_field", "context"),
        (
            submission(|body| {
                body.as_object_mut().unwrap().remove("arguments");
            })
            .into(),
            "missing_field",
            "arguments",
        ),
        (
            submission(|body| {
                body.as_object_mut().unwrap().remove("timeout");
            })
            .into(),
            "missing_field",
            "timeout",
        ),
        (
            submission(|body| body["context"] = json!({"thread_id": "a b"})).into(),
            "invalid_id",
            "context.thread_id",
        ),
        (
            submission(|body| body["context"] = json!({"run_id": "x".repeat(129)})).into(),
            "invalid_id",
            "context.run_id",
        ),
        (submission(|body| body["context"] = json!({"labels": labels})).into(), "too_many_labels", "64"),
    ];
    for (body, code, names) in cases {
        let answer = fixture.ask("k", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{}", answer.text);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(names), "{names}: {message}");
    }
    for timeout in
        ["", "10", "m", "0s", "-1s", "1.5m", "10 m", "31d", "999999999d", "9999999999999999999999s", "10ß"]
    {
        let answer = fixture.ask("k", submission(|body| body["timeout"] = timeout.into())).await;
        assert_eq!(answer.status, 400, "{timeout}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("timeout"), "{}", answer.text);
    }
    for timeout in ["1s", "10m", "24h", "30d"] {
        let answer = fixture.ask(timeout, submission(|body| body["timeout"] = timeout.into())).await;
        assert_eq!(answer.status, 201, "{timeout}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_agents_claims_are_sealed_as_claims() {
    let fixture = Fixture::start().await;
    let claims = r#"{"risk":"critical","agent":"root","labels":{"team":"billing","n":1},"summary":"a mail","reviewers_needed":3, "x":1.10}"#;
    let body = format!(
        r#"{{"tool":"t","arguments":{{}},"timeout":"10m","context":{claims},"agent_reasoning":"why"}}"#
    );
    let id = fixture.ask("k", body).await.json()["id"].as_str().unwrap().to_owned();
    let sealed = fixture.shown(&id).await["sealed"].as_str().unwrap().to_owned();
    assert!(sealed.contains(&format!(r#""claims":{claims},"#)), "{sealed}");
    let sealed: Value = serde_json::from_str(&sealed).unwrap();
    assert_eq!(sealed["agent"], "bot", "the credential's name");
    let reasons = json!(["the agent says so", "3 reviewers: the agent asks for them"]);
    assert_eq!((&sealed["risk"], &sealed["risk_reasons"]), (&json!("critical"), &reasons));
    assert_eq!((&sealed["labels"], &sealed["reviewers_needed"]), (&json!({"team": "billing"}), &json!(3)));
    assert_eq!((&sealed["summary"], &sealed["rationale"]), (&json!("a mail"), &json!("why")));
    assert_eq!(sealed["thread_id"].as_str(), Some(id.as_str()), "no thread is claimed: the request's own id");
    for (context, risk, thread) in [
        (json!({"risk": "low", "thread_id": null, "run_id": "run-7"}), "low", "run-7"),
        (json!({"risk": "none", "thread_id": 7, "run_id": "r"}), "medium", "r"),
        (json!({"risk": 1}), "medium", ""),
    ] {
        let answer = fixture
            .ask(&context.to_string().replace(' ', ""), submission(|body| body["context"] = context.clone()))
            .await;
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let sealed: Value =
            serde_json::from_str(fixture.shown(&id).await["sealed"].as_str().unwrap()).unwrap();
        assert_eq!(sealed["risk"], risk, "{context}");
        assert_eq!(sealed["thread_id"], if thread.is_empty() { id.as_str() } else { thread }, "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_the_decision_and_brings_the_reason() {
    let fixture = Fixture::start().await;
    let (entry, other) = (fixture.entry("k", "10m").await, fixture.entry("l", "10m").await);
    let started = Instant::now();
    let wait = call("GET", format!("/aap/v1/requests/{}?wait=30s", entry.id)).bearer(&fixture.agent);
    let decide = async {
        fixture.decide("approve", &other, None).await;
        tokio::task::yield_now().await;
        fixture.decide("reject", &entry, Some("not today")).await
    };
    let (waited, decided) = tokio::join!(fixture.send(wait), decide);
    assert_eq!((waited.status, decided.status), (200, 202));
    assert!(started.elapsed() < Duration::from_secs(10));
    let request = waited.json();
    assert_eq!((&request["status"], &request["decision"]["note"]), (&json!("denied"), &json!("not today")));
    assert!(request["decision"].get("expires_at").is_none(), "only approvals expire");
}

#[tokio::test]
async fn a_wait_that_sees_nothing_ends_in_time_with_pending() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let get =
        |query: &str| call("GET", format!("/aap/v1/requests/{}{query}", entry.id)).bearer(&fixture.agent);
    let started = Instant::now();
    let answer = fixture.send(get("?wait=1s")).await;
    assert_eq!(answer.json()["status"], "pending");
    assert!((Duration::from_millis(950)..Duration::from_secs(5)).contains(&started.elapsed()));
    for bad in ["?wait=x", "?wait=25", "?wait=-1s"] {
        assert_eq!(fixture.send(get(bad)).await.code(), "invalid_wait", "{bad}");
    }
}

#[tokio::test]
async fn a_wait_ends_at_the_deadline_with_expired() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "1s").await;
    let started = Instant::now();
    let wait = call("GET", format!("/aap/v1/requests/{}?wait=30s", entry.id)).bearer(&fixture.agent);
    let request = fixture.send(wait).await.json();
    assert!(
        (Duration::from_millis(500)..Duration::from_millis(2500)).contains(&started.elapsed()),
        "on time"
    );
    assert_eq!(
        (&request["status"], &request["decision"]["decided_at"]),
        (&json!("expired"), &request["deadline_at"])
    );
    let answer = fixture.decide("approve", &entry, None).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "expired"));
    assert_eq!(answer.json()["decision"], Value::Null);
    assert_eq!(fixture.shown(&entry.id).await["state"], "expired");
    assert_eq!(fixture.withdraw(&entry.id).await.code(), "already_terminal");
    assert_eq!(fixture.consume(&entry.id, "c").await.code(), "not_approved");
}

#[tokio::test]
async fn an_approval_is_consumed_once_and_one_outcome_is_told() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let id = entry.id.as_str();
    assert_eq!(fixture.consume(id, "c1").await.code(), "not_approved");
    fixture.decide("approve", &entry, Some("go on")).await;
    assert_eq!(fixture.shown(id).await["execution"]["state"], "waiting");
    assert_eq!(fixture.report(id, r#"{"status":"succeeded"}"#).await.code(), "not_consumed");
    let unkeyed = fixture.agent_call("POST", format!("/aap/v1/requests/{id}/consume"), None, "").await;
    assert_eq!(unkeyed.code(), "missing_idempotency_key");

    let first = fixture.consume(id, "c1").await;
    assert_eq!((first.status, first.json()["decision"]["note"].as_str()), (200, Some("go on")));
    assert_eq!(fixture.consume(id, "c1").await.text, first.text);
    let second = fixture.consume(id, "c2").await;
    assert_eq!((second.status, second.code().as_str()), (409, "already_consumed"));
    assert_eq!(fixture.shown(id).await["execution"]["state"], "consumed");

    for bad in [
        r#"{"status":"done"}"#,
        r#"{"note":"x"}"#,
        r#"{"status":"failed","note":null}"#,
        r#"{"status":"failed","note":""}"#,
        r#"{"status":"failed","x":1}"#,
    ] {
        assert_eq!(fixture.report(id, bad).await.status, 400, "{bad}");
    }
    let told = fixture.report(id, r#"{"status":"failed","note":"no disk"}"#).await;
    assert_eq!(told.status, 200);
    assert_eq!(fixture.report(id, r#"{ "note":"no disk","status":"failed" }"#).await.text, told.text);
    for other in [r#"{"status":"failed"}"#, r#"{"status":"succeeded","note":"no disk"}"#] {
        assert_eq!(fixture.report(id, other).await.code(), "outcome_conflict");
    }
    let execution = fixture.shown(id).await["execution"].clone();
    assert_eq!((&execution["state"], &execution["note"]), (&json!("failed"), &json!("no disk")));
    assert_eq!(fixture.withdraw(id).await.code(), "already_terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_consume_at_once_one_does() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    fixture.decide("approve", &entry, None).await;
    let keys: Vec<_> = (0..50).map(|n| format!("c{n}")).collect();
    let answers =
        futures_util::future::join_all(keys.iter().map(|key| fixture.consume(&entry.id, key))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 49);
}

#[tokio::test]
async fn an_agent_sees_and_touches_its_own_requests_only() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let another = fixture.gateway.agent("another");
    for (method, path, body) in [
        ("GET", "", ""),
        ("GET", "?wait=1s", ""),
        ("DELETE", "", ""),
        ("POST", "/consume", ""),
        ("POST", "/outcome", r#"{"status":"failed"}"#),
    ] {
        let call =
            call(method, format!("/aap/v1/requests/{}{path}", entry.id)).bearer(another.expose_secret());
        let answer = fixture.send(call.header("Idempotency-Key", "x").body(body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {path}");
    }
    assert_eq!(fixture.request(&entry.id).await["status"], "pending");
}

#[tokio::test]
async fn withdrawing_is_told_once_and_again_is_the_same_answer() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let first = fixture.withdraw(&entry.id).await;
    assert_eq!((first.status, first.json()["decision"]["status"].as_str()), (200, Some("cancelled")));
    assert_eq!(fixture.withdraw(&entry.id).await.text, first.text);
    let decided = fixture.entry("l", "10m").await;
    fixture.decide("reject", &decided, None).await;
    assert_eq!(fixture.withdraw(&decided.id).await.code(), "already_terminal");
}
