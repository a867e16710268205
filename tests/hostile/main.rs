//! A corpus of attacks, and every view of the console against each of them, in a real pseudo-terminal at 120×40, 80×24 and
//! 40×12: no byte of theirs that could act reaches the terminal, everything around them stands as it does with a harmless
//! action, all of them can be read to the end, and what was hidden is announced.
//!
//! | file | what |
//! |---|---|
//! | `actions/` | the attacks, each in a file that is named for it (`corpus` says in what form) |
//! | `bytes` | all that the console may say to a terminal, as a grammar |
//! | `terminal` | terminals that disagree about widths |
//! | `session` | the round of looks: list, detail to its end, help, bars, outcome |
//! | `frame` | what must stand as it does with a harmless action |
//! | `answers` | what servers say about decisions, each in a file of `answers/` |
//! | `oracle` | what is in a JSON text, found without the program's own parser |
//!
//! `AEGIS_HOSTILE_DIR=folder cargo test --test hostile` runs it over the actions of another folder.
#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/pty.rs"]
#[allow(dead_code, unreachable_pub)]
mod pty;
#[path = "../support/scripted.rs"]
#[allow(dead_code, unreachable_pub)]
mod scripted;

mod answers;
mod bytes;
mod corpus;
mod frame;
mod oracle;
mod session;
mod terminal;

use corpus::Case;
use frame::Harmless;
use session::{Read, Session, Step};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use terminal::Terminal;

/// Consoles that run at once: most of their time they wait for a key to count.
const AT_ONCE: usize = 12;

fn cases() -> Vec<Case> {
    match std::env::var_os("AEGIS_HOSTILE_DIR") {
        Some(folder) => corpus::of_folder(Path::new(&folder)),
        None => {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/actions");
            [corpus::of_folder(&folder), corpus::large()].concat()
        }
    }
}

/// The word for the risk in a title.
fn badge(title: &str) -> &str {
    title
        .rsplit(" ─ ")
        .find_map(|part| {
            ["LOW", "MED", "HIGH", "CRIT", "?!?!"].into_iter().find(|badge| part.trim() == *badge)
        })
        .unwrap_or("?!?!")
}

/// Makes the round with one action; what looks at it gets the badge of its risk too.
fn round(
    case: &Case,
    size: (u16, u16),
    mut look: impl FnMut(Step, &str, &[Terminal]) -> Result<(), String>,
) -> Result<Read, String> {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::start(case, folder.path(), size);
    let mut before = None;
    let mut shown = String::from("LOW");
    let expired = case.action().is_some_and(|action| action.expires_at < jiff::Timestamp::now());
    let read = session.go_round(expired, &mut |step, terminals| {
        if step == Step::List && size.0 < 100 {
            // The risk is not known before the detail opens.
            before = Some(terminals.to_vec());
            return Ok(());
        }
        if matches!(step, Step::List | Step::Detail)
            && let Some(frame) = session::Frame::all(&terminals[0]).into_iter().rfind(|frame| frame.top == 1)
        {
            shown = badge(&frame.title(&terminals[0])).to_owned();
        }
        if let Some(list) = before.take() {
            look(Step::List, &shown, &list)?;
        }
        look(step, &shown, terminals)
    })?;
    Ok(read)
}

/// What harmless actions look like in that size.
fn harmless(size: (u16, u16)) -> Harmless {
    let known = Mutex::new(Harmless::default());
    let learn = |risk: &str, line: String| {
        let look = |step, badge: &str, terminals: &[Terminal]| {
            known.lock().unwrap().learn(step, badge, &terminals[0]);
            Ok(())
        };
        let read = round(&Case::new(risk, line), size, look);
        read.unwrap_or_else(|what| panic!("a harmless action: {what}"));
    };
    std::thread::scope(|scope| {
        for risk in ["low", "medium", "high", "critical"] {
            let line = |payload: &str| corpus::harmless("harmless", "send_email", risk, payload);
            let folded = format!("{{\"a\":\"{}\"}}", " ".repeat(40));
            let long = format!("{{\"lines\":[{}0]}}", "1,".repeat(60));
            let both = format!("{{\"a\":\"{}\",\"lines\":[{}0]}}", " ".repeat(40), "1,".repeat(60));
            let lines = [r#"{"to":"a@b.example"}"#, &folded, &long, &both].map(line);
            // What takes more room has each fact on a line of its own.
            let roomy = ["billing-agent", "order-42", "key:", "a harmless summary", "support"]
                .into_iter()
                .fold(lines[0].clone(), |line, words| line.replace(words, &words.repeat(16)));
            let expired = lines[0].replace("2099-", "2021-");
            // Nothing but what there must be: then the whole needs no scrolling, and nothing else is among the facts.
            let bare = |payload: &str| corpus::bare("harmless", "send_email", risk, payload);
            let bare = [bare(r#"{"to":"a@b.example"}"#), bare(&folded), bare(&long), bare(&both)];
            // What cannot be read, and names what a decision needs, or not even that.
            let unreadable = lines[0].replace("\"v\":1", "\"v\":2");
            let nameless = unreadable.replace("\"id\"", "\"Id\"");
            let named = lines[0].replace("claims", &"a-member-that-nobody-knows-".repeat(8));
            let others = [roomy, expired, named, unreadable, nameless, "this is no action".into()];
            for line in lines.into_iter().chain(bare).chain(others) {
                scope.spawn(move || learn(risk, line));
            }
        }
    });
    known.into_inner().unwrap()
}

/// What was read of an attack must be all that there is of it, and say what it hid.
fn check_read(case: &Case, read: &Read) -> Result<(), String> {
    let lines = read.lines.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join("\n");
    let all = [&read.title, &read.folded, &lines].map(String::as_str).join("\n");
    if case.hides() && !read.title.contains("hidden characters: ") {
        return Err(format!("something is hidden in it and the title does not say so: {}", read.title));
    }
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '▏').collect::<String>();
    for text in &case.announced {
        if !all.contains(text) && !squeezed(&all).contains(&squeezed(text)) {
            return Err(format!("it does not say {text:?}:\n{all}"));
        }
    }
    let Some(action) = case.action() else { return Ok(()) };
    let expected = oracle::words(action.payload());
    let payload = read.lines.iter().skip_while(|line| !line.foreign).take_while(|line| line.foreign);
    let payload = payload.map(|line| line.text.trim()).collect::<String>();
    let shown = oracle::letters(&oracle::without_signs(&payload));
    if read.whole && shown != expected {
        return Err(format!("the payload is {expected:?}, and shown is {shown:?}:\n{lines}"));
    }
    let tail: String = expected.chars().skip(expected.len().saturating_sub(24)).collect();
    let foreign =
        read.lines.iter().filter(|line| line.foreign).map(|line| line.text.trim()).collect::<String>();
    if !oracle::letters(&oracle::without_signs(&foreign)).contains(&tail) {
        return Err(format!("its end, {tail:?}, cannot be reached:\n{lines}"));
    }
    Ok(())
}

fn check(case: &Case, size: (u16, u16), harmless: &Harmless) -> Result<(), String> {
    let read = round(case, size, |step, badge, terminals| harmless.check(step, badge, terminals))?;
    // What was in no list was not read.
    if read == Read::default() { Ok(()) } else { check_read(case, &read) }
}

/// The whole corpus in one size.
fn run(size: (u16, u16)) {
    let (harmless, cases, next) = (harmless(size), cases(), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = check(case, size, &harmless) {
                        failures.lock().unwrap().push(format!("{}: {what}", case.name));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {} attacks:\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

#[test]
fn the_corpus_in_120_by_40() {
    run((120, 40));
}

#[test]
fn the_corpus_in_80_by_24() {
    run((80, 24));
}

#[test]
fn the_corpus_in_40_by_12() {
    run((40, 12));
}
