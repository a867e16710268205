//! The "sometimes" assertions: a table that never meets an outcome, or a way to come to it, proves nothing about it.

use crate::aegis::StatusCall;
use crate::table::Run;
use aegis_console::domain::{Outcome, RowStatus};
use std::collections::BTreeMap;

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

/// Fails unless each has been met, and says how often.
pub(crate) fn all_were_taken(runs: &[Run]) {
    let mut met = BTreeMap::<_, usize>::new();
    for run in runs {
        *met.entry((run.resolution.outcome.word(), how(run))).or_default() += 1;
    }
    for ((word, how), count) in &met {
        println!("{count:6} {word}: {how}");
    }
    let every: Vec<_> = EVERY.iter().flat_map(|(word, ways)| ways.iter().map(|how| (*word, *how))).collect();
    let never: Vec<_> = every.iter().filter(|path| !met.contains_key(path)).collect();
    assert!(never.is_empty(), "never met in the table, so nothing is known of them: {never:?}");
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
