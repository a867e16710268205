//! Lines as they come in the wild.

use super::lines::LINE_BYTES;
use super::*;
use crate::domain::Digest;
use std::io::{Cursor, Write};

fn sealed(id: &str, extra: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k:{id}","agent":"g","action":"x","payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"{extra}}}"#
    )
}

/// Every line, one after the other.
fn lines(text: impl Into<Vec<u8>>) -> Vec<Line> {
    let (mut cutter, mut seen) = (Cutter::new(Cursor::new(text.into())), Seen::default());
    let cut = std::iter::from_fn(|| cutter.next().unwrap());
    cut.filter_map(|cut| seen.take(lines::read(cut, None))).collect()
}

/// What the text is read as: `id` for an action, `unreadable: reason` for one that cannot be read, `line: reason` for a
/// line that is not taken.
fn read(text: impl Into<Vec<u8>>) -> Vec<String> {
    lines(text)
        .into_iter()
        .map(|line| match line {
            Line::Action { listed, .. } => match &listed.headline.action().unreadable {
                Some(unreadable) => format!("unreadable: {}", unreadable.reason.raw()),
                None => listed.headline.id().to_owned(),
            },
            Line::Broken { line, reason } => format!("{line}: {}", reason.raw()),
        })
        .collect()
}

#[test]
fn the_digest_is_that_of_the_lines_bytes_without_its_end() {
    let (a, b) = (sealed("a", ""), format!(" {} \t", sealed("b", "")));
    for end in ["\n", "\r\n"] {
        let lines = lines(format!("{a}{end}{b}{end}"));
        for (line, expected) in lines.iter().zip([&a, &b]) {
            let Line::Action { listed, .. } = line else { panic!("no action") };
            assert_eq!(listed.headline.digest, Digest::of(expected.as_bytes()));
            assert_eq!(&*listed.headline.action().sealed, expected.as_str());
        }
        assert_eq!(lines.len(), 2);
    }
}

#[test]
fn the_last_line_needs_no_end_and_blank_lines_are_none() {
    assert_eq!(read(format!("\n  \n{}\n\r\n{}", sealed("a", ""), sealed("b", ""))), ["a", "b"]);
    assert_eq!(read(""), [""; 0]);
}

#[test]
fn lines_that_cannot_be_read_are_actions_with_a_reason() {
    let bad = [
        (b"{\"v\":1".to_vec(), "it ends too early"),
        (b"\"text\"".to_vec(), "not a JSON object"),
        (b"\xff".to_vec(), "invalid UTF-8 (byte 0)"),
        ("\u{feff}{}".into(), "a byte-order mark"),
        (sealed("c", r#","v":1"#).into(), "the key \"v\" stands twice"),
        (sealed("c", "").replace("\"v\":1", "\"v\":2").into(), "the field \"v\""),
        (sealed("a b", "").into(), "the field \"id\""),
        // A line cut by another program's CR: not an end of a line here.
        (sealed("c", "").replace(",", "\r,").replace("{}", "{]").into(), "unexpected"),
    ];
    for (line, reason) in bad {
        let text = [sealed("a", "").as_bytes(), b"\n\n", &line, b"\n", sealed("b", "").as_bytes()].concat();
        let read = read(text);
        assert_eq!(read.len(), 3, "{read:?}");
        assert!(
            read[1].starts_with("unreadable: ") && read[1].contains(reason),
            "{read:?} has no {reason:?}"
        );
        assert_eq!(read[2], "b");
    }
}

#[test]
fn an_unreadable_line_keeps_its_id_and_its_bytes() {
    let bad = sealed("c", "").replace("\"payload\":{}", "\"payload\":[]");
    let lines = lines(format!("{bad}\n{bad}\n{}\n", sealed("c", "")));
    let [Line::Action { listed, .. }, Line::Broken { line: 3, .. }] = &lines[..] else { panic!("{lines:?}") };
    let action = listed.headline.action();
    assert_eq!((action.id.as_str(), action.payload()), ("c", bad.as_str()));
    assert_eq!(action.digest, Digest::of(bad.as_bytes()));
}

#[test]
fn an_id_stands_for_one_action() {
    let text =
        format!("{0}\n{1}\n{0}\n{2}\n", sealed("a", ""), sealed("b", ""), sealed("a", r#","summary":"y""#));
    assert_eq!(read(text), ["a", "b", "4: its id \"a\" stands in line 1 with another content"]);
}

#[test]
fn lines_are_as_long_as_a_sealed_action_may_be() {
    let empty = sealed("a", r#","summary":"""#).len();
    let long = |length: usize| sealed("a", &format!(r#","summary":"{}""#, "x".repeat(length - empty)));
    for end in ["", "\n", "\r\n"] {
        let fits = format!("{}{end}", long(LINE_BYTES));
        assert_eq!(read(fits), ["a"], "{end:?}");
    }
    for length in [LINE_BYTES + 1, LINE_BYTES + 2, LINE_BYTES + 3, 3 * LINE_BYTES] {
        let read = read(format!("{}\n{}\n", long(length), sealed("b", "")));
        assert_eq!(read, ["1: it is longer than 8388608 bytes", "b"], "{length}");
    }
}

/// What a file is told as.
fn tell(text: &str) -> (Vec<FeedEvent>, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let mut told = Vec::new();
    tell_file(open(file.path()).unwrap(), |event| {
        told.push(event);
        true
    });
    (told, file)
}

#[test]
fn a_line_of_a_file_that_cannot_be_taken_is_told_and_the_rest_stands() {
    let other = sealed("a", r#","summary":"\u001b[2J""#);
    let (told, _) = tell(&format!("{}\n{}\n{other}\n{}", sealed("a", ""), sealed("b", ""), sealed("c", "")));
    let [FeedEvent::Unreadable { place, reason }, FeedEvent::Entries(entries), FeedEvent::Link(Link::Ended)] =
        &told[..]
    else {
        panic!("{told:?}");
    };
    assert!(place == "line 3" && reason.raw().contains("stands in line 1"), "{told:?}");
    assert_eq!(entries.iter().map(|entry| entry.headline.id()).collect::<String>(), "abc");

    let words = open(Path::new("/nowhere/queue.jsonl")).unwrap_err().to_string();
    assert!(words.contains("/nowhere/queue.jsonl") && words.contains("No such file"), "{words}");
    assert!(open(Path::new("/tmp")).is_err());
}

#[test]
fn a_large_file_comes_in_parts_in_its_own_order_and_is_read_back_from_its_place() {
    let text = |n: usize| sealed(&format!("a{n}"), &format!(r#","summary":"{}""#, "é".repeat(n % 700)));
    let all: Vec<_> = (0..2_000).map(text).collect();
    let (told, file) = tell(&all.join("\r\n"));
    let entries = told.iter().filter_map(|event| match event {
        FeedEvent::Entries(entries) => Some(entries),
        _ => None,
    });
    assert!(entries.clone().count() > 2 && entries.clone().next().is_some_and(|first| first.len() == FIRST));
    let entries: Vec<_> = entries.flatten().collect();
    assert_eq!(entries.len(), all.len());
    for (entry, sealed) in entries.iter().zip(&all) {
        assert_eq!(*entry.headline.action().sealed, **sealed);
    }
    // The file is another one now: nothing of it passes for what was read first.
    std::fs::write(file.path(), "x".repeat(all.concat().len() + 5_000)).unwrap();
    let action = entries[100].headline.action();
    assert_eq!((action.id.as_str(), action.digest), ("a100", entries[100].headline.digest));
    assert!(!action.unreadable.as_ref().unwrap().can_be_rejected);
}

#[test]
fn a_pipe_is_told_line_by_line_to_its_end() {
    let text = format!("{}\n{}\n{}\n", sealed("a", ""), sealed("a", r#","summary":"y""#), sealed("b", ""));
    let mut told = Vec::new();
    tell_lines(Cursor::new(text), |event| {
        told.push(event);
        true
    });
    let [
        FeedEvent::Link(Link::Live),
        FeedEvent::Changed(a),
        FeedEvent::Unreadable { place, .. },
        FeedEvent::Changed(b),
        FeedEvent::Link(Link::Ended),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((a.headline.id(), place.as_str(), b.headline.id()), ("a", "line 2", "b"));
    assert_eq!(*a.headline.action().sealed, *sealed("a", ""));
}
