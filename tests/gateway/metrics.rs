//! What is counted, and that nothing in it tells who does what.

use crate::support::{Fixture, call, http};
use serde_json::json;
use std::time::Duration;

/// The values of every series, by name and labels.
async fn scrape(fixture: &Fixture) -> String {
    let answer = fixture.send(call("GET", "/metrics")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    answer.text
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix(series).and_then(|rest| rest.strip_prefix(' ')));
    line.map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn calls_refusals_events_commits_and_decisions_are_counted() {
    let fixture = Fixture::start().await;
    let (first, second) = (fixture.entry("k1", "10m").await, fixture.entry("k2", "10m").await);
    assert_eq!(fixture.decide("approve", &first, None).await.status, 202);
    assert_eq!(fixture.decide("reject", &first, None).await.status, 409);
    assert_eq!(fixture.send(call("GET", "/api/v1/hitl/actions")).await.status, 401);
    assert_eq!(fixture.send(call("GET", "/nowhere")).await.status, 404);
    assert_eq!(fixture.send(call("BREW", "/healthz")).await.status, 405);
    let text = scrape(&fixture).await;
    for (series, expected) in [
        (r#"aegis_gateway_calls_total{route="/api/v1/hitl/approve",method="POST",status="2xx"}"#, 1.0),
        (r#"aegis_gateway_calls_total{route="/api/v1/hitl/reject",method="POST",status="4xx"}"#, 1.0),
        (r#"aegis_gateway_calls_total{route="/api/v1/hitl/actions/{id}",method="GET",status="2xx"}"#, 2.0),
        (r#"aegis_gateway_calls_total{route="none",method="GET",status="4xx"}"#, 1.0),
        (r#"aegis_gateway_calls_total{route="/healthz",method="other",status="4xx"}"#, 1.0),
        (r#"aegis_gateway_call_seconds_count{route="/aap/v1/requests",method="POST"}"#, 2.0),
        (r#"aegis_gateway_refusals_total{code="unauthenticated"}"#, 1.0),
        (r#"aegis_gateway_refusals_total{code="duplicate"}"#, 1.0),
        (r#"aegis_gateway_events_total{kind="ActionCreated"}"#, 2.0),
        (r#"aegis_gateway_events_total{kind="ExecutionApproved"}"#, 1.0),
        (r#"aegis_gateway_decision_seconds_count{verdict="approve"}"#, 1.0),
        ("aegis_gateway_pending_actions", 1.0),
        ("aegis_gateway_damaged_actions", 0.0),
        ("aegis_gateway_listeners", 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
    }
    let commits = value(&text, "aegis_gateway_commit_seconds_count").unwrap();
    assert!(commits >= 3.0 && value(&text, "aegis_gateway_commit_jobs_sum").unwrap() >= commits, "{text}");
    assert!(text.contains(r#"aegis_gateway_build_info{version=""#), "{text}");
    assert_eq!(fixture.decide("approve", &second, None).await.status, 202);
    assert_eq!(value(&scrape(&fixture).await, "aegis_gateway_pending_actions"), Some(0.0));
}

#[tokio::test]
async fn no_name_id_or_word_of_a_caller_is_in_it() {
    let fixture = Fixture::with(|config| config.tenant = "tenant-marker".into()).await;
    let agent = fixture.gateway.agent("agent-marker");
    let body = json!({"tool": "tool-marker", "server": "server-marker", "arguments": {"a": "payload-marker"},
        "timeout": "10m", "context": {"thread_id": "thread-marker", "labels": {"a": "label-marker"}}});
    let ask = call("POST", "/aap/v1/requests").bearer(secrecy::ExposeSecret::expose_secret(&agent));
    let asked = fixture.send(ask.header("Idempotency-Key", "key-marker").body(body.to_string())).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    let entry = fixture.look(asked.json()["id"].as_str().unwrap()).await;
    assert_eq!(fixture.decide("reject", &entry, Some("reason-marker")).await.status, 202);
    for path in ["/path-marker", "/api/v1/hitl/actions?query-marker=1", "/api/v1/hitl/actions/id-marker"] {
        fixture.send(call("METHOD-MARKER", path).bearer("token-marker")).await;
        fixture.send(call("GET", path).header("X-Request-Id", "request-marker")).await;
    }
    let text = scrape(&fixture).await;
    let told = [fixture.agent.as_str(), fixture.reviewer.as_str(), entry.id.as_str(), "dana"];
    assert!(
        !text.to_lowercase().contains("marker") && !told.iter().any(|word| text.contains(word)),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_at_this_moment_is_counted_up_and_down() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("k", "10m").await;
    let until = async |series: &str, expected: f64| {
        let reached = async {
            while value(&scrape(&fixture).await, series) != Some(expected) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(in_time.is_ok(), "{series} is not {expected}");
    };
    let events = fixture.listen(None).await;
    let url = format!("{}/aap/v1/requests/{}?wait=60s", fixture.gateway.url(), entry.id);
    let waiting = tokio::spawn(http().get(url).bearer_auth(&fixture.agent).send());
    until("aegis_gateway_listeners", 1.0).await;
    until("aegis_gateway_waiting_calls", 1.0).await;
    until("aegis_gateway_connections", 2.0).await;
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
    drop(waiting.await.unwrap().unwrap());
    drop(events);
    for series in ["listeners", "waiting_calls", "connections"] {
        until(&format!("aegis_gateway_{series}"), 0.0).await;
    }
    let text = scrape(&fixture).await;
    let held = r#"aegis_gateway_call_seconds_sum{route="/aap/v1/requests/{id}",method="GET"}"#;
    assert!(value(&text, held).unwrap() < 0.02, "what a call asked to wait is no time to an answer: {text}");
}
