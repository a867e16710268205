//! Any bytes from a terminal, in any pieces, at any times: never a panic, and in the end nothing is waited for.
#![no_main]

use aegis_console::console::runtime::Intake;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|pieces: Vec<(u8, Vec<u8>)>| {
    let mut intake = Intake::default();
    let mut now = Duration::ZERO;
    for (pause, bytes) in pieces {
        now += Duration::from_millis(u64::from(pause));
        intake.read(&bytes, now);
    }
    // Everything is decided at some time, however the bytes broke off.
    for _ in 0..64 {
        let Some(deadline) = intake.deadline() else { return };
        now = now.max(deadline);
        intake.passed(now);
    }
    panic!("the intake never comes to rest");
});
