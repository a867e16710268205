//! What servers say about decisions, hostile to the last byte: details, reviewers' names, bodies that are no JSON. Each
//! file of `answers/` is one answer to one rejection, as `{"status": …, "body": …}`.

use super::corpus::harmless;
use super::frame::{agree, marks_and_directions, name, outcome_row, timeless};
use super::oracle::strings;
use super::scripted::{Answer, Scripted};
use super::session::{Frame, Session};
use aegis_console::domain::json::{self, Limits};
use std::collections::BTreeMap;
use std::path::Path;

/// Like what it is compared with: an answer whose words are harmless.
const MODELS: [(&str, &str, &str, &str); 2] = [
    ("a-harmless-detail", "422 Unprocessable Content", r#"{"detail":"HARMLESS"}"#, "refused: "),
    (
        "a-harmless-reviewer",
        "409 Conflict",
        r#"{"decision":{"verdict":"approve","reviewer":"HARMLESS","decided_at":"2026-11-23T12:03:11Z","status":"COMMITTED"}}"#,
        " approved it",
    ),
];

/// Status line and body, by name.
fn answers() -> BTreeMap<String, (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/answers");
    let models =
        MODELS.map(|(name, status, body, _)| (name.to_owned(), (status.to_owned(), body.to_owned())));
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let answer = json::parse(text.as_bytes(), Limits::SEALED).unwrap();
        let (status, body) = (answer.get("status").unwrap(), answer.get("body").unwrap());
        let body = body.as_str().map_or_else(|| body.text(&text).to_owned(), str::to_owned);
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (name, (status.as_str().unwrap().to_owned(), body))
    });
    files.chain(models).collect()
}

/// Answers one rejection after the other, in order.
fn server(answers: Vec<(String, String)>) -> Scripted {
    Scripted::start(move |asked, before| match answers.get(before) {
        Some((status, body)) if asked.target.ends_with("/hitl/reject") => {
            Answer::new(status, "application/json", body)
        }
        _ => Answer::new("404 Not Found", "application/json", "{}"),
    })
}

/// How many rejections were asked for.
fn decided(server: &Scripted) -> usize {
    server.asked().iter().filter(|asked| asked.target.ends_with("/hitl/reject")).count()
}

/// What stands on an outcome's row once it is at an end: the words before what the server said, the words after it.
struct Row {
    before: String,
    after: String,
}

impl Row {
    fn of(row: &str) -> Self {
        let row = timeless(row);
        let cut = || row.split_once("HARM").map(|(before, _)| (before, ""));
        let whole = row.split_once("HARMLESS");
        let (before, after) = whole.or_else(cut).unwrap_or((row.as_str(), ""));
        let after = after.strip_prefix('"').unwrap_or(after).split(" · ").next().unwrap_or_default();
        let before = before.strip_suffix('"').unwrap_or(before);
        Self { before: before.into(), after: after.trim_end_matches([' ', '…']).into() }
    }

    /// Whether the row says the same about another answer, which it quotes as somebody else's words.
    fn is_like(&self, row: &str) -> Result<(), String> {
        let row = timeless(row);
        let said = row
            .strip_prefix(&self.before)
            .ok_or_else(|| format!("it should begin with {:?}", self.before))?;
        let cut = row.trim_end().ends_with('…');
        match name(said) {
            // Cut before the words of others were at their end.
            None if cut => Ok(()),
            None => Err("what others say can be mistaken".into()),
            Some(rest) if cut || rest.starts_with(&self.after) => Ok(()),
            Some(_) => Err(format!("what others say should be followed by {:?}", self.after)),
        }
    }
}

fn run(size: (u16, u16)) -> Result<(), String> {
    let (folder, answers) = (tempfile::tempdir().unwrap(), answers());
    let server = server(answers.values().cloned().collect());
    let queue =
        answers.keys().map(|name| harmless(name, "send_email", "low", r#"{"to":"a@b.example"}"#) + "\n");
    std::fs::write(folder.path().join("queue.jsonl"), queue.collect::<String>()).unwrap();
    let arguments = ["--queue", "queue.jsonl", "--server", server.url(), "--journal", "journal"];
    let mut session = Session::open(&arguments, folder.path(), size);
    // The key bar comes last in a frame.
    session.wait("the list", |session| session.first().shows("▌") && session.first().shows("q quit"))?;
    let frames = Frame::all(session.first());
    let mut models = BTreeMap::new();
    for (number, (name, (status, _))) in answers.iter().enumerate() {
        if number > 0 {
            session.press("j");
            session.wait("the cursor", |session| session.first().shows("▌"))?;
        }
        session.reject()?;
        let status = status.split(' ').next().unwrap();
        session.wait("an answer", |session| {
            let row = outcome_row(session.first());
            decided(&server) == number + 1
                && row.is_some_and(|row| row.contains(&format!(" {status} ")) && !row.contains(" sending "))
        })?;
        let (terminals, terminal) = (session.terminals(), session.first());
        let row = outcome_row(terminal).unwrap();
        if MODELS.iter().any(|model| model.0 == name) {
            models.insert(status, Row::of(&row));
        }
        let checks = [
            agree(terminals),
            marks_and_directions(terminal),
            models[status].is_like(&row),
            if Frame::all(terminal) == frames { Ok(()) } else { Err("a frame is broken".into()) },
        ];
        for check in checks {
            check.map_err(|what| format!("{name}: {what}: {row:?}; the screen:\n{}", terminal.screen()))?;
        }
    }
    session.quit()
}

#[test]
fn what_servers_say_is_only_what_they_say() {
    let failures = std::thread::scope(|scope| {
        let runs = [(120, 40), (80, 24), (40, 12)].map(|size| scope.spawn(move || run(size)));
        runs.map(|run| run.join().unwrap().err()).into_iter().flatten().collect::<Vec<_>>()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(answers().values().any(|(_, body)| strings(body).iter().any(|text| text.contains('\u{1b}'))));
}
