//! What a source can carry decides what the console offers and says: on every row and in the title what silence does, in
//! the bars what a yes covers and whether a reason gets back.

use crate::script::{SHORT, SMALL, Sample, Script, WIDE, refund};
use aegis_console::domain::action::{Action, Covers, Silence};
use aegis_console::domain::{ActionState, Queued, Risk};
use aegis_console::feed::FeedEvent;
use insta::assert_snapshot;

const SIZES: [(&str, (u16, u16)); 4] =
    [("200x50", (200, 50)), ("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)];

/// The entry as it would be had it come in that way.
fn by(entry: &Queued, name: &str, reason: bool, covers: Covers, silence: Silence) -> Queued {
    let source = format!(
        r#""source":{{"name":"{name}","reason":{reason},"covers":"{}","silence":"{}"}},"reviewers_needed""#,
        covers.word(),
        silence.word()
    );
    let sealed = entry.action.sealed.replacen("\"reviewers_needed\"", &source, 1);
    assert_ne!(sealed, *entry.action.sealed);
    Queued::pending(Action::read(sealed).unwrap())
}

fn low(number: u32) -> Queued {
    let sample = Sample {
        number,
        agent: "ci",
        action: "deploy",
        payload: r#"{"to":"staging"}"#,
        summary: Some("Deploy 1.4 to staging"),
        risk: Risk::Low,
        expires: "12:30:00",
    };
    sample.queued()
}

/// One that runs where nobody decides, one of which one yes covers many calls, one that is asked elsewhere too.
fn three() -> Vec<Queued> {
    vec![
        by(&refund(), "legacy", false, Covers::OneCall, Silence::Runs),
        by(&low(7), "planner", true, Covers::ManyCalls, Silence::NotRun),
        by(&low(8), "opencode", true, Covers::OneCall, Silence::AskedElsewhere),
    ]
}

#[test]
fn what_silence_does_stands_on_every_row_and_in_the_title() {
    for (name, size) in SIZES {
        let mut script = Script::new(size);
        script.feed(FeedEvent::entries(three()));
        assert_snapshot!(format!("sources_{name}"), script.screen());
        let text = script.text();
        for (action, words) in [("send_email", "RUNS"), ("deploy", "no"), ("deploy", "else")] {
            let row = |line: &&str| line.contains(action) && line.contains(words);
            assert!(text.lines().any(|line| row(&line)), "{action} {words} at {name}: {text}");
        }
        script.keys("enter");
        assert_snapshot!(format!("source_runs_{name}"), script.screen());
        assert!(script.text().to_lowercase().contains("runs"), "{}", script.text());
    }
}

#[test]
fn a_group_says_the_worst_of_what_silence_does() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(vec![low(7), by(&low(8), "x", true, Covers::OneCall, Silence::Runs)]));
    script.keys("b b b");
    let text = script.text();
    let group = text.lines().find(|line| line.contains("▾")).unwrap_or_default().to_owned();
    assert!(group.contains("RUNS"), "{text}");
}

#[test]
fn a_reason_that_does_not_get_back_is_asked_for_as_one_for_the_record() {
    for (name, size) in SIZES {
        let mut script = Script::new(size);
        script.feed(FeedEvent::entries(three()));
        script.keys("r").typed("not today");
        assert_snapshot!(format!("source_reject_bar_{name}"), script.screen());
        script.keys("enter");
        assert_eq!(script.order().reason.as_deref(), Some("not today"), "it is kept all the same");
    }
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(three()));
    script.keys("j r");
    assert!(script.text().contains(" reason: ") && !script.text().contains("cannot pass"), "it gets back");
}

#[test]
fn a_yes_that_covers_many_calls_says_so_and_is_given_by_itself() {
    for (name, size) in SIZES {
        let mut script = Script::new(size);
        script.feed(FeedEvent::entries(three()));
        script.keys("j a");
        assert_snapshot!(format!("source_many_{name}"), script.screen());
        assert!(script.text().contains("one yes covers many calls"), "{}", script.text());
        script.keys("enter");
        assert_eq!(script.orders(), 1);
    }
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(three()));
    script.keys("* a");
    let text = script.text();
    assert!(text.contains("one yes covers many calls: approved one by one"), "{text}");
    assert!(text.contains("approves 1 of what is marked, leaves out 2"), "{text}");
}

#[test]
fn what_expired_says_what_its_source_does_then() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries(three()));
    for mut entry in three() {
        entry.state = ActionState::Expired;
        script.feed(FeedEvent::changed(entry));
    }
    let text = script.text();
    for words in ["its source says that it runs", "nobody decided in time: not run", "asked elsewhere"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
