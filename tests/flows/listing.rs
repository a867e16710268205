//! The list as people work in it: filter, order, groups, ranges, and everything of a thread or an agent at once.

use crate::script::{SHORT, SMALL, Script, WIDE, at, settings};
use aegis_console::console::app::{Effect, Settings};
use aegis_console::domain::action::Draft;
use aegis_console::domain::{Action, ActionState, Queued, Risk, Verdict};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;

type Asked = (u32, &'static str, &'static str, &'static str, Risk, &'static str, &'static str);

/// Number, agent, action, thread, risk, payload, and when it expires.
const ALL: [Asked; 6] = [
    (1, "billing", "refund", "order-42", Risk::Low, r#"{"to":"ana","amount":12.50}"#, "12:06:00"),
    (2, "billing", "refund", "order-43", Risk::Low, r#"{"to":"ben","amount":12.50}"#, "12:07:00"),
    (3, "billing", "refund", "order-42", Risk::Low, r#"{"to":"ana","amount":99}"#, "12:08:00"),
    (4, "ops", "bash", "deploy-7", Risk::High, r#"{"command":"rm -rf build"}"#, "12:05:00"),
    (5, "ops", "deploy", "deploy-7", Risk::Medium, r#"{"service":"checkout"}"#, "12:20:00"),
    (6, "desk", "sell", "order-42", Risk::Critical, r#"{"shares":500}"#, "12:09:00"),
];

fn sealed((number, agent, action, thread, risk, payload, expires): Asked) -> Queued {
    let id = format!("0197a1b2-0000-7000-8000-{number:012}");
    let draft = Draft {
        id: &id,
        tenant_id: "default",
        thread_id: thread,
        idempotency_key: &format!("aap:{id}"),
        agent,
        action,
        server: None,
        payload,
        summary: None,
        rationale: None,
        claims: None,
        risk,
        risk_reasons: &[],
        labels: &[],
        source: None,
        reviewers_needed: 1,
        grace: std::time::Duration::ZERO,
        created_at: at("12:00:00"),
        expires_at: at(expires),
    };
    Queued::pending(Action::read(draft.seal()).unwrap())
}

fn one(number: usize) -> Queued {
    sealed(ALL[number - 1])
}

fn gone(number: usize) -> FeedEvent {
    FeedEvent::changed(Queued { state: ActionState::Cancelled, ..one(number) })
}

/// Six of three agents wait.
pub(crate) fn waiting(script: &mut Script) {
    script.feed(FeedEvent::entries(ALL.map(sealed)));
}

fn listed(size: (u16, u16)) -> Script {
    let mut script = Script::new(size);
    waiting(&mut script);
    script
}

/// The number of the action under the cursor.
fn cursor(script: &Script) -> Option<usize> {
    let (id, _) = script.model.queue.cursor()?;
    (1..=ALL.len()).find(|number| one(*number).action.id == *id)
}

/// The numbers of what the open bar would decide, in order.
fn asked(script: &Script) -> Vec<usize> {
    let Some(bar) = &script.model.bar else { return Vec::new() };
    let number = |id: &str| (1..=ALL.len()).find(|number| one(*number).action.id == id).unwrap_or(0);
    bar.actions().iter().map(|action| number(&action.id)).collect()
}

/// What went out last: how, why, and on which.
fn decided(script: &Script) -> (Verdict, Option<String>, Vec<String>) {
    let orders = script.effects.iter().rev().find_map(|effect| match effect {
        Effect::Decide(orders) => Some(orders),
        _ => None,
    });
    let orders = orders.unwrap();
    let ids = orders.iter().map(|order| order.action.id.clone()).collect();
    (orders[0].verdict, orders[0].reason.clone(), ids)
}

/// Keys that come before anybody has seen what the one before them did.
fn ahead(script: &mut Script, keys: &str) {
    for c in keys.chars() {
        let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        script.tell_unpainted(aegis_console::console::app::Message::KeyPressed(key));
    }
}

#[test]
fn a_filter_narrows_as_one_types() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = listed(size);
        script.keys("/").typed("refund !ben");
        assert_snapshot!(format!("filter_{name}"), script.screen());
        script.keys("enter j");
        assert_eq!(cursor(&script), Some(3));
        assert!(script.text().contains("Pending 2 of 6"), "{}", script.text());
    }
}

#[test]
fn where_nothing_is_kept_it_says_so_and_no_key_does_anything() {
    let mut script = listed(WIDE);
    script.keys("/").typed("nobody").keys("enter");
    assert!(script.text().contains("Nothing that waits matches the filter."), "{}", script.text());
    for key in ["a", "r", "enter", "space", "*", "v", "z", "T", "X", "p", "s", "b", "b", "b", "b", "j"] {
        script.keys(key);
        assert!(script.model.bar.is_none() && script.model.queue.marked() == 0, "{key}");
    }
    let keys = script.text().lines().last().unwrap().to_owned();
    assert!(keys.contains("Esc clear") && keys.contains("/ filter") && !keys.contains("reject"), "{keys}");
    script.keys("esc");
    assert!(script.text().contains("Pending 6 ─"), "{}", script.text());
    assert_eq!((script.orders(), cursor(&script)), (0, Some(6)), "the first by risk");
}

#[test]
fn what_of_a_filter_means_nothing_is_told_in_the_title_and_left_out() {
    for size in [WIDE, SHORT, SMALL] {
        let mut script = listed(size);
        script.keys("/").typed("risk:x");
        assert!(script.text().contains("─ risk:x: low, "), "{}", script.text());
        script.typed(" agent:ops");
        assert!(script.text().contains("Pending 2 of 6 ─ risk:x: low"), "{}", script.text());
    }
}

#[test]
fn esc_shows_all_again_after_the_marks() {
    let mut script = listed(WIDE);
    script.keys("/").typed("ops").keys("esc");
    assert!(script.text().contains("Pending 6 ─"), "{}", script.text());
    script.keys("/").typed("ops").keys("enter space");
    assert!(script.text().contains("Pending 2 of 6 ─ 1 marked ─"), "{}", script.text());
    script.keys("esc");
    assert!(script.text().contains("Pending 2 of 6 ─ by"), "{}", script.text());
    script.keys("esc");
    assert!(script.text().contains("Pending 6 ─ by"), "{}", script.text());
}

#[test]
fn earlier_filters_come_back_with_up_and_named_ones_by_their_name() {
    let filters = [("now".to_owned(), "expires<6m !bash".to_owned())].into();
    let mut script = Script::with(Settings { filters, ..settings() }, WIDE);
    waiting(&mut script);
    script.keys("/").typed("ops").keys("enter esc /").typed("desk").keys("esc / up");
    assert!(script.text().contains("─ /desk ─"), "{}", script.text());
    script.keys("up");
    assert!(script.text().contains("Pending 2 of 6 ─ by deadline ─ /ops ─"), "{}", script.text());
    script.keys("down down");
    assert!(script.text().contains("Pending 6 ─"), "{}", script.text());
    script.typed("@now");
    assert!(script.text().contains("Pending 2 of 6 ─ by deadline ─ /@now ─"), "{}", script.text());
    // What expires within six minutes becomes more as time goes by, and nobody has to press anything.
    script.keys("enter").wait(std::time::Duration::from_secs(61));
    assert!(script.text().contains("Pending 4 of 6"), "{}", script.text());
}

#[test]
fn every_order_leaves_the_cursor_on_its_action() {
    let mut script = listed(WIDE);
    script.keys("j j");
    assert_eq!(cursor(&script), Some(2));
    for (order, first) in [("risk", 6), ("age", 4), ("agent", 1), ("deadline", 4)] {
        script.keys("s");
        assert!(script.text().contains(&format!("Pending 6 ─ by {order} ─")), "{}", script.text());
        assert_eq!(cursor(&script), Some(2), "{order}");
        script.keys("g");
        assert_eq!(cursor(&script), Some(first), "{order}");
        script.keys(":").typed(&format!("goto {}", one(2).action.id)).keys("enter");
    }
}

#[test]
fn what_is_alike_stands_together_with_what_differs() {
    let mut script = listed(WIDE);
    script.keys("b");
    assert!(script.text().contains("grouped by thread") && script.text().contains("in thread order-42"));
    script.keys("b");
    assert!(script.text().contains("grouped by agent") && script.text().contains("3 by billing"));
    script.keys("b");
    assert_snapshot!("alike_120x40", script.screen());
    script.keys("b");
    assert!(script.text().contains("Pending 6 ─ by deadline ─"), "{}", script.text());
}

#[test]
fn a_closed_group_takes_what_comes_and_its_reject_means_exactly_what_is_under_it() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = listed(size);
        script.feed(gone(3)).keys("b j j j z");
        assert!(script.model.queue.cursor().is_none(), "{}", script.text());
        script.feed(FeedEvent::changed(one(3)));
        assert_snapshot!(format!("closed_{name}"), script.screen());
        script.keys("r");
        assert_eq!(asked(&script), [1, 6], "{}", script.text());
        // What comes meanwhile is not decided with them.
        script.typed("wrong order").keys("enter");
        let (verdict, reason, ids) = decided(&script);
        assert_eq!((verdict, reason.as_deref(), ids.len()), (Verdict::Reject, Some("wrong order"), 2));
    }
}

#[test]
fn a_range_goes_down_and_up_again() {
    let mut script = listed(WIDE);
    script.keys("j v j j");
    assert_snapshot!("range_120x40", script.screen());
    script.keys("k");
    assert!(script.text().contains("2 marked, range open"), "{}", script.text());
    script.keys("v j j");
    assert!(script.text().contains("2 marked ─"), "{}", script.text());
    script.keys("a");
    assert_eq!(asked(&script), [1, 2]);
    script.keys("esc v k esc");
    assert!(script.text().contains("2 marked ─"), "only what the range had marked: {}", script.text());
    script.keys("esc");
    assert_eq!(script.model.queue.marked(), 0);
}

#[test]
fn all_of_a_thread_or_an_agent_is_rejected_with_one_reason() {
    for (key, meant) in [("T", vec![1, 3, 6]), ("X", vec![1, 2, 3])] {
        let mut script = listed(WIDE);
        script.keys("j");
        assert_eq!(cursor(&script), Some(1));
        script.hasty(key);
        assert!(script.model.bar.is_none(), "{key}: the row has only just come under the cursor");
        script.keys(key);
        assert_eq!(asked(&script), meant, "{key}");
        script.hasty("enter");
        assert_eq!(script.orders(), 0, "the table has only just opened");
        script.typed("not today").keys("enter");
        let (verdict, reason, ids) = decided(&script);
        assert_eq!((verdict, reason.as_deref()), (Verdict::Reject, Some("not today")));
        assert_eq!(ids.len(), 3);
    }
}

#[test]
fn threads_that_only_begin_alike_are_not_rejected_together() {
    let long: &'static str = Box::leak("x".repeat(300).into_boxed_str());
    let longer: &'static str = Box::leak(format!("{long}y").into_boxed_str());
    let mut script = Script::new(WIDE);
    let thread = |number, thread| sealed((number, "a", "b", thread, Risk::Low, "{}", "12:10:00"));
    script.feed(FeedEvent::entries([thread(1, long), thread(2, longer), thread(3, long)])).keys("T");
    assert_eq!(asked(&script), [1, 3]);
}

#[test]
fn no_key_decides_what_another_filter_order_or_fold_has_only_just_brought_under_it() {
    for keys in ["/ben\n", ":filter ben\n", "zj", "jjjjz"] {
        for verdict in ["a", "r", "T", "X"] {
            let mut script = listed(WIDE);
            if keys.contains('z') {
                script.keys("b b g");
            }
            script.keys("j k");
            let before = (script.model.queue.cursor().cloned(), script.model.queue.group_cursor().cloned());
            ahead(&mut script, keys);
            let after = (script.model.queue.cursor().cloned(), script.model.queue.group_cursor().cloned());
            assert_ne!(before, after, "{keys:?}");
            ahead(&mut script, verdict);
            assert!(script.model.bar.is_none(), "{keys:?} {verdict}");
            script.paint();
            script.hasty(verdict);
            assert!(script.model.bar.is_none(), "{keys:?} {verdict}: painted, and not for long enough");
            ahead(&mut script, "\n");
            assert_eq!(script.orders(), 0);
        }
    }
    // An order moves everything but the cursor: what it is on is what the last frame showed, and the bar says it once more.
    let mut script = listed(WIDE);
    script.keys("j").wait(std::time::Duration::from_secs(1));
    ahead(&mut script, "sa");
    assert_eq!(asked(&script), [1]);
    ahead(&mut script, "\n");
    assert_eq!(script.orders(), 0);
}
