//! What a batch's lines come to: each checked as the wire wants it, and beside what the journal already holds.

use super::line::{BadLine, Line};
use super::source::{self, Source};
use crate::cli::carry::Carrier;
use crate::cli::recorded::{self, Planned};
use crate::client::ClientError;
use crate::journal::{Intent, JournalError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::Path;
use uuid::Uuid;

/// Wrong lines that are named; of more the number is enough.
const NAMED: usize = 10;

/// What a decision is recorded under: its tenant, its thread, its key.
type Place = (Option<String>, String, String);

/// Lines that belong together, by what they are recorded under: a repeat is one decision, a contradiction is wrong.
#[derive(Default)]
pub(super) struct Seen(HashMap<Place, (usize, Line)>);

impl Seen {
    fn place(line: &Line) -> Place {
        (line.tenant.clone(), line.thread.clone(), line.key.clone())
    }

    /// Whether the line is a new one.
    fn is_new(&self, line: &Line) -> Result<bool, BadLine> {
        match self.0.get(&Self::place(line)) {
            None => Ok(true),
            Some((_, first)) if first == line => Ok(false),
            Some((first, _)) => Err(BadLine::Contradicts(*first)),
        }
    }
}

/// One line. `None`: it repeats another. The inner error is the line's, the outer one the journal's.
pub(super) fn one(
    carrier: &Carrier,
    seen: &mut Seen,
    number: usize,
    text: &str,
) -> Result<Result<Option<Planned>, BadLine>, JournalError> {
    let (line, intent) = match read(carrier, seen, text) {
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    Ok(match Planned::of(&carrier.journal, intent)? {
        Ok(planned) => {
            // Only what is carried out can be repeated or contradicted.
            seen.0.insert(Seen::place(&line), (number, line));
            Ok(Some(planned))
        }
        Err(entry) => Err(BadLine::Decided(recorded::instead(&entry))),
    })
}

fn read(carrier: &Carrier, seen: &Seen, text: &str) -> Result<Option<(Line, Intent)>, BadLine> {
    let line = Line::read(text)?;
    if !seen.is_new(&line)? {
        return Ok(None);
    }
    let intent = intent(carrier, &line)?;
    Ok(Some((line, intent)))
}

fn intent(carrier: &Carrier, line: &Line) -> Result<Intent, ClientError> {
    let body = line.call(&carrier.client).exact_body()?;
    Ok(Intent {
        id: Uuid::now_v7(),
        request_id: Uuid::new_v4(),
        verdict: line.verdict,
        tenant_id: line.tenant.clone(),
        thread_id: line.thread.clone(),
        key: line.key.clone(),
        base_url: recorded::base_url(&carrier.client),
        body,
        sealed: None,
        digest: None,
        reason: None,
        reviewer: None,
        decided_at: Timestamp::now(),
        hold_until: None,
    })
}

/// Every line of a file.
///
/// # Errors
/// Names the file and every line that is wrong; then nothing of it may be sent.
pub(super) fn whole(carrier: &Carrier, source: &Source, path: &Path) -> anyhow::Result<Vec<Planned>> {
    let (mut planned, mut wrong, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    for (number, text) in source::read_file(source, path)? {
        match one(carrier, &mut seen, number, &text)? {
            Ok(line) => planned.extend(line),
            Err(error) => wrong.push(format!("{}:{number}: {error}", source.name())),
        }
    }
    if wrong.is_empty() {
        return Ok(planned);
    }
    let more = wrong.len().saturating_sub(NAMED);
    wrong.truncate(NAMED);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    Err(WrongLines(wrong.join("\n")).into())
}

/// A file with wrong lines: wrong usage.
#[derive(Debug, thiserror::Error)]
#[error("{0}\nnothing was sent: mend the batch and start it again")]
pub(in crate::cli) struct WrongLines(String);
