//! Servers that are silent, answer wrong, without end, or not at all: each has its words, and none holds anything up.

use crate::listener::{Listener, PACE, PATIENCE, is_events, page, short, source};
use crate::support::flood::{Flood, LONG};
use crate::support::scripted::{Answer, Scripted, head};
use aegis_console::domain::ActionState;
use aegis_console::feed::gateway::Pace;
use aegis_console::feed::{FeedEvent, Link};
use std::time::Duration;
use tokio::time::timeout;

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
