//! What an action would get, in words and as JSON.

use crate::cli::output;
use crate::document::Mistakes;
use crate::domain::{Untrusted, timestamp::span_words};
use crate::gateway::{Looked, Outcome, Trial};
use serde_json::{Value, json};

/// `1 rule`, `4 rules`.
pub(super) fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// In words: what becomes of it, then each rule and what it looked at.
pub(super) fn words(trial: &Trial) -> String {
    let mut lines = outcome(&trial.outcome);
    for rule in &trial.rules {
        lines.push(String::new());
        lines.extend(looked(rule));
    }
    if trial.rules.iter().flat_map(|rule| &rule.matchers).any(|matcher| matcher.fits == "alike") {
        lines.push(String::new());
        lines.push(
            "alike: not to the letter, but it could be taken for it; enough for a rule that asks for".into(),
        );
        lines.push("       more or refuses, and not for one that allows".into());
    }
    if trial.rules.is_empty() {
        lines.push(String::new());
        lines.push("there are no rules".into());
    }
    lines.join("\n")
}

fn outcome(outcome: &Outcome) -> Vec<String> {
    let fact = |name: &str, value: String| format!("  {name:<10} {value}");
    match outcome {
        Outcome::Refused { rule, words } => {
            vec!["refused".into(), fact("rule", format!("\"{rule}\"")), fact("words", words.clone())]
        }
        Outcome::Allowed { rule, risk } => vec![
            "runs without a person".into(),
            fact("rule", format!("\"{rule}\"")),
            fact("risk", risk.word().into()),
        ],
        Outcome::Waits { risk, reasons, reviewers, window, time, grace, allow } => {
            let needs = match reviewers {
                1 => "1 reviewer".to_owned(),
                count => {
                    format!("{count} reviewers, the last at most {} after the first", span_words(*window))
                }
            };
            let mut lines = vec![
                "waits for a person".to_owned(),
                fact("risk", risk.word().into()),
                fact("needs", needs),
                fact("to decide", span_words(*time)),
            ];
            if !grace.is_zero() {
                lines.push(fact("held for", span_words(*grace)));
            }
            for (number, reason) in reasons.iter().enumerate() {
                let name = if number == 0 { "because" } else { "" };
                lines.push(fact(name, reason.visible().plain()));
            }
            if let Some((rule, but)) = allow {
                lines.push(fact(
                    "but for",
                    format!("rule \"{rule}\" would let it run, were it not that {but}"),
                ));
            }
            lines
        }
    }
}

fn looked(rule: &Looked) -> Vec<String> {
    let takes = if rule.takes { "takes effect" } else { "does not fit" };
    let mut lines = vec![format!("rule \"{}\", line {}: {takes}", rule.rule, rule.line)];
    if rule.matchers.is_empty() {
        lines.push("  it looks at nothing, and fits everything".into());
    }
    for matcher in &rule.matchers {
        lines.push(format!("  {:<5}  {}: {}", matcher.fits, matcher.wanted, matcher.found));
    }
    lines
}

/// As one JSON object.
pub(super) fn json(trial: &Trial) -> String {
    let mut object = match &trial.outcome {
        Outcome::Refused { rule, words } => json!({"outcome": "refused", "rule": rule, "words": words}),
        Outcome::Allowed { rule, risk } => json!({"outcome": "allowed", "rule": rule, "risk": risk.word()}),
        Outcome::Waits { risk, reasons, reviewers, window, time, grace, allow } => json!({
            "outcome": "waits",
            "risk": risk.word(),
            "reasons": reasons.iter().map(Untrusted::raw).collect::<Vec<_>>(),
            "reviewers_needed": reviewers,
            "review_window_s": window.as_secs(),
            "time_s": time.as_secs(),
            "grace_s": grace.as_secs(),
            "would_allow": allow.as_ref().map(|(rule, but)| json!({"rule": rule, "but": but})),
        }),
    };
    let matcher = |matcher: &crate::gateway::Matched| json!({"wanted": matcher.wanted, "fits": matcher.fits, "found": matcher.found});
    let rule = |rule: &Looked| {
        json!({
            "name": rule.rule,
            "line": rule.line,
            "takes_effect": rule.takes,
            "matchers": rule.matchers.iter().map(matcher).collect::<Vec<_>>(),
        })
    };
    object["rules"] = Value::from(trial.rules.iter().map(rule).collect::<Vec<_>>());
    output::json(&object)
}

/// What is wrong in the rules, as one JSON object.
pub(super) fn mistakes_json(mistakes: &Mistakes) -> String {
    let mistake = |mistake: &crate::document::Mistake| {
        let (line, column) = mistake.position().unzip();
        json!({"line": line, "column": column, "message": mistake.message()})
    };
    output::json(&json!({"mistakes": mistakes.iter().map(mistake).collect::<Vec<_>>()}))
}
