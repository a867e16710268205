//! What the screen says of decisions whose answer told less than the queue does, and which row a key means.

use crate::script::{SHORT, Sample, Script, WIDE, at, command, decided, refund, settings, standing, trade};
use aegis_console::client::AttemptEvent;
use aegis_console::console::app::{Effect, Message};
use aegis_console::domain::{ActionState, Outcome, Queued, Risk, Verdict};
use aegis_console::feed::{FeedEvent, Link};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::HashSet;
use std::time::Duration;

#[test]
fn a_decision_that_came_to_nothing_hides_no_news_of_its_action() {
    for outcome in [Outcome::NotSent, Outcome::Refused, Outcome::Quota { until: None }] {
        let mut script = Script::with_queue(WIDE);
        script.approve().resolved(outcome.clone(), None, 1, None);
        script.feed(FeedEvent::changed(decided(refund(), Verdict::Reject, "alice")));
        let told = "elsewhere  alice rejected it at 12:03:11";
        assert!(script.text().contains(told), "{outcome:?}\n{}", script.text());
    }
    let mut script = Script::with_queue(WIDE);
    script.approve().resolved(Outcome::NotSent, None, 1, None);
    script.feed(FeedEvent::changed(Queued { state: ActionState::Cancelled, ..refund() }));
    assert!(script.text().contains("withdrawn  the agent no longer asks"), "{}", script.text());
}

#[test]
fn the_queue_says_what_an_answer_did_not() {
    for outcome in [Outcome::Unconfirmed, Outcome::InProgress, Outcome::Unknown] {
        for (verdict, mine, words, bells) in [
            (Verdict::Approve, true, "409 mine   landed on an earlier try, its answer was lost", 0),
            (Verdict::Approve, false, "409 same   alice approved it at 12:03:11", 0),
            (Verdict::Reject, false, "409 CONFLICT  alice rejected it at 12:03:11 · your approval had no", 1),
        ] {
            let mut script = Script::with_queue(WIDE);
            script.approve().resolved(outcome.clone(), None, 4, None);
            let mut news = decided(refund(), verdict, "alice");
            if mine && let Some(decision) = &mut news.decision {
                decision.request_id = script.order().request_id.to_string().to_uppercase();
            }
            script.feed(FeedEvent::changed(news));
            assert!(script.text().contains(words), "{outcome:?} {verdict:?}\n{}", script.text());
            assert_eq!(script.bells(), bells);
            assert!(!script.text().contains("unconfirmed"), "{}", script.text());
        }
    }
}

#[test]
fn a_key_on_an_outcome_means_the_row_that_was_on_the_screen() {
    let conflict = |script: &mut Script| {
        script.resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "alice")));
    };
    let mut script = Script::with_queue(WIDE);
    script.approve();
    conflict(&mut script);
    script.keys("j").approve().keys("tab tab");
    let order = script.order();
    // The second conflict comes in above the first, and no frame has shown it when `x` is pressed.
    let resolution = aegis_console::domain::Resolution {
        outcome: Outcome::Conflict,
        http_status: Some(409),
        standing: Some(standing(Verdict::Reject, "alice")),
        detail: None,
        tries: Vec::new(),
        request_id: order.request_id.to_string(),
        idempotency_key: order.action.idempotency_key.clone(),
    };
    let news = aegis_console::dispatch::News::Resolved(resolution);
    let event = aegis_console::dispatch::DispatchEvent { id: order.id, news };
    script.tell_unpainted(Message::Dispatch(event));
    script.tell_unpainted(Message::KeyPressed(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE)));
    script.paint();
    assert_eq!(script.model.outcomes.conflicts(), 2, "{}", script.text());
    assert!(script.text().contains("ignored: the screen had just changed"), "{}", script.text());
    script.wait(Duration::from_secs(1)).keys("x");
    assert_eq!(script.model.outcomes.conflicts(), 1, "{}", script.text());
}

#[test]
fn a_conflict_does_not_hide_the_outcomes_of_later_decisions() {
    let mut script = Script::with_queue(SHORT);
    script.approve().resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "alice")));
    assert!(script.text().contains("409 CONFLICT"), "{}", script.text());
    script.keys("j").approve().resolved(Outcome::Committed, Some(202), 1, None);
    assert!(script.text().contains("202 approve execute_tra… committed"), "{}", script.text());
    assert!(script.text().contains("1 conflict"), "{}", script.text());
    script.keys("tab tab x");
    assert!(!script.text().contains("1 conflict"), "x takes note of it at once\n{}", script.text());
}

#[test]
fn a_retry_is_told_whole_in_72_columns() {
    let mut script = Script::with_queue(SHORT);
    script.approve();
    for (http_status, error) in [(Some(503), None), (None, Some("timed out".to_owned()))] {
        let took = Duration::from_millis(9);
        script.attempt(AttemptEvent::Answered { number: 1, http_status, error: error.clone(), took });
        script.attempt(AttemptEvent::Waiting { next_number: 2, of: 4, until: at("12:02:00.800") });
        let last = error.unwrap_or("503".into());
        assert!(script.text().contains(&format!("try 2 of 4 · {last} · next in 0.8 s")), "{}", script.text());
    }
}

#[test]
fn what_was_told_before_the_link_broke_is_not_kept_past_a_new_listing() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::Complete { pending: HashSet::new() }).feed(FeedEvent::Link(Link::Live));
    script.feed(FeedEvent::changed(refund())).feed(FeedEvent::changed(trade()));
    let now = script.now().wall;
    script.feed(FeedEvent::Link(Link::Reconnecting { next: now, since: now, reason: "gone".into() }));
    // While the link was down somebody decided the refund, and the server remembers no events.
    let pending = HashSet::from([trade().action.id.clone(), command().action.id.clone()]);
    script.feed(FeedEvent::entries(vec![trade(), command()])).feed(FeedEvent::Complete { pending });
    assert!(!script.text().contains("Refund mail"), "{}", script.text());
    assert!(script.text().contains("settled while the link was down"), "{}", script.text());
}

#[test]
fn a_huge_text_costs_no_more_than_what_is_seen_of_it() {
    let huge = "x\u{1b}\u{202e}漢字 ".repeat(30_000);
    let mut script = Script::new(WIDE);
    let entries = (1..=30).map(|number| Sample {
        number,
        agent: "bot",
        action: &huge[..300],
        payload: "{}",
        summary: Some(&huge),
        risk: Risk::Low,
        expires: "12:10:00",
    });
    script.feed(FeedEvent::entries(entries.map(|sample| sample.queued())));
    let began = std::time::Instant::now();
    for _ in 0..20 {
        script.feed(FeedEvent::Link(Link::Live));
    }
    // Each frame read all 30 texts of 390 kB once: more than 5 s for one of them. Now it is some milliseconds.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_time_of_another_day_is_told_with_its_day() {
    let mut script = Script::with_queue(WIDE);
    let until = Some("2339-10-10T12:44:26Z".parse().unwrap());
    script.approve().resolved(Outcome::Quota { until }, Some(429), 1, None);
    assert!(script.text().contains("quota used up until 2339-10-10 12:44:26"), "{}", script.text());
    let mut stands = standing(Verdict::Reject, "alice");
    stands.decided_at = Some("2026-11-22T12:03:11Z".parse().unwrap());
    script.keys("j").approve().resolved(Outcome::Conflict, Some(409), 1, Some(stands));
    assert!(script.text().contains("alice rejected it at 2026-11-22 12:03:11"), "{}", script.text());
}

#[test]
fn what_is_simulated_is_told_whole_or_in_short_but_never_cut() {
    let long = "This is a demo. ".repeat(20) + "All data goes when you quit.";
    for (size, whole) in [((100, 20), false), ((120, 40), true)] {
        let settings = aegis_console::console::app::Settings { simulated: Some(long.clone()), ..settings() };
        let script = Script::with(settings, size);
        assert_eq!(script.text().contains("when you quit."), whole, "{}", script.text());
        assert_eq!(script.text().contains("(? says more)"), !whole, "{}", script.text());
    }
}

#[test]
fn the_consoles_own_words_are_ascii_where_the_terminal_has_no_more() {
    for size in [WIDE, SHORT, (60, 12), (30, 10)] {
        let theme = aegis_console::console::theme::Theme::new(true, true);
        let settings = aegis_console::console::app::Settings { theme, ..settings() };
        let mut script = Script::with(settings, size);
        script.feed(FeedEvent::entries(vec![trade()]));
        script.keys("enter");
        // `…` says that something is cut: it has no ASCII form that an agent could not write.
        let text = script.text().replace('…', "");
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn what_is_other_than_it_was_decided_on_is_unread_again_and_says_what_changed() {
    let mut script = Script::with_queue(WIDE);
    script.keys("enter");
    script.approve().resolved(Outcome::Refused, Some(412), 1, None);
    let id = refund().action.id.clone();
    assert!(script.effects.contains(&Effect::Refetch(id)), "it is asked for as it is");
    let sample = Sample {
        number: 1,
        agent: "billing-agent",
        action: "send_email",
        payload: r#"{"to":"mallory@evil.example","subject":"Your refund","amount":1.10,"body":"Dear customer,\nhere it is.\n"}"#,
        summary: Some("Refund mail to user@example.com"),
        risk: Risk::High,
        expires: "12:06:31",
    };
    script.feed(FeedEvent::Replaced(sample.queued())).keys("g");
    let text = script.text();
    assert!(text.contains("other than when it was decided on: read it anew"), "{text}");
    assert!(text.contains("/payload/to"), "{text}");
    assert!(text.contains("mallory@evil.example"), "{text}");
}
