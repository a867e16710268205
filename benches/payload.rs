//! How long it takes until a large payload is on the screen, and a page of it: 1 MiB in one string, 20,000 keys, depth 64,
//! and what a hostile agent would send instead. `cargo bench --bench payload`; takes a few seconds after compiling.
//!
//! `read` parses and digests the sealed text, `show` lays it out and draws the first frame, `open` opens its folds and
//! draws, `page` goes down a page and draws, `resize` lays it out for another width and draws. Memory is what the process
//! holds more than before, against the bytes of the sealed text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use aegis_console::console::app::{Model, Now, Pane, Settings};
use aegis_console::console::keymap::{Intent, Keymap};
use aegis_console::console::screens::view;
use aegis_console::console::theme::Theme;
use aegis_console::domain::json::quote;
use aegis_console::domain::{Action, Queued};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::{Duration, Instant};

/// What the rest of a sealed text takes.
const ROOM: usize = 1024 * 1024 - 4096;
const PAGES: u32 = 200;

fn main() {
    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>11}",
        "", "bytes", "read", "show", "open", "page", "resize", "memory"
    );
    let string = |unit: &str, times: usize| format!(r#"{{"body":"{}"}}"#, unit.repeat(times));
    let keys: Vec<_> = (0..19_900).map(|key| format!(r#""key {key}":"value {key}""#)).collect();
    let nested = |depth: usize| format!(r#"{}"x"{}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let deep: Vec<_> = (0..300).map(|number| format!(r#""{number}":{}"#, nested(62))).collect();
    let many: Vec<_> =
        (0..16).map(|number| format!(r#""{number}":{}"#, quote(&"lorem ipsum ".repeat(5_000)))).collect();
    for (name, payload) in [
        ("1 MiB in one string", string("lorem ipsum ", ROOM / 12)),
        ("20,000 keys", format!("{{{}}}", keys.join(","))),
        ("depth 64, 300 times", format!("{{{}}}", deep.join(","))),
        ("1 MiB in 16 strings, not folded", format!("{{{}}}", many.join(","))),
        ("1 MiB of lines", string("rm -rf /tmp/x\\n", ROOM / 15)),
        ("1 MiB of line feeds", string("\\n", ROOM / 2)),
        ("1 MiB of wide letters", string("漢字", ROOM / 6)),
        ("1 MiB of hidden characters", string("\u{200b}", ROOM / 3)),
        ("1 MiB of letters and DEL", string("a\u{7f}", ROOM / 2)),
        ("1 MiB of marks", string("a\u{301}\u{301}\u{301}", ROOM / 7)),
        ("1 MiB of folded marks", string("a\u{301}\u{301}\u{301}\u{301}\u{301}", ROOM / 11)),
        ("1 MiB of right-to-left letters", string("שלום 1 ", ROOM / 11)),
        ("1 MiB of quotes", string("\\\"", ROOM / 2)),
    ] {
        measure(name, &payload);
    }
}

fn measure(name: &str, payload: &str) {
    let sealed = format!(
        r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","summary":"s",
        "payload":{payload},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    let bytes = sealed.len();
    let started = Instant::now();
    let action = Action::read(sealed).unwrap();
    let read = started.elapsed();
    let settings = Settings::new(Theme::new(true, false), Keymap::shipped().unwrap());
    let mut model = Model::new(settings, (120, 40));
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let before = resident();
    model.queue.apply(Queued::pending(action), true);
    model.focus = Pane::Detail;
    let show = draw(&mut model, &mut terminal);
    let held = resident().saturating_sub(before);
    let mut open = Duration::ZERO;
    while model.detail.unopened() > 0 {
        model.detail.toggle_folds();
        open = open.max(draw(&mut model, &mut terminal));
    }
    let opened = resident().saturating_sub(before);
    let started = Instant::now();
    for _ in 0..PAGES {
        model.detail.go(Intent::PageDown);
        draw(&mut model, &mut terminal);
    }
    let page = started.elapsed() / PAGES;
    model.size = (140, 40);
    terminal = Terminal::new(TestBackend::new(140, 40)).unwrap();
    let resize = draw(&mut model, &mut terminal);
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    println!(
        "{name:<34}{bytes:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>6.1}{:>5.1}",
        ms(read),
        ms(show),
        ms(open),
        ms(page),
        ms(resize),
        held as f64 / bytes as f64,
        opened as f64 / bytes as f64,
    );
}

/// One round of the event loop: settle, draw, say that it has been painted.
fn draw(model: &mut Model, terminal: &mut Terminal<TestBackend>) -> Duration {
    let started = Instant::now();
    model.settle();
    let now = Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::ZERO };
    terminal.draw(|frame| view(model, frame, now)).unwrap();
    model.detail.painted();
    started.elapsed()
}

/// Bytes of memory that the process holds (Linux; elsewhere nothing is said).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}
