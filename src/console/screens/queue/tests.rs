//! Tables for the list: order, cursor, what goes and what comes.

mod arranged;

use super::*;
use crate::console::keymap::Intent;
use crate::domain::{Decision, Untrusted, Verdict};
use ratatui::layout::Rect;

fn entry(id: &str, minute: u32) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k-{id}","agent":"g","action":"x",
        "payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:{minute:02}:00Z"}}"#
    );
    Queued::pending(Action::read(sealed).unwrap())
}

fn settled(id: &str, minute: u32) -> Queued {
    Queued { state: ActionState::Expired, ..entry(id, minute) }
}

fn queue(ids: &[(&str, u32)]) -> Queue {
    let mut queue = Queue::default();
    queue.resize(Some(Rect::new(0, 0, 40, 6)), false);
    for (id, minute) in ids {
        assert_eq!(queue.apply(entry(id, *minute), false), Applied::Arrived);
    }
    queue
}

fn ids(queue: &Queue) -> String {
    let row = |(row, cursor): (Row<'_>, bool)| {
        let name = match row {
            Row::Action { headline, .. } => headline.id().to_owned(),
            Row::Group(group) => {
                let name = match &group.key {
                    GroupKey::Flood(name) | GroupKey::Agent(name) | GroupKey::Thread(name) => name,
                    GroupKey::Alike { action, .. } => action,
                };
                format!("{}x{}", name.visible().plain(), group.len())
            }
        };
        format!("{}{name}", if cursor { ">" } else { "" })
    };
    queue.rows().map(row).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_stand_by_deadline_and_the_first_arrival_gets_the_cursor() {
    let queue = queue(&[("b", 20), ("a", 30), ("c", 20)]);
    assert_eq!(ids(&queue), ">b c a");
}

#[test]
fn an_arrival_above_leaves_the_row_under_the_cursor_on_its_line() {
    let mut queue = queue(&[("m", 30), ("n", 40)]);
    queue.apply(entry("first", 5), true);
    assert_eq!(ids(&queue), "first >m n", "nobody has moved yet");
    queue.apply(settled("first", 5), true);
    queue.go(Intent::Top);
    queue.apply(entry("early", 10), true);
    queue.resize(Some(Rect::new(0, 0, 40, 6)), false);
    assert_eq!(ids(&queue), ">m n");
    assert_eq!(queue.hidden(), (1, 0));
    queue.go(Intent::Up);
    assert_eq!(ids(&queue), ">early m n");
}

#[test]
fn when_the_row_under_the_cursor_goes_it_rests_on_nothing_until_the_next_move() {
    let mut queue = queue(&[("a", 10), ("b", 20), ("c", 30)]);
    queue.go(Intent::Down);
    assert!(matches!(queue.apply(settled("b", 20), true), Applied::Settled(_)));
    assert_eq!((ids(&queue).as_str(), queue.cursor()), ("a c", None));
    queue.apply(entry("d", 25), true);
    assert_eq!(queue.cursor(), None, "an arrival never takes the cursor");
    queue.go(Intent::Down);
    assert_eq!(ids(&queue), "a >d c");
}

#[test]
fn an_old_page_brings_nothing_back_and_a_listing_takes_away_what_it_does_not_name() {
    let mut queue = queue(&[("a", 10), ("b", 20)]);
    queue.apply(settled("a", 10), true);
    assert_eq!(queue.apply(entry("a", 10), false), Applied::Unchanged);
    queue.apply(entry("live", 30), true);
    let gone = queue.complete(&HashSet::new());
    assert_eq!(gone.iter().map(|entry| entry.action.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(ids(&queue), "live");
}

#[test]
fn while_the_link_holds_nothing_is_kept_for_the_next_listing() {
    let mut queue = queue(&[]);
    queue.complete(&HashSet::new());
    for number in 0..100 {
        let id = format!("a{number}");
        queue.apply(entry(&id, 10), true);
        queue.apply(settled(&id, 10), true);
    }
    assert_eq!((queue.settled.len(), queue.fresh.len()), (0, 0));
    queue.unlinked();
    queue.apply(settled("b", 10), true);
    assert_eq!(queue.apply(entry("b", 10), false), Applied::Unchanged);
}

#[test]
fn other_bytes_under_a_known_id_are_refused() {
    let mut queue = queue(&[("a", 10)]);
    assert_eq!(queue.apply(entry("a", 11), true), Applied::Differs);
    assert_eq!(ids(&queue), ">a");
}

#[test]
fn what_is_being_decided_is_not_listed_and_may_come_back() {
    let mut queue = queue(&[("a", 10), ("b", 20)]);
    queue.take_out("a");
    assert_eq!((ids(&queue).as_str(), queue.len(), queue.is_pending("a")), ("b", 1, true));
    queue.put_back("a");
    assert_eq!(ids(&queue), "a b");
    queue.take_out("a");
    let mut approved = entry("a", 10);
    approved.state = ActionState::Approved;
    approved.decision = Some(Decision {
        verdict: Verdict::Approve,
        reviewer: Untrusted::from("me"),
        reason: None,
        request_id: "r".into(),
        decided_at: approved.action.created_at,
        digest: None,
    });
    assert!(matches!(queue.apply(approved, true), Applied::Settled(_)));
    queue.put_back("a");
    assert_eq!(ids(&queue), "b");
}

#[test]
fn what_a_found_decision_is_about_is_not_listed_when_it_comes() {
    let mut queue = queue(&[]);
    queue.take_out("a");
    queue.apply(entry("a", 10), false);
    assert_eq!((ids(&queue).as_str(), queue.is_pending("a")), ("", true));
    queue.put_back("a");
    assert_eq!(ids(&queue), ">a");
}

#[test]
fn marks_are_held_by_id_and_go_with_their_entry() {
    let mut queue = queue(&[("a", 10), ("b", 20), ("c", 30)]);
    assert!(queue.toggle_mark() && queue.toggle_mark());
    assert_eq!((queue.marked(), ids(&queue).as_str()), (2, "a b >c"), "each goes on to the next row");
    queue.apply(entry("early", 5), true);
    let marked = |queue: &Queue| {
        queue.marked_actions().iter().map(|action| action.id.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(marked(&queue), "a b");
    queue.apply(settled("a", 10), true);
    queue.take_out("b");
    assert_eq!(queue.marked(), 0);
    queue.put_back("b");
    assert_eq!(marked(&queue), "", "what comes back is not marked");
    queue.mark_all();
    assert_eq!(marked(&queue), "early b c");
    queue.mark_all();
    assert_eq!(queue.marked(), 0);
}

/// Asked by an agent at a second of the minute.
fn asked(agent: &str, number: u32, second: u32) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"{agent}-{number}","tenant_id":"t","thread_id":"h","idempotency_key":"k-{number}","agent":"{agent}","action":"x",
        "payload":{{}},"created_at":"2026-11-23T12:{:02}:{:02}Z","expires_at":"2026-11-23T13:00:{number:02}Z"}}"#,
        second / 60,
        second % 60,
    );
    Queued::pending(Action::read(sealed).unwrap())
}

#[test]
fn what_is_asked_too_fast_is_gathered_under_one_row_and_the_rest_stays() {
    let mut queue = queue(&[("a", 10)]);
    queue.set_flood_limit(2);
    for number in 0..5 {
        queue.apply(asked("bot", number, number), true);
    }
    // Two in the minute are as many as it may ask; a minute later it is heard again.
    queue.apply(asked("bot", 9, 64), true);
    queue.apply(asked("calm", 1, 3), true);
    queue.resize(Some(Rect::new(0, 0, 40, 12)), false);
    assert_eq!(ids(&queue), ">a bot-0 bot-1 calm-1 botx3 bot-9");
    assert_eq!(queue.len(), 8);
    queue.go(Intent::Bottom);
    queue.go(Intent::Up);
    assert_eq!((queue.cursor(), queue.group_cursor()), (None, Some(&GroupKey::Flood("bot".into()))));
    assert!(queue.toggle_group());
    assert_eq!(ids(&queue), "a bot-0 bot-1 calm-1 >botx3 bot-2 bot-3 bot-4 bot-9");
    queue.apply(Queued { state: ActionState::Cancelled, ..asked("bot", 3, 3) }, true);
    assert!(queue.toggle_group());
    assert_eq!(ids(&queue), "a bot-0 bot-1 calm-1 >botx2 bot-9");
    assert!(queue.toggle_mark());
    assert_eq!((queue.marked(), queue.len()), (2, 7), "all that is under the row");
    let over = queue.expire("2026-11-23T13:00:04Z".parse().unwrap());
    assert_eq!((over.len(), ids(&queue).as_str()), (6, ">bot-9"));
}

#[test]
fn expiry_takes_only_what_is_over() {
    let mut queue = queue(&[("a", 10), ("b", 20)]);
    let over = queue.expire("2026-11-23T12:10:00Z".parse().unwrap());
    assert_eq!(over.len(), 1);
    assert_eq!((over[0].state, ids(&queue).as_str()), (ActionState::Expired, "b"));
}
