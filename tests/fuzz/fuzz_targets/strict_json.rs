//! Any bytes: read strictly or refused with a reason; what is read has its text, and an action has the digest of its bytes.
#![no_main]

use aegis_console::domain::json::{self, Limits};
use aegis_console::domain::{Action, Digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = json::parse(bytes, Limits::DOOR) {
        // What was read once reads again from its own text.
        let text = &bytes[value.span.clone()];
        assert!(json::parse(text, Limits::DOOR).is_ok());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Action::read(text) {
        Ok(action) => assert_eq!(action.digest, Digest::of(bytes)),
        Err(error) => {
            let unreadable = Action::unreadable(bytes, &error, "2026-01-01T00:00:00Z".parse().unwrap());
            assert_eq!(unreadable.digest, Digest::of(bytes));
        }
    }
});
