//! The gateway feed against servers that answer as a script says: in order, cut off, silent, hostile, wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aegis_console::client::AegisClient;
use aegis_console::domain::{Action, ActionState, Listed, Queued, Untrusted};
use aegis_console::feed::gateway::{Pace, run_at};
use aegis_console::feed::{AgentState, FeedEvent, Link, Looking, Source, TroubleKind};
use aegis_console::gateway::{Config, Gateway};
use std::time::Duration;
use support::flood::{Flood, LONG};
use support::scripted::{Answer, Asked, Scripted, head};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);
/// Quick, so that a test sees many tries.
const PACE: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    silence: Duration::from_secs(40),
    steady: Duration::from_secs(10),
};

fn entry(id: &str) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k:{id}","agent":"g","action":"x","payload":{{"n":1.10}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    Queued::pending(Action::read(sealed).unwrap())
}

fn page(ids: &[&str], next: &str) -> Answer {
    let entries: Vec<_> = ids.iter().map(|id| entry(id).write()).collect();
    Answer::json(&format!(r#"{{"actions":[{}],"next":{next}}}"#, entries.join(",")))
}

fn event(number: u32, id: &str) -> String {
    format!("id: {number}\nevent: action.created\ndata: {}\n\n", entry(id).write())
}

fn is_events(asked: &Asked) -> bool {
    asked.target.starts_with("/api/v1/hitl/events")
}

struct Listener {
    rx: mpsc::Receiver<FeedEvent>,
    feed: tokio::task::JoinHandle<()>,
}

impl Listener {
    fn at(server: &Scripted, pace: Pace) -> Self {
        Self::at_url(server.url(), pace)
    }

    fn at_url(url: &str, pace: Pace) -> Self {
        let (tx, rx) = mpsc::channel(4);
        Self { rx, feed: tokio::spawn(run_at(pace, source(url), tx)) }
    }

    async fn next(&mut self) -> FeedEvent {
        timeout(PATIENCE, self.rx.recv()).await.expect("nothing comes").expect("the feed ended")
    }

    /// The next events in short words.
    async fn told<const N: usize>(&mut self) -> [String; N] {
        let mut told = Vec::new();
        while told.len() < N {
            told.push(short(&self.next().await));
        }
        told.try_into().unwrap()
    }

    /// The next events in short words, but not that nobody looks at anything: when a gateway says so is its own affair.
    async fn told_but_looks<const N: usize>(&mut self) -> [String; N] {
        let mut told = Vec::new();
        while told.len() < N {
            told.push(short(&self.next().await));
            told.retain(|short| short != "looking");
        }
        told.try_into().unwrap()
    }

    /// The reason of the next break.
    async fn reason(&mut self) -> String {
        loop {
            if let FeedEvent::Link(Link::Reconnecting { reason, next, since }) = self.next().await {
                assert!(since <= next);
                return reason.visible().plain();
            }
        }
    }
}

fn short(event: &FeedEvent) -> String {
    let ids = |entries: &[Listed]| {
        let id = |entry: &Listed| match entry.headline.action().as_ref() {
            action if action.unreadable.is_some() => format!("unreadable {}", action.payload()),
            action => action.id.clone(),
        };
        entries.iter().map(id).collect::<Vec<_>>().join(",")
    };
    match event {
        FeedEvent::Link(Link::Reconnecting { .. }) => "reconnecting".into(),
        FeedEvent::Link(link) => format!("{link:?}").to_lowercase(),
        FeedEvent::Entries(entries) => format!("entries {}", ids(entries)),
        FeedEvent::Complete { pending } => format!("complete {}", pending.len()),
        FeedEvent::Changed(entry) => {
            format!("changed {} {}", ids(std::slice::from_ref(entry)), entry.state.word())
        }
        FeedEvent::Replaced(entry) => format!("replaced {}", entry.action.id),
        FeedEvent::Agents(agents) => {
            let short = |agent: &AgentState| {
                format!(" {}{}", if agent.paused { "-" } else { "+" }, agent.name.visible().plain())
            };
            format!("agents{}", agents.iter().map(short).collect::<String>())
        }
        FeedEvent::Looking(looking) => {
            let short = |one: &Looking| format!(" {} at {}", one.reviewer.visible().plain(), one.action_id);
            format!("looking{}", looking.iter().map(short).collect::<String>())
        }
        FeedEvent::AllowedByRule(count) => format!("{count} allowed by rule"),
        FeedEvent::Unreadable { place, .. } => format!("unreadable {place}"),
    }
}

#[tokio::test]
async fn everything_pending_is_listed_and_then_news_comes() {
    let server = Scripted::start(|asked, _| match asked.target.as_str() {
        target if target.contains("after=c%2F2") => page(&["c"], "null"),
        _ if is_events(asked) => {
            let decided = entry("a").write().replace("\"pending\"", "\"rejected\"");
            let more = format!(
                ": ok\n\n{}: still here\n\nevent: action.decided\nid: 8\ndata: {decided}\n\n",
                event(7, "d")
            );
            Answer::events(format!(
                "{more}event: other\ndata: x\n\nid: 9\n\n{}",
                event(10, "e").replace('\n', "\r")
            ))
        }
        _ => page(&["a", "b"], "\"c/2\""),
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(
        told,
        [
            "connecting",
            "entries a,b",
            "entries c",
            "complete 3",
            "live",
            "changed d pending",
            "changed a rejected",
            "changed e pending"
        ]
    );
    let asked = server.asked();
    assert!(is_events(&asked[0]), "the stream is connected before the listing: {asked:?}");
    assert_eq!(asked[1].target, "/api/v1/hitl/actions?state=pending&limit=50");
    for asked in &asked {
        assert_eq!(asked.header("authorization"), Some("Bearer s3cret"));
        assert_eq!(asked.header("last-event-id"), None);
    }
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_where_it_was() {
    let server = Scripted::start(|asked, before| match before {
        _ if !is_events(asked) => page(&[], "null"),
        0 => {
            let cut = event(8, "b");
            Answer::cut_events(format!(": ok\n\n{}{}", event(7, "a"), &cut[..cut.len() - 1]))
        }
        1 => Answer::new("503 Service Unavailable", "text/plain", ""),
        _ => Answer::events(event(8, "b")),
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(told, ["connecting", "entries ", "complete 0", "live", "changed a pending", "reconnecting"]);
    let told = feed.told().await;
    assert_eq!(told, ["reconnecting", "entries ", "complete 0", "live", "changed b pending"]);
    let resumed: Vec<_> = server.asked().into_iter().filter(is_events).collect();
    let ids: Vec<_> = resumed.iter().map(|asked| asked.header("last-event-id")).collect();
    assert_eq!(ids, [None, Some("7"), Some("7")]);
}

#[tokio::test]
async fn what_cannot_be_read_hides_nothing_else() {
    let server = Scripted::start(|asked, _| {
        if is_events(asked) {
            let magic = r#"{"$serde_json::private::RawValue":"{}"}"#;
            let other = entry("z").write().replace("1.10", "1.11");
            let bad = ["{", "7", "[[[[[[[[[[[[[[[[[[[[[", magic, &other];
            let bad: String = (1..)
                .zip(bad)
                .map(|(id, data)| format!("id: {id}\nevent: action.created\ndata: {data}\n\n"))
                .collect();
            return Answer::events(bad + &event(6, "b"));
        }
        let twice = r#"{"state":"approved","state":"pending"}"#;
        Answer::json(&format!("{{\"actions\":[{twice},{},null],\"next\":null}}", entry("a").write()))
    });
    let mut feed = Listener::at(&server, PACE);
    let told = feed.told().await;
    assert_eq!(
        told,
        [
            "connecting",
            "entries unreadable {\"state\":\"approved\",\"state\":\"pending\"},a,unreadable null",
            "complete 3",
            "live"
        ]
    );
    let told = feed.told().await;
    let altered = entry("z").action.sealed.replace("1.10", "1.11");
    assert_eq!(
        told,
        [
            "unreadable event 1",
            "changed unreadable 7 pending",
            "unreadable event 3",
            "changed unreadable {\"$serde_json::private::RawValue\":\"{}\"} pending",
            &format!("changed unreadable {altered} pending"),
            "changed b pending"
        ]
    );
}

#[tokio::test]
async fn an_event_that_breaks_the_stream_is_not_asked_for_again() {
    let server = Scripted::start(|asked, before| match before {
        _ if !is_events(asked) => page(&[], "null"),
        0 => {
            let bad = b"id: 8\nevent: action.created\ndata: \xff\n\n";
            Answer::events([event(7, "a").as_bytes(), bad].concat())
        }
        1 => Answer::Endless(head("200 OK", "text/event-stream", "", b""), vec![b'x'; 64 * 1024]),
        _ => Answer::events(event(9, "c")),
    });
    let mut feed = Listener::at(&server, PACE);
    let _: [String; 4] = feed.told().await;
    let told = feed.told().await;
    assert_eq!(told, ["changed a pending", "unreadable the event after 7", "reconnecting"]);
    let told = feed.told().await;
    assert_eq!(told, ["entries ", "complete 0", "live", "unreadable an event", "reconnecting"], "no bound");
    let told = feed.told().await;
    assert_eq!(told, ["entries ", "complete 0", "live", "changed c pending"]);
    assert!(server.asked().iter().all(|asked| asked.header("last-event-id").is_none()));
}

#[tokio::test]
async fn a_silent_stream_is_broken() {
    let server =
        Scripted::start(
            |asked, _| if is_events(asked) { Answer::events(": ok\n\n") } else { page(&[], "null") },
        );
    let pace = Pace { silence: Duration::from_millis(50), ..PACE };
    let reason = Listener::at(&server, pace).reason().await;
    assert!(reason.contains("has been silent"), "{reason}");
}

/// An answer, and words that the reason must hold.
type Wrong = (fn() -> Answer, &'static str);

#[tokio::test]
async fn every_wrong_answer_has_its_words() {
    let wrong: [Wrong; 10] = [
        (|| Answer::new("401 Unauthorized", "application/json", "{}"), "does not know this credential (401)"),
        (|| Answer::new("403 Forbidden", "application/json", "{}"), "an agent's token will not do"),
        (|| Answer::new("404 Not Found", "text/html", "<html>"), "has no queue (404)"),
        (|| Answer::new("200 OK", "text/html", "<html>"), "a web page instead of a queue"),
        (|| Answer::new("200 OK", "application/json", "{}"), "no text/event-stream"),
        (|| Answer::new("204 No Content", "text/plain", ""), "answers 204"),
        (|| Answer::Whole(b"\x16\x03\x01garbage\r\n\r\n".to_vec()), "no server answers"),
        (|| Answer::Whole(Vec::new()), "no server answers"),
        (
            || {
                Answer::Whole(head(
                    "302 Found",
                    "text/plain",
                    "location: http://127.0.0.1:1/elsewhere\r\n",
                    b"",
                ))
            },
            "redirect (302), which is never followed",
        ),
        (
            || {
                Answer::new(
                    "507 Insufficient Storage",
                    "application/problem+json",
                    r#"{"detail":"the disk is full\u001b[2J"}"#,
                )
            },
            "answers 507: the disk is full␛[2J",
        ),
    ];
    for (answer, words) in wrong {
        let server = Scripted::start(move |_, _| answer());
        let mut feed = Listener::at(&server, PACE);
        for _ in 0..2 {
            let reason = feed.reason().await;
            assert!(reason.contains(words) && reason.contains("127.0.0.1:"), "{reason}");
        }
        assert!(server.asked().iter().all(is_events), "asked elsewhere: {:?}", server.asked());
    }
}

#[tokio::test]
async fn a_listing_that_is_no_queue_has_its_words_too() {
    for (body, kind, words) in [
        ("<!doctype html>", "text/html", "a web page"),
        ("  <html>", "application/json", "a web page"),
        ("{\"actions\":1}", "application/json", "no array"),
        ("{\"actions\":[],\"actions\":[]", "application/json", "ends too early"),
    ] {
        let server = Scripted::start(move |asked, _| {
            if is_events(asked) { Answer::events(": ok\n\n") } else { Answer::new("200 OK", kind, body) }
        });
        let reason = Listener::at(&server, PACE).reason().await;
        assert!(reason.contains(words), "{body}: {reason}");
    }
}

#[tokio::test]
async fn a_listing_without_end_is_left() {
    let server =
        Scripted::start(
            |asked, _| if is_events(asked) { Answer::events("") } else { page(&["a"], "\"again\"") },
        );
    let reason = Listener::at(&server, PACE).reason().await;
    assert!(reason.contains("never ends"), "{reason}");
    assert!(server.asked().len() <= 4, "{:?}", server.asked());
}

#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is() {
    let server = Scripted::start(|_, _| {
        Answer::Whole(head("503 Service Unavailable", "text/plain", "retry-after: 120\r\n", b""))
    });
    let mut feed = Listener::at(&server, PACE);
    assert_eq!(short(&feed.next().await), "connecting");
    let FeedEvent::Link(Link::Reconnecting { next, since, .. }) = feed.next().await else {
        panic!("no break")
    };
    let pause = next.duration_since(since).as_secs();
    assert!((119..=121).contains(&pause), "{pause} s");
}

#[tokio::test]
async fn interim_answers_without_end_hold_up_nothing_else() {
    let flood = Flood::start();
    let _feed = Listener::at_url(&flood.url, PACE);
    let ((), held) = flood.beside(flood.is_taken()).await;
    assert!(held < LONG, "{held} bytes were read and nothing else ran");
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let server =
        Scripted::start(|asked, _| if is_events(asked) { Answer::events("") } else { page(&[], "null") });
    let mut feed = Listener::at(&server, PACE);
    while short(&feed.next().await) != "live" {}
    let Listener { rx, feed } = feed;
    drop(rx);
    timeout(PATIENCE, feed).await.expect("it goes on").unwrap();
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address_and_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let source = source(&url);
    let trouble = source.pages(ActionState::Pending).next().await.unwrap().unwrap_err().to_string();
    assert!(trouble.contains("no server answers at http://127.0.0.1:"), "{trouble}");
    assert!(trouble.contains("refused") && trouble.contains("aegis-console serve"), "{trouble}");
    assert!(!format!("{source:?}").contains("s3cret"));
}

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
async fn one_entry_is_fetched_as_it_is_now_and_another_is_not_taken_for_it() {
    let server = Scripted::start(|asked, _| match asked.target.as_str() {
        "/api/v1/hitl/actions/a" => Answer::json(&entry("a").write()),
        "/api/v1/hitl/actions/b" => Answer::json(&entry("a").write()),
        "/api/v1/hitl/actions/c" => Answer::json(&entry("c").write().replace("1.10", "1.11")),
        "/api/v1/hitl/actions/d" => Answer::json(r#"{"sealed":"{","digest":"","state":"pending"}"#),
        "/api/v1/hitl/actions/%1B%5B2J%2F.." => Answer::new("404 Not Found", "application/json", "{}"),
        other => panic!("{other}"),
    });
    let source = source(server.url());
    assert_eq!(source.fetch("a").await, Ok(entry("a")));
    let changed = source.fetch("c").await.unwrap().action.clone();
    assert_eq!(
        (changed.id.as_str(), changed.unreadable.is_some()),
        ("c", true),
        "it says what it is, and no more"
    );
    for (id, words) in
        [("b", "answers another action"), ("d", "not valid JSON"), ("\u{1b}[2J/..", "has no action ␛[2J/..")]
    {
        let trouble = source.fetch(id).await.unwrap_err().to_string();
        assert!(trouble.contains(words) && trouble.contains("127.0.0.1"), "{trouble}");
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

fn source(url: &str) -> Source {
    Source::new(&AegisClient::builder().base_url(url).api_key("s3cret").build().unwrap()).unwrap()
}
