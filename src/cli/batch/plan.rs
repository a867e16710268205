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
    /// Whether the line is a new one.
    fn add(&mut self, number: usize, line: &Line) -> Result<bool, BadLine> {
        let place = (line.tenant.clone(), line.thread.clone(), line.key.clone());
        match self.0.get(&place) {
            Some((_, first)) if first == line => Ok(false),
            Some((first, _)) => Err(BadLine::Contradicts(*first)),
            None => {
                self.0.insert(place, (number, line.clone()));
                Ok(true)
            }
        }
    }
}

/// One line. `None`: it repeats another.
pub(super) fn one(
    carrier: &Carrier,
    seen: &mut Seen,
    number: usize,
    text: &str,
) -> Result<Result<Option<Planned>, BadLine>, JournalError> {
    let line = match read(seen, number, text) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let intent = match intent(carrier, line) {
        Ok(intent) => intent,
        Err(error) => return Ok(Err(error.into())),
    };
    let planned = Planned::of(&carrier.journal, intent)?;
    Ok(planned.map(Some).map_err(|entry| BadLine::Decided(recorded::instead(&entry))))
}

fn read(seen: &mut Seen, number: usize, text: &str) -> Result<Option<Line>, BadLine> {
    let line = Line::read(text)?;
    Ok(seen.add(number, &line)?.then_some(line))
}

fn intent(carrier: &Carrier, line: Line) -> Result<Intent, ClientError> {
    let body = line.call(&carrier.client).exact_body()?;
    Ok(Intent {
        id: Uuid::now_v7(),
        request_id: Uuid::new_v4(),
        verdict: line.verdict,
        tenant_id: line.tenant,
        thread_id: line.thread,
        key: line.key,
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
