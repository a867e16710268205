//! Chance against the rules: whatever comes, goes, expires and moves between frames, and whatever keys are pressed when, a
//! decision is made on nothing but what the last painted frame showed, and only once that frame had been there.

use crate::script::{LETTERS, SHORT, Sample, Script, decided, plain};
use aegis_console::console::app::{Effect, Message};
use aegis_console::console::screens::queue::Row;
use aegis_console::domain::{ActionState, Queued, Risk, Verdict};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Event {
    /// Something is asked, and expires after so many seconds.
    Asked(u32, u32),
    /// One is decided elsewhere, withdrawn, or expires.
    Gone(u32, u8),
    Key(KeyCode),
    /// A filter is typed and kept.
    Filtered(&'static str),
    /// The letters of a bar are typed.
    Letters,
    Pasted,
    Waited(u64),
    Resized(bool),
}

fn keys() -> impl Strategy<Value = Event> {
    let deciding = prop::sample::select(vec![
        KeyCode::Char('a'),
        KeyCode::Char('r'),
        KeyCode::Enter,
        KeyCode::Char(' '),
        KeyCode::Char('*'),
        KeyCode::Char('j'),
        KeyCode::Char('k'),
        KeyCode::Char('G'),
        KeyCode::Tab,
        KeyCode::Esc,
        KeyCode::End,
        KeyCode::Char('/'),
        KeyCode::Char('s'),
        KeyCode::Char('b'),
        KeyCode::Char('z'),
        KeyCode::Char('v'),
        KeyCode::Char('T'),
        KeyCode::Char('X'),
    ]);
    deciding.prop_map(Event::Key)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..8_u32, 1..600_u32).prop_map(|(number, expires)| Event::Asked(number, expires)),
        1 => (0..8_u32, 0..3_u8).prop_map(|(number, how)| Event::Gone(number, how)),
        12 => keys(),
        1 => prop::sample::select(vec!["", "risk:low", "!risk:low", "expires<5m", "none"]).prop_map(Event::Filtered),
        3 => Just(Event::Letters),
        1 => Just(Event::Pasted),
        6 => (0..1_500_u64).prop_map(Event::Waited),
        1 => any::<bool>().prop_map(Event::Resized),
    ]
}

/// The risk goes by the number, so that the same action always is the same.
fn entry(number: u32, expires: u32) -> Queued {
    let risk = [Risk::Low, Risk::Medium, Risk::High, Risk::Critical][number as usize % 4];
    let expires = format!("12:{:02}:{:02}", 2 + expires / 60, expires % 60);
    Sample { expires: &expires, ..plain(number, risk) }.queued()
}

/// What the last painted frame showed, and since when it asked the same.
struct Painted {
    text: String,
    since: Duration,
}

fn asked(text: &str) -> Vec<&str> {
    let from = text.lines().position(|line| line.contains("┌ Approve? ") || line.contains("┌ Reject? "));
    from.map(|from| text.lines().skip(from).take(2).collect()).unwrap_or_default()
}

fn check(script: &Script, painted: &Painted, effects: &[Effect]) -> Result<(), TestCaseError> {
    for orders in effects.iter().filter_map(|effect| match effect {
        Effect::Decide(orders) => Some(orders),
        _ => None,
    }) {
        let [title, about] = asked(&painted.text)[..] else {
            return Err(TestCaseError::fail(format!("no bar had been painted:\n{}", painted.text)));
        };
        prop_assert!(script.now().tick >= painted.since + Duration::from_millis(300));
        for order in orders {
            let word = if order.verdict == Verdict::Approve { "Approve?" } else { "Reject?" };
            prop_assert!(title.contains(word), "{word}\n{}", painted.text);
            if about.contains("of what is marked") {
                let digest = order.action.digest.short();
                prop_assert!(order.verdict == Verdict::Reject || order.action.risk <= Risk::Medium);
                // What does not fit the small table has been counted at least.
                prop_assert!(painted.text.contains(&digest) || painted.text.contains("more below"));
                prop_assert!(about.contains(&format!("s {} of", orders.len())), "{about}");
            } else {
                prop_assert!(about.contains(&order.action.digest.short()), "{about}");
                prop_assert_eq!(orders.len(), 1);
                if order.verdict == Verdict::Approve && order.action.risk >= Risk::High {
                    prop_assert!(script.now().tick >= painted.since + Duration::from_secs(1));
                    prop_assert!(painted.text.contains(LETTERS));
                }
            }
        }
    }
    Ok(())
}

fn message(script: &Script, event: &Event) -> Message {
    match *event {
        Event::Asked(number, expires) => Message::Feed(FeedEvent::changed(entry(number, expires))),
        Event::Gone(number, how) => {
            let id = entry(number, 1).action.id.clone();
            let known = script.model.queue.rows().find_map(|(row, _)| match row {
                Row::Action { headline, .. } if headline.id() == id => {
                    Some(Queued::pending(headline.action().as_ref().clone()))
                }
                _ => None,
            });
            let entry = known.unwrap_or_else(|| entry(number, 1));
            Message::Feed(FeedEvent::changed(match how {
                0 => decided(entry, Verdict::Reject, "alice"),
                1 => Queued { state: ActionState::Cancelled, ..entry },
                _ => Queued { state: ActionState::Expired, ..entry },
            }))
        }
        Event::Key(code) => Message::KeyPressed(KeyEvent::new(code, KeyModifiers::NONE)),
        Event::Pasted => Message::Pasted("a\r".into()),
        Event::Resized(wide) => {
            let (width, height) = if wide { (100, 16) } else { SHORT };
            Message::Resized(width, height)
        }
        Event::Letters | Event::Filtered(_) | Event::Waited(_) => Message::DeadlineReached,
    }
}

fn play(events: &[(Event, bool)]) -> Result<usize, TestCaseError> {
    let mut script = Script::new((100, 16));
    let mut painted = Painted { text: script.text(), since: script.now().tick };
    for (event, frame) in events {
        let before = script.effects.len();
        let letters = |text: &str| text.chars().map(|c| Event::Key(KeyCode::Char(c))).collect::<Vec<_>>();
        let steps = match event {
            Event::Letters => letters(LETTERS),
            Event::Filtered(text) => {
                let keys = [letters("/"), letters(text), vec![Event::Key(KeyCode::Enter)]];
                keys.concat()
            }
            event => vec![event.clone()],
        };
        for step in &steps {
            if let Event::Waited(millis) = step {
                script.pass(Duration::from_millis(*millis));
            }
            let message = message(&script, step);
            script.tell_unpainted(message);
        }
        check(&script, &painted, &script.effects[before..])?;
        if *frame {
            script.paint();
            // No other frame is looked at.
            let text = if script.model.bar.is_some() { script.text() } else { String::new() };
            let same = !text.is_empty() && asked(&text) == asked(&painted.text);
            let since = if same { painted.since } else { script.now().tick };
            painted = Painted { text, since };
        }
    }
    Ok(script.orders())
}

#[test]
fn nothing_is_decided_but_what_was_on_the_screen() {
    let decided = Cell::new(0);
    let events = prop::collection::vec((event(), prop::bool::weighted(0.7)), 1..80);
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    let played = TestRunner::new(config).run(&events, |events| {
        decided.set(decided.get() + play(&events)?);
        Ok(())
    });
    assert!(played.is_ok(), "{played:#?}");
    assert!(decided.get() > 0, "nothing was ever decided, so nothing was tested");
}
