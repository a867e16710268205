//! Approving, rejecting, and what the outcomes then say.

use crate::script::{SHORT, SMALL, Script, WIDE, at, command, decided, refund, standing, trade};
use aegis_console::client::AttemptEvent;
use aegis_console::console::app::message::EndOfInput;
use aegis_console::console::app::model::Exit;
use aegis_console::console::app::{Effect, Message};
use aegis_console::domain::{Execution, ExecutionState, Outcome, Verdict};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use std::time::Duration;

#[test]
fn approve() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a");
    assert_eq!(script.orders(), 0, "no single key approves");
    assert_snapshot!("approve_bar_120x40", script.screen());
    script.keys("enter");
    let order = script.order();
    assert_eq!((order.verdict, order.reason.as_deref()), (Verdict::Approve, None));
    assert_eq!(order.action.digest, refund().action.digest);
    script.attempt(AttemptEvent::Started { number: 1, of: 4, at: at("12:02:00") });
    script.wait(Duration::from_millis(38)).resolved(Outcome::Committed, Some(202), 1, None);
    let mut ran = decided(refund(), Verdict::Approve, "dana");
    ran.execution = Some(Execution {
        state: ExecutionState::Succeeded,
        note: Some("sent\u{1b}[2J".into()),
        at: at("12:02:02"),
    });
    script.feed(FeedEvent::Changed(ran));
    assert_snapshot!("approved_120x40", script.screen());
}

#[test]
fn reject_with_a_reason() {
    let mut script = Script::with_queue(SHORT);
    script.keys("j r").typed("too much, quit asking");
    assert_snapshot!("reject_bar_72x12", script.screen());
    assert_eq!(script.model.exit, None, "letters that are typed are not commands");
    script.keys("enter");
    let order = script.order();
    assert_eq!((order.verdict, order.reason.as_deref()), (Verdict::Reject, Some("too much, quit asking")));
    assert_eq!(order.action.id, trade().action.id);
    script.resolved(Outcome::Committed, Some(202), 1, None);
    assert_snapshot!("rejected_72x12", script.screen());
}

#[test]
fn conflict_stays_until_it_is_noted() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a enter").resolved(
        Outcome::Conflict,
        Some(409),
        1,
        Some(standing(Verdict::Reject, "alice")),
    );
    script.keys("j a enter").resolved(Outcome::Committed, Some(202), 1, None);
    assert_eq!(script.bells(), 1);
    assert_snapshot!("conflict_120x40", script.screen());
    script.keys("tab tab x");
    assert!(!script.text().contains("1 conflict"), "{}", script.text());
    assert!(matches!(script.effects.last(), Some(Effect::Acknowledge(_))), "it is kept");
    assert!(script.text().contains("409 CONFLICT"));
}

#[test]
fn retry_then_202() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a enter");
    script.attempt(AttemptEvent::Started { number: 1, of: 4, at: at("12:02:00") });
    script.attempt(AttemptEvent::Answered {
        number: 1,
        http_status: Some(503),
        error: None,
        took: Duration::from_millis(9),
    });
    script.attempt(AttemptEvent::Waiting { next_number: 2, of: 4, until: at("12:02:00.800") });
    assert!(script.text().contains("sending    try 2 of 4 · 503 · next in 0.8 s"), "{}", script.text());
    assert_snapshot!("retrying_40x12", {
        script.tell(Message::Resized(40, 12));
        script.screen()
    });
    script.tell(Message::Resized(120, 40)).wait(Duration::from_millis(838));
    script.resolved(Outcome::Committed, Some(202), 2, None);
    assert!(script.text().contains("202        committed · 2 tries · 838 ms"), "{}", script.text());
}

#[test]
fn every_409_has_its_words() {
    for (outcome, words) in [
        (Outcome::Mine, "409 mine   landed on an earlier try, its answer was lost · 3 tries"),
        (Outcome::Same, "409 same   alice approved it at 12:03:11"),
        (Outcome::Unknown, "409 unknown  already processed, the server does not say by whom"),
        (Outcome::InProgress, "409 in progress  the server is still at it"),
    ] {
        let mut script = Script::with_queue(WIDE);
        script.keys("a enter").resolved(
            outcome.clone(),
            Some(409),
            3,
            Some(standing(Verdict::Approve, "alice")),
        );
        assert!(script.text().contains(words), "{outcome:?}\n{}", script.text());
        assert!(!script.text().contains("Refund mail"), "it does not come back to the list");
    }
}

#[test]
fn what_came_to_nothing_is_waiting_again() {
    for (outcome, status, words) in [
        (Outcome::NotSent, None, "not sent   nothing reached the server"),
        (Outcome::Refused, Some(403), "403        refused"),
        (
            Outcome::Quota { until: Some(at("12:05:00")) },
            Some(429),
            "429        quota used up until 12:05:00",
        ),
    ] {
        let mut script = Script::with_queue(WIDE);
        script.keys("a enter").resolved(outcome, status, 1, None);
        assert!(script.text().contains(words) && script.text().contains("Refund mail"), "{}", script.text());
    }
}

#[test]
fn trying_again_is_one_effect_on_the_same_decision() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a enter").resolved(Outcome::NotSent, None, 4, None);
    let id = script.order().id;
    script.keys("tab tab t");
    assert_eq!(script.effects.last(), Some(&Effect::TryAgain(id)));
    assert!(!script.text().contains("Refund mail"), "it is on its way again\n{}", script.text());
    let before = script.effects.len();
    script.keys("t");
    assert_eq!(script.effects.len(), before, "what is on its way is not sent twice");
}

#[test]
fn arrivals_while_typing_move_nothing() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::Entries(vec![trade(), command()]));
    script.keys("r").typed("not ");
    script.feed(FeedEvent::Changed(refund()));
    script.typed("now");
    assert_snapshot!("arrival_while_typing_120x40", script.screen());
    script.keys("enter");
    assert_eq!(
        (script.order().action.id.clone(), script.order().reason),
        (trade().action.id.clone(), Some("not now".into()))
    );
}

#[test]
fn decided_elsewhere_while_the_bar_is_open() {
    let mut script = Script::with_queue(SMALL);
    script.keys("a").feed(FeedEvent::Changed(decided(refund(), Verdict::Reject, "alice\u{1b}[2J")));
    assert_snapshot!("decided_elsewhere_40x12", script.screen());
    script.keys("enter");
    assert_eq!(script.orders(), 0);
    script.keys("a");
    assert!(script.text().contains("the cursor is on nothing"), "{}", script.text());
}

#[test]
fn a_key_counts_only_for_the_frame_that_it_answers() {
    let mut script = Script::with_queue(WIDE);
    let press = |c| Message::KeyPressed(KeyEvent::new(c, KeyModifiers::NONE));
    script.tell_unpainted(press(KeyCode::Char('j'))).tell_unpainted(press(KeyCode::Char('a')));
    assert!(script.model.bar.is_none());
    script.keys("a").tell_unpainted(press(KeyCode::Esc)).tell_unpainted(press(KeyCode::Char('r')));
    script.tell_unpainted(press(KeyCode::Enter));
    assert_eq!(script.orders(), 0);
    assert!(script.text().contains("ignored: the screen had just changed"), "{}", script.text());
}

#[test]
fn a_key_that_was_read_before_the_frame_was_painted_does_not_count() {
    let mut script = Script::with_queue(WIDE);
    script.wait(Duration::from_millis(100)).keys("a");
    script.late(Duration::from_millis(1), |script| {
        script.keys("enter");
    });
    assert_eq!(script.orders(), 0, "it came with the `a`, before the bar could be seen");
    script.keys("enter");
    assert_eq!(script.orders(), 1);
}

#[test]
fn pastes_and_repeats_never_decide() {
    let mut script = Script::with_queue(WIDE);
    script.tell(Message::Pasted("a\r".into())).keys("a").tell(Message::Pasted("\r\n".into()));
    let mut held = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    held.kind = crossterm::event::KeyEventKind::Repeat;
    script.tell(Message::KeyPressed(held));
    assert_eq!(script.orders(), 0);
    assert!(script.model.bar.is_some());
}

#[test]
fn no_end_of_input_is_a_decision() {
    for end in
        [EndOfInput::Hangup, EndOfInput::Terminate, EndOfInput::Closed, EndOfInput::Error("gone".into())]
    {
        let mut script = Script::with_queue(WIDE);
        script.keys("a").tell(Message::InputEnded(end.clone()));
        assert_eq!((script.orders(), script.model.exit.clone()), (0, Some(Exit::Input(end))));
    }
}

#[test]
fn quitting_in_flight_says_so_once() {
    let mut script = Script::with_queue(SHORT);
    script.keys("a enter q");
    assert_eq!(script.model.exit, None);
    assert_snapshot!("quit_in_flight_72x12", script.screen());
    script.keys("j q");
    assert_eq!(script.model.exit, None, "another key in between takes it back");
    script.keys("q");
    assert_eq!(script.model.exit, Some(Exit::Quit));
    let mut idle = Script::with_queue(SHORT);
    assert_eq!(idle.keys("ctrl-c").model.exit, Some(Exit::Quit));
}
