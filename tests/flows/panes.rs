//! Panes and sizes: zoom, split, wide screens, and every size there is.

use crate::script::{BROAD, HUGE, SHORT, SMALL, Sample, Script, WIDE};
use aegis_console::console::app::{Message, Pane};
use aegis_console::domain::{Outcome, Risk, Verdict};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;

/// A console with more in it than fits, a conflict, and the detail of something long.
fn full(size: (u16, u16)) -> Script {
    let mut script = Script::with_queue(size);
    let lines: Vec<_> =
        (0..200).map(|n| format!("\"step {n:03} of the plan that this agent made\"")).collect();
    let payload = format!("{{\"plan\":[{}]}}", lines.join(","));
    let many = (10..70).map(|number| {
        let (action, expires) = (format!("action_{number:02}"), format!("12:{:02}:00", 12 + number / 2));
        let summary =
            "A summary that is as long as agents like to write them when nobody stops them at all, and on";
        let sample = Sample {
            number,
            agent: "planner",
            action: &action,
            payload: &payload,
            summary: Some(summary),
            risk: Risk::Low,
            expires: &expires,
        };
        sample.queued()
    });
    script.feed(FeedEvent::entries(many));
    script.keys("j j j").approve();
    let standing = crate::script::standing(Verdict::Reject, "alice");
    script.resolved(Outcome::Conflict, Some(409), 2, Some(standing));
    script.keys("j j j");
    script
}

#[test]
fn wide_screens_have_their_own_layouts() {
    for (name, size) in [("200x50", BROAD), ("300x80", HUGE)] {
        let mut script = full(size);
        assert_snapshot!(format!("panes_{name}"), script.screen());
        script.keys("r");
        assert_snapshot!(format!("bar_{name}"), script.screen());
    }
}

#[test]
fn a_zoomed_pane_has_the_whole_screen_and_gives_it_back() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = full(size);
        let before = script.model.layout;
        script.keys("f");
        assert_snapshot!(format!("zoomed_list_{name}"), script.screen());
        script.keys("enter");
        assert_snapshot!(format!("zoomed_detail_{name}"), script.screen());
        script.keys("tab");
        assert!(
            script.text().contains("Outcomes") && !script.text().contains("Pending"),
            "{}",
            script.text()
        );
        script.keys("tab f");
        assert_eq!(script.model.layout, before, "everything is back in its place");
    }
}

#[test]
fn what_is_zoomed_is_decided_by_the_same_rules() {
    let mut script = full(WIDE);
    script.keys("g f a");
    assert!(script.text().contains("scroll to the end first: Enter opens it"), "{}", script.text());
    assert!(script.model.bar.is_none());
    script.keys("enter a");
    script.typed(crate::script::LETTERS).keys("enter");
    assert_eq!(script.orders(), 2, "read in the zoomed detail, asked in the bar under it");
}

#[test]
fn the_split_moves_and_stops() {
    let mut script = full(WIDE);
    script.keys("> > >");
    assert_snapshot!("split_moved_120x40", script.screen());
    script.keys("> > > > > > > >");
    assert!(script.text().contains("the split goes no further"), "{}", script.text());
    script.keys("< < < < < < < < < < <");
    assert_eq!(script.model.layout.list.map(|list| list.width), Some(30), "narrow, and still a list");
    script.tell(Message::Resized(72, 12)).keys(">");
    assert!(script.text().contains("there is no split here"), "{}", script.text());
}

#[test]
fn any_size_can_be_drawn_whatever_shows() {
    let edges =
        [(1, 1), (39, 12), (40, 12), (99, 30), (100, 12), (100, 120), (159, 20), (160, 19), (160, 20)];
    let more = [(229, 40), (230, 12), (230, 13), (300, 12), (300, 120), (40, 120)];
    let spread =
        (1..=300).step_by(47).flat_map(|width| (1..=120).step_by(21).map(move |height| (width, height)));
    let sizes: Vec<_> = edges.into_iter().chain(more).chain(spread).collect();
    for screen in
        ["esc", "f", "enter", "enter f", "tab tab", "tab tab f", "r", "f r", "* r", "?", "q", "> > > > > > >"]
    {
        let mut script = full(WIDE);
        script.keys(screen);
        for (width, height) in &sizes {
            script.tell(Message::Resized(*width, *height));
        }
    }
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Message {
    Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn click(column: u16, row: u16) -> Message {
    mouse(MouseEventKind::Down(MouseButton::Left), column, row)
}

#[test]
fn the_mouse_selects_scrolls_and_focuses_once_it_is_on() {
    let mut script = full(WIDE);
    let before = script.text();
    script.tell(click(5, 3));
    assert_eq!(script.text(), before, "it is off");
    script.keys("%").tell(click(5, 3));
    assert!(script.text().contains("▌ CRIT execute_trade"), "{}", script.text());
    script.tell(click(5, 3));
    assert_eq!(script.model.focus, Pane::Detail, "a second click opens the detail");
    script.tell(mouse(MouseEventKind::ScrollDown, 5, 10));
    assert!(!script.text().contains("▌ CRIT execute_trade"), "the wheel goes to what is under it");
    script.tell(click(5, 32));
    assert!(script.text().contains("▌12:02:00  approve  action_10"), "{}", script.text());
    script.tell(click(5, 32));
    assert!(script.text().contains("┌ Outcome ─ 409 CONFLICT"), "{}", script.text());
}

#[test]
fn no_click_decides_marks_or_closes_anything() {
    let mut script = full(WIDE);
    script.keys("% r");
    let (bar, effects) = (script.model.bar.as_ref().map(|bar| bar.id), script.effects.len());
    let buttons = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
    for (column, row) in (0..120).step_by(3).flat_map(|column| (0..40).map(move |row| (column, row))) {
        for button in buttons {
            script.tell_unpainted(mouse(MouseEventKind::Down(button), column, row));
            script.tell_unpainted(mouse(MouseEventKind::Up(button), column, row));
        }
        script.tell_unpainted(mouse(MouseEventKind::ScrollDown, column, row));
    }
    assert_eq!(script.model.bar.as_ref().map(|bar| bar.id), bar);
    assert_eq!((script.effects.len(), script.model.queue.marked()), (effects, 0));
    assert!(script.model.detail.scroll.top > 0, "the payload can be read on");
}

#[test]
fn the_click_that_brings_the_window_to_the_front_is_not_meant_for_what_is_in_it() {
    let mut script = full(WIDE);
    script.keys("%").tell(Message::FocusChanged(false)).tell(Message::FocusChanged(true));
    let before = script.model.queue.cursor().cloned();
    script.tell(click(5, 3));
    assert_eq!(script.model.queue.cursor().cloned(), before);
    script.tell(click(5, 3));
    assert_ne!(script.model.queue.cursor().cloned(), before);
}
