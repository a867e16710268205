//! What became of the decision: as words, as JSON, as an exit code. The words are those of screen.md.

use crate::cli::output;
use crate::domain::{Outcome, Resolution, Standing, Try, Untrusted, Verdict, timestamp};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Columns that a server's words get on a line.
const WIDTH: usize = 300;

/// One decision and what became of it.
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    /// The action's name, or the key.
    pub(crate) target: Untrusted,
    pub(crate) resolution: Resolution,
    /// What its source cannot carry, or what it makes of a yes: words of this program's own.
    pub(crate) aside: Option<String>,
}

impl Report {
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            output::line(&output::json(&self.json()));
        } else {
            self.lines().iter().for_each(|line| output::line(line));
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(code(&self.resolution.outcome))
    }

    fn json(&self) -> Value {
        let resolution = &self.resolution;
        json!({
            "outcome": resolution.outcome.word(),
            "http_status": resolution.http_status,
            "tries": resolution.tries.iter().map(one_try).collect::<Vec<_>>(),
            "request_id": resolution.request_id,
            "idempotency_key": Some(&resolution.idempotency_key).filter(|key| !key.is_empty()),
            "standing": resolution.standing.as_ref().map(standing),
            "detail": resolution.detail.as_ref().map(Untrusted::raw),
        })
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let Resolution { outcome, http_status, detail, tries, request_id, .. } = &self.resolution;
        let label = outcome.label(*http_status);
        let mut first = format!(
            "{} {}: {label} · {}",
            self.verdict,
            self.target.visible().cut(WIDTH).plain(),
            self.sentence()
        );
        if tries.len() > 1 {
            first.push_str(&format!(" · {} tries", tries.len()));
        }
        if !tries.is_empty() {
            let total: Duration = tries.iter().map(|one| one.took + one.waited).sum();
            first.push_str(&format!(" · {}", timestamp::took(total)));
        }
        let mut lines = vec![first];
        lines.extend(self.aside.clone());
        if let Some(detail) = detail {
            let detail = detail.visible().cut(WIDTH).plain();
            // Without a try the words are this command's own.
            lines.push(if tries.is_empty() { detail } else { format!("the server says: {detail}") });
        } else if let Some(error) = tries.last().and_then(|one| one.error.as_ref()) {
            lines.push(format!("the last try: {error}"));
        }
        if matches!(outcome, Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown) {
            lines.push(format!(
                "to ask again: the same command with --request-id {request_id} (sent again after minutes, it may run twice)"
            ));
        }
        lines
    }

    fn sentence(&self) -> String {
        let standing = self.resolution.standing.clone().unwrap_or_default();
        let who = standing
            .reviewer
            .as_ref()
            .map_or_else(|| "another reviewer".to_owned(), |reviewer| reviewer.visible().cut(64).plain());
        let at = standing.decided_at.map(|at| format!(" at {}", clock(at))).unwrap_or_default();
        match &self.resolution.outcome {
            Outcome::Accepted => "accepted; how its processing ends is not known yet".into(),
            Outcome::Committed => "committed".into(),
            Outcome::Failed => "its processing failed; to send it again, give the same command".into(),
            Outcome::Mine => "landed on an earlier try, its answer was lost".into(),
            Outcome::Counted(count) => {
                format!("counted: {count}, waits for another reviewer; nothing is decided yet")
            }
            Outcome::Lapsed => {
                "lapsed: no other reviewer decided in time; to send it again, give the same command".into()
            }
            Outcome::Same => format!("{who} had {} it already{at}", self.verdict.past()),
            Outcome::Conflict => {
                let opposite = match self.verdict {
                    Verdict::Approve => Verdict::Reject,
                    Verdict::Reject => Verdict::Approve,
                };
                format!("{who} {} it{at} · your {} had no effect", opposite.past(), self.verdict.noun())
            }
            Outcome::InProgress => "the server is still at it".into(),
            Outcome::Unknown => "already processed; this server does not say by whom".into(),
            Outcome::Quota { until: None } => "the quota is used up".into(),
            Outcome::Quota { until: Some(until) } => format!("the quota is used up until {}", clock(*until)),
            Outcome::Refused => "refused; it is not sent again by itself".into(),
            Outcome::Unconfirmed if self.resolution.tries.is_empty() => {
                "no answer is known: it may have landed, or may yet".into()
            }
            Outcome::Unconfirmed => "sent, and no answer can be had: it may have landed".into(),
            Outcome::NotSent if self.resolution.tries.is_empty() => "nothing was sent".into(),
            Outcome::NotSent => "nothing reached the server".into(),
        }
    }
}

pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A status, or an error where no whole answer came.
fn one_try(one: &Try) -> Value {
    let mut value = json!({
        "number": one.number,
        "started": timestamp::format(one.started),
        "took": one.took.as_secs_f64(),
        "waited": one.waited.as_secs_f64(),
    });
    match (one.http_status, &one.error) {
        (Some(status), _) => value["status"] = status.into(),
        (None, error) => value["error"] = error.clone().into(),
    }
    value
}

pub(crate) fn standing(standing: &Standing) -> Value {
    json!({
        "verdict": standing.verdict.map(Verdict::word),
        "reviewer": standing.reviewer.as_ref().map(Untrusted::raw),
        "decided_at": standing.decided_at.map(timestamp::format),
        "request_id": standing.request_id,
    })
}

/// The exit codes, as `--help` lists them.
pub(crate) fn code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Accepted | Outcome::Committed | Outcome::Mine => 0,
        Outcome::Same => 3,
        Outcome::Conflict => 4,
        Outcome::Refused => 5,
        Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown => 6,
        Outcome::NotSent => 7,
        Outcome::Quota { .. } => 8,
        Outcome::Failed | Outcome::Lapsed => 9,
        Outcome::Counted(_) => 10,
    }
}
