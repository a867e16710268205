//! Pausing an agent: what it may still do, what stays, who sees it, and that it lasts.

use crate::support::{Answer, Fixture, call};
use aegis_console::domain::timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

impl Fixture {
    async fn set(&self, agent: &str, verb: &str) -> Answer {
        let path = format!("/api/v1/hitl/agents/{agent}/{verb}");
        self.send(call("POST", path).bearer(&self.reviewer)).await
    }

    /// The agents of the list, by name.
    async fn agents(&self) -> Vec<Value> {
        let answer = self.send(call("GET", "/api/v1/hitl/agents").bearer(&self.reviewer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["agents"].as_array().unwrap().clone()
    }

    async fn ask_as(&self, token: &str, key: &str) -> Answer {
        let body = r#"{"tool":"t","arguments":{},"timeout":"10m"}"#;
        let call = call("POST", "/aap/v1/requests").bearer(token).header("Idempotency-Key", key);
        self.send(call.body(body)).await
    }
}

fn refused(answer: &Answer, agent: &str) {
    let json = answer.json();
    let error = &json["error"];
    assert_eq!((answer.status, &error["code"]), (403, &json!("agent_paused")), "{}", answer.text);
    assert_eq!(error["type"], "forbidden");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(agent) && message.contains("a reviewer"), "{message}");
    assert!(error["request_id"].is_string());
}

#[tokio::test]
async fn a_paused_agent_asks_and_consumes_nothing_and_everything_else_goes_on() {
    let fixture = Fixture::start().await;
    let (approved, open) = (fixture.entry("a", "10m").await, fixture.entry("o", "10m").await);
    let (withdrawn, ran) = (fixture.entry("w", "10m").await, fixture.entry("r", "10m").await);
    assert_eq!(fixture.decide("approve", &ran, None).await.status, 202);
    let consume = |id: &str| format!("/aap/v1/requests/{id}/consume");
    assert_eq!(fixture.agent_call("POST", consume(&ran.id), Some("c"), "").await.status, 200);

    let paused = fixture.set("bot", "pause").await;
    assert_eq!(paused.status, 200, "{}", paused.text);
    let state = paused.json();
    assert_eq!((&state["name"], &state["paused"]), (&json!("bot"), &json!(true)));
    assert_eq!(state["paused_by"], "dana");
    assert!(timestamp::parse(state["paused_at"].as_str().unwrap()).is_some(), "{state}");

    refused(&fixture.ask("new", r#"{"tool":"t","arguments":{},"timeout":"10m"}"#).await, "bot");
    let again = json!({"tool": "send_email", "arguments": {"to": "a@b.example"}, "timeout": "10m"});
    refused(&fixture.ask("a", again.to_string()).await, "bot");
    assert_eq!(fixture.decide("approve", &approved, None).await.status, 202, "what was asked can be decided");
    refused(&fixture.agent_call("POST", consume(&approved.id), Some("c"), "").await, "bot");
    refused(&fixture.agent_call("POST", consume(&ran.id), Some("c"), "").await, "bot");
    assert_eq!(fixture.shown(&approved.id).await["execution"]["state"], "waiting", "nothing was taken");
    assert_eq!(fixture.shown(&open.id).await["state"], "pending", "what was asked stays");

    assert_eq!(fixture.request(&approved.id).await["status"], "approved", "waits go on");
    let path = format!("/aap/v1/requests/{}", withdrawn.id);
    assert_eq!(fixture.agent_call("DELETE", path, None, "").await.status, 200);
    let path = format!("/aap/v1/requests/{}/outcome", ran.id);
    assert_eq!(fixture.agent_call("POST", path, None, r#"{"status":"succeeded"}"#).await.status, 200);
    let other = fixture.gateway.agent("other");
    assert_eq!(fixture.ask_as(other.expose_secret(), "k").await.status, 201, "others ask as before");

    let resumed = fixture.set("bot", "resume").await;
    assert_eq!(resumed.json(), json!({"name": "bot", "paused": false}));
    assert_eq!(fixture.agent_call("POST", consume(&approved.id), Some("c"), "").await.status, 200);
    assert_eq!(fixture.ask_as(&fixture.agent, "new").await.status, 201);
}

#[tokio::test]
async fn pausing_again_changes_nothing_and_the_first_who_did_it_stays_on_record() {
    let fixture = Fixture::start().await;
    let first = fixture.set("bot", "pause").await.json();
    let other = fixture.gateway.reviewer("alice");
    let again = call("POST", "/api/v1/hitl/agents/bot/pause").bearer(other.expose_secret()).body("{}");
    assert_eq!(fixture.send(again).await.json(), first);
    assert_eq!(fixture.set("agent", "resume").await.json(), json!({"name": "agent", "paused": false}));
    assert_eq!(fixture.agents().await, [json!({"name": "agent", "paused": false}), first]);
    let rows = fixture.rows("SELECT (SELECT count(*) FROM pause), (SELECT count(*) FROM outbox)").await;
    assert_eq!(rows, ["1|1"], "one row and one event");
}

#[tokio::test]
async fn a_pause_lasts_over_a_restart_also_of_an_agent_whose_credential_has_ended() {
    let fixture = Fixture::start().await;
    let gone = fixture.gateway.agent("gone");
    assert_eq!(fixture.ask_as(gone.expose_secret(), "k").await.status, 201);
    let paused = fixture.set("bot", "pause").await.json();
    let fixture = fixture.restart().await;
    assert_eq!(
        fixture.agents().await,
        [json!({"name": "agent", "paused": false}), paused, json!({"name": "gone", "paused": false})]
    );
    refused(&fixture.ask("new", r#"{"tool":"t","arguments":{},"timeout":"10m"}"#).await, "bot");
    assert_eq!(fixture.set("gone", "pause").await.status, 200, "it may come back");
    let fixture = fixture.restart().await;
    let back = fixture.gateway.agent("gone");
    refused(&fixture.ask_as(back.expose_secret(), "l").await, "gone");
}

#[tokio::test]
async fn names_are_hostile_and_mean_one_agent_each() {
    let fixture = Fixture::start().await;
    let names = ["a/b", "a%2Fb", "ü ber", "\u{1b}[2J\u{202e}", "pause", "x\"}", "..%2f.."];
    let tokens: Vec<_> = names.iter().map(|name| fixture.gateway.agent(name)).collect();
    for (name, token) in names.iter().zip(&tokens) {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = fixture.set(&encoded, "pause").await;
        assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some(*name)), "{}", answer.text);
        let refusal = fixture.ask_as(token.expose_secret(), "k").await;
        assert_eq!(refusal.code(), "agent_paused");
        assert!(!refusal.text.contains('\u{202e}') && !refusal.text.contains("\\u001b"), "{}", refusal.text);
    }
    let paused = fixture.agents().await.iter().filter(|agent| agent["paused"] == true).count();
    assert_eq!(paused, names.len());
    for unknown in ["nobody", "%1B%5B2J", "a", "agent%00", "AGENT"] {
        let answer = fixture.set(unknown, "pause").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "unknown_agent"), "{unknown}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(!answer.text.contains("\\u001b"), "{}", answer.text);
    }
    for body in ["[]", r#"{"reason":"x"}"#, "{", "{}{}", r#"{"a":1,"a":2}"#] {
        let call = call("POST", "/api/v1/hitl/agents/bot/pause").bearer(&fixture.reviewer).body(body);
        assert_eq!(fixture.send(call).await.status, 400, "{body}");
    }
    assert_eq!(fixture.ask_as(&fixture.agent, "k").await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_is_an_event_that_can_be_resumed_like_the_others() {
    let fixture = Fixture::start().await;
    let mut events = fixture.listen(None).await;
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned()
    };
    fixture.entry("k", "10m").await;
    let (before, ..) = events.next().await;
    let paused = fixture.set("bot", "pause").await.json();
    let block = events.block().await;
    assert_eq!((field(&block, "event").as_str(), block.lines().count()), ("agent.paused", 3), "{block}");
    assert_eq!(serde_json::from_str::<Value>(&field(&block, "data")).unwrap(), paused);
    assert!(field(&block, "id").parse::<i64>().unwrap() > before.parse().unwrap());
    drop(events);
    fixture.set("bot", "resume").await;
    let entry = fixture.entry("l", "10m").await;
    let mut events = fixture.listen(Some(&before)).await;
    for name in ["agent.paused", "agent.resumed"] {
        let block = events.block().await;
        assert_eq!(field(&block, "event"), name);
        assert_eq!(field(&block, "data"), r#"{"name":"bot","paused":false}"#, "as it is now");
    }
    assert_eq!(events.next().await.2.action.id, entry.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_pausing_and_asking_at_once_nothing_is_taken_after_the_pause() {
    let fixture = Fixture::start().await;
    let keys: Vec<_> = (0..60).map(|n| format!("k{n}")).collect();
    let asks = keys.iter().map(|key| fixture.ask_as(&fixture.agent, key));
    let (asked, paused) = tokio::join!(futures_util::future::join_all(asks), async {
        tokio::task::yield_now().await;
        fixture.set("bot", "pause").await
    });
    assert_eq!(paused.status, 200);
    assert!(asked.iter().all(|answer| matches!(answer.status, 201 | 403)));
    let late = "SELECT count(*) FROM outbox WHERE kind = 'ActionCreated'
        AND seq > (SELECT seq FROM outbox WHERE kind = 'AgentPaused')";
    assert_eq!(fixture.rows(late).await, ["0"]);
    refused(&fixture.ask_as(&fixture.agent, "k0").await, "bot");
}
