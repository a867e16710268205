//! The outcomes as a history: scrolled, filtered, opened.

use crate::script::{SHORT, SMALL, Sample, Script, WIDE, at, decided, standing};
use aegis_console::client::AttemptEvent;
use aegis_console::console::app::{Effect, Message};
use aegis_console::dispatch::{DispatchEvent, Entry, News, Order, Stage};
use aegis_console::domain::{Execution, ExecutionState, Outcome, Resolution, Risk, Try, Untrusted, Verdict};
use aegis_console::feed::FeedEvent;
use insta::assert_snapshot;
use std::time::Duration;
use uuid::Uuid;

const NAMES: [&str; 4] = ["send_email", "drop_table", "deploy", "refund"];

fn sample(number: u32) -> aegis_console::domain::Queued {
    let sample = Sample {
        number,
        agent: if number.is_multiple_of(2) { "billing-agent" } else { "ci" },
        action: NAMES[number as usize % NAMES.len()],
        payload: "{\"to\":\"user@example.com\",\"body\":\"Dear customer,\\nhere it is \\u202e\"}",
        summary: Some("What this agent says of it"),
        risk: Risk::Low,
        expires: "12:30:00",
    };
    sample.queued()
}

/// A console with thirty outcomes, ours and others'.
fn full(size: (u16, u16)) -> Script {
    let mut script = Script::new(size);
    for number in 1..=30 {
        script.feed(FeedEvent::changed(sample(number)));
        if number % 3 == 0 {
            script.feed(FeedEvent::changed(decided(sample(number), Verdict::Approve, "alice")));
            continue;
        }
        script.keys("j").approve();
        match number % 5 {
            0 => script.resolved(Outcome::Conflict, Some(409), 2, Some(standing(Verdict::Reject, "bob"))),
            1 => script.resolved(Outcome::NotSent, None, 4, None),
            _ => script.resolved(Outcome::Committed, Some(202), 1, None),
        };
    }
    script
}

#[test]
fn the_history_scrolls_and_says_how_much_is_where() {
    let mut script = full(WIDE);
    script.keys("tab tab j j j j j j j j");
    assert_snapshot!("outcomes_120x40", script.screen());
    assert!(
        script.text().contains("more above") && script.text().contains("more below"),
        "{}",
        script.text()
    );
    script.keys("G");
    assert!(script.text().contains("409") || !script.text().contains("more below"), "{}", script.text());
}

#[test]
fn words_filter_the_history_as_they_are_typed() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = full(size);
        script.keys("tab tab / d r o p");
        assert_snapshot!(format!("filtering_{name}"), script.screen());
        script.keys("enter");
        assert!(
            !script.text().contains("CONFLICT") && script.text().contains("of 30 ─ /drop"),
            "{}",
            script.text()
        );
        script.keys("esc");
        assert!(!script.text().contains("/drop"), "the first step back is out of the filter");
        script.keys("esc");
        assert!(script.text().contains(" Pending "), "{}", script.text());
    }
}

#[test]
fn a_filter_goes_through_what_the_rows_are_about() {
    let mut script = full((120, 60));
    script.keys("tab tab");
    for (filter, rows) in [
        ("alice", 10),
        ("bob", 4),
        ("conflict", 4),
        ("committed", 12),
        ("BILLING", 15),
        ("!order-42", 0),
        ("ci not", 2),
    ] {
        script.keys("/").typed(filter);
        let (shown, all) = script.model.outcomes.counted();
        assert_eq!((shown, all), (rows, 30), "{filter}\n{}", script.text());
        script.keys("esc");
    }
    script.keys("/ up up up");
    assert!(script.text().contains("/conflict") || script.text().contains("/BILLING"), "{}", script.text());
    assert!(script.model.outcomes.conflicts() == 4, "a filter changes no count");
}

#[test]
fn letters_that_are_typed_into_a_filter_do_nothing_else() {
    let mut script = full(WIDE);
    script.keys("tab tab /");
    let before = script.effects.len();
    script.typed("taurxq? a");
    script.tell(Message::Pasted("\u{1b}[2Jr\n".into()));
    assert_eq!(script.effects.len(), before);
    assert!(script.model.bar.is_none() && script.model.exit.is_none() && script.model.help.is_none());
    assert_eq!(script.model.outcomes.search().text(), "taurxq? a[2Jr ");
    script.keys("ctrl-c");
    assert!(script.model.exit.is_some() || script.model.leaving, "ctrl-c always works");
}

#[test]
fn an_outcome_opens_with_everything_that_is_known() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys("r n o").keys("enter");
        let order = script.order();
        let one = |number, http_status, error: Option<&str>, waited| Try {
            number,
            http_status,
            error: error.map(str::to_owned),
            started: at("12:02:00"),
            took: Duration::from_millis(38),
            waited: Duration::from_millis(waited),
        };
        let resolution = Resolution {
            outcome: Outcome::Conflict,
            http_status: Some(409),
            standing: Some(standing(Verdict::Approve, "alice\u{1b}[2J")),
            detail: Some(Untrusted::from("already \"approved\"\u{202e}")),
            tries: vec![
                one(1, Some(503), None, 0),
                one(2, None, Some("connection reset"), 810),
                one(3, Some(409), None, 1_620),
            ],
            request_id: order.request_id.to_string(),
            idempotency_key: order.action.idempotency_key.clone(),
        };
        script.tell(Message::Dispatch(DispatchEvent { id: order.id, news: News::Resolved(resolution) }));
        script.keys("tab tab enter");
        assert_snapshot!(format!("opened_{name}"), script.screen());
        let mut all = script.text();
        while script.model.outcomes.page().is_some_and(|page| page.scroll.below() > 0) {
            script.keys("space");
            all.push_str(&script.text());
        }
        // Lines break anywhere.
        let whole = all.replace(['│', '▏', '\n', ' '], "");
        for words in ["\"no\"", "dana", "alice", "503", "connectionreset", "Refund", "Dearcustomer", "1.10"] {
            assert!(whole.contains(words), "{words} is nowhere in\n{all}");
        }
        let unseen = script.model.detail.unseen();
        script.keys("q");
        assert!(script.model.outcomes.page().is_none() && script.model.exit.is_none(), "q goes back");
        assert_eq!(script.model.detail.unseen(), unseen, "what a page shows was not read for a decision");
    }
}

#[test]
fn what_is_open_is_what_its_keys_mean() {
    let mut script = full(WIDE);
    script.keys("tab tab / c o n f l i c t enter j enter");
    let id = script.model.outcomes.page().map(|page| page.id);
    script.keys("x");
    assert_eq!(script.effects.last(), id.map(Effect::Acknowledge).as_ref());
    assert!(script.text().contains("409 CONFLICT"), "it stays open: {}", script.text());
    script.keys("tab tab tab");
    assert!(script.model.outcomes.page().is_none(), "other panes close it");
}

#[test]
fn a_running_decision_shows_its_tries_while_it_is_open() {
    let mut script = Script::with_queue(WIDE);
    script.keys("r enter").keys("tab tab enter");
    script.hear(News::Queued);
    script.attempt(AttemptEvent::Started { number: 1, of: 4, at: at("12:02:00") });
    assert!(script.text().contains("1  12:02:00  under way"), "{}", script.text());
    let (http_status, took) = (Some(503), Duration::from_millis(21));
    script.attempt(AttemptEvent::Answered { number: 1, http_status, error: None, took });
    script.attempt(AttemptEvent::Waiting { next_number: 2, of: 4, until: at("12:02:09") });
    assert!(script.text().contains("1  12:02:00  503 may be tried again · took 21 ms"), "{}", script.text());
    assert!(script.text().contains("12:02:09  next"), "{}", script.text());
}

#[test]
fn somebody_elses_decision_opens_too() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::changed(sample(1)));
    let mut entry = decided(sample(1), Verdict::Approve, "alice");
    let note = Some(Untrusted::from("queued by the relay"));
    entry.execution = Some(Execution { state: ExecutionState::Succeeded, note, at: at("12:04:00") });
    script.feed(FeedEvent::changed(entry)).keys("tab tab enter");
    for words in ["elsewhere", "alice", "12:03:11", "queued by the relay", "the action, as it was asked"] {
        assert!(script.text().contains(words), "{words}\n{}", script.text());
    }
}

#[test]
fn what_the_journal_knows_from_earlier_stands_below_and_takes_nothing_out_of_the_list() {
    let mut script = Script::with_queue(WIDE);
    script.keys("r enter");
    let order = script.order();
    let resolution = Resolution {
        outcome: Outcome::Conflict,
        http_status: Some(409),
        standing: Some(standing(Verdict::Approve, "alice")),
        detail: None,
        tries: Vec::new(),
        request_id: "r".into(),
        idempotency_key: "k".into(),
    };
    let earlier = Order {
        id: Uuid::from_u128(99),
        action: crate::script::trade().action,
        decided_at: at("09:00:00"),
        ..order.clone()
    };
    let entry = Entry {
        intent: earlier.intent("http://127.0.0.1:8000", None),
        stage: Stage::Ended,
        maybe: false,
        reached_at: None,
        tries: 1,
        next_at: None,
        resolution: Some(resolution),
        acknowledged: true,
        returned: None,
        updated_at: at("09:00:00"),
    };
    let waiting = script.model.queue.len();
    script.tell(Message::Remembered(vec![(earlier, entry)]));
    assert_eq!(script.model.queue.len(), waiting);
    assert_eq!(
        script.model.outcomes.newest().map(|row| row.id),
        Some(order.id),
        "the newest stays the newest"
    );
    assert!(script.text().contains("09:00:00  reject   execute_trade"), "{}", script.text());
    assert_eq!(script.model.outcomes.conflicts(), 0, "it was noted then");
}
