//! Which layer may know of which: imports only point down (the map is in `src/lib.rs`).
//!
//! Reads the sources as text, comments and tests left out, and fails with file and line.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// A folder or file below `src/`, and what its code must not name.
const RULES: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "crate::agent",
            "crate::cli",
            "crate::client",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "crate::journal",
            "tokio",
            "reqwest",
            "ratatui",
            "crossterm",
            "rusqlite",
            "axum",
            "std::fs",
            "std::net",
            "std::io",
            "std::thread",
            "Timestamp::now",
            "Instant",
            "SystemTime",
            "new_v4",
            "now_v7",
        ],
    ),
    (
        "document",
        &[
            "crate::agent",
            "crate::cli",
            "crate::client",
            "crate::config",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "crate::journal",
            "tokio",
            "reqwest",
            "ratatui",
            "crossterm",
            "rusqlite",
        ],
    ),
    (
        "client",
        &[
            "crate::agent",
            "crate::cli",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "crate::journal",
            "ratatui",
            "crossterm",
            "rusqlite",
            "axum",
        ],
    ),
    (
        "feed",
        &[
            "crate::agent",
            "crate::cli",
            "crate::console",
            "crate::dispatch",
            "crate::gateway",
            "crate::journal",
            "ratatui",
            "crossterm",
        ],
    ),
    (
        "journal",
        &[
            "crate::agent",
            "crate::cli",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "tokio::runtime",
            "tokio::spawn",
            "tokio::task",
            "tokio::time",
            "reqwest",
            "ratatui",
            "crossterm",
        ],
    ),
    ("dispatch", &["crate::agent", "crate::cli", "crate::console", "crate::gateway", "ratatui", "crossterm"]),
    (
        "gateway",
        &[
            "crate::agent",
            "crate::cli",
            "crate::client",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::journal",
            "ratatui",
            "crossterm",
            "reqwest",
        ],
    ),
    ("gateway/rules", PURE),
    (
        "agent",
        &[
            "crate::cli",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "crate::journal",
            "ratatui",
            "crossterm",
        ],
    ),
    (
        "config",
        &[
            "crate::agent",
            "crate::cli",
            "crate::client",
            "crate::console",
            "crate::dispatch",
            "crate::feed",
            "crate::gateway",
            "crate::journal",
            "tokio",
            "reqwest",
            "ratatui",
            "crossterm",
            "rusqlite",
        ],
    ),
    ("console/app", PURE),
    ("console/keymap", PURE),
    ("console/screens", PURE),
    ("console/widgets", PURE),
    ("console/theme", PURE),
    ("console/plain/asking.rs", PURE),
    ("console/plain/command.rs", PURE),
    ("console/plain/names.rs", PURE),
    ("console/plain/news.rs", PURE),
    ("console/plain/page.rs", PURE),
    ("console/plain/session.rs", PURE),
    ("console/plain/showing.rs", PURE),
    ("console/plain/waiting.rs", PURE),
    ("console/plain/wording.rs", PURE),
    ("console/runtime", &["crate::cli", "crate::gateway", "crate::agent"]),
];

/// What the pure half of the console must not name: the shell's layers, I/O, clocks and chance.
const PURE: &[&str] = &[
    "crate::agent",
    "crate::cli",
    "crate::gateway",
    "crate::journal",
    "console::runtime",
    "super::runtime",
    "tokio",
    "reqwest",
    "rusqlite",
    "std::fs",
    "std::net",
    "std::io",
    "std::thread",
    "std::env",
    "Timestamp::now",
    "Instant::now",
    "SystemTime",
    "new_v4",
    "now_v7",
    "crossterm::terminal",
    "crossterm::execute",
];

fn sources(below: &Path) -> Vec<PathBuf> {
    if below.is_file() {
        return vec![below.to_owned()];
    }
    let entries = fs::read_dir(below).map(|entries| entries.map(|entry| entry.unwrap().path()));
    entries
        .into_iter()
        .flatten()
        .flat_map(|path| {
            if path.is_dir() || path.extension().is_some_and(|end| end == "rs") {
                sources(&path)
            } else {
                Vec::new()
            }
        })
        .collect()
}

/// The lines of code with their numbers: no comments, nothing from the unit tests at the end of a file.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let is_tests = path
        .file_stem()
        .into_iter()
        .chain(path.parent().and_then(Path::file_name))
        .any(|name| name == "tests");
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !is_tests && line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

/// Whether the word stands in the line by itself: `tokio` is not in `tokio_like`, `Instant` not in `Instantly`.
fn names(line: &str, word: &str) -> bool {
    let part_of_a_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !part_of_a_word(line[..at].chars().next_back())
            && !part_of_a_word(line[at + word.len()..].chars().next())
    })
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn imports_only_point_down() {
    let mut wrong = Vec::new();
    for (layer, forbidden) in RULES {
        let files = sources(&src().join(layer));
        assert!(!files.is_empty(), "the layer {layer} has no files: mend the table");
        for path in files {
            for (number, line) in code(&path) {
                let words = forbidden.iter().filter(|word| names(&line, word));
                wrong.extend(
                    words.map(|word| format!("{}:{number}: names {word}: {}", path.display(), line.trim())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_the_theme_names_a_colour() {
    let mut wrong = Vec::new();
    // The pen turns whatever the theme has chosen into bytes.
    let allowed = ["console/theme", "console/runtime/screen/pen.rs"].map(|place| src().join(place));
    let is_allowed = |path: &PathBuf| allowed.iter().any(|place| path.starts_with(place));
    for path in sources(&src().join("console")).into_iter().filter(|path| !is_allowed(path)) {
        for (number, line) in code(&path) {
            if ["Color::", "Modifier::"].iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_owns() {
    let bare: Vec<_> = sources(&src())
        .into_iter()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(bare.is_empty(), "no `//!` at the top of {bare:?}");
}

/// Where what an agent or a server sent may be had as it came, and what for. Nothing here draws it, prints it or logs it:
/// it goes on as bytes (wire, disk, JSON output whose writer escapes), is compared, or becomes `Visible` in the same
/// expression.
const RAW: &[(&str, &str)] = &[
    ("domain", "reads, seals and judges it"),
    ("agent/opencode/server.rs", "the wire: a reviewer's words go on to the model"),
    ("agent/client.rs", "compares the provider's error code with the ones it knows"),
    ("cli/ask/report.rs", "JSON output: the writer escapes"),
    ("cli/audit/agentack.rs", "JSON output: the writer escapes"),
    ("cli/audit/show.rs", "makes the payload visible in the same expression"),
    ("cli/batch.rs", "JSON output: the writer escapes"),
    ("cli/decide/report.rs", "JSON output: the writer escapes"),
    ("cli/list.rs", "JSON output: the writer escapes"),
    ("cli/outbox.rs", "JSON output: the writer escapes"),
    ("cli/review/effects.rs", "the wire: the agent's name goes back to the server that gave it"),
    ("cli/rules", "JSON output: the writer escapes"),
    ("cli/status.rs", "JSON output: the writer escapes"),
    ("console/app/update.rs", "compares an agent's or a thread's name with those that wait"),
    ("console/plain/showing.rs", "compares an agent's name with what was typed"),
    ("console/screens/copy/mod.rs", "lays the payload out in runs of visible text, and copies those"),
    ("console/screens/decide/table.rs", "parses the payload; what differs becomes visible there"),
    ("console/screens/decide/target.rs", "parses the payload; what it finds becomes visible there"),
    ("console/screens/detail", "lays the payload out in runs of visible text"),
    (
        "console/screens/queue/cursor.rs",
        "parses the payload; the names of its members are untrusted text again",
    ),
    ("dispatch/life/knowing.rs", "compares the server's words with the one for what has lapsed"),
    ("dispatch/order.rs", "the wire and the journal: the bytes that were sealed"),
    ("feed/source.rs", "compares the name that the server answers with the one it was asked for"),
    ("feed/trouble.rs", "sentences that are untrusted themselves"),
    ("gateway/ask/mod.rs", "the store"),
    ("gateway/rules/matcher.rs", "compared; what is told of it becomes visible in the same expression"),
    ("gateway/store/postgres/listen.rs", "what the database tells: a tenant's name goes on as bytes"),
    ("journal/record.rs", "the disk"),
];

/// Ways to have foreign text as it came.
const WAYS_TO_RAW: &[&str] =
    &[".raw()", "Untrusted::raw", ".payload()", ".other(", "action.sealed", ".source_text("];

#[test]
fn nothing_draws_foreign_text_that_has_not_been_made_visible() {
    let (mut wrong, mut used) = (Vec::new(), vec![false; RAW.len()]);
    for path in sources(&src()) {
        let name = path.strip_prefix(src()).unwrap().to_str().unwrap().to_owned();
        let place = RAW.iter().position(|(place, _)| name.starts_with(place));
        for (number, line) in code(&path) {
            if !WAYS_TO_RAW.iter().any(|way| line.contains(way)) || line.contains("info.payload()") {
                continue;
            }
            match place {
                Some(place) => used[place] = true,
                None => wrong.push(format!("{name}:{number}: {}", line.trim())),
            }
        }
    }
    assert!(wrong.is_empty(), "foreign text as it came, outside of the list:\n{}", wrong.join("\n"));
    let stale: Vec<_> = RAW.iter().zip(used).filter(|(_, used)| !used).map(|((place, _), _)| place).collect();
    assert!(stale.is_empty(), "the list names what needs it no more: {stale:?}");
}

#[test]
fn untrusted_text_has_no_way_out_but_the_two_named_ones() {
    let ways = ["Display for", "Deref for", "AsRef<str> for", "Borrow<str> for", "Serialize for"];
    let mut wrong = Vec::new();
    for path in sources(&src()) {
        for (number, line) in code(&path) {
            let line = line.trim();
            let is_way = ways.iter().any(|way| line.contains(&format!("{way} Untrusted")));
            if is_way || line.contains("From<Untrusted> for") || line.contains("From<&Untrusted> for") {
                wrong.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let untrusted = fs::read_to_string(src().join("domain/visible/untrusted.rs")).unwrap();
    let derives = untrusted.lines().find(|line| line.starts_with("#[derive(")).unwrap();
    assert!(!derives.contains("Serialize") && !derives.contains("Debug"), "{derives}");
    assert_eq!(untrusted.matches("-> &str").count(), 1, "only raw() hands the text out");
}

#[test]
fn foreign_text_gets_no_role_of_the_consoles_own_words() {
    let roles = ["Role::Foreign,", "Role::ForeignName,", "Role::Match,", "Role::JsonKey,"];
    let mut wrong = Vec::new();
    for path in sources(&src().join("console")) {
        for (number, line) in code(&path) {
            let fixed = line.split_once("push_foreign(Role::").map(|(_, rest)| format!("Role::{rest}"));
            if fixed.is_some_and(|rest| !roles.iter().any(|role| rest.starts_with(role))) {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// On a screen text becomes a line of ratatui's in one file, from roles and [`Visible`] alone.
#[test]
fn only_one_file_makes_lines_for_the_terminal() {
    let ways = [
        "Span::",
        "Line::from",
        "Line::raw",
        "Line::styled",
        "Text::from",
        "Text::raw",
        "Paragraph",
        "set_string",
        "set_stringn",
        "set_symbol",
        "set_char",
        "set_span",
    ];
    let mut wrong = Vec::new();
    for path in sources(&src().join("console")) {
        let is_allowed = path.ends_with("widgets/line.rs") || path.starts_with(src().join("console/runtime"));
        for (number, line) in code(&path).into_iter().filter(|_| !is_allowed) {
            if ways.iter().any(|way| names(&line, way)) {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
