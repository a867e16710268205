//! Decisions that last: held and taken back, queued while the link is down, found again at the next start, and a journal
//! that fails.

use crate::script::{SHORT, Script, WIDE, at, refund, trade};
use aegis_console::console::app::model::Exit;
use aegis_console::console::app::{Effect, Message};
use aegis_console::dispatch::{DispatchEvent, News};
use aegis_console::domain::{Outcome, Resolution, Try};
use aegis_console::feed::{FeedEvent, Link};
use aegis_console::journal::{Entry, Stage};
use insta::assert_snapshot;
use std::time::Duration;
use uuid::Uuid;

fn held() -> News {
    News::Held { until: at("12:02:03") }
}

#[test]
fn held_and_taken_back() {
    let mut script = Script::with_queue(WIDE);
    script.approve().hear(held());
    assert_snapshot!("held_120x40", script.screen());
    script.wait(Duration::from_secs(1));
    assert!(script.text().contains("goes out in 2 s"), "{}", script.text());
    let id = script.order().id;
    script.keys("u");
    assert_eq!(script.effects.last(), Some(&Effect::Undo(vec![id])));
    assert!(script.text().contains("held"), "nothing is undone before the journal says so");
    script.hear(News::Dropped);
    assert!(script.text().contains("undone     taken back, nothing was sent"), "{}", script.text());
    assert!(script.text().contains("Refund mail"), "it waits again");
    script.keys("u");
    assert!(script.text().contains("nothing is held that could be taken back"));
}

#[test]
fn undo_takes_the_newest_or_the_one_under_the_cursor() {
    let mut script = Script::with_queue(WIDE);
    script.approve().hear(held());
    let first = script.order().id;
    script.wait(Duration::from_millis(1)).keys("j").approve().hear(held());
    let second = script.order().id;
    script.keys("u");
    assert_eq!(script.effects.last(), Some(&Effect::Undo(vec![second])));
    script.keys("tab tab G u");
    assert_eq!(script.effects.last(), Some(&Effect::Undo(vec![first])));
}

#[test]
fn quitting_with_something_held_asks_what_becomes_of_it() {
    for (key, effect) in [("s", Effect::Release as fn(Vec<Uuid>) -> Effect), ("d", Effect::DropHeld)] {
        let mut script = Script::with_queue(SHORT);
        script.approve().hear(held()).keys("q");
        assert_eq!(script.model.exit, None);
        if key == "s" {
            assert_snapshot!("leaving_72x12", script.screen());
        }
        script.keys("a esc");
        assert!(script.model.bar.is_none(), "no other key does anything while it asks");
        let id = script.order().id;
        script.keys("q").keys(key);
        assert_eq!(script.effects.last(), Some(&effect(vec![id])));
        assert_eq!(script.model.exit, Some(Exit::Quit));
    }
}

#[test]
fn offline_decisions_are_queued_and_come_back_where_the_action_has_changed() {
    let mut script = Script::with_queue(WIDE);
    let down = Link::Reconnecting { next: at("12:02:04"), since: at("12:02:00"), reason: "refused".into() };
    script.feed(FeedEvent::Link(down.clone())).feed(FeedEvent::Link(down));
    let links = |script: &Script| {
        script.effects.iter().filter(|effect| matches!(effect, Effect::Link(_))).cloned().collect::<Vec<_>>()
    };
    assert_eq!(links(&script), [Effect::Link(false)]);
    script.approve().hear(News::Queued);
    assert_snapshot!("queued_offline_120x40", script.screen());
    script.feed(FeedEvent::Link(Link::Live));
    assert_eq!(links(&script), [Effect::Link(false), Effect::Link(true)]);
    script.hear(News::Returned { why: "alice has rejected it\u{1b}[2J".into() });
    assert!(
        script.text().contains("returned   not sent, it waits again: alice has rejected it␛[2J"),
        "{}",
        script.text()
    );
    assert_eq!(script.bells(), 1);
}

#[test]
fn what_the_journal_had_kept_goes_on_and_is_not_decided_twice() {
    let mut script = Script::with_queue(WIDE);
    script.approve();
    let order = script.order();
    let entry = |stage, resolution| Entry {
        intent: order.intent("http://127.0.0.1:8000", None),
        stage,
        maybe: true,
        reached_at: Some(at("12:02:00")),
        tries: 2,
        next_at: Some(at("12:02:09")),
        resolution,
        acknowledged: false,
        returned: None,
        updated_at: at("12:02:00"),
    };
    let resolution = |outcome| Resolution {
        outcome,
        http_status: None,
        standing: None,
        detail: None,
        tries: Vec::new(),
        request_id: order.request_id.to_string(),
        idempotency_key: order.action.idempotency_key.clone(),
    };
    let mut next = Script::new(WIDE);
    let unconfirmed = Some(resolution(Outcome::Unconfirmed));
    let found = News::Found(Box::new(entry(Stage::Doubtful, unconfirmed)));
    next.tell(Message::Dispatch(DispatchEvent { id: order.id, news: found }));
    next.feed(FeedEvent::entries(vec![refund(), trade()]));
    assert_snapshot!("found_doubtful_120x40", next.screen());
    let first = Try {
        number: 1,
        http_status: None,
        error: Some("connection reset".into()),
        started: at("11:55:00"),
        took: Duration::from_secs(1),
        waited: Duration::ZERO,
    };
    let old = Resolution { tries: vec![first], ..resolution(Outcome::Unconfirmed) };
    next.tell(Message::Dispatch(DispatchEvent { id: order.id, news: News::Resolved(old) }));
    let says = "no answer: it may have landed; sent again, it may run twice";
    assert!(next.text().contains(says), "{}", next.text());
    let news = News::Resolved(resolution(Outcome::Mine));
    next.tell(Message::Dispatch(DispatchEvent { id: order.id, news }));
    assert!(
        next.text().contains("409 mine   landed on an earlier try") && !next.text().contains("Refund mail")
    );

    let mut other = Script::new(WIDE);
    let returned = Entry { returned: Some("expired".into()), ..entry(Stage::Returned, None) };
    let found = News::Found(Box::new(returned));
    other.tell(Message::Dispatch(DispatchEvent { id: order.id, news: found }));
    other.feed(FeedEvent::entries(vec![refund()]));
    assert!(other.text().contains("Refund mail"), "what was never sent waits\n{}", other.text());
}

#[test]
fn when_the_journal_fails_nothing_is_taken() {
    let mut script = Script::with_queue(WIDE);
    script.approve().hear(News::NotRecorded { why: "the disk is full: make room".into() });
    assert_snapshot!("journal_failed_120x40", script.screen());
    let before = script.orders();
    script.keys("j a enter r enter");
    assert_eq!((script.orders(), script.model.bar.is_none()), (before, true));
    assert!(script.text().contains("no decision can be taken"), "{}", script.text());
}

#[test]
fn who_sends_is_said() {
    let mut script = Script::with_queue(WIDE);
    script.tell(Message::CarriedElsewhere(true));
    assert!(script.text().contains("● live · another console sends"));
    script.tell(Message::CarriedElsewhere(false));
    assert!(!script.text().contains("another console"));
}
