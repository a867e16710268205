//! The loop with a program and a terminal in memory, on tokio's paused clock: when it draws and when it wakes.

mod keys;
mod recorder;
mod terminal;

use super::*;
use recorder::*;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn draws_at_once_and_then_at_most_every_16_ms() {
    let (seen, exit, effects) = play(Recorder::default(), |hands| async move {
        sleep(ms(100)).await;
        for text in ["a", "b", "c"] {
            hands.say(Fact::Text(text)).await;
            sleep(ms(4)).await;
        }
        sleep(ms(100)).await;
        hands.finish().await;
    })
    .await;
    let expected = [
        (0, "painted"),
        (100, "Text(\"a\")"),
        (100, "painted"),
        (104, "Text(\"b\")"),
        (108, "Text(\"c\")"),
        (116, "painted"),
        (212, "Over"),
    ];
    assert_eq!(seen, log(&expected));
    assert_eq!(exit, Exit::Finished);
    assert_eq!(effects.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn nothing_changing_sends_nothing_and_is_not_even_drawn() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        let bytes = hands.bytes();
        for _ in 0..10 {
            hands.say(Fact::Quiet).await;
            sleep(ms(50)).await;
        }
        assert_eq!(hands.bytes(), bytes, "a fact that changes nothing");
        hands.say(Fact::Text("")).await;
        sleep(ms(50)).await;
        assert_eq!(hands.bytes(), bytes, "a frame that is the same");
        hands.finish().await;
    })
    .await;
    assert_eq!(seen.iter().filter(|(_, what)| what == "painted").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn wakes_for_the_deadline_and_for_nothing_else() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        hands.say(Fact::Deadline(ms(5_000))).await;
        sleep(ms(60_000)).await;
        hands.finish().await;
    })
    .await;
    let expected = [
        (0, "painted"),
        (0, "Deadline(5s)"),
        (16, "painted"),
        (5_000, "Input(DeadlinePassed)"),
        (5_000, "painted"),
        (60_000, "Over"),
    ];
    assert_eq!(seen, log(&expected));
}

#[tokio::test(start_paused = true)]
async fn what_changes_every_second_is_told_every_second() {
    let counts = Recorder { counts: true, ..Recorder::default() };
    let (seen, ..) = play(counts, |hands| async move {
        sleep(ms(1_500)).await;
        // What happens meanwhile puts no second off.
        hands.say(Fact::Quiet).await;
        sleep(ms(1_600)).await;
        hands.finish().await;
    })
    .await;
    let told = seen.iter().filter(|(_, what)| what.contains("DeadlinePassed"));
    assert_eq!(told.map(|(at, _)| *at).collect::<Vec<_>>(), [1_000, 2_000, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_never_moves_does_not_stop_the_keys() {
    let program = Recorder { stuck: true, deadline: Some(Duration::ZERO), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(100)).await;
        hands.press("\x1b[B").await;
        sleep(ms(1)).await;
        hands.finish().await;
    })
    .await;
    let told = seen.iter().filter(|(_, what)| what == "Input(DeadlinePassed)").count();
    assert!((6..=8).contains(&told), "{told} times in 100 ms");
    assert!(seen.iter().any(|(at, what)| *at == 100 && what.contains("Down")), "{seen:?}");
}
