//! Any queue on standard input: each line is told once, as an action or with the reason why it is none, and the end is told.
#![no_main]

use aegis_console::feed::{FeedEvent, Link, jsonl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut told = Vec::new();
    jsonl::tell_lines(bytes, |event| {
        told.push(event);
        true
    });
    assert_eq!(told.first(), Some(&FeedEvent::Link(Link::Live)));
    assert_eq!(told.last(), Some(&FeedEvent::Link(Link::Ended)));
    assert!(told.len() <= bytes.iter().filter(|byte| **byte == b'\n').count() + 4);
});
