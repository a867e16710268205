//! A resolution as the journal keeps it: one JSON text, from which an equal resolution is read back.

use crate::domain::{Count, Outcome, Resolution, RowStatus, Standing, Try};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Kept {
    outcome: String,
    until: Option<String>,
    /// `1 of 2`. Journals of earlier versions have none.
    count: Option<String>,
    http_status: Option<u16>,
    standing: Option<KeptStanding>,
    detail: Option<String>,
    tries: Vec<KeptTry>,
    request_id: String,
    idempotency_key: String,
}

#[derive(Serialize, Deserialize)]
struct KeptStanding {
    verdict: Option<String>,
    reviewer: Option<String>,
    request_id: Option<String>,
    decided_at: Option<String>,
    status: Option<String>,
    count: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct KeptTry {
    number: u32,
    http_status: Option<u16>,
    error: Option<String>,
    started: String,
    took: Duration,
    waited: Duration,
}

/// The time as the journal writes it, to the nanosecond, always of one length in the years that matter.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// The resolution as text.
pub(super) fn write(resolution: &Resolution) -> Result<String, serde_json::Error> {
    let until = match &resolution.outcome {
        Outcome::Quota { until } => until.map(time),
        _ => None,
    };
    let count = match &resolution.outcome {
        Outcome::Counted(count) => Some(count.to_string()),
        _ => None,
    };
    let keep_try = |one: &Try| KeptTry {
        number: one.number,
        http_status: one.http_status,
        error: one.error.clone(),
        started: time(one.started),
        took: one.took,
        waited: one.waited,
    };
    let keep_standing = |standing: &Standing| KeptStanding {
        verdict: standing.verdict.map(|verdict| verdict.word().to_owned()),
        reviewer: standing.reviewer.as_ref().map(|name| name.raw().to_owned()),
        request_id: standing.request_id.clone(),
        decided_at: standing.decided_at.map(time),
        status: standing.status.map(|status| status.word().to_owned()),
        count: standing.count.map(|count| count.to_string()),
    };
    serde_json::to_string(&Kept {
        outcome: resolution.outcome.word().to_owned(),
        until,
        count,
        http_status: resolution.http_status,
        standing: resolution.standing.as_ref().map(keep_standing),
        detail: resolution.detail.as_ref().map(|detail| detail.raw().to_owned()),
        tries: resolution.tries.iter().map(keep_try).collect(),
        request_id: resolution.request_id.clone(),
        idempotency_key: resolution.idempotency_key.clone(),
    })
}

/// Reads what [`write`] wrote; anything else is `None`.
pub(super) fn read(text: &str) -> Option<Resolution> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    let until = optional(kept.until.as_deref(), parse_time)?;
    let outcome = outcome(&kept.outcome, until, optional(kept.count.as_deref(), Count::parse)?)?;
    let standing = |kept: KeptStanding| {
        Some(Standing {
            verdict: optional(kept.verdict.as_deref(), |word| word.parse().ok())?,
            reviewer: kept.reviewer.map(Into::into),
            request_id: kept.request_id,
            decided_at: optional(kept.decided_at.as_deref(), parse_time)?,
            status: optional(kept.status.as_deref(), RowStatus::parse)?,
            count: optional(kept.count.as_deref(), Count::parse)?,
        })
    };
    let one = |kept: KeptTry| {
        Some(Try {
            number: kept.number,
            http_status: kept.http_status,
            error: kept.error,
            started: parse_time(&kept.started)?,
            took: kept.took,
            waited: kept.waited,
        })
    };
    Some(Resolution {
        outcome,
        http_status: kept.http_status,
        standing: match kept.standing {
            Some(kept) => Some(standing(kept)?),
            None => None,
        },
        detail: kept.detail.map(Into::into),
        tries: kept.tries.into_iter().map(one).collect::<Option<_>>()?,
        request_id: kept.request_id,
        idempotency_key: kept.idempotency_key,
    })
}

/// Reads [`time`].
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Nothing is fine; what is there must be readable.
fn optional<T>(text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        Some(text) => parse(text).map(Some),
        None => Some(None),
    }
}

fn outcome(word: &str, until: Option<Timestamp>, count: Option<Count>) -> Option<Outcome> {
    let counted = count.map(Outcome::Counted);
    [
        Outcome::Lapsed,
        Outcome::Accepted,
        Outcome::Committed,
        Outcome::Failed,
        Outcome::Mine,
        Outcome::Same,
        Outcome::Conflict,
        Outcome::InProgress,
        Outcome::Unknown,
        Outcome::Quota { until },
        Outcome::Refused,
        Outcome::Unconfirmed,
        Outcome::NotSent,
    ]
    .into_iter()
    .chain(counted)
    .find(|outcome| outcome.word() == word)
}
