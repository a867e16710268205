//! From bytes to keys, with everything that may lie between: no key that decides comes out of a reply or a paste.

use super::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// All that is told of reads at their milliseconds, and of the silence after them.
fn run(reads: &[(u64, &[u8])]) -> Vec<(Told, Duration)> {
    let mut intake = Intake::default();
    let mut out = Vec::new();
    for (at, bytes) in reads {
        out.extend(intake.read(bytes, ms(*at)));
    }
    // Twice: what the decoder lets go may be held by the filter for a while.
    out.extend(intake.passed(ms(600_000)));
    out.extend(intake.passed(ms(1_200_000)));
    assert_eq!(intake.deadline(), None);
    out
}

fn keys(out: &[(Told, Duration)]) -> Vec<KeyEvent> {
    let key = |told: &Told| match told {
        Told::Input(Input::Key(key)) => Some(*key),
        _ => None,
    };
    out.iter().filter_map(|(told, _)| key(told)).collect()
}

fn pastes(out: &[(Told, Duration)]) -> Vec<&str> {
    let paste = |told| match told {
        &Told::Input(Input::Paste(ref text)) => Some(text.as_str()),
        _ => None,
    };
    out.iter().filter_map(|(told, _)| paste(told)).collect()
}

fn interrupts(key: &KeyEvent) -> bool {
    (key.code, key.modifiers) == (KeyCode::Char('c'), KeyModifiers::CONTROL)
}

#[test]
fn a_reply_that_comes_as_plain_letters_is_a_paste() {
    let out = run(&[(0, b"aaaaaaaaaaaa")]);
    assert_eq!(keys(&out), []);
    assert_eq!(pastes(&out), ["aaaaaaaaaaaa"]);
    // A reply between them does not tear them apart.
    let out = run(&[(0, b"a\r\x1b[0na")]);
    assert_eq!((keys(&out), pastes(&out)), (vec![], vec!["a\na"]));
}

#[test]
fn lines_without_brackets_are_one_paste() {
    let out = run(&[(0, b"one\ntwo\r\nthree")]);
    assert_eq!((keys(&out), pastes(&out)), (vec![], vec!["one\ntwo\n\nthree"]));
}

#[test]
fn releases_are_nothing() {
    assert_eq!(run(&[(0, b"\x1b[97;1:3u\x1b[13;1:3u\x1b[1;1:3A")]), []);
}

#[test]
fn letters_that_are_typed_keep_their_times() {
    let out = run(&[(0, b"a"), (100, b"\r"), (200, b"\x1b[A"), (300, b"\x1b")]);
    let times: Vec<_> = out.iter().map(|(_, at)| at.as_millis()).collect();
    assert_eq!(times, [0, 100, 200, 300]);
}

#[test]
fn the_next_deadline_is_whichever_comes_first() {
    let mut intake = Intake::default();
    intake.read(b"a", ms(0));
    assert_eq!(intake.deadline(), Some(ms(15)));
    intake.read(b"\x1b", ms(5));
    assert_eq!(intake.deadline(), Some(ms(15)));
    assert_eq!(keys(&intake.passed(ms(15))).len(), 1);
    assert_eq!(intake.deadline(), Some(ms(55)));
}

/// What a terminal answers, complete. Whatever stands in it, nothing of it may become a key.
fn reply() -> impl Strategy<Value = Vec<u8>> {
    let anything =
        || prop::collection::vec(prop_oneof![Just(b'a'), Just(b'\r'), Just(b'r'), any::<u8>()], 0..40);
    let without_end =
        |text: Vec<u8>| -> Vec<u8> { text.into_iter().filter(|byte| !matches!(byte, 0x1b | 0x07)).collect() };
    let string = (prop::sample::select(vec![b']', b'P', b'X', b'^', b'_']), anything())
        .prop_map(move |(opener, text)| [&[0x1b, opener][..], &without_end(text), b"\x1b\\"].concat());
    let fixed = prop::sample::select(vec![
        &b"\x1b[0n"[..],
        b"\x1b[12;40R",
        b"\x1b[1;2R",
        b"\x1b[?62;22c",
        b"\x1b[>1;10;0c",
        b"\x1b[?2026;2$y",
        b"\x1b[?1u",
        b"\x1b[8;24;80t",
        b"\x1b]11;rgb:aaaa/aaaa/aaaa\x07",
    ]);
    prop_oneof![3 => string, 2 => fixed.prop_map(<[u8]>::to_vec)]
}

/// A paste in brackets; its text may hold the marks too.
fn paste() -> impl Strategy<Value = Vec<u8>> {
    let text = prop::sample::select(vec![
        &b"a"[..],
        b"\r",
        b"r\r",
        b"1",
        b"\x1b[201~",
        b"\x1b[200~",
        b"\x1b",
        b"\x1b[A",
        b"\x1bOM",
        b"\x1b[13u",
        b"\xff",
        b"\x1b]0;",
    ]);
    prop::collection::vec(text, 0..12)
        .prop_map(|text| [b"\x1b[200~".as_slice(), &text.concat(), b"\x1b[201~"].concat())
}

/// The bytes cut into reads: where, and how many milliseconds pass at each cut.
fn cut(bytes: &[u8], cuts: &[(usize, u64)]) -> Vec<(u64, Vec<u8>)> {
    let mut cuts: Vec<_> = cuts.iter().map(|(at, pause)| (at % (bytes.len() + 1), *pause)).collect();
    cuts.sort_unstable();
    cuts.dedup_by_key(|(at, _)| *at);
    let (mut out, mut from, mut now) = (Vec::new(), 0, 0);
    for (at, pause) in cuts {
        out.push((now, bytes[from..at].to_vec()));
        (from, now) = (at, now + pause);
    }
    out.push((now, bytes[from..].to_vec()));
    out
}

fn run_owned(reads: &[(u64, Vec<u8>)]) -> Vec<(Told, Duration)> {
    let reads: Vec<_> = reads.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    run(&reads)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any bytes, cut anywhere, at any times: no panic, and nothing is held for ever.
    #[test]
    fn any_bytes_at_any_times(reads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..30), 0_u64..250), 0..10)) {
        let mut now = 0;
        let reads: Vec<_> = reads.into_iter().map(|(bytes, pause)| { now += pause; (now, bytes) }).collect();
        run_owned(&reads);
    }

    /// A reply in pieces that come in time is no key; only the ctrl-c in it is.
    #[test]
    fn no_key_comes_out_of_a_reply(reply in reply(), cuts in prop::collection::vec((any::<usize>(), 0_u64..50), 0..4)) {
        let out = run_owned(&cut(&reply, &cuts));
        prop_assert!(keys(&out).iter().all(interrupts), "{:?}", out);
        prop_assert!(pastes(&out).is_empty(), "{:?}", out);
    }

    /// Torn by a slow link, a reply is no key that decides, but for pieces that come 200 ms after its beginning.
    #[test]
    fn nor_out_of_a_torn_one(reply in reply(), at in any::<usize>(), pause in 50_u64..100) {
        let out = run_owned(&cut(&reply, &[(at, pause)]));
        prop_assert!(keys(&out).iter().all(|key| key.code == KeyCode::Esc || interrupts(key)), "{:?}", out);
    }

    /// A paste is no key, whatever stands in it and wherever it is cut, as long as its bytes keep coming; nor is what
    /// comes in the same burst after its mark.
    #[test]
    fn no_key_comes_out_of_a_paste(
        paste in paste(),
        after in "[ar1\r]{0,3}",
        cuts in prop::collection::vec((any::<usize>(), 0_u64..15), 0..6),
    ) {
        let bytes = [paste.as_slice(), after.as_bytes()].concat();
        let out = run_owned(&cut(&bytes, &cuts));
        prop_assert_eq!(keys(&out), []);
        prop_assert_eq!(pastes(&out).len(), 1);
    }

    /// ctrl-c gets through at once after anything but a paste.
    #[test]
    fn ctrl_c_gets_through(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assume!(!bytes.windows(4).any(|run| run == b"200~"));
        let mut intake = Intake::default();
        intake.read(&bytes, ms(0));
        let out = intake.read(b"\x03", ms(0));
        prop_assert!(keys(&out).last().is_some_and(interrupts), "{:?}", out);
    }
}
