//! What comes from the keyboard: its order beside news and signals, flushes, replies that are no keys, and its end.

use super::super::*;
use super::recorder::*;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn keys_go_before_news_and_signals_before_both() {
    let (seen, exit, _) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.say(Fact::Quiet).await;
        hands.press("\x1b[B").await;
        hands.urgent.send(Input::Resize(30, 3)).await.unwrap();
        sleep(ms(50)).await;
        hands.press("\x1b[A").await;
        hands.say(Fact::Quiet).await;
        hands.urgent.send(Input::End(EndOfInput::Hangup)).await.unwrap();
    })
    .await;
    let facts: Vec<_> =
        seen.into_iter().filter(|(_, what)| what != "painted").map(|(_, what)| what).collect();
    assert_eq!(facts.len(), 4, "{facts:?}");
    assert_eq!(facts[0], "Input(Resize(30, 3))");
    assert!(facts[1].contains("Down"));
    assert_eq!(facts[2..], ["Quiet", "Input(End(Hangup))"], "nothing is taken in after the end");
    assert_eq!(exit, Exit::Ended(EndOfInput::Hangup));
    assert_eq!(exit.code(), 129);
}

#[tokio::test(start_paused = true)]
async fn a_letter_bears_the_time_it_was_read_at() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.press("a").await;
        sleep(ms(5)).await;
        hands.say(Fact::Text("drawn after the key was read")).await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    let (at, _) = seen.iter().find(|(_, what)| what.contains("Char('a')")).unwrap();
    let (drawn, _) = seen.iter().rfind(|(at, what)| what == "painted" && *at < 60).unwrap();
    assert_eq!((*at, *drawn), (50, 55));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_is_seen_before_a_letter_is_let_go() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        let at = Instant::now();
        sleep(ms(40)).await;
        // As after a write that blocked: three letters were read at once, long ago.
        for c in ["a", "b", "c"] {
            hands.press_at(c, at).await;
        }
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert!(seen.contains(&(50, "Input(Paste(\"abc\"))".into())), "{seen:?}");
}

/// Which keys and pastes came through, without their modifiers.
fn typed(seen: &[(u128, String)]) -> Vec<String> {
    let word = |what: &str| {
        let after = what.strip_prefix("Input(")?;
        let code = after.strip_prefix("Key(KeyEvent { code: ").and_then(|key| key.split(", ").next());
        Some(code.unwrap_or(after).to_owned())
    };
    seen.iter().filter_map(|(_, what)| word(what)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_flush_drops_what_was_typed_before_it() {
    let program = Recorder { flush_at: Some(KeyCode::Char('a')), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(50)).await;
        // Everything here is there when the letter becomes a key, 15 ms after it was read.
        hands.press("a").await;
        sleep(ms(10)).await;
        hands.press("\r").await;
        hands.press("\x1b[A\x03\x1b[I\x1b[200~pasted").await;
        sleep(ms(20)).await;
        hands.press(" and still the same paste\x1b[201~").await;
        sleep(ms(50)).await;
        hands.press("b").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert_eq!(typed(&seen), ["Char('a')", "Char('c')", "FocusGained)", "Char('b')"], "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_what_a_flush_cut_in_two_is_no_key() {
    let program = Recorder { flush_at: Some(KeyCode::Down), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(50)).await;
        hands.press("\x1b[B\x1b]11;rgb:aa").await;
        sleep(ms(20)).await;
        hands.press("a\r\x1b\\").await;
        sleep(ms(50)).await;
        hands.press("\x1b[B\x1b").await;
        sleep(ms(20)).await;
        hands.press("[A").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert_eq!(typed(&seen), ["Down", "Down"], "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn replies_are_told_apart_from_keys() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.press("\x1b[0n\x1b]11;rgb:aaaa\x1b\\").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    let at_50: Vec<_> = seen.iter().filter(|(at, _)| *at == 50).map(|(_, what)| what.as_str()).collect();
    assert_eq!(at_50, ["Ready", "Other"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_keyboard_ends_it_and_closed_news_do_not() {
    let (seen, exit, _) = play(Recorder::default(), |hands| async move {
        let Hands { urgent, keyboard, messages, .. } = hands;
        drop((urgent, messages));
        sleep(ms(1_000)).await;
        drop(keyboard);
    })
    .await;
    assert_eq!(exit, Exit::Ended(EndOfInput::Closed));
    assert_eq!(seen, log(&[(0, "painted"), (1_000, "Input(End(Closed))")]));
}
