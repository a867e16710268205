//! `aegis-console list`: list the actions of a gateway's queue without the screen.
//!
//! Prints all or nothing: where a page cannot be had, standard output stays empty, so that no script takes a part of the
//! queue for the whole.

use crate::cli::connection::Connection;
use crate::cli::output;
use crate::domain::{Action, ActionState, Finding, Queued, Review, Untrusted, Visible, timestamp};
use crate::feed::{Entry, RawPage, Source};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use jiff::Timestamp;
use std::io::Write as _;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
With --json, one object on standard output: {\"actions\": [...], \"found\": [...]}. Each of the actions is as the API \
gives it, `sealed` and `digest` in it; `found` names those in which something was found that a reviewer should know of, \
with the risk that follows. Characters that a terminal could obey are written as \\u escapes.

Exit codes:
  0  listed
  1  the queue cannot be read, or an entry of it cannot (it is left out, and named on standard error)
  2  wrong usage";

/// Columns that a cell may take at most: id, risk, action, agent, summary, state, left, then, review, found.
const WIDEST: [usize; COLUMNS] = [128, 4, 32, 24, 60, 9, 9, 15, 40, 60];
const HEAD: [&str; COLUMNS] =
    ["ID", "RISK", "ACTION", "AGENT", "SUMMARY", "STATE", "LEFT", "THEN", "REVIEW", "FOUND"];
const COLUMNS: usize = 10;
/// The columns that stand there only where some entry has something in them.
const REVIEW: usize = 8;
const FOUND: usize = 9;

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Only actions in this state
    #[arg(long, default_value = "pending", value_name = "STATE", value_parser = state_parser())]
    state: ActionState,

    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: Connection,
}

fn state_parser() -> impl clap::builder::TypedValueParser<Value = ActionState> {
    let words = ActionState::ALL.map(ActionState::word);
    PossibleValuesParser::new(words).try_map(|word| ActionState::parse(&word).ok_or("not a state"))
}

/// Runs the command.
///
/// # Errors
/// Where the queue cannot be read, in one sentence that says what to do.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { state, json: as_json, connection } = args;
    let source = Source::new(&connection.client()?.build()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pages = runtime.block_on(read_all(&source, state))?;
    let unreadable = report_unreadable(&pages);
    let entries = || pages.iter().flat_map(|page| page.entries.iter().map(move |entry| (page, entry)));
    if as_json {
        output::line(&json(entries().filter(|(_, entry)| entry.queued.is_ok())));
    } else {
        let readable: Vec<_> = entries().filter_map(|(_, entry)| entry.queued.as_ref().ok()).collect();
        if readable.is_empty() && !unreadable {
            let pending = state == ActionState::Pending;
            let words =
                if pending { "Nothing is waiting.".into() } else { format!("Nothing is {}.", state.word()) };
            output::line(&words);
        } else {
            table(&readable, Timestamp::now()).iter().for_each(|line| output::line(line));
        }
    }
    Ok(if unreadable { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn read_all(source: &Source, state: ActionState) -> anyhow::Result<Vec<RawPage>> {
    let (mut pages, mut read) = (source.pages(state), Vec::new());
    while let Some(page) = pages.next().await {
        read.push(page?);
    }
    Ok(read)
}

/// Names the entries that cannot be read; returns whether there is one.
fn report_unreadable(pages: &[RawPage]) -> bool {
    let entries = pages.iter().flat_map(|page| &page.entries);
    let errors =
        (1..).zip(entries).filter_map(|(number, entry)| Some((number, entry.queued.as_ref().err()?)));
    let mut any = false;
    for (number, error) in errors {
        any = true;
        let why = Visible::of(&error.to_string()).plain();
        // Standard error may be closed; the exit code still tells.
        let _ = writeln!(
            std::io::stderr(),
            "aegis-console: entry {number} is left out, it cannot be read: {why}"
        );
    }
    any
}

fn json<'p>(entries: impl Iterator<Item = (&'p RawPage, &'p Entry)>) -> String {
    let (mut texts, mut found) = (Vec::new(), Vec::new());
    for (page, entry) in entries {
        texts.push(harmless(page.text(entry)));
        let action = entry.queued.as_ref().map(|queued| &queued.action);
        found.extend(action.ok().filter(|action| !action.findings.is_empty()).map(|action| found_in(action)));
    }
    format!("{{\"actions\":[{}],\"found\":{}}}", texts.join(","), output::json(&found))
}

/// `{"id", "risk", "findings": [{"kind", "count", "place", "first"}]}`
fn found_in(action: &Action) -> serde_json::Value {
    let finding = |finding: &Finding| {
        serde_json::json!({
            "kind": finding.kind.word(),
            "count": finding.count,
            "place": finding.place,
            "first": finding.first.as_ref().map(Untrusted::raw),
        })
    };
    let findings: Vec<_> = action.findings.iter().map(finding).collect();
    serde_json::json!({"id": action.id, "risk": action.risk.word(), "findings": findings})
}

/// The same JSON on one line, in which no character can act: the strict reader lets no control below 0x20 into a string,
/// so those stand between tokens; all else that is not plain stands in strings, where an escape means the same.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' => out.push(c),
            '\t' | '\n' | '\r' => out.push(' '),
            _ if Visible::of(c.encode_utf8(&mut [0; 4])).hidden() == 0 => out.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

/// Lines of the table, its head first.
fn table(entries: &[&Queued], now: Timestamp) -> Vec<String> {
    let mut head = HEAD.map(Visible::of);
    if entries.iter().all(|entry| entry.action.findings.is_empty()) {
        head[FOUND] = Visible::default();
    }
    let reviewed = entries.iter().any(|entry| entry.review.is_some());
    if !reviewed {
        head[REVIEW] = Visible::default();
    }
    let rows: Vec<_> = std::iter::once(head).chain(entries.iter().map(|entry| row(entry, now))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    rows.iter().map(|row| line(row, &widths, reviewed)).collect()
}

/// `1 of 2: alice, bob`.
fn review(review: &Review) -> Visible {
    let mut all = Visible::of(&format!("{} of {}", review.count(), review.needed));
    for (number, approval) in review.approvals.iter().enumerate() {
        all.append(&Visible::of(if number == 0 { ": " } else { ", " }));
        all.append(&approval.reviewer.name());
    }
    all
}

fn row(entry: &Queued, now: Timestamp) -> [Visible; COLUMNS] {
    let action = &entry.action;
    let (left, then) = match entry.state {
        ActionState::Pending => {
            (timestamp::countdown(timestamp::between(now, action.expires_at)), action.silence().then())
        }
        _ => ("-".into(), "-"),
    };
    let summary = action.summary.as_ref().map(Untrusted::visible).unwrap_or_default();
    let found = action.findings.iter().map(|finding| format!("{} {}", finding.kind.word(), finding.count));
    let cells = [
        Visible::of(&action.id),
        Visible::of(action.risk.badge().trim_end()),
        action.name.visible(),
        action.agent.visible(),
        summary,
        Visible::of(entry.state.word()),
        Visible::of(&left),
        Visible::of(then),
        entry.review.as_ref().map(|one| review(one)).unwrap_or_default(),
        Visible::of(&found.collect::<Vec<_>>().join(", ")),
    ];
    std::array::from_fn(|column| cells[column].cut(WIDEST[column]))
}

fn line(row: &[Visible; COLUMNS], widths: &[usize; COLUMNS], reviewed: bool) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let cells = cells.filter(|(column, _)| reviewed || *column != REVIEW).map(|(_, (cell, width))| {
        let blanks = width.saturating_sub(cell.width());
        format!("{}{:blanks$}", cell.plain(), "")
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, action: &str, summary: &str) -> Queued {
        let sealed = format!(
            r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"{action}","payload":{{}},"summary":"{summary}","risk":"high","created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
        );
        Queued::pending(Action::read(sealed).unwrap())
    }

    #[test]
    fn who_has_approved_stands_there_where_several_are_needed() {
        let decided_at = "2026-11-23T12:01:00Z".parse().unwrap();
        let approval =
            |name: &str| crate::domain::Approval { reviewer: name.into(), decided_at, reason: None };
        let approvals = vec![approval("alice"), approval("b\u{1b}ob")];
        let mut mail = entry("1", "send_email", "x");
        mail.review = Some(Review { needed: 3, approvals, until: None }.into());
        let now = "2026-11-23T12:05:29Z".parse().unwrap();
        let table = table(&[&mail, &entry("2", "Bash", "y")], now);
        assert!(table[0].ends_with("LEFT   THEN     REVIEW"), "{}", table[0]);
        assert!(table[1].ends_with("04:31  not run  2 of 3: alice, \"b␛ob\""), "{}", table[1]);
        assert!(table[2].ends_with("04:31  not run"), "{}", table[2]);
    }

    #[test]
    fn the_table_lines_up_and_shows_what_would_act() {
        let (mail, bash) =
            (entry("1", "send_email", "Refund\\u001b[2J 漢"), entry("22", "Bash", &"x".repeat(80)));
        let mut done = entry("333", "deploy", "");
        done.state = ActionState::Approved;
        let now = "2026-11-23T12:05:29Z".parse().unwrap();
        let table = table(&[&mail, &bash, &done], now);
        let filler = |count: usize| " ".repeat(count);
        assert_eq!(
            table,
            [
                format!("ID   RISK  ACTION      AGENT  SUMMARY{}STATE     LEFT   THEN     FOUND", filler(55)),
                format!(
                    "1    HIGH  send_email  g      Refund␛[2J 漢{}pending   04:31  not run  hidden 1",
                    filler(49)
                ),
                format!("22   HIGH  Bash        g      {}…  pending   04:31  not run", "x".repeat(59)),
                format!("333  HIGH  deploy      g      {}approved  -      -", filler(62)),
            ]
        );
    }

    #[test]
    fn json_means_the_same_and_nothing_in_it_acts() {
        let raw = "{\n\t\"a\" :\r\"\u{7f}\u{9b}\u{202e}\u{e0041}é漢\\u001b\"}";
        let out = harmless(raw);
        assert_eq!(out, "{  \"a\" : \"\\u007f\\u009b\\u202e\\udb40\\udc41é漢\\u001b\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&out), read(raw));
    }
}
