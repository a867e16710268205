//! An action that needs several reviewers: who has approved, live; what is said of an approval that counts and decides
//! nothing; who looks at what; and what no person was asked about.

use crate::script::{SHORT, SMALL, Sample, Script, WIDE, at, decided, refund, settings, standing, trade};
use aegis_console::console::app::deadline::next_deadline;
use aegis_console::console::app::{Effect, Message, Settings};
use aegis_console::dispatch::{DispatchEvent, Entry, News, Stage};
use aegis_console::domain::{
    Action, ActionState, Approval, Count, Execution, ExecutionState, Outcome, Queued, Resolution, Review,
    Risk, Verdict,
};
use aegis_console::feed::{FeedEvent, Link, Looking};
use insta::assert_snapshot;
use std::sync::Arc;
use std::time::Duration;

const ONE_OF_TWO: Outcome = Outcome::Counted(Count { approvals: 1, needed: 2 });
const SIZES: [(&str, (u16, u16)); 5] =
    [("200x50", (200, 50)), ("120x40", WIDE), ("72x12", SHORT), ("60x15", (60, 15)), ("40x12", SMALL)];

/// The entry, which needs two reviewers, with the approvals of these.
fn approved_by(entry: Queued, names: &[&str]) -> Queued {
    let approval =
        |name: &&str| Approval { reviewer: (*name).into(), decided_at: at("12:01:40"), reason: None };
    let approvals: Vec<_> = names.iter().map(approval).collect();
    let until = (!approvals.is_empty()).then(|| at("12:16:40"));
    Queued { review: Some(Arc::new(Review { needed: 2, approvals, until })), ..entry }
}

/// The same with a reason for its risk, as a rule gives it.
fn with_reason(entry: &Queued) -> Queued {
    let sealed =
        entry.action.sealed.replace("\"risk_reasons\":[]", r#""risk_reasons":["rule \"prod database\""]"#);
    assert!(sealed.contains("prod database"), "{sealed}");
    Queued::pending(Action::read(sealed).unwrap())
}

fn looks(names: &[(&str, &Queued)]) -> FeedEvent {
    let looking = |(name, entry): &(&str, &Queued)| Looking {
        reviewer: (*name).into(),
        action_id: entry.action.id.clone(),
    };
    FeedEvent::Looking(names.iter().map(looking).collect())
}

fn low() -> Queued {
    let sample = Sample {
        number: 7,
        agent: "ci",
        action: "deploy",
        payload: r#"{"to":"staging"}"#,
        summary: Some("Deploy 1.4 to staging"),
        risk: Risk::Low,
        expires: "12:30:00",
    };
    sample.queued()
}

#[test]
fn rows_say_who_has_approved_and_who_looks_and_the_detail_says_when_it_lapses() {
    for (name, size) in SIZES {
        let mut script = Script::new(size);
        let refund = with_reason(&refund());
        script.feed(FeedEvent::entries(vec![approved_by(refund.clone(), &[]), trade(), low()]));
        script.feed(FeedEvent::changed(approved_by(refund.clone(), &["alice"])));
        script.feed(looks(&[("bob", &refund), ("eve", &trade())]));
        assert_snapshot!(format!("rows_{name}"), script.screen());
        script.keys("enter");
        assert_snapshot!(format!("approvals_{name}"), script.screen());
        script.feed(looks(&[]));
        assert!(!script.text().contains("bob"), "{}", script.text());
    }
}

#[test]
fn the_reason_for_the_risk_stands_in_the_list_where_there_is_room() {
    for (width, there) in [(200, true), (160, false), (120, false)] {
        let mut script = Script::new((width, 50));
        script.feed(FeedEvent::entries(vec![with_reason(&refund()), low()])).keys("j");
        let row = script.text().lines().find(|line| line.contains("HIGH")).unwrap().to_owned();
        assert_eq!(row.contains("rule \"prod database\"   2m"), there, "{row}");
    }
}

#[test]
fn hostile_names_of_reviewers_move_nothing() {
    let hostile = ["\u{1b}[2J\u{202e}x", "a, b: 2 of 2", "漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢"];
    for width in (40..=200).step_by(7) {
        let mut script = Script::new((width, 15));
        let entry = approved_by(low(), &hostile);
        script.feed(FeedEvent::entries(vec![entry.clone()]));
        let names: Vec<_> = hostile.iter().map(|name| (*name, &entry)).collect();
        script.feed(looks(&names));
        for line in script.text().lines() {
            assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line}");
        }
        let row = script.text().lines().find(|line| line.contains("deploy")).unwrap().to_owned();
        assert!(row.contains("28:00"), "the time left keeps its place at {width}: {row}");
    }
}

#[test]
fn an_approval_that_counts_decides_nothing_and_stays_in_the_list() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![approved_by(low(), &[])]));
    script.approve().resolved(ONE_OF_TWO, Some(202), 1, None);
    script.feed(FeedEvent::changed(approved_by(low(), &["dana"])));
    let text = script.text();
    assert!(text.contains("202        counted: 1 of 2, waits for another reviewer"), "{text}");
    assert!(text.contains("1 pending · 1 counted") && !text.contains("committed"), "{text}");
    assert_snapshot!("counted_120x40", script.screen());
    script.keys("j").keys("a");
    assert!(
        script.text().contains("yours counts already: another reviewer must decide"),
        "{}",
        script.text()
    );
    assert!(script.model.bar.is_none());
    // Who has approved may still think better of it.
    script.keys("r");
    assert!(script.model.bar.is_some(), "{}", script.text());
    script.keys("esc");
    assert_eq!(script.orders(), 1);
    // Others' news of it is not news of a decision of somebody else's.
    script.feed(FeedEvent::changed(approved_by(decided(low(), Verdict::Approve, "bob"), &["dana", "bob"])));
    assert!(!script.text().contains("elsewhere"), "{}", script.text());
    script.resolved(Outcome::Committed, Some(202), 1, None);
    let text = script.text();
    assert!(
        text.contains("committed") && text.contains("0 pending") && !text.contains("1 counted"),
        "{text}"
    );
}

#[test]
fn what_was_counted_is_taken_out_of_the_list_once_it_is_decided_whichever_news_comes_first() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![approved_by(low(), &[])]));
    script.approve().resolved(ONE_OF_TWO, Some(202), 1, None);
    assert!(script.text().contains("1 pending"), "{}", script.text());
    script.resolved(Outcome::Committed, Some(202), 1, None);
    assert!(script.text().contains("0 pending"), "{}", script.text());
    script.feed(FeedEvent::changed(decided(low(), Verdict::Approve, "bob")));
    assert!(!script.text().contains("elsewhere"), "{}", script.text());
}

#[test]
fn anothers_rejection_is_a_conflict_at_once() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![approved_by(low(), &[])]));
    script.approve().resolved(ONE_OF_TWO, Some(202), 1, None);
    script.feed(FeedEvent::changed(decided(low(), Verdict::Reject, "bob")));
    let words = "409 CONFLICT  bob rejected it at 12:03:11 · your approval had no effect";
    assert!(script.text().contains(words), "{}", script.text());
    assert_eq!(script.bells(), 1);
    script.resolved(Outcome::Conflict, Some(202), 1, Some(standing(Verdict::Reject, "bob")));
    assert!(script.text().contains(words) && script.text().contains("0 pending"), "{}", script.text());
}

#[test]
fn what_has_lapsed_waits_again_and_is_sent_again_or_decided_anew() {
    let counted = || {
        let mut script = Script::new(WIDE);
        script.feed(FeedEvent::entries(vec![approved_by(low(), &["dana"])]));
        script.approve().resolved(ONE_OF_TWO, Some(202), 1, None);
        script.resolved(Outcome::Lapsed, Some(202), 1, None);
        script
    };
    let mut script = counted();
    assert!(script.text().contains("lapsed     no other reviewer decided in time: it counts no more"));
    assert_eq!(script.bells(), 1);
    script.keys("tab tab t");
    let id = script.order().id;
    assert!(script.effects.contains(&Effect::TryAgain(id)), "{:?}", script.effects);
    let mut script = counted();
    script.keys("j").approve();
    assert_eq!(script.orders(), 2, "{}", script.text());
}

#[test]
fn what_expires_before_another_reviewer_has_decided_counts_no_more() {
    for (state, words) in [
        (ActionState::Expired, "nobody decided in time"),
        (ActionState::Cancelled, "the agent no longer asks"),
    ] {
        let mut script = Script::new(WIDE);
        script.feed(FeedEvent::entries(vec![approved_by(low(), &[])]));
        script.approve().resolved(ONE_OF_TWO, Some(202), 1, None);
        script.feed(FeedEvent::changed(Queued { state, ..low() }));
        let text = script.text();
        assert!(text.contains(words) && text.contains("lapsed") && !text.contains("counted"), "{text}");
    }
}

#[test]
fn the_reasons_stand_on_the_page_once_the_action_is_decided() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![approved_by(low(), &["alice"])]));
    script.keys("enter").keys("end");
    assert!(
        script.text().contains("alice at 12:01:40, reason hidden until it is decided"),
        "{}",
        script.text()
    );
    script.keys("esc");
    let mut news = approved_by(decided(low(), Verdict::Approve, "bob"), &["alice", "bob"]);
    let mut review = (**news.review.as_ref().unwrap()).clone();
    review.approvals[0].reason = Some("checked the plan\u{1b}[2J".into());
    review.approvals[1].reason = Some("agreed".into());
    news.review = Some(Arc::new(review));
    script.feed(FeedEvent::changed(news)).keys("tab tab enter");
    let text = script.text();
    assert!(text.contains("approved alice at 12:01:40: \"checked the plan␛[2J\""), "{text}");
    assert!(
        text.contains("approved bob at 12:01:40: \"agreed\"") && !text.contains("hidden until"),
        "{text}"
    );
}

#[test]
fn a_decision_that_counts_is_found_at_the_next_start_and_the_action_waits_on() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![low()])).approve();
    let order = script.order();
    let resolution = Resolution {
        outcome: ONE_OF_TWO,
        http_status: Some(202),
        standing: None,
        detail: None,
        tries: Vec::new(),
        request_id: order.request_id.to_string(),
        idempotency_key: order.action.idempotency_key.clone(),
    };
    let entry = Entry {
        intent: order.intent("http://127.0.0.1:8000", None),
        stage: Stage::Ended,
        maybe: false,
        reached_at: None,
        tries: 1,
        next_at: None,
        resolution: Some(resolution),
        acknowledged: false,
        returned: None,
        updated_at: at("12:02:00"),
    };
    let mut next = Script::new(WIDE);
    let found = News::Found(Box::new(entry));
    next.tell(Message::Dispatch(DispatchEvent { id: order.id, news: found }));
    next.feed(FeedEvent::entries(vec![approved_by(low(), &["dana"])]));
    let text = next.text();
    assert!(
        text.contains("counted: 1 of 2, waits for another reviewer") && text.contains("1 pending"),
        "{text}"
    );
    next.keys("a");
    assert!(next.text().contains("yours counts already"), "{}", next.text());
}

fn gateway() -> Script {
    Script::with(Settings { presence: true, ..settings() }, WIDE)
}

/// What was said of what is looked at, as ids; `-` for nothing.
fn said(script: &mut Script) -> Vec<String> {
    let effects = std::mem::take(&mut script.effects);
    let look = |effect| match effect {
        Effect::Look(at) => Some(at.map_or("-".to_owned(), |(id, _)| id)),
        _ => None,
    };
    effects.into_iter().filter_map(look).collect()
}

#[test]
fn a_gateway_is_told_what_the_cursor_rests_on_and_when_it_leaves() {
    let mut script = gateway();
    script.feed(FeedEvent::entries(vec![refund(), trade()]));
    let (first, second) = (refund().action.id.clone(), trade().action.id.clone());
    script.wait(Duration::from_millis(900));
    assert_eq!(said(&mut script), [""; 0], "it has not rested there yet");
    script.wait(Duration::from_millis(200));
    assert_eq!(said(&mut script), [first.as_str()]);
    script.wait(Duration::from_secs(21));
    assert_eq!(said(&mut script), [first.as_str(); 2], "every ten seconds while it stays");
    script.hasty("j");
    assert_eq!(said(&mut script), ["-"]);
    script.hasty("k").hasty("j").wait(Duration::from_secs(2));
    assert_eq!(said(&mut script), [second.as_str()], "what is passed over is not looked at");
    let now = script.now().wall;
    script.feed(FeedEvent::Link(Link::Reconnecting { next: now, since: now, reason: "gone".into() }));
    script.feed(FeedEvent::Link(Link::Live));
    said(&mut script);
    script.wait(Duration::from_secs(2));
    assert_eq!(said(&mut script), [second.as_str()], "after a break it is said anew");
}

#[test]
fn nobody_is_told_anything_by_a_console_that_nobody_touches_or_whose_source_does_not_care() {
    let mut script = gateway();
    // Its times change by the minute: nothing else wakes the console sooner.
    let late = Sample { expires: "23:59:59", ..crate::script::plain(8, Risk::Low) }.queued();
    let late = late.action.sealed.replace("2026-11-23T23:59:59", "2027-11-23T23:59:59");
    let late = Queued::pending(Action::read(late).unwrap());
    script.feed(FeedEvent::entries(vec![late]));
    script.wait(Duration::from_secs(301));
    assert_eq!(said(&mut script).last().map(String::as_str), Some("-"), "nobody sits there");
    script.wait(Duration::from_secs(60));
    assert_eq!(said(&mut script), [""; 0]);
    script.hasty("g").wait(Duration::from_secs(2));
    assert_eq!(said(&mut script).len(), 1, "a key brings the reviewer back");

    let idle = |script: &Script| {
        let mut quiet = script.model.clone();
        quiet.settings.presence = false;
        next_deadline(&script.model, script.now()) == next_deadline(&quiet, script.now())
    };
    assert!(!idle(&script));
    script.tell(Message::PresenceRefused).wait(Duration::from_secs(30));
    assert_eq!(said(&mut script), [""; 0]);
    assert!(idle(&script), "no wake-up for it any more");

    let mut file = Script::new(WIDE);
    file.feed(FeedEvent::entries(vec![low()])).wait(Duration::from_secs(60));
    assert_eq!(said(&mut file), [""; 0]);
}

#[test]
fn what_a_rule_allows_is_counted_at_the_top_and_is_nobodys_decision() {
    let mut script = Script::with_queue(WIDE);
    script.feed(FeedEvent::AllowedByRule(41));
    assert!(script.text().contains("3 pending · 41 allowed by rule"), "{}", script.text());
    let execution = Execution { state: ExecutionState::Waiting, note: None, at: at("12:03:11") };
    let mut allowed = decided(low(), Verdict::Approve, "rule:prod \"reads\"");
    allowed.execution = Some(execution.clone());
    script.feed(FeedEvent::changed(allowed.clone())).feed(FeedEvent::changed(allowed.clone()));
    script.feed(FeedEvent::AllowedByRule(42));
    let consumed = Execution { state: ExecutionState::Consumed, ..execution };
    script.feed(FeedEvent::changed(Queued { execution: Some(consumed), ..allowed }));
    let text = script.text();
    let words = "rule       allowed by rule \"prod \\\"reads\\\"\" at 12:03:11 · the agent runs it";
    assert_eq!(text.matches(words).count(), 1, "{text}");
    assert!(text.contains("42 allowed by rule") && !text.contains("approved it"), "{text}");
    script.keys("tab tab enter");
    assert!(script.text().contains("rule     \"prod \\\"reads\\\"\", without a person"), "{}", script.text());

    // Where there is room for one line, it is what a person did.
    let mut short = Script::with_queue(SHORT);
    short.feed(FeedEvent::changed(decided(low(), Verdict::Approve, "rule:x")));
    assert!(short.text().contains("No decision yet"), "{}", short.text());
    for (size, count, words) in [
        (SHORT, 42, "42 allowed by rule"),
        (SMALL, 42, "42 allowed by rule"),
        (SMALL, 12_345_678_901, "901 by rule"),
    ] {
        let mut narrow = Script::with_queue(size);
        narrow.feed(FeedEvent::AllowedByRule(count));
        assert!(narrow.text().lines().next().unwrap().ends_with(words), "{}", narrow.text());
    }
}

#[test]
fn a_conflict_with_a_rule_names_no_person() {
    let mut script = Script::with_queue(WIDE);
    script.approve().resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "rule:never")));
    assert!(script.text().contains("409 CONFLICT  rule \"never\" rejected it at"), "{}", script.text());
}
