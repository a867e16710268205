//! What a feed tells of a listing and of the events after it, and where a stream that broke is taken up.

use crate::listener::{Listener, PACE, entry, event, is_events, page, source};
use crate::support::scripted::{Answer, Scripted, head};

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
