//! Rules over HTTP: what they make of an action, who is on record where they let it run, and what is refused.

use crate::support::{Answer, Fixture, call, config};
use aegis_console::gateway::{Gateway, GatewayError};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const RULES: &str = r#"
[[rule]]
name = "prod database"
action = "sql.*"
payload."/database".glob = "*prod*"
risk = "high"
reviewers = 2
time = "5m"
grace = 30

[[rule]]
name = "no dropping"
payload."/statement".glob = "*drop table*"
refuse = "tables are dropped by migrations only"

[[rule]]
name = "reading"
action = "sql.select"
payload."/database" = "staging"
allow = true
"#;

async fn start() -> Fixture {
    Fixture::with(|config| {
        let file = config.data.with_file_name("mine.toml");
        std::fs::write(&file, RULES).unwrap();
        config.rules = Some(file);
    })
    .await
}

fn body(tool: &str, database: &str, statement: &str) -> String {
    let arguments = json!({"database": database, "statement": statement});
    json!({"tool": tool, "arguments": arguments, "timeout": "1h"}).to_string()
}

impl Fixture {
    async fn whole_queue(&self) -> Value {
        let answer = self.send(call("GET", "/api/v1/hitl/actions").bearer(&self.reviewer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_rule_asks_for_is_sealed_with_its_name() {
    let fixture = start().await;
    let answer = fixture.ask("k", body("sql.update", "PROD-eu", "update users set x = 1")).await;
    let id = id(&answer);
    let sealed: Value = serde_json::from_str(fixture.shown(&id).await["sealed"].as_str().unwrap()).unwrap();
    assert_eq!((&sealed["risk"], &sealed["reviewers_needed"]), (&json!("high"), &json!(2)));
    assert_eq!(sealed["grace_s"], 30);
    let reasons = json!([
        "rule \"prod database\"",
        "2 reviewers: rule \"prod database\"",
        "5m to decide: rule \"prod database\"",
        "held for 30s: rule \"prod database\""
    ]);
    assert_eq!(sealed["risk_reasons"], reasons);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time(&sealed["expires_at"]).duration_since(time(&sealed["created_at"])).as_secs(), 300);
    let request = fixture.request(&id).await;
    assert_eq!((&request["timeout"], &request["deadline_at"]), (&json!("1h"), &sealed["expires_at"]));
}

#[tokio::test]
async fn what_no_rule_looks_at_is_as_it_was() {
    let fixture = start().await;
    let entry = fixture.entry("k", "10m").await;
    let sealed: Value =
        serde_json::from_str(fixture.shown(&entry.id).await["sealed"].as_str().unwrap()).unwrap();
    assert_eq!((&sealed["risk"], &sealed["reviewers_needed"]), (&json!("medium"), &json!(1)));
    assert_eq!((&sealed["risk_reasons"], sealed.get("grace_s")), (&json!([]), None));
}

#[tokio::test]
async fn a_refusal_keeps_nothing_and_names_the_rule() {
    let fixture = start().await;
    for (key, statement) in
        [("a", "drop table users"), ("b", "DROP\n\tTABLE users"), ("c", "dr\u{43e}p table x")]
    {
        let answer = fixture.ask(key, body("sql.run", "staging", statement)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "refused_by_rule"), "{statement}");
        let error = answer.json()["error"].clone();
        let words = "refused by the rule \"no dropping\": tables are dropped by migrations only";
        assert_eq!((&error["type"], &error["message"]), (&json!("forbidden"), &json!(words)));
    }
    assert_eq!(fixture.whole_queue().await["actions"], json!([]));
}

#[tokio::test]
async fn what_a_rule_allows_is_approved_at_once_and_can_be_taken_once() {
    let fixture = start().await;
    let mut events = fixture.listen(None).await;
    let answer = fixture.ask("k", body("sql.select", "staging", "select 1")).await;
    let id = id(&answer);
    assert_eq!(answer.json()["status"], "approved");
    let decision = &answer.json()["decision"];
    assert_eq!(decision["status"], "approved");
    assert!(decision.get("expires_at").is_some() && decision.get("note").is_none(), "{decision}");

    let shown = fixture.shown(&id).await;
    assert_eq!((&shown["state"], &shown["decision"]["verdict"]), (&json!("approved"), &json!("approve")));
    assert_eq!(shown["decision"]["reviewer"], "rule:reading");
    assert_eq!(shown["decision"]["digest"], shown["digest"]);
    assert_eq!(shown["execution"]["state"], "waiting");
    let request_id = shown["decision"]["request_id"].as_str().unwrap();
    let status = fixture.status(request_id).await.json();
    assert_eq!((&status["status"], &status["reviewer"]), (&json!("COMMITTED"), &json!("rule:reading")));
    for name in ["action.created", "action.decided"] {
        let (_, event, entry) = events.next().await;
        assert_eq!((event.as_str(), entry.action.id.as_str()), (name, id.as_str()));
    }
    assert_eq!(fixture.whole_queue().await["allowed_by_rule"], 1);

    // The same call again is the same request, and nothing is counted twice.
    let again = fixture.ask("k", body("sql.select", "staging", "select 1")).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &json!(id)));
    assert_eq!(fixture.whole_queue().await["allowed_by_rule"], 1);

    // A person comes too late, and is told whose decision stands.
    let late = fixture.decide("reject", &fixture.look(&id).await, Some("no")).await;
    assert_eq!((late.status, &late.json()["decision"]["reviewer"]), (409, &json!("rule:reading")));

    let consume = |key: &'static str| {
        fixture.agent_call("POST", format!("/aap/v1/requests/{id}/consume"), Some(key), "")
    };
    assert_eq!(consume("c").await.status, 200);
    assert_eq!(consume("d").await.status, 409);
}

#[tokio::test]
async fn what_only_looks_like_what_is_allowed_waits_for_a_person() {
    let fixture = start().await;
    for (key, body) in [
        ("case", body("sql.select", "Staging", "select 1")),
        ("blank", body("sql.select", "staging ", "select 1")),
        ("letter", body("sql.select", "st\u{430}ging", "select 1")),
        ("hidden", body("sql.select", "staging", "select\u{200b} 1")),
        ("tool", body("sql.Select", "staging", "select 1")),
        (
            "list",
            json!({"tool": "sql.select", "arguments": {"database": ["staging"]}, "timeout": "1h"})
                .to_string(),
        ),
        ("missing", json!({"tool": "sql.select", "arguments": {}, "timeout": "1h"}).to_string()),
        (
            "claim",
            json!({"tool": "sql.select", "arguments": {"database": "staging"}, "timeout": "1h",
                "context": {"risk": "high"}})
            .to_string(),
        ),
    ] {
        let answer = fixture.ask(key, body).await;
        assert_eq!((answer.status, &answer.json()["status"]), (201, &json!("pending")), "{key}");
    }
    let twice =
        r#"{"tool":"sql.select","arguments":{"database":"prod","database":"staging"},"timeout":"1h"}"#;
    assert_eq!(fixture.ask("twice", twice).await.code(), "duplicate_key");
    assert_eq!(fixture.whole_queue().await["allowed_by_rule"], 0);
}

#[tokio::test]
async fn a_rule_lets_nobody_around_a_pause() {
    let fixture = start().await;
    fixture.ask("first", body("sql.update", "staging", "x")).await;
    let pause = call("POST", "/api/v1/hitl/agents/bot/pause").bearer(&fixture.reviewer);
    assert_eq!(fixture.send(pause).await.status, 200);
    let answer = fixture.ask("k", body("sql.select", "staging", "select 1")).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "agent_paused"));
}

#[tokio::test]
async fn an_agent_cannot_pass_for_a_rule_nor_decide_as_one() {
    let fixture = start().await;
    let rule = fixture.gateway.agent("rule:reading").expose_secret().to_owned();
    let asked = call("POST", "/aap/v1/requests").bearer(&rule).header("Idempotency-Key", "k");
    let answer = fixture.send(asked.body(body("sql.update", "staging", "x"))).await;
    assert_eq!(answer.json()["status"], "pending");
}

#[tokio::test]
async fn rules_read_again_hold_for_what_is_asked_from_then_on() {
    let fixture = Fixture::start().await;
    let file = fixture.gateway.rules_file().to_owned();
    assert_eq!((fixture.gateway.rules(), file.file_name().unwrap().to_str()), (0, Some("rules.toml")));
    let dropping = body("sql.run", "x", "drop table t");
    let first = id(&fixture.ask("before", dropping.clone()).await);

    std::fs::write(&file, RULES).unwrap();
    assert_eq!(fixture.gateway.reload_rules().await.unwrap(), 3);
    assert_eq!(fixture.ask("after", dropping.clone()).await.code(), "refused_by_rule");
    let again = fixture.ask("before", dropping.clone()).await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (200, &json!(first)),
        "it was taken before the rule was there"
    );
    let other = fixture.ask("before", body("sql.run", "y", "drop table t")).await;
    assert_eq!(other.code(), "idempotency_conflict");

    std::fs::write(&file, format!("{RULES}\nnme = 1")).unwrap();
    let mistakes = fixture.gateway.reload_rules().await.unwrap_err().to_string();
    assert!(mistakes.contains("did you mean name?"), "{mistakes}");
    assert_eq!(fixture.ask("later", dropping).await.code(), "refused_by_rule", "the old rules are in force");
}

#[tokio::test]
async fn a_mistake_in_the_rules_keeps_the_gateway_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir.path().join("data"));
    let file = dir.path().join("r.toml");
    std::fs::write(&file, "[[rule]]\nname = \"a\"\nalow = true\n").unwrap();
    config.rules = Some(file);
    match Gateway::start(config).await.err() {
        Some(GatewayError::Rules(mistakes)) => {
            let text = mistakes.to_string();
            assert!(text.contains("r.toml:3:1: alow is no part of a rule: did you mean allow?"), "{text}");
        }
        other => panic!("{:?}", other.map(|error| error.to_string())),
    }
}
