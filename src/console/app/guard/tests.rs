//! A table for each rule: what the last frame showed, for how long, and what has been seen.

use super::*;
use crate::console::app::Settings;
use crate::console::keymap::Keymap;
use crate::console::screens::decide::Table;
use crate::console::screens::help::Help;
use crate::console::theme::Theme;
use crate::domain::Queued;
use jiff::Timestamp;

fn at(millis: u64) -> Now {
    Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::from_millis(millis) }
}

fn action(id: &str, risk: &str, lines: usize) -> Action {
    let payload: Vec<_> = (0..lines).map(|line| format!("\"m{line}\":{line}")).collect();
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k{id}","agent":"g","action":"x",
        "risk":"{risk}","payload":{{{}}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#,
        payload.join(",")
    );
    Action::read(sealed).unwrap()
}

fn model_with(risk: &str, lines: usize) -> Model {
    let settings = Settings::new(Theme::named(), Keymap::shipped().unwrap());
    let mut model = Model::new(settings, (120, 24));
    model.queue.apply(Queued::pending(action("a", risk, lines)), true);
    model.settle();
    model
}

fn model() -> Model {
    model_with("low", 0)
}

fn paint(model: &mut Model, millis: u64) {
    model.settle();
    crate::console::app::update::painted(model, at(millis));
}

fn bar(id: u128, model: &Model, verdict: Verdict) -> Bar {
    let action = Arc::clone(model.queue.selected().unwrap());
    Bar::one(Uuid::from_u128(id), action, verdict, || "kmtw".into())
}

fn typed(bar: &mut Bar, text: &str) {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    for c in text.chars() {
        bar.edit(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
    }
}

fn opens(model: &Model, millis: u64) -> Result<String, Refusal> {
    may_open(model, Verdict::Approve, at(millis)).map(|action| action.id.clone())
}

#[test]
fn a_key_answers_a_frame_that_has_been_there_for_long_enough_or_nothing() {
    let mut model = model();
    assert_eq!(opens(&model, 5_000), Err(Refusal::JustChanged), "never painted");
    paint(&mut model, 10);
    assert_eq!(opens(&model, 9), Err(Refusal::JustChanged), "read before the frame");
    assert_eq!(opens(&model, 309), Err(Refusal::JustChanged), "too soon after it");
    assert_eq!(opens(&model, 310), Ok("a".into()));
    paint(&mut model, 500);
    assert_eq!(model.shown.since, Duration::from_millis(10), "the same thing has been showing since then");
    model.journal_failed = Some("disk full".into());
    assert_eq!(opens(&model, 600), Err(Refusal::NoJournal));
    model.journal_failed = None;
    model.queue.take_out("a");
    assert_eq!(opens(&model, 600), Err(Refusal::NothingSelected));
}

#[test]
fn a_high_risk_has_to_be_looked_at_for_longer_before_it_is_approved() {
    for (risk, verdict, armed) in [
        ("low", Verdict::Approve, 300),
        ("medium", Verdict::Approve, 300),
        ("high", Verdict::Approve, 1_000),
        ("critical", Verdict::Approve, 1_000),
        ("high", Verdict::Reject, 300),
        ("critical", Verdict::Reject, 300),
    ] {
        let mut model = model_with(risk, 1);
        paint(&mut model, 100);
        let open = |model: &Model, millis| may_open(model, verdict, at(millis)).map(|_| ());
        assert_eq!(open(&model, 100 + armed - 1), Err(Refusal::JustChanged), "{risk}");
        assert_eq!(open(&model, 100 + armed), Ok(()), "{risk}");
        let mut bar = bar(1, &model, verdict);
        typed(&mut bar, "kmtw");
        bar.next_field();
        typed(&mut bar, "agreed");
        model.bar = Some(bar);
        paint(&mut model, 2_000);
        assert_eq!(may_confirm(&model, at(2_000 + armed - 1)), Err(Refusal::JustChanged), "{risk}");
        assert_eq!(may_confirm(&model, at(2_000 + armed)), Ok(()), "{risk}");
    }
}

#[test]
fn enter_decides_only_what_the_painted_bar_names() {
    let mut model = model();
    paint(&mut model, 0);
    assert_eq!(may_confirm(&model, at(5_000)), Err(Refusal::JustChanged), "no bar");
    model.bar = Some(bar(1, &model, Verdict::Approve));
    assert_eq!(may_confirm(&model, at(5_000)), Err(Refusal::JustChanged), "not painted yet");
    paint(&mut model, 20);
    assert_eq!(may_confirm(&model, at(319)), Err(Refusal::JustChanged));
    assert_eq!(may_confirm(&model, at(320)), Ok(()));
    model.bar = Some(bar(2, &model, Verdict::Approve));
    assert_eq!(may_confirm(&model, at(5_000)), Err(Refusal::JustChanged), "it was another bar");
}

#[test]
fn letters_and_a_reason_are_asked_for() {
    let mut model = model_with("critical", 1);
    model.bar = Some(bar(1, &model, Verdict::Approve));
    paint(&mut model, 0);
    assert_eq!(may_confirm(&model, at(2_000)), Err(Refusal::Letters("kmtw".into())));
    typed(model.bar.as_mut().unwrap(), "kmtv");
    assert_eq!(may_confirm(&model, at(2_000)), Err(Refusal::Letters("kmtw".into())));
    model.bar = Some(bar(1, &model, Verdict::Approve));
    typed(model.bar.as_mut().unwrap(), "kmtw");
    assert_eq!(may_confirm(&model, at(2_000)), Err(Refusal::Reason));
    model.bar.as_mut().unwrap().next_field();
    typed(model.bar.as_mut().unwrap(), "yes");
    assert_eq!(may_confirm(&model, at(2_000)), Ok(()));
    model.bar = Some(bar(2, &model, Verdict::Reject));
    paint(&mut model, 3_000);
    assert_eq!(may_confirm(&model, at(4_000)), Ok(()), "rejecting asks for nothing");
}

#[test]
fn from_medium_up_the_whole_payload_must_have_been_on_the_screen() {
    for (risk, refused) in [("low", false), ("medium", true), ("high", true), ("critical", true)] {
        let mut model = model_with(risk, 60);
        paint(&mut model, 0);
        let not_seen = matches!(opens(&model, 5_000), Err(Refusal::NotSeen(lines)) if lines > 30);
        assert_eq!(not_seen, refused, "{risk}");
        assert!(may_open(&model, Verdict::Reject, at(5_000)).is_ok(), "rejecting never waits for a scroll");
        let marked = may_decide_marked(&model, Verdict::Approve, model.queue.selected().unwrap());
        assert_eq!(marked.is_ok(), risk == "low", "{risk}");
        let mut millis = 5_000;
        while model.detail.unseen() > 0 {
            model.detail.go(Intent::PageDown);
            millis += 1;
            paint(&mut model, millis);
        }
        assert_eq!(opens(&model, millis + 100), Err(Refusal::JustChanged), "its end has only just come");
        assert_eq!(opens(&model, millis + 1_000), Ok("a".into()), "{risk}");
        let marked = may_decide_marked(&model, Verdict::Approve, model.queue.selected().unwrap());
        assert_eq!(marked.is_ok(), risk == "low" || risk == "medium", "{risk}");
        model.size = (80, 24);
        paint(&mut model, 9_000);
        let from_the_list = opens(&model, 12_000);
        assert_eq!(from_the_list.is_err(), refused, "{risk} is not on the screen");
    }
}

#[test]
fn what_is_marked_opens_only_as_it_was_shown() {
    let mut model = model();
    paint(&mut model, 0);
    model.queue.mark_all();
    assert_eq!(may_open_marked(&model, at(5_000)), Err(Refusal::JustChanged), "no frame has shown the marks");
    paint(&mut model, 5_000);
    assert_eq!(may_open_marked(&model, at(5_299)), Err(Refusal::JustChanged));
    assert_eq!(may_open_marked(&model, at(5_300)), Ok(()));
    let table = Table::new(model.queue.marked_actions(), Vec::new());
    model.bar = Some(Bar::marked(Uuid::from_u128(1), table, Verdict::Approve));
    paint(&mut model, 6_000);
    assert_eq!(may_confirm(&model, at(6_299)), Err(Refusal::JustChanged));
    assert_eq!(may_confirm(&model, at(6_300)), Ok(()));
}

#[test]
fn what_covers_the_screen_covers_the_rules_too() {
    let mut model = model();
    paint(&mut model, 0);
    model.bar = Some(bar(1, &model, Verdict::Approve));
    model.help = Some(Help::default());
    paint(&mut model, 10);
    assert_eq!(may_confirm(&model, at(5_000)), Err(Refusal::JustChanged));
    model.help = None;
    model.size = (39, 12);
    paint(&mut model, 30);
    assert_eq!(may_confirm(&model, at(5_000)), Err(Refusal::TooSmall));
    model.size = (80, 24);
    model.focus = Pane::Detail;
    paint(&mut model, 50);
    assert_eq!(may_confirm(&model, at(5_000)), Ok(()));
}

#[test]
fn a_console_that_only_looks_decides_nothing_and_touches_no_decision() {
    let mut model = model();
    paint(&mut model, 0);
    model.settings.read_only = true;
    let now = at(5_000);
    for verdict in [Verdict::Approve, Verdict::Reject] {
        assert_eq!(may_open(&model, verdict, now).map(|_| ()), Err(Refusal::ReadOnly));
    }
    assert_eq!(may_open_marked(&model, now), Err(Refusal::ReadOnly));
    assert_eq!(may_pause(&model, now).map(|_| ()), Err(Refusal::ReadOnly));
    assert_eq!(may_touch_decisions(&model), Err(Refusal::ReadOnly));
    model.bar = Some(bar(1, &model, Verdict::Reject));
    paint(&mut model, 6_000);
    assert_eq!(may_confirm(&model, at(9_000)), Err(Refusal::ReadOnly));
}
