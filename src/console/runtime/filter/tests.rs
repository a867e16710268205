//! The filter in tables: what is read when, and what becomes of it.

use super::*;
use crossterm::event::KeyEventState;

/// A name, what is read at which millisecond, and what is told.
type Row<'t> = (&'t str, &'t [(char, u64)], &'t [&'t str]);

fn key(code: KeyCode) -> Event {
    Event::Key(code.into())
}

/// `a` a letter, `$` Enter, `<` the arrow to the left, `#` ctrl-c.
fn event(c: char) -> Event {
    match c {
        '$' => key(KeyCode::Enter),
        '<' => key(KeyCode::Left),
        '#' => Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
        c => key(KeyCode::Char(c)),
    }
}

fn told((input, at): (Input, Duration)) -> String {
    let name = match input {
        Input::Paste(text) => format!("paste {text:?}"),
        Input::Key(key) => match (key.code, key.modifiers) {
            (KeyCode::Char(c), KeyModifiers::CONTROL) => format!("ctrl-{c}"),
            (KeyCode::Char(c), _) => c.to_string(),
            (code, _) => format!("{code:?}"),
        },
        other => format!("{other:?}"),
    };
    format!("{name}@{}", at.as_millis())
}

/// Feeds the events at their milliseconds, then lets the time pass.
fn run(events: &[(char, u64)]) -> Vec<String> {
    let mut filter = InputFilter::default();
    let mut out = Vec::new();
    for (c, at) in events {
        out.extend(filter.event(event(*c), Duration::from_millis(*at)));
    }
    out.extend(filter.passed(Duration::from_secs(60)));
    out.into_iter().map(told).collect()
}

#[test]
fn bursts() {
    let table: &[Row] = &[
        ("one letter", &[('a', 0)], &["a@0"]),
        ("two at once were typed", &[('a', 0), ('b', 0)], &["a@0", "b@0"]),
        ("three at once were not", &[('a', 0), ('b', 0), ('c', 0)], &["paste \"abc\"@0"]),
        ("three within 14 ms", &[('a', 0), ('b', 7), ('c', 14)], &["paste \"abc\"@0"]),
        ("three in more time", &[('a', 0), ('b', 8), ('c', 16)], &["a@0", "b@8", "c@16"]),
        (
            "a slow letter before a burst is a key",
            &[('a', 0), ('b', 20), ('c', 21), ('d', 22)],
            &["a@0", "paste \"bcd\"@20"],
        ),
        (
            "a burst goes on while letters come",
            &[('a', 0), ('b', 1), ('c', 2), ('d', 14), ('e', 26), ('f', 50)],
            &["paste \"abcde\"@0", "f@50"],
        ),
        ("Enter is part of a paste", &[('$', 0), ('a', 1), ('$', 2)], &["paste \"\\na\\n\"@0"]),
        ("a held key that comes bunched", &[('j', 0), ('j', 0), ('j', 0), ('j', 0)], &["paste \"jjjj\"@0"]),
        ("arrows are keys at once", &[('<', 0), ('<', 0), ('<', 0)], &["Left@0", "Left@0", "Left@0"]),
        ("the order stays", &[('a', 0), ('<', 1), ('b', 2)], &["a@0", "Left@1", "b@2"]),
        ("ctrl-c after a paste", &[('a', 0), ('b', 0), ('c', 0), ('#', 1)], &["paste \"abc\"@0", "ctrl-c@1"]),
    ];
    for (name, events, expected) in table {
        assert_eq!(run(events), *expected, "{name}");
    }
}

#[test]
fn a_letter_is_held_for_15_ms_and_no_longer() {
    let mut filter = InputFilter::default();
    let at = Duration::from_millis;
    assert_eq!(filter.deadline(), None);
    assert_eq!(filter.event(event('a'), at(100)), []);
    assert_eq!(filter.event(event('b'), at(110)), []);
    assert_eq!(filter.deadline(), Some(at(115)));
    assert_eq!(filter.passed(at(114)), []);
    let told = |out: Vec<_>| out.into_iter().map(told).collect::<Vec<_>>();
    assert_eq!(told(filter.passed(at(115))), ["a@100"]);
    assert_eq!(told(filter.passed(at(125))), ["b@110"]);
    assert_eq!(filter.deadline(), None);
}

#[test]
fn releases_are_ignored_and_repeats_stay_marked() {
    let with_kind = |kind| KeyEvent {
        code: KeyCode::Down,
        modifiers: KeyModifiers::NONE,
        kind,
        state: KeyEventState::NONE,
    };
    let mut filter = InputFilter::default();
    assert_eq!(filter.event(Event::Key(with_kind(KeyEventKind::Release)), Duration::ZERO), []);
    let repeat = with_kind(KeyEventKind::Repeat);
    let out = filter.event(Event::Key(repeat), Duration::ZERO);
    assert_eq!(out, [(Input::Key(repeat), Duration::ZERO)]);
}

#[test]
fn everything_else_passes_in_order() {
    let mut filter = InputFilter::default();
    let _ = filter.event(event('a'), Duration::ZERO);
    let out = filter.event(Event::Paste("x\ny".into()), Duration::from_millis(1));
    assert_eq!(out.into_iter().map(told).collect::<Vec<_>>(), ["a@0", "paste \"x\\ny\"@1"]);
    assert_eq!(told(filter.event(Event::FocusLost, Duration::ZERO).remove(0)), "FocusLost@0");
}

proptest::proptest! {
    /// Nothing is swallowed, nothing is told twice or out of order, and three letters within 15 ms are
    /// never three keys.
    #[test]
    fn nothing_is_lost_and_no_burst_becomes_keys(events in proptest::collection::vec(("[a-d$<]", 0_u64..25), 0..40)) {
        let mut at = 0;
        let timed: Vec<(char, u64)> = events
            .iter()
            .map(|(key, pause)| {
                at += pause;
                (key.chars().next().unwrap(), at)
            })
            .collect();
        let mut filter = InputFilter::default();
        let mut out = Vec::new();
        for (c, at) in &timed {
            out.extend(filter.event(event(*c), Duration::from_millis(*at)));
        }
        out.extend(filter.passed(Duration::from_secs(60)));
        let mut text = String::new();
        let mut keys = Vec::new();
        for (input, at) in &out {
            match input {
                Input::Paste(paste) => {
                    text.push_str(&paste.replace('\n', "$"));
                    keys.clear();
                }
                Input::Key(key) => match letter(key) {
                    Some(c) => {
                        text.push(if c == '\n' { '$' } else { c });
                        keys.push(*at);
                    }
                    None => {
                        text.push('<');
                        keys.clear();
                    }
                },
                other => panic!("{other:?}"),
            }
        }
        proptest::prop_assert_eq!(text, timed.iter().map(|(c, _)| *c).collect::<String>());
        for three in keys.windows(3) {
            proptest::prop_assert!(three[2] - three[0] >= BURST);
        }
    }
}

#[test]
fn letters_that_decide_nothing_are_told_at_once_and_count() {
    let moves = |key: &KeyEvent| matches!(key.code, KeyCode::Char('j' | 'k'));
    let letter = |c| Event::Key(KeyEvent::from(KeyCode::Char(c)));
    let ms = Duration::from_millis;
    let play = |keys: &[(u64, char)]| {
        let mut filter = InputFilter::default();
        let mut told = Vec::new();
        for (at, c) in keys {
            told.extend(filter.event_or(letter(*c), ms(*at), &moves).into_iter().map(|told| (*at, told.0)));
        }
        let end = keys.last().map_or(0, |(at, _)| at + 100);
        told.extend(filter.passed(ms(end)).into_iter().map(|told| (end, told.0)));
        let word = |input| match input {
            Input::Key(key) => key.code.to_string(),
            Input::Paste(text) => format!("paste {text}"),
            other => format!("{other:?}"),
        };
        told.into_iter().map(|(at, input)| format!("{at} {}", word(input))).collect::<Vec<_>>()
    };
    assert_eq!(play(&[(0, 'j'), (30, 'j'), (60, 'k')]), ["0 j", "30 j", "60 k"]);
    assert_eq!(play(&[(0, 'j'), (5, 'j'), (10, 'j'), (12, 'k')]), ["0 j", "5 j", "112 paste jk"]);
    assert_eq!(play(&[(0, 'j'), (5, 'a')]), ["0 j", "105 a"]);
    assert_eq!(play(&[(0, 'j'), (1, 'j'), (2, 'a')]), ["0 j", "1 j", "102 paste a"]);
    // Nothing overtakes what is held.
    assert_eq!(play(&[(0, 'a'), (5, 'j')]), ["105 a", "105 j"]);
    assert_eq!(play(&[(0, 'a'), (5, 'j'), (9, 'j')]), ["109 paste ajj"]);
    assert_eq!(play(&[(0, 'j'), (14, 'j'), (29, 'j'), (44, 'a')]), ["0 j", "14 j", "29 j", "144 a"]);
}
