//! What a key and a frame cost inside the process: `update`, filter, sort and draw over 100 to 100,000 actions; visible
//! text and wrapping from 1 KiB to 1 MiB. `cargo bench --bench screen`; `-- filter` runs what is so called.
//!
//! What a person feels is measured by the bench `terminal`; this says where it comes from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation)]

use aegis_console::console::app::{Context, Message, Model, Now, Settings, update};
use aegis_console::console::keymap::Keymap;
use aegis_console::console::screens::view;
use aegis_console::console::theme::Theme;
use aegis_console::console::widgets::payload::{Folds, Sheet};
use aegis_console::domain::{Action, Queued, Visible};
use aegis_console::feed::FeedEvent;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use uuid::Uuid;

const COUNTS: [usize; 3] = [100, 10_000, 100_000];
const LENGTHS: [usize; 3] = [1024, 32 * 1024, 1024 * 1024];
const SIZE: (u16, u16) = (120, 40);
/// The columns of the detail beside the list.
const COLUMNS: usize = 60;

fn main() {
    divan::main();
}

/// A model in which so many wait; read once, cloned for whoever asks.
fn model(count: usize) -> Model {
    static MODELS: OnceLock<Mutex<HashMap<usize, Model>>> = OnceLock::new();
    let mut models = MODELS.get_or_init(Mutex::default).lock().unwrap();
    let model = models.entry(count).or_insert_with(|| {
        let settings = Settings::new(Theme::new(true, false), Keymap::shipped().unwrap());
        let mut model = Model::new(settings, SIZE);
        let entries: Vec<_> = (0..count).map(|number| Queued::pending(action(number))).collect();
        let ids: Vec<_> = entries.iter().map(|entry| entry.action.id.clone()).collect();
        tell(&mut model, Message::Feed(FeedEvent::entries(entries)));
        tell(&mut model, Message::Feed(FeedEvent::Complete { pending: ids.into_iter().collect() }));
        model
    });
    model.clone()
}

/// One of many that differ in who, what, when and in their words, about 1 KiB each.
fn action(number: usize) -> Action {
    let at = |seconds: i64| start() + SignedDuration::from_secs(seconds);
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let (left, ago) = (400 * 86_400 + mixed as i64 % 9_000_000, mixed as i64 % 2_600_000);
    let words = ["invoice", "parcel", "contract", "cluster", "warehouse", "payment"][mixed as usize % 6];
    let tool = ["send_email", "issue_refund", "deploy_api", "run_query"][number % 4];
    let risk = ["low", "medium", "high"][mixed as usize % 3];
    let sealed = serde_json::json!({
        "v": 1, "id": format!("{mixed:06x}-{number}"), "tenant_id": "acme", "thread_id": format!("order-{}", mixed % 4_000),
        "idempotency_key": format!("key-{number}"), "agent": format!("agent-{}", mixed % 40),
        "action": tool,
        "summary": format!("{words} of order {}", mixed % 4_000), "risk": risk,
        "labels": {"region": "eu"}, "payload": {"to": "noor@example.com", "amount": mixed, "body": "lorem ipsum ".repeat(58)},
        "created_at": at(-ago).to_string(), "expires_at": at(left).to_string(),
    });
    Action::read(sealed.to_string()).unwrap()
}

fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn now() -> Now {
    Now { wall: start(), tick: Duration::from_secs(60) }
}

fn tell(model: &mut Model, message: Message) {
    let mut context = Context { now: now(), id: &mut || Uuid::nil(), letters: &mut String::new };
    black_box(update(model, message, &mut context));
}

fn press(model: &mut Model, code: KeyCode) {
    tell(model, Message::KeyPressed(KeyEvent::new(code, KeyModifiers::NONE)));
}

/// The cursor goes down a row, and the detail is that of another action.
#[divan::bench(args = COUNTS)]
fn key(bencher: Bencher<'_, '_>, count: usize) {
    let mut model = model(count);
    bencher.bench_local(|| press(&mut model, KeyCode::Down));
}

/// One arrives among so many.
#[divan::bench(args = COUNTS)]
fn arrival(bencher: Bencher<'_, '_>, count: usize) {
    let mut model = model(count);
    let mut number = count;
    let next = || {
        number += 1;
        Queued::pending(action(number))
    };
    bencher
        .with_inputs(next)
        .bench_local_values(|entry| tell(&mut model, Message::Feed(FeedEvent::changed(entry))));
}

/// The next order is asked for.
#[divan::bench(args = COUNTS)]
fn sort(bencher: Bencher<'_, '_>, count: usize) {
    let mut model = model(count);
    bencher.bench_local(|| press(&mut model, KeyCode::Char('s')));
}

/// A letter more in the filter, among all, and one less.
#[divan::bench(args = COUNTS)]
fn filter(bencher: Bencher<'_, '_>, count: usize) {
    let mut model = model(count);
    press(&mut model, KeyCode::Char('/'));
    "order".chars().for_each(|letter| press(&mut model, KeyCode::Char(letter)));
    bencher.bench_local(|| {
        press(&mut model, KeyCode::Char(' '));
        press(&mut model, KeyCode::Char('7'));
        press(&mut model, KeyCode::Backspace);
        press(&mut model, KeyCode::Backspace);
    });
}

/// The whole screen, drawn into a buffer.
#[divan::bench(args = COUNTS)]
fn draw(bencher: Bencher<'_, '_>, count: usize) {
    let model = model(count);
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    bencher.bench_local(|| {
        terminal.draw(|frame| view(&model, frame, now())).unwrap();
    });
}

fn text(bytes: usize) -> String {
    "A line of words, as agents write them: naïve, 漢字, and a\ttab.\n".chars().cycle().take(bytes).collect()
}

/// Untrusted text is made visible, to its end.
#[divan::bench(args = LENGTHS)]
fn visible_text(bencher: Bencher<'_, '_>, length: usize) {
    let text = text(length);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Visible::of(black_box(&text)));
}

/// A payload is read, made visible and wrapped.
#[divan::bench(args = LENGTHS)]
fn wrapping(bencher: Bencher<'_, '_>, length: usize) {
    let text = serde_json::json!({"body": text(length - length / 16), "of": "order"}).to_string();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut sheet = Sheet::json(black_box(&text));
        sheet.lay_out(COLUMNS, Folds::default());
        sheet
    });
}
