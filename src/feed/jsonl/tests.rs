//! Lines as they come in the wild.

use super::*;
use std::io::Cursor;

fn sealed(id: &str, extra: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k:{id}","agent":"g","action":"x","payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"{extra}}}"#
    )
}

/// What the text is read as: `id` for an action, `unreadable: reason` for one that cannot be read, `line: reason` for a
/// line that is not taken.
fn read(text: impl Into<Vec<u8>>) -> Vec<String> {
    let mut lines = Lines::new(Cursor::new(text.into()));
    std::iter::from_fn(|| lines.next().unwrap())
        .map(|line| match line {
            Line::Action(queued) => match &queued.action.unreadable {
                Some(unreadable) => format!("unreadable: {}", unreadable.reason.raw()),
                None => queued.action.id.clone(),
            },
            Line::Broken { line, reason } => format!("{line}: {}", reason.raw()),
        })
        .collect()
}

#[test]
fn the_digest_is_that_of_the_lines_bytes_without_its_end() {
    let (a, b) = (sealed("a", ""), format!(" {} \t", sealed("b", "")));
    for end in ["\n", "\r\n"] {
        let mut lines = Lines::new(Cursor::new(format!("{a}{end}{b}{end}")));
        for expected in [&a, &b] {
            let Some(Line::Action(queued)) = lines.next().unwrap() else { panic!("no action") };
            assert_eq!(queued.action.digest, Digest::of(expected.as_bytes()));
            assert_eq!(&*queued.action.sealed, expected.as_str());
        }
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
    let mut lines = Lines::new(Cursor::new(format!("{bad}\n{bad}\n{}\n", sealed("c", ""))));
    let Some(Line::Action(queued)) = lines.next().unwrap() else { panic!("no action") };
    assert_eq!((queued.action.id.as_str(), queued.action.payload()), ("c", bad.as_str()));
    assert_eq!(queued.action.digest, Digest::of(bad.as_bytes()));
    let Some(Line::Broken { line: 3, .. }) = lines.next().unwrap() else { panic!("the id is taken twice") };
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

#[test]
fn a_file_with_a_line_that_cannot_be_taken_is_refused_by_name_line_and_reason() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let other = sealed("a", r#","summary":"\u001b[2J""#);
    std::fs::write(file.path(), format!("{}\n{}\n{other}\n", sealed("a", ""), sealed("b", ""))).unwrap();
    let words = read_all(file.path()).unwrap_err().to_string();
    assert!(words.contains("line 3 of the queue file") && words.contains("stands in line 1"), "{words}");
    assert!(words.contains(file.path().to_str().unwrap()), "{words}");

    std::fs::write(file.path(), format!("{}\n{{\"v\":1,\u{1b}[2J\n", sealed("a", ""))).unwrap();
    assert!(read_all(file.path()).unwrap()[1].action.unreadable.is_some());

    std::fs::write(file.path(), format!("{}\n{}\n", sealed("a", ""), sealed("b", ""))).unwrap();
    assert_eq!(read_all(file.path()).unwrap().len(), 2);

    let words = read_all(Path::new("/nowhere/queue.jsonl")).unwrap_err().to_string();
    assert!(words.contains("/nowhere/queue.jsonl") && words.contains("No such file"), "{words}");
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
        FeedEvent::Complete { pending },
        FeedEvent::Link(Link::Ended),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((a.action.id.as_str(), place.as_str(), b.action.id.as_str()), ("a", "line 2", "b"));
    assert_eq!(pending.len(), 2);
}

#[tokio::test]
async fn a_files_entries_come_in_batches_and_then_the_end() {
    let entries = (0..250).map(|n| Queued::pending(Action::read(sealed(&format!("a{n}"), "")).unwrap()));
    let (tx, mut rx) = mpsc::channel(16);
    run(Source::Entries(entries.collect()), tx).await;
    let mut sizes = Vec::new();
    while let Some(event) = rx.recv().await {
        match event {
            FeedEvent::Entries(entries) => sizes.push(entries.len()),
            FeedEvent::Complete { pending } => assert_eq!(pending.len(), 250),
            FeedEvent::Link(Link::Ended) => sizes.push(0),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sizes, [100, 100, 50, 0]);
}
