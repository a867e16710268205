//! What is copied: only ever what can be seen.

use crate::script::{SHORT, SMALL, Script, WIDE, command, plain, refund, settings};
use aegis_console::config::Clipboard;
use aegis_console::console::app::{Announcement, Effect, Message, Settings};
use aegis_console::domain::Risk;
use aegis_console::feed::FeedEvent;
use insta::assert_snapshot;

fn copied(script: &Script) -> Vec<&str> {
    let text = |effect| match effect {
        &Effect::Announce(Announcement::Copy(ref text)) => Some(text.as_str()),
        _ => None,
    };
    script.effects.iter().filter_map(text).collect()
}

#[test]
fn the_menu_at_three_sizes() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys("j j y");
        assert_snapshot!(format!("copy_{name}"), script.screen());
    }
}

#[test]
fn a_letter_copies_and_says_what_was_sent() {
    let mut script = Script::with_queue(WIDE);
    script.keys("y i");
    assert_eq!(copied(&script), [refund().action.id.as_str()]);
    assert!(script.text().contains("sent to clipboard: id, 36 bytes"), "{}", script.text());
    script.keys("y d");
    assert_eq!(copied(&script)[1], refund().action.digest.to_string());
    script.keys("enter y t");
    assert_eq!(copied(&script)[2], "order-42");
    script.keys("y esc y q y y");
    assert_eq!((copied(&script).len(), script.model.exit.clone()), (3, None));
}

#[test]
fn a_payload_is_copied_as_it_is_shown_and_by_name_too() {
    let mut script = Script::with_queue(WIDE);
    script.keys("j j :").typed("copy payload").keys("enter");
    let shown = "{\n  \"command\": \"rm -rf build/*\",\n  \"note\": \"tricky␛[2J‹U+202E›\"\n}";
    assert_eq!(copied(&script), [shown]);
    assert_eq!(command().action.hidden_characters(), 2);
}

#[test]
fn the_menu_stays_with_its_action() {
    let mut script = Script::with_queue(WIDE);
    script.keys("y");
    script.feed(FeedEvent::Complete { pending: std::collections::HashSet::new() });
    assert!(script.model.queue.is_empty());
    script.keys("i");
    assert_eq!(copied(&script), [refund().action.id.as_str()]);
    script.keys("y");
    assert!(script.text().contains("the cursor is on nothing"), "{}", script.text());
}

#[test]
fn an_outcome_is_copied_from_too_and_nothing_is_decided_from_the_menu() {
    let mut script = Script::with_queue(WIDE);
    script.approve().keys("tab tab y k");
    assert_eq!(copied(&script), [refund().action.idempotency_key.as_str()]);
    script.keys("tab y a r enter space u p");
    assert!(script.model.bar.is_none() && script.orders() == 1);
}

#[test]
fn what_is_too_large_or_turned_off_is_said() {
    let mut script = Script::new(WIDE);
    let mut sample = plain(9, Risk::Low);
    let payload = format!("{{\"a\":\"{}\"}}", "x".repeat(80_000));
    sample.payload = &payload;
    script.feed(FeedEvent::entries(vec![sample.queued()])).keys("y");
    assert!(script.text().contains("79 KB: more than a clipboard takes"), "{}", script.text());
    script.keys("p");
    assert!(script.text().contains("not copied: payload is 79 KB"), "{}", script.text());
    let mut script = Script::with(Settings { clipboard: Clipboard::Off, ..settings() }, WIDE);
    script.feed(FeedEvent::entries(vec![refund()])).keys("y i");
    assert!(script.text().contains("not copied: the clipboard is turned off"), "{}", script.text());
    assert_eq!(copied(&script), [""; 0]);
    script.tell(Message::Pasted("y".into()));
    assert!(script.model.copy.is_none());
}
