//! `aegis-console audit show`: what became of one action, from the rows of the log about it. Every text from outside is made
//! visible here before it is printed.

use super::open;
use crate::cli::output;
use crate::cli::place::Place;
use crate::domain::{Action, Digest, Untrusted, Visible, timestamp};
use crate::gateway::audit::entry::{Entry, Kind};
use crate::gateway::audit::stored::StoredRow;
use crate::gateway::audit::tree;
use std::process::ExitCode;
use std::time::Duration;

const AFTER_HELP: &str = "\
Exit codes:
  0  shown
  1  the log has nothing about it, or a row about it does not hold
  2  nobody could look";

/// The arguments of `audit show`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// The id of the action
    id: String,
    #[command(flatten)]
    place: Place,
    /// Only of this tenant
    #[arg(long)]
    tenant: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rows = open(&args.place)?.about(&args.id, args.tenant.as_deref())?;
    if rows.is_empty() {
        output::complain(&format!("the audit log has nothing about {}", args.id));
        return Ok(ExitCode::FAILURE);
    }
    let mut whole = true;
    let mut lines = Vec::new();
    for found in &rows {
        match read(found) {
            Some(entry) => tell(&entry, &mut lines),
            None => {
                whole = false;
                lines.push(format!("ROW {} DOES NOT HOLD: run aegis-console audit verify", found.seq));
            }
        }
    }
    lines.iter().for_each(|line| output::line(line));
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The entry, where it is the one that was hashed and the columns say the same.
fn read(found: &StoredRow) -> Option<Entry> {
    let row = found.row.as_ref().ok()?;
    let entry = Entry::read(&row.entry).ok()?;
    let same = tree::hex(&tree::leaf(row.entry.as_bytes())) == row.hash
        && i64::try_from(entry.seq) == Ok(found.seq)
        && entry.action_id == row.action_id
        && entry.tenant == row.tenant
        && entry.kind == row.kind;
    same.then_some(entry)
}

fn shown(text: &str) -> String {
    Visible::of(text).plain()
}

/// The lines of a row: when and what, then its facts.
fn tell(entry: &Entry, lines: &mut Vec<String>) {
    let kind = Kind::parse(&entry.kind);
    let word = kind.map_or_else(|| shown(&entry.kind), words);
    let (at, by, seq) = (timestamp::format(entry.at), shown(&entry.by), entry.seq);
    lines.push(format!("{at}  {word} by {by}  (row {seq}, tenant {})", shown(&entry.tenant)));
    if kind == Some(Kind::Left)
        && let Some(took) = entry.number("ms").and_then(|ms| u64::try_from(ms).ok())
    {
        lines.push(format!("    looked at it for {}", timestamp::took(Duration::from_millis(took))));
        return;
    }
    for name in entry.names().filter(|name| *name != "sealed") {
        let number = || entry.number(name).map(|number| number.to_string());
        if let Some(value) = entry.text(name).map(str::to_owned).or_else(number) {
            lines.push(format!("    {:<12} {}", shown(name), shown(&value)));
        }
    }
    if let Some(sealed) = entry.text("sealed") {
        on_screen(entry, sealed, lines);
    }
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::AllowedByRule => "allowed by a rule, without a person,".into(),
        Kind::Seen => "on the screen of a reviewer, seen".into(),
        Kind::Left => "left the screen, seen".into(),
        Kind::ApprovedByOne => "approved by one of several, counted".into(),
        Kind::Outcome => "outcome told".into(),
        kind => kind.word().to_owned(),
    }
}

/// The sealed text as a reviewer saw it, and whether it is the one of its digest.
fn on_screen(entry: &Entry, sealed: &str, lines: &mut Vec<String>) {
    let computed = Digest::of(sealed.as_bytes()).to_string();
    let same = entry.text("digest") == Some(&computed);
    lines.push(match same {
        true => "    What was on the screen; its digest is the one above:".into(),
        false => format!("    NOT WHAT THE DIGEST ABOVE IS OF; this is {computed}:"),
    });
    let mut field = |name: &str, text: &str| lines.push(format!("      {name:<12} {}", shown(text)));
    let Ok(action) = Action::read(sealed) else {
        return field("sealed", sealed);
    };
    let maybe = |text: &Option<Untrusted>| text.as_ref().map(|text| text.visible().plain());
    field("action", &action.name.visible().plain());
    field("agent", &action.agent.visible().plain());
    for (name, text) in
        [("server", &action.server), ("summary", &action.summary), ("rationale", &action.rationale)]
    {
        if let Some(text) = maybe(text) {
            field(name, &text);
        }
    }
    field("risk", action.risk.word());
    for reason in &action.risk_reasons {
        field("", &reason.visible().plain());
    }
    for (name, value) in &action.labels {
        field("label", &format!("{}: {}", name.visible().plain(), value.visible().plain()));
    }
    field("payload", action.payload());
    field("sealed", sealed);
}
