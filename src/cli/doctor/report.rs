//! What was found, line by line: how it stands, in words, and what to do about it.
//!
//! Nothing comes in here but words that were made visible, and no secret.

use crate::cli::output::{json, line};
use serde_json::{Value, json};

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should.
    Ok,
    /// It works, or is not needed by everybody; worth a look.
    Warn,
    /// It does not work.
    Fail,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    state: State,
    words: String,
    advice: Option<String>,
}

/// Everything that was looked at, in order.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// As it should be.
    pub(super) fn ok(&mut self, check: &'static str, words: impl Into<String>) {
        self.findings.push(Finding { check, state: State::Ok, words: words.into(), advice: None });
    }

    /// Something that is not, and what to do.
    pub(super) fn not(
        &mut self,
        state: State,
        check: &'static str,
        words: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let advice = Some(advice.into()).filter(|advice| !advice.is_empty());
        self.findings.push(Finding { check, state, words: words.into(), advice });
    }

    /// Whether nothing failed.
    pub(super) fn is_fine(&self) -> bool {
        self.findings.iter().all(|finding| finding.state != State::Fail)
    }

    /// Prints it.
    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            line(&json(&self.value()));
            return;
        }
        for Finding { check, state, words, advice } in &self.findings {
            line(&format!("{:<5} {check:<9} {words}", state.word()));
            if let Some(advice) = advice {
                line(&format!("{:15} {advice}", ""));
            }
        }
    }

    fn value(&self) -> Value {
        let checks = self.findings.iter().map(|Finding { check, state, words, advice }| {
            json!({ "check": check, "state": state.word(), "words": words, "advice": advice })
        });
        json!({ "ok": self.is_fine(), "checks": checks.collect::<Vec<_>>() })
    }
}
