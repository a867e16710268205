//! The "sometimes" assertions: a table that never meets an outcome, a way to come to it, or a kind of answer, proves
//! nothing about it.

use crate::aegis::StatusCall;
use crate::table::Run;
use aegis_console::domain::{Outcome, RowStatus};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Every way to come to a word.
const EVERY: &[(&str, &[&str])] = &[
    ("accepted", &["its row is at work to the end", "the status says nothing"]),
    ("committed", &["the 202 says so", "followed"]),
    ("failed", &["followed", "looked before sending again", "watched", "asked at last"]),
    (
        "mine",
        &["the 409 says so", "the status says so", "looked before sending again", "watched", "asked at last"],
    ),
    (
        "same",
        &[
            "the 409 says so",
            "the status says so",
            "looked before sending again",
            "watched",
            "repeated to everybody",
        ],
    ),
    (
        "conflict",
        &[
            "the 409 says so",
            "the status says so",
            "looked before sending again",
            "watched",
            "repeated to everybody",
        ],
    ),
    ("in_progress", &["watched until the deadline", "the status says nothing"]),
    ("unknown", &["the status says no more", "the status says nothing"]),
    ("quota", &["until a time", "for a time that is not known"]),
    ("refused", &["by a redirect", "by the server"]),
    ("unconfirmed", &["no answer to any try", "refused after a doubt", "put off for too long"]),
    ("not_sent", &["nobody there"]),
];

/// Every kind of answer that one try can get, and for each no's own status.
const KINDS: &[&str] = &[
    "nobody there",
    "no whole answer",
    "202",
    "202 for another call",
    "another 2xx",
    "3xx",
    "409 at work",
    "409 decided",
    "429, tried again",
    "429, given up",
    "408",
    "425",
    "500",
    "502",
    "503",
    "504",
    "another 5xx",
    "400",
    "401",
    "403",
    "404",
    "412",
    "413",
    "422",
    "another 4xx",
    "no status that there is",
];

/// Fails unless each has been met, and says how often.
pub(crate) fn all_were_taken(runs: &[Run]) {
    let every = EVERY.iter().flat_map(|(word, ways)| ways.iter().map(move |how| (*word, *how)));
    all_met(every, runs.iter().map(|run| (run.resolution.outcome.word(), how(run))));
    all_met(KINDS.iter().copied(), runs.iter().flat_map(kinds));
}

fn all_met<T: Ord + Debug>(every: impl Iterator<Item = T>, found: impl Iterator<Item = T>) {
    let mut met = BTreeMap::<T, usize>::new();
    for one in found {
        *met.entry(one).or_default() += 1;
    }
    for (one, count) in &met {
        println!("{count:6} {one:?}");
    }
    let never: Vec<_> = every.filter(|one| !met.contains_key(one)).collect();
    assert!(never.is_empty(), "never met in the table, so nothing is known of them: {never:?}");
}

/// The kind of each try's answer.
fn kinds(run: &Run) -> impl Iterator<Item = &'static str> {
    let tries = &run.resolution.tries;
    let decisions = run.ledger.decisions();
    let at_work = decisions
        .filter_map(|asked| asked.answered)
        .any(|answer| answer.status == 409 && answer.told == Some(RowStatus::Pending));
    let repeated = how(run) == "repeated to everybody";
    let known = |code: u16| KINDS.iter().copied().find(|kind| *kind == code.to_string());
    tries.iter().enumerate().map(move |(place, one)| match one.http_status {
        None if one.error.as_deref() == Some("connection refused") => "nobody there",
        None => "no whole answer",
        Some(202) if repeated => "202 for another call",
        Some(200..300) if one.http_status != Some(202) => "another 2xx",
        Some(300..400) => "3xx",
        Some(409) if at_work => "409 at work",
        Some(409) => "409 decided",
        Some(429) if place + 1 < tries.len() => "429, tried again",
        Some(429) => "429, given up",
        Some(code @ 400..500) => known(code).unwrap_or("another 4xx"),
        Some(code @ 500..600) => known(code).unwrap_or("another 5xx"),
        Some(code) => known(code).unwrap_or("no status that there is"),
    })
}

fn how(run: &Run) -> &'static str {
    let resolution = &run.resolution;
    let tells = matches!(run.setting.0, StatusCall::Full | StatusCall::Minimal);
    let last = resolution.tries.last().and_then(|one| one.http_status);
    let told: Vec<_> =
        run.ledger.decisions().map(|asked| asked.answered.and_then(|answer| answer.told)).collect();
    let at_work = told.contains(&Some(RowStatus::Pending));
    let told = told.last().copied().flatten();
    let looked = run.ledger.looks() > 0;
    let refused = last.is_some_and(|code| (300..500).contains(&code) && code != 408);
    match &resolution.outcome {
        Outcome::Accepted if tells => "its row is at work to the end",
        Outcome::Accepted => "the status says nothing",
        Outcome::Committed if looked => "followed",
        Outcome::Committed => "the 202 says so",
        Outcome::InProgress if tells => "watched until the deadline",
        Outcome::InProgress => "the status says nothing",
        Outcome::Unknown if tells => "the status says no more",
        Outcome::Unknown => "the status says nothing",
        Outcome::Quota { until: Some(_) } => "until a time",
        Outcome::Quota { until: None } => "for a time that is not known",
        Outcome::Refused if last.is_some_and(|code| code < 400) => "by a redirect",
        Outcome::Refused => "by the server",
        Outcome::NotSent => "nobody there",
        Outcome::Unconfirmed if refused => "refused after a doubt",
        Outcome::Unconfirmed if last == Some(503) && resolution.tries.len() == 1 => "put off for too long",
        Outcome::Unconfirmed => "no answer to any try",
        _ => match (last, told) {
            (Some(202), _) if resolution.outcome == Outcome::Failed => "followed",
            (Some(202), _) => "repeated to everybody",
            (Some(409), _) if at_work => "watched",
            (Some(409), Some(_)) => "the 409 says so",
            (Some(409), None) if resolution.outcome == Outcome::Failed => "watched",
            (Some(409), None) => "the status says so",
            _ if refused || resolution.tries.len() >= 3 => "asked at last",
            _ => "looked before sending again",
        },
    }
}
