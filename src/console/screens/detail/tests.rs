//! What counts as seen: what a painted frame showed, and nothing else.

use super::*;
use crate::console::keymap::Intent;
use crate::domain::json::quote;
use proptest::prelude::*;

fn action(payload: &str) -> Arc<Action> {
    let sealed = format!(
        r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","summary":"s",
        "payload":{payload},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    Arc::new(Action::read(sealed).unwrap())
}

/// A pane of this many columns and lines inside its frame.
fn pane(columns: u16, rows: u16) -> Option<Rect> {
    Some(Rect::new(0, 0, columns + 2, rows + 2))
}

fn list(elements: usize) -> String {
    let elements: Vec<_> = (0..elements).map(|number| quote(&format!("element {number}"))).collect();
    format!(r#"{{"list":[{}]}}"#, elements.join(","))
}

fn shown(action: &Arc<Action>, columns: u16, rows: u16) -> Detail {
    let mut detail = Detail::default();
    detail.show(Some(action), pane(columns, rows));
    detail
}

#[test]
fn only_what_a_frame_showed_has_been_seen() {
    let action = action(&list(40));
    let mut detail = shown(&action, 60, 20);
    assert_eq!(detail.scroll.top, 0);
    assert_eq!(detail.unseen(), 44, "nothing has been painted");
    detail.painted();
    let facts = detail.facts.lines.len();
    assert_eq!(detail.unseen(), 44 - (20 - facts));
    assert!(detail.go(Intent::Bottom));
    assert_eq!(detail.unseen(), 44 - (20 - facts), "a key alone shows nothing");
    detail.painted();
    assert!(detail.unseen() > 0 && !detail.has_been_seen(&action.digest), "the middle was jumped over");
    assert_eq!((detail.unseen_below(), detail.unseen_above()), (0, detail.unseen()));
}

#[test]
fn paging_on_shows_everything_once() {
    let action = action(&list(100));
    let mut detail = shown(&action, 60, 12);
    for _ in 0..3 {
        detail.painted();
        detail.go(Intent::PageDown);
    }
    detail.go(Intent::Bottom);
    detail.painted();
    let unseen = detail.unseen();
    assert!(unseen > 0);
    // At the end, with something above that has not been seen: its first line comes to the top.
    let first = detail.unseen[0].start + detail.facts.lines.len();
    assert!(detail.read_on(Intent::Bottom));
    assert_eq!(detail.scroll.top, first);
    for _ in 0..20 {
        detail.painted();
        detail.read_on(Intent::Bottom);
    }
    assert_eq!(detail.unseen(), 0);
    assert!(detail.has_been_seen(&action.digest));
    assert_eq!(detail.scroll.below(), 0, "when all has been seen it goes to the end");
}

#[test]
fn reading_on_passes_over_what_has_been_seen() {
    let action = action(&list(200));
    let mut detail = shown(&action, 60, 12);
    for _ in 0..8 {
        detail.painted();
        detail.go(Intent::PageDown);
    }
    let first = detail.unseen[0].start + detail.facts.lines.len();
    detail.go(Intent::Top);
    detail.read_on(Intent::Bottom);
    assert_eq!(detail.scroll.top, first - 1, "one line before it stays");
}

#[test]
fn only_the_payload_counts() {
    let short = action("{}");
    let mut detail = shown(&short, 60, 7);
    detail.painted();
    assert!(detail.scroll.below() > 0);
    assert_eq!(detail.unseen(), 0);
}

#[test]
fn a_pane_that_does_not_show_covers_nothing() {
    let action = action("{}");
    let mut detail = shown(&action, 60, 12);
    detail.show(Some(&action), None);
    detail.painted();
    assert_eq!(detail.unseen(), 1);
    detail.show(Some(&action), pane(60, 12));
    detail.painted();
    assert_eq!(detail.unseen(), 0);
}

#[test]
fn another_action_starts_afresh_and_a_seen_one_is_remembered() {
    let (long, short) = (action(&list(40)), action("{}"));
    let mut detail = shown(&long, 60, 12);
    detail.painted();
    let part = detail.unseen();
    detail.show(Some(&short), pane(60, 12));
    detail.painted();
    detail.show(None, pane(60, 12));
    assert_eq!(detail.unseen(), 0);
    detail.show(Some(&long), pane(60, 12));
    assert_eq!(detail.unseen(), 44);
    assert!(detail.unseen() > part && !detail.has_been_seen(&long.digest));
    detail.show(Some(&short), pane(40, 12));
    assert_eq!(detail.unseen(), 0);
    assert!(detail.has_been_seen(&short.digest));
}

#[test]
fn opening_a_fold_uncovers_what_must_be_seen() {
    let action = action(&format!(r#"{{"a":"{}","b":1}}"#, "x".repeat(70_000)));
    let mut detail = shown(&action, 60, 20);
    detail.painted();
    assert_eq!((detail.unseen(), detail.unopened()), (1, 1), "its sign was shown, what it holds was not");
    assert!(detail.has_folds());
    detail.toggle_folds();
    detail.show(Some(&action), pane(60, 20));
    assert_eq!(detail.unopened(), 0);
    assert!(detail.unseen() > 1_000);
    for _ in 0..200 {
        detail.painted();
        detail.read_on(Intent::PageDown);
    }
    assert_eq!(detail.unseen(), 0);
    detail.toggle_folds();
    detail.show(Some(&action), pane(60, 20));
    assert_eq!((detail.unseen(), detail.unopened()), (0, 0), "closed again, it has been seen all the same");
}

#[test]
fn an_agents_words_never_push_the_payload_away() {
    let sealed = format!(
        r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"{0}","idempotency_key":"k","agent":"{0}","action":"{0}","server":"{0}",
        "summary":"{0}","rationale":"{0}","payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#,
        "word ".repeat(2_000)
    );
    let action = Arc::new(Action::read(sealed).unwrap());
    for (columns, rows) in [(36, 7), (70, 30)] {
        let detail = shown(&action, columns, rows);
        assert!(detail.facts.lines.len() <= 7, "{:?}", detail.facts.lines);
        let lines: Vec<_> = (0..detail.scroll.total).map_while(|number| detail.line(number)).collect();
        assert_eq!(lines.len(), detail.scroll.total);
        let words: usize = lines
            .iter()
            .map(|(BodyLine::Foreign(line) | BodyLine::Own(line))| line.text().matches('w').count())
            .sum();
        assert!(words >= 6 * 2_000, "each of them can be read in full: {words}");
    }
}

#[test]
fn what_cannot_be_read_is_shown_as_text_with_the_reason() {
    let source = br#"{"v":1,"id":"a","id":"b","payload":{}} "#;
    let error = Action::read(std::str::from_utf8(source).unwrap()).unwrap_err();
    let action = Arc::new(Action::unreadable(source, &error, jiff::Timestamp::UNIX_EPOCH));
    let mut detail = shown(&action, 70, 30);
    let own: String = detail.facts.lines.iter().map(|line| line.text() + "\n").collect();
    assert!(own.contains(" unreadable: ") && own.contains(" nothing can be decided: "), "{own}");
    let line = detail.below.payload().line(0).text();
    assert!(line.starts_with(r#"{"v":1,"id":"a","id":"b""#), "{line}");
    detail.painted();
    assert_eq!(detail.unseen(), 0);
}

#[test]
fn a_fact_is_never_taken_for_two() {
    let sealed = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h          key      aap:fake","idempotency_key":"k",
        "agent":"billing via trusted","action":"x","payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
    let detail = shown(&Arc::new(Action::read(sealed).unwrap()), 100, 30);
    let first = detail.facts.lines[0].text();
    assert!(
        first.contains(r#""billing via trusted""#) && first.ends_with(r#""h          key      aap:fake""#),
        "{first}"
    );
}

#[test]
fn a_resize_keeps_the_place() {
    let action = action(&list(300));
    let mut detail = shown(&action, 60, 30);
    detail.scroll.top = 150;
    let top = |detail: &Detail| match detail.line(detail.scroll.top) {
        Some(BodyLine::Foreign(line)) => line.text().trim().to_owned(),
        _ => String::new(),
    };
    let before = top(&detail);
    for (columns, rows) in [(14, 30), (90, 10), (36, 7), (60, 30)] {
        detail.show(Some(&action), pane(columns, rows));
        assert!(before.starts_with(&top(&detail)), "{columns}×{rows}: {} is not in {before}", top(&detail));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is resized, scrolled, folded: what counts as unseen is exactly what no painted window showed.
    #[test]
    fn a_resize_neither_loses_nor_invents_coverage(
        texts in proptest::collection::vec("[a-z漢\n\"]{0,80}", 1..12),
        steps in proptest::collection::vec((14u16..80, 4u16..30, 0usize..60, any::<bool>(), any::<bool>()), 1..10),
    ) {
        let texts: Vec<_> = texts.iter().map(|text| quote(text)).collect();
        let action = action(&format!(r#"{{"list":[{}],"long":"{}"}}"#, texts.join(","), "y".repeat(66_000)));
        let mut detail = shown(&action, 60, 20);
        let end = detail.below.payload().stream().end();
        let mut table = vec![false; end as usize];
        for sign in detail.below.payload().stream().own() {
            table[sign.start as usize..sign.end as usize].fill(true);
        }
        for (columns, rows, top, fold, paint) in steps {
            if fold {
                detail.toggle_folds();
            }
            detail.scroll.top = top;
            detail.show(Some(&action), pane(columns, rows));
            let (payload, facts) = (detail.below.payload(), detail.facts.lines.len());
            if paint {
                for line in detail.scroll.window().filter_map(|line| line.checked_sub(facts)).filter(|line| *line < payload.len()) {
                    let positions = payload.positions(line);
                    let closed = payload.held_back().next();
                    for at in positions.filter(|at| closed.as_ref().is_none_or(|closed| !closed.contains(at))) {
                        table[at as usize] = true;
                    }
                }
                detail.painted();
            }
            let payload = detail.below.payload();
            let unseen = (0..payload.len()).filter(|line| payload.positions(*line).any(|at| !table[at as usize])).count();
            prop_assert_eq!(detail.unseen(), unseen);
            prop_assert_eq!(detail.has_been_seen(&action.digest), !table.contains(&false));
        }
    }
}
