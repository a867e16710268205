//! Approving, rejecting, and what the outcomes then say.

use crate::script::{
    LETTERS, SHORT, SMALL, Sample, Script, WIDE, at, command, decided, plain, refund, standing, trade,
};
use aegis_console::client::AttemptEvent;
use aegis_console::console::app::message::EndOfInput;
use aegis_console::console::app::model::Exit;
use aegis_console::console::app::{Effect, Message};
use aegis_console::dispatch::{DispatchEvent, News};
use aegis_console::domain::{Execution, ExecutionState, Outcome, Risk, Verdict};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use std::time::Duration;

#[test]
fn approve() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a");
    assert_eq!(script.orders(), 0, "no single key approves");
    script.keys("enter");
    assert_eq!(script.orders(), 0, "nor do two, where the risk is high");
    script.typed(LETTERS);
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
    script.feed(FeedEvent::changed(ran));
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
    script.approve().resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "alice")));
    script.keys("j").approve().resolved(Outcome::Committed, Some(202), 1, None);
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
    script.approve();
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
        script.approve().resolved(outcome.clone(), Some(409), 3, Some(standing(Verdict::Approve, "alice")));
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
        script.approve().resolved(outcome, status, 1, None);
        assert!(script.text().contains(words) && script.text().contains("Refund mail"), "{}", script.text());
    }
}

#[test]
fn trying_again_is_one_effect_on_the_same_decision() {
    let mut script = Script::with_queue(WIDE);
    script.approve().resolved(Outcome::NotSent, None, 4, None);
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
    script.feed(FeedEvent::entries(vec![trade(), command()]));
    script.keys("r").typed("not ");
    script.feed(FeedEvent::changed(refund()));
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
    script.keys("a").feed(FeedEvent::changed(decided(refund(), Verdict::Reject, "alice\u{1b}[2J")));
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
    script.paint();
    assert!(script.model.bar.is_none(), "the frame that the `r` answered asked something else");
    assert!(script.text().contains("ignored: the screen had just changed"), "{}", script.text());
}

#[test]
fn a_key_that_was_read_before_the_frame_was_painted_does_not_count() {
    let mut script = Script::with_queue(WIDE);
    script.wait(Duration::from_millis(100)).keys("r");
    script.late(Duration::from_millis(1), |script| {
        script.hasty("enter");
    });
    assert_eq!(script.orders(), 0, "it came with the `r`, before the bar could be seen");
    script.keys("enter");
    assert_eq!(script.orders(), 1);
}

#[test]
fn a_key_counts_only_once_its_frame_has_been_there_for_a_while() {
    let mut script = Script::with_queue(WIDE);
    script.hasty("r");
    assert!(script.text().contains("ignored: the screen had just changed"), "{}", script.text());
    script.wait(Duration::from_millis(300)).hasty("a");
    assert!(script.model.bar.is_none(), "what has a high risk must have been there for a second");
    script.wait(Duration::from_millis(700)).hasty("a").typed(LETTERS);
    script.wait(Duration::from_millis(999)).hasty("enter");
    assert_eq!(script.orders(), 0);
    script.wait(Duration::from_millis(1)).hasty("enter");
    assert_eq!(script.orders(), 1);
}

#[test]
fn what_was_pressed_before_a_bar_opened_is_forgotten() {
    let mut script = Script::with_queue(WIDE);
    script.keys("a");
    assert_eq!(script.effects.last(), Some(&Effect::FlushInput));
    script.keys("esc r");
    assert_eq!(script.effects.last(), Some(&Effect::FlushInput));
}

#[test]
fn what_is_critical_asks_for_letters_and_a_reason() {
    let mut script = Script::with_queue(WIDE);
    script.keys("j").read_and_ask();
    assert_snapshot!("critical_bar_120x40", script.screen());
    script.tell(Message::Pasted(LETTERS.into()));
    assert!(script.text().contains("ignored: pasted text is never read as keys"), "{}", script.text());
    script.typed("kmtt").keys("enter");
    assert!(script.text().contains("type the letters kmtw, then Enter"), "{}", script.text());
    script.keys("backspace").typed("w").keys("enter");
    assert!(script.text().contains("a reason is needed"), "{}", script.text());
    script.keys("tab").typed("the desk agreed").keys("enter");
    let order = script.order();
    assert_eq!((order.verdict, order.reason.as_deref()), (Verdict::Approve, Some("the desk agreed")));
    let mut small = Script::with_queue(SMALL);
    small.keys("j").read_and_ask();
    assert_snapshot!("critical_bar_40x12", small.screen());
}

#[test]
fn from_medium_up_the_payload_is_read_to_its_end_first() {
    let text = format!(r#"{{"text":{:?}}}"#, "word ".repeat(400));
    let long = Sample { payload: &text, ..plain(7, Risk::Medium) };
    let mut script = Script::new(SHORT);
    script.feed(FeedEvent::entries(vec![long.queued()])).keys("a");
    assert!(script.text().contains("scroll to the end first: Enter opens it"), "{}", script.text());
    script.keys("enter a");
    assert!(script.text().contains("lines not seen yet (space pages down)"), "{}", script.text());
    assert!(script.model.bar.is_none());
    script.keys("r");
    assert!(script.model.bar.is_some(), "rejecting never waits for a scroll");
    script.keys("esc").approve();
    assert_eq!(script.order().verdict, Verdict::Approve);
}

#[test]
fn marked_ones_are_decided_by_one_frozen_table() {
    let mut script = Script::new(WIDE);
    let samples = [
        Sample { payload: r#"{"to":"a@x.example","subject":"hi"}"#, ..plain(11, Risk::Low) },
        Sample { payload: r#"{"to":"b@x.example","subject":"hi"}"#, ..plain(12, Risk::Low) },
        Sample { payload: r#"{"to":"c@x.example","subject":"hi"}"#, ..plain(13, Risk::Medium) },
        Sample { action: "drop_table", ..plain(14, Risk::High) },
    ];
    let entries: Vec<_> = samples.iter().map(Sample::queued).collect();
    script.feed(FeedEvent::entries(entries.clone())).keys("*").keys("a");
    assert_snapshot!("marked_120x40", script.screen());
    // One that comes now is no part of it.
    script.feed(FeedEvent::changed(Sample { expires: "12:02:30", ..plain(15, Risk::Low) }.queued()));
    script.keys("enter");
    assert_eq!(script.orders(), 2, "what was not seen, and what has a high risk, is left out");
    assert_eq!(script.model.queue.marked(), 0);
    let before = script.effects.len();
    let ids: Vec<_> = match &script.effects[before - 1] {
        Effect::Decide(orders) => orders.iter().map(|order| order.id).collect(),
        other => panic!("{other:?}"),
    };
    for id in &ids {
        let news = News::Held { until: at("12:02:03") };
        script.tell(Message::Dispatch(DispatchEvent { id: *id, news }));
    }
    script.keys("u");
    let Some(Effect::Undo(undone)) = script.effects.last() else { panic!("nothing was taken back") };
    assert_eq!(undone.len(), 2, "what was decided in one stroke is taken back in one");
    script.keys("* r").typed("none of it").keys("enter");
    assert_eq!(script.orders(), 2 + 3, "rejecting leaves nothing out: what still waits, and what came");
}

#[test]
fn a_table_closes_when_one_of_its_actions_goes() {
    let mut script = Script::new(SHORT);
    let samples = [plain(11, Risk::Low), plain(12, Risk::Low)];
    let entries: Vec<_> = samples.iter().map(Sample::queued).collect();
    script.feed(FeedEvent::entries(entries.clone())).keys("space space a");
    assert_snapshot!("marked_72x12", script.screen());
    script.feed(FeedEvent::changed(decided(entries[1].clone(), Verdict::Reject, "alice")));
    assert!(script.model.bar.is_none());
    assert!(script.text().contains("closed: send_email was rejected by alice"), "{}", script.text());
    script.keys("enter");
    assert_eq!(script.orders(), 0);
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
    script.approve().keys("q");
    assert_eq!(script.model.exit, None);
    assert_snapshot!("quit_in_flight_72x12", script.screen());
    script.keys("j q");
    assert_eq!(script.model.exit, None, "another key in between takes it back");
    script.keys("q");
    assert_eq!(script.model.exit, Some(Exit::Quit));
    let mut idle = Script::with_queue(SHORT);
    assert_eq!(idle.keys("ctrl-c").model.exit, Some(Exit::Quit));
}
