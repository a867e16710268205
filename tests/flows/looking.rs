//! Layouts, sizes, the detail, help, links and the passing of time.

use crate::script::{SHORT, SMALL, Sample, Script, WIDE, at, command, refund, settings, trade};
use aegis_console::config::Highlight;
use aegis_console::console::app::deadline::next_deadline;
use aegis_console::console::app::{Message, Settings};
use aegis_console::console::keymap::Scope;
use aegis_console::domain::{ActionState, Risk};
use aegis_console::feed::{FeedEvent, Link};
use insta::assert_snapshot;
use std::time::Duration;

#[test]
fn the_queue_at_three_sizes() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        assert_snapshot!(format!("queue_{name}"), Script::with_queue(size).screen());
    }
}

/// In the row under the cursor and in the title an agent's words keep to roles of foreign text.
#[test]
fn a_whole_row_and_a_filter_that_is_not_understood_keep_to_foreign_roles() {
    let mut script = Script::with(Settings { highlight: Highlight::Row, ..settings() }, SHORT);
    script.feed(FeedEvent::entries(vec![refund(), trade(), command()])).keys("/").typed("mail age>soon");
    assert_snapshot!("whole_row_72x12", script.screen());
}

#[test]
fn the_detail_at_three_sizes() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys("G enter");
        assert_snapshot!(format!("detail_{name}"), script.screen());
    }
}

#[test]
fn every_line_of_a_payload_can_be_reached() {
    for size in [WIDE, SHORT, SMALL] {
        let lines: Vec<_> = (0..200).map(|n| format!("\"line {n:03}\"")).collect();
        let payload = format!("{{\"lines\":[{}]}}", lines.join(","));
        let sample = Sample {
            number: 9,
            agent: "a",
            action: "big",
            payload: &payload,
            summary: None,
            risk: Risk::Low,
            expires: "12:30:00",
        };
        let mut script = Script::new(size);
        script.feed(FeedEvent::entries(vec![sample.queued()])).keys("enter");
        let mut seen = script.text();
        while script.model.detail.scroll.below() > 0 {
            script.keys("space");
            seen.push_str(&script.text());
        }
        assert!((0..200).all(|n| seen.contains(&format!("line {n:03}"))));
    }
}

#[test]
fn too_small_says_so_and_takes_no_decision() {
    let mut script = Script::with_queue(WIDE);
    script.keys("r").tell(Message::Resized(39, 12));
    assert_snapshot!("too_small_39x12", script.screen());
    script.keys("enter r a enter");
    assert_eq!(script.orders(), 0);
    script.tell(Message::Resized(120, 40));
    assert!(script.text().contains("Reject?"), "what was open is still open");
    script.keys("enter");
    assert_eq!(script.orders(), 1);
}

#[test]
fn resizing_keeps_the_row_under_the_cursor_in_view() {
    let mut script = Script::new(WIDE);
    let many = (0..60).map(|number| {
        let (action, expires) = (format!("action_{number:02}"), format!("12:{:02}:00", 10 + number / 2));
        let sample = Sample {
            number,
            agent: "a",
            action: &action,
            payload: "{}",
            summary: None,
            risk: Risk::Low,
            expires: &expires,
        };
        sample.queued()
    });
    script.feed(FeedEvent::entries(many)).keys("G");
    for size in [(40, 12), (300, 80), (72, 12)] {
        script.tell(Message::Resized(size.0, size.1));
        assert!(script.text().contains("▌ LOW  action_59"), "{size:?}\n{}", script.text());
    }
}

#[test]
fn help_is_searched_as_it_is_typed() {
    for (name, size) in [("120x40", WIDE), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys("? /").typed("MARK");
        assert_snapshot!(format!("help_searched_{name}"), script.screen());
        script.keys("enter");
        assert_eq!(script.model.scopes()[0], Scope::Help, "what is typed now are keys again");
        script.keys("esc");
        assert!(script.text().contains("Keys of the list") && !script.text().contains("/MARK"));
        script.keys("/ x backspace backspace q");
        assert!(script.model.help.is_none());
    }
}

#[test]
fn nothing_is_waiting() {
    assert_snapshot!("empty_72x12", Script::new(SHORT).screen());
}

#[test]
fn help_at_two_sizes() {
    for (name, size) in [("120x40", WIDE), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys("?");
        assert_snapshot!(format!("help_{name}"), script.screen());
        script.keys("q");
        assert!(script.model.help.is_none() && script.model.exit.is_none());
    }
}

#[test]
fn time_left_counts_down_and_nothing_else_wakes_the_screen() {
    let mut script = Script::new(WIDE);
    assert_eq!(next_deadline(&script.model, script.now()), None, "nothing on the screen changes by itself");
    script.feed(FeedEvent::entries(vec![refund()]));
    assert!(script.text().contains("4:31") && script.text().contains("expires in 04:31, then: not run"));
    assert_eq!(next_deadline(&script.model, script.now()), Some(Duration::from_secs(1)));
    script.wait(Duration::from_secs(32));
    assert!(script.text().contains("3:59"), "{}", script.text());
}

#[test]
fn an_expiry_rings_once_and_is_no_rejection() {
    let mut script = Script::with_queue(WIDE);
    let mut over = refund();
    over.state = ActionState::Expired;
    script.feed(FeedEvent::changed(over.clone())).feed(FeedEvent::changed(over));
    assert_eq!(script.bells(), 1);
    assert!(script.text().contains("expired    nobody decided in time: not run"), "{}", script.text());
    assert!(script.text().contains("The cursor is on nothing."));
}

#[test]
fn without_a_server_actions_expire_here() {
    let mut script =
        Script::with(Settings { expires_here: true, decisions_go_out: false, ..settings() }, WIDE);
    script.feed(FeedEvent::entries(vec![refund()])).feed(FeedEvent::Link(Link::Ended));
    assert!(script.text().contains("decisions go nowhere"));
    script.approve();
    assert_eq!(script.orders(), 0);
    assert!(script.text().contains("not sent   there is no server to send it to"), "{}", script.text());
    script.feed(FeedEvent::entries(vec![trade()])).wait(Duration::from_secs(600));
    assert!(script.text().contains("nobody decided in time"), "{}", script.text());
}

#[test]
fn the_link_is_told_in_words() {
    let mut script = Script::with_queue(WIDE);
    let down =
        Link::Reconnecting { next: at("12:02:04"), since: at("12:02:00"), reason: "refused\u{1b}[2J".into() };
    script.feed(FeedEvent::Link(down));
    assert!(script.text().contains("○ reconnecting in 4 s"));
    assert!(script.text().contains("the link is down: refused␛[2J"), "{}", script.text());
    let down = Link::Reconnecting { next: at("12:02:04"), since: at("11:03:00"), reason: "refused".into() };
    script.feed(FeedEvent::Link(down));
    assert!(script.text().contains("○ offline since 11:03"));
    script.feed(FeedEvent::Link(Link::Live));
    assert!(script.text().contains("● live"));
}
