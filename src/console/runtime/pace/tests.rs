//! When frames go out, for terminals that answer, do not, and answer late.

use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Wants to show something at each of these times, by a key, to a terminal that answers a question after that many
/// milliseconds, if it answers it at all. Returns when frames went out and which of them asked.
fn play(mut pace: Pace, keys: &[u64], answer: impl Fn(u32) -> Option<u64>) -> Vec<(u64, bool)> {
    let (mut frames, mut changed, mut questions) = (Vec::new(), false, 0);
    let mut answers: Vec<u64> = Vec::new();
    for now in 0..20_000 {
        for _ in answers.extract_if(.., |at| *at == now) {
            pace.answered(ms(now));
        }
        changed |= keys.contains(&now);
        if changed && pace.next(true) <= ms(now) {
            let asks = pace.asks(ms(now));
            pace.sent(ms(now), asks);
            if asks {
                questions += 1;
                answers.extend(answer(questions).map(|after| now + after.max(1)));
            }
            frames.push((now, asks));
            changed = false;
        }
    }
    frames
}

/// A key that is held down.
fn held(from: u64, to: u64) -> Vec<u64> {
    (from..to).step_by(33).collect()
}

fn times(frames: &[(u64, bool)]) -> Vec<u64> {
    frames.iter().map(|(at, _)| *at).collect()
}

#[test]
fn a_key_is_shown_at_once_and_the_next_when_that_has_been_answered() {
    let frames = play(Pace::new(false), &[0, 1_000, 1_001, 1_002, 1_003, 2_000], |_| Some(40));
    assert_eq!(frames, [(0, true), (1_000, true), (1_040, true), (2_000, true)]);
}

#[test]
fn of_a_held_key_as_much_is_shown_as_the_terminal_takes() {
    let frames = play(Pace::new(true), &[&[0][..], &held(1_000, 4_000)].concat(), |_| Some(200));
    assert_eq!(times(&frames)[1..4], [1_000, 1_200, 1_400]);
    assert!(frames.iter().all(|(at, asks)| *asks && *at < 4_100), "{frames:?}");
    assert_eq!(frames.len(), 17);
}

#[test]
fn a_start_is_not_held_up_and_a_silent_terminal_is_given_up() {
    let frames = play(Pace::new(false), &[0, 20, 40, 60, 80, 700, 710, 730], |_| None);
    assert_eq!(
        frames,
        [
            (0, true),
            (20, false),
            (40, false),
            (60, false),
            (500, false),
            (700, false),
            (716, false),
            (732, false)
        ]
    );
}

#[test]
fn a_silent_terminal_far_away_is_given_four_frames_a_second() {
    let frames = play(Pace::new(true), &[&[0, 600][..], &held(5_000, 7_000)].concat(), |_| None);
    let after: Vec<_> = times(&frames).into_iter().filter(|at| *at >= 5_000).collect();
    assert_eq!(after, [5_000, 5_250, 5_500, 5_750, 6_000, 6_250, 6_500, 6_750, 7_000]);
}

#[test]
fn writing_that_waits_slows_a_silent_terminal_down() {
    let mut pace = Pace::new(false);
    (pace.terminal, pace.frame) = (Terminal::Silent, Some(ms(0)));
    let intervals = [true, true, true, true, false, false, false, false].map(|blocked| {
        pace.blocked(blocked);
        pace.next(true)
    });
    assert_eq!(intervals, [32, 64, 100, 100, 50, 25, 16, 16].map(ms));
}

#[test]
fn a_silent_terminal_is_asked_again_and_found_again() {
    // Asleep for its first three questions.
    let keys: Vec<u64> = (0..20).map(|second| second * 1_000).collect();
    let frames = play(Pace::new(false), &keys, |question| (question > 3).then_some(30));
    let asked: Vec<_> = frames.iter().filter(|(_, asks)| *asks).map(|(at, _)| *at).collect();
    // The answer to the fourth settles that the others are lost.
    assert_eq!(asked, [0, 3_000, 7_000, 15_000, 17_000, 18_000, 19_000]);
}

#[test]
fn late_answers_are_counted_and_mean_no_later_frame() {
    let mut pace = Pace::new(false);
    pace.sent(ms(0), true);
    pace.answered(ms(1));
    for (at, asks) in [(100, true), (600, false)] {
        assert!(pace.next(true) <= ms(at));
        assert_eq!(pace.asks(ms(at)), asks);
        pace.sent(ms(at), asks);
    }
    // Asked again while the first answer is still under way.
    assert!(pace.asks(ms(2_700)));
    pace.sent(ms(2_700), true);
    pace.answered(ms(2_710));
    assert_eq!((pace.terminal, pace.owed), (Terminal::Silent, 1));
    pace.answered(ms(2_720));
    assert_eq!((pace.terminal, pace.owed), (Terminal::Answers, 0));
    // One that nobody asked for is nothing.
    pace.answered(ms(2_730));
    assert!(pace.asks(ms(2_800)));
    pace.sent(ms(2_800), true);
    assert_eq!(pace.next(true), ms(3_300));
}

#[test]
fn a_slow_terminal_that_answers_is_waited_for() {
    let frames = play(Pace::new(false), &[0, 3_000, 3_010, 6_000, 6_010], |_| Some(900));
    assert_eq!(times(&frames), [0, 3_000, 3_900, 6_000, 6_900]);
}

#[test]
fn news_are_shown_at_the_pace_of_the_eye() {
    let mut pace = Pace::new(false);
    assert_eq!(pace.next(false), ms(0));
    pace.sent(ms(5), true);
    pace.answered(ms(6));
    assert_eq!((pace.next(true), pace.next(false)), (ms(5), ms(21)));
}

#[test]
fn an_answer_that_was_thrown_away_holds_nothing_up() {
    let mut pace = Pace::new(false);
    pace.sent(ms(0), true);
    pace.answered(ms(1));
    pace.sent(ms(100), true);
    pace.flushed();
    assert!(pace.next(true) <= ms(101) && pace.asks(ms(101)));
}
