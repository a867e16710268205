//! What a feed tells of others: agents and their pauses, reviewers and where they look, rules and what they allow.

use crate::listener::{Listener, PACE, entry, event, is_events, page, short, source};
use crate::support::scripted::{Answer, Asked, Scripted};
use aegis_console::client::AegisClient;
use aegis_console::domain::Untrusted;
use aegis_console::feed::gateway::run_at;
use aegis_console::feed::{Looking, Source, TroubleKind};
use aegis_console::gateway::{Config, Gateway};
use tokio::sync::mpsc;

fn is_agents(asked: &Asked) -> bool {
    asked.target.starts_with("/api/v1/hitl/agents")
}

#[tokio::test]
async fn agents_are_told_after_the_link_is_up_and_as_they_are_paused() {
    let server = Scripted::start(|asked, _| match asked {
        asked if is_agents(asked) => Answer::json(
            r#"{"agents":[{"name":"a","paused":false},{"name":"b\u001b[2J","paused":true,"paused_by":"dana","paused_at":"2026-11-23T12:00:00Z"}]}"#,
        ),
        asked if is_events(asked) => {
            let agent =
                |id: u32, name: &str, data: &str| format!("id: {id}\nevent: {name}\ndata: {data}\n\n");
            Answer::events(
                agent(1, "agent.paused", r#"{"name":"a","paused":true,"later":[1]}"#)
                    + &agent(2, "agent.renamed", "x")
                    + &agent(3, "agents.paused", r#"{"name":"c","paused":true}"#)
                    + &agent(4, "agent.paused", r#"{"name":"a","paused":1}"#)
                    + &agent(5, "agent.resumed", r#"{"name":"a","name":"b","paused":false}"#)
                    + &agent(6, "agent.resumed", r#"{"name":"a","paused":false}"#)
                    + &event(7, "d"),
            )
        }
        _ => page(&[], "null"),
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(told, ["connecting", "entries ", "complete 0", "live", "agents +a -b␛[2J", "agents -a"]);
    let told = feed.told().await;
    assert_eq!(told, ["unreadable event 4", "unreadable event 5", "agents +a", "changed d pending"]);
}

fn named(number: u32, name: &str, data: &str) -> String {
    format!("id: {number}\nevent: {name}\ndata: {data}\n\n")
}

#[tokio::test]
async fn who_looks_is_told_without_a_place_in_the_stream_and_what_is_odd_is_let_pass() {
    let server = Scripted::start(|asked, before| match asked {
        asked if is_events(asked) => {
            let looks = |data: &str| format!("event: presence\ndata: {data}\n\n");
            let bytes = looks(r#"{"looking":[]}"#)
                + &event(7, "a")
                + &looks(r#"{"looking":[{"reviewer":"bob\u001b[2J","action_id":"a"}]}"#)
                + &looks(r#"{"looking":7}"#)
                + &looks("{");
            if before == 0 { Answer::cut_events(bytes) } else { Answer::events("") }
        }
        _ => page(&[], "null"),
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(told, ["connecting", "entries ", "complete 0", "live", "looking", "changed a pending"]);
    assert_eq!(feed.told().await, ["looking bob␛[2J at a", "reconnecting"]);
    while short(&feed.next().await) != "live" {}
    let resumed: Vec<_> = server.asked().into_iter().filter(is_events).collect();
    assert_eq!(resumed[1].header("last-event-id"), Some("7"));
}

#[tokio::test]
async fn what_rules_allow_is_counted_on_from_the_listing() {
    let by = |id: &str, reviewer: &str, at: &str, state: &str| {
        let verdict = if state == "approved" { "approve" } else { "reject" };
        let decision = format!(
            r#"{{"verdict":"{verdict}","reviewer":"{reviewer}","request_id":"r","decided_at":"{at}"}}"#
        );
        let text = entry(id).write().replace("\"decision\":null", &format!("\"decision\":{decision}"));
        text.replace("\"pending\"", &format!("\"{state}\""))
    };
    let (later, before) = ("2999-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let server = Scripted::start(move |asked, _| match asked {
        asked if is_events(asked) => Answer::events(
            named(1, "action.created", &by("a", "rule:reads", later, "approved"))
                + &named(2, "action.decided", &by("a", "rule:reads", later, "approved"))
                + &named(3, "action.consumed", &by("a", "rule:reads", later, "approved"))
                + &named(4, "action.decided", &by("b", "alice", later, "approved"))
                + &named(5, "action.decided", &by("c", "rule:never", later, "rejected"))
                // The listing has counted it.
                + &named(6, "action.decided", &by("d", "rule:reads", before, "approved"))
                + &named(7, "action.decided", &by("e", "rule:reads", later, "approved")),
        ),
        _ => Answer::json(r#"{"actions":[],"next":null,"allowed_by_rule":41}"#),
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(told, ["connecting", "entries ", "complete 0", "41 allowed by rule", "live"]);
    let told = feed.told().await;
    assert_eq!(
        told,
        [
            "changed a approved",
            "changed a approved",
            "42 allowed by rule",
            "changed a approved",
            "changed b approved",
            "changed c rejected",
            "changed d approved",
            "changed e approved",
            "43 allowed by rule"
        ]
    );
}

#[tokio::test]
async fn a_gateway_is_told_what_the_reviewer_looks_at_and_answers_who_else_does() {
    let server = Scripted::start(|asked, before| match (asked.target.as_str(), before) {
        ("/api/v1/hitl/presence", 0) => Answer::json(r#"{"looking":[{"reviewer":"bob","action_id":"a-1"}]}"#),
        ("/api/v1/hitl/presence", 1) => Answer::json("{}"),
        _ => Answer::new("404 Not Found", "application/problem+json", "{}"),
    });
    let source = source(server.url());
    let digest = entry("a-1").action.digest;
    let looking = source.look(Some(("a-1", &digest))).await.unwrap();
    assert_eq!(looking, [Looking { reviewer: "bob".into(), action_id: "a-1".into() }]);
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.header("authorization")), ("POST", Some("Bearer s3cret")));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.body, format!(r#"{{"action_id":"a-1","digest":"{digest}"}}"#));
    assert!(matches!(source.look(None).await.unwrap_err().kind, TroubleKind::Garbled(_)));
    assert_eq!(server.asked()[1].body, r#"{"action_id":null}"#);
    let trouble = source.look(None).await.unwrap_err();
    assert!(matches!(trouble.kind, TroubleKind::Missing(_)) && trouble.lasts(), "{trouble}");
}

#[tokio::test]
async fn a_server_that_knows_nothing_of_agents_is_no_trouble() {
    for answer in [
        || Answer::new("404 Not Found", "application/json", "{}"),
        || Answer::new("500 Internal Server Error", "text/plain", ""),
        || Answer::new("200 OK", "text/html", "<html>"),
        || Answer::json(r#"{"agents":7}"#),
        || Answer::Whole(Vec::new()),
    ] {
        let server = Scripted::start(move |asked, _| match asked {
            asked if is_agents(asked) => answer(),
            asked if is_events(asked) => Answer::events(event(1, "d")),
            _ => page(&[], "null"),
        });
        let mut feed = Listener::at(&server, PACE);
        let told = feed.told().await;
        assert_eq!(told, ["connecting", "entries ", "complete 0", "live", "changed d pending"]);
        assert_eq!(server.asked().iter().filter(|asked| is_agents(asked)).count(), 1);
    }
}

#[tokio::test]
async fn an_agent_is_paused_at_a_gateway_and_every_console_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(([127, 0, 0, 1], 0).into(), dir.path().join("data"));
    let gateway = Gateway::start(config).await.unwrap();
    let name = "billing/\u{202e}agent %41";
    let _ = gateway.agent(name);
    let client = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("dana")).build();
    let source = Source::new(&client.unwrap()).unwrap();
    let (tx, rx) = mpsc::channel(4);
    let mut console = Listener { rx, feed: tokio::spawn(run_at(PACE, source.clone(), tx)) };
    let shown = Untrusted::from(name).visible().plain();
    let told = console.told_but_looks().await;
    let agents = format!("agents +agent +{shown}");
    assert_eq!(told, ["connecting", "entries ", "complete 0", "0 allowed by rule", "live", &agents]);

    let paused = source.pause(name, true).await.unwrap();
    assert_eq!((paused.name.raw(), paused.paused), (name, true));
    assert_eq!(paused.paused_by, Some("dana".into()));
    let told = console.told_but_looks().await;
    assert_eq!(told, [format!("agents -{shown}")]);
    assert_eq!(source.agents().await.unwrap()[1], paused);
    assert_eq!(source.pause(name, true).await, Ok(paused), "again is the same");
    assert!(!source.pause(name, false).await.unwrap().paused);
    let told = console.told_but_looks().await;
    assert_eq!(told, [format!("agents +{shown}")]);
    for unknown in ["nobody", "", ".", ".."] {
        let trouble = source.pause(unknown, true).await.unwrap_err();
        assert!(matches!(trouble.kind, TroubleKind::Missing(_)), "{unknown}: {trouble}");
        assert!(trouble.to_string().contains("has no agent"), "{trouble}");
    }
    gateway.shutdown().await;
}
