//! Any text: nothing that acts comes out, on one line or on lines of its own, and the runs stand for the whole of it.
#![no_main]

use aegis_console::domain::Visible;
use aegis_console::domain::visible::{runs, runs_of_block};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let line = Visible::of(text);
    assert!(!line.plain().chars().any(char::is_control));
    assert_eq!(runs(text).map(|run| run.source().to_owned()).collect::<String>(), text);
    assert_eq!(runs_of_block(text).map(|run| run.source().to_owned()).collect::<String>(), text);
    assert!(Visible::head(text, 40).width() <= 40);
    assert!(line.cut(7).width() <= 7);
    assert!(!Visible::quoted(text).plain().chars().any(char::is_control));
});
