//! What a submission would get, and why, without asking: for `aegis-console rules check`. The same code rules on it as on
//! one that is asked.

use super::super::rules::{self, Fit, Rules};
use super::seal::{Asker, Ruled};
use super::submission::Submission;
use crate::domain::{Risk, Untrusted, timestamp};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// What a submission would get.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What becomes of it.
    pub outcome: Outcome,
    /// How it fits each rule, in the order of the file.
    pub rules: Vec<Looked>,
}

/// What becomes of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A rule turns it away.
    Refused {
        /// The name of the rule.
        rule: String,
        /// What the agent is told.
        words: String,
    },
    /// A rule lets it run without a person.
    Allowed {
        /// The name of the rule.
        rule: String,
        /// How much harm it could do.
        risk: Risk,
    },
    /// It waits for a decision.
    Waits {
        /// How much harm it could do.
        risk: Risk,
        /// Why that is, and why there is more than usual to its deciding.
        reasons: Vec<Untrusted>,
        /// How many must approve.
        reviewers: u32,
        /// Within what time, where that is more than one.
        window: Duration,
        /// How long there is to decide.
        time: Duration,
        /// How long a decision is held at least.
        grace: Duration,
        /// The rule that would have let it run without a person, and what kept it from doing so.
        allow: Option<(String, String)>,
    },
}

/// How a submission fits one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The name of the rule.
    pub rule: String,
    /// The line of the file in which it begins.
    pub line: usize,
    /// Whether it takes effect.
    pub takes: bool,
    /// Each thing that it asks for.
    pub matchers: Vec<Matched>,
}

/// How a submission fits one thing that a rule asks for. The texts are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// What is asked for.
    pub wanted: String,
    /// `yes`, `alike` or `no`.
    pub fits: &'static str,
    /// What the submission has there.
    pub found: String,
}

/// Tries a submission of that agent against the rules.
///
/// # Errors
/// What the gateway would say of a submission that it does not take.
pub fn trial(rules: &Rules, tenant: &str, agent: &str, submission: &[u8]) -> Result<Trial, String> {
    let submission = Submission::read(submission).map_err(|refusal| refusal.detail().to_owned())?;
    let id = Uuid::nil().to_string();
    let asker = Asker { id: &id, key: &id, tenant, agent };
    let now = Timestamp::UNIX_EPOCH;
    let ruled = submission.seal(&asker, rules, now).map_err(|refusal| refusal.detail().to_owned())?;
    let outcome = match ruled {
        Ruled::Refused(refusing) => {
            Outcome::Refused { rule: refusing.rule.to_owned(), words: refusing.words.to_owned() }
        }
        Ruled::Sealed(sealed) => match sealed.allow {
            Some((rule, None)) => Outcome::Allowed { rule, risk: sealed.action.risk },
            allow => Outcome::Waits {
                risk: sealed.action.risk,
                reasons: sealed.action.risk_reasons,
                reviewers: sealed.action.reviewers_needed,
                window: sealed.window,
                time: timestamp::between(now, sealed.action.expires_at),
                grace: sealed.action.grace,
                allow: allow.and_then(|(rule, but)| Some((rule, but?))),
            },
        },
    };
    let subject = submission.subject(&asker);
    let looked = |looked: rules::Looked<'_>| Looked {
        rule: looked.rule.name().to_owned(),
        line: looked.rule.line(),
        takes: looked.takes,
        matchers: looked.matchers.into_iter().map(matched).collect(),
    };
    Ok(Trial { outcome, rules: rules.look(&subject).into_iter().map(looked).collect() })
}

fn matched((wanted, fit, found): (String, Fit, String)) -> Matched {
    let fits = match fit {
        Fit::Yes => "yes",
        Fit::Alike => "alike",
        Fit::No => "no",
    };
    Matched { wanted, fits, found }
}
