//! What a submission is sealed as: the agent's words as they came, and beside them what the gateway says: the risk, how
//! many must approve, how long there is to decide, how long a decision is held, or that no person is needed.
//!
//! The rules, the agent's claims and what the gateway sees in the submission can each ask for more, and none for less.

use super::super::answer::Refusal;
use super::super::rules::{MOST_REVIEWERS, Refusing, Rules, Ruling, Subject};
use super::submission::Submission;
use crate::domain::action::Draft;
use crate::domain::json::Value;
use crate::domain::{Action, Risk, timestamp};
use jiff::Timestamp;
use std::time::Duration;

/// The time within which several reviewers must approve, where no rule says.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// For whom an action is sealed, and under which names.
pub(super) struct Asker<'a> {
    pub(super) id: &'a str,
    pub(super) key: &'a str,
    pub(super) tenant: &'a str,
    /// The name of the credential.
    pub(super) agent: &'a str,
}

/// An action, sealed.
#[derive(Debug)]
pub(super) struct Sealed {
    /// Read back as the console will: what cannot be read there gets in nowhere.
    pub(super) action: Action,
    /// Within what time all its reviewers must approve.
    pub(super) window: Duration,
    /// The rule that lets it run without a person, and what keeps it from doing so.
    pub(super) allow: Option<(String, Option<String>)>,
}

impl Sealed {
    /// The rule by which it runs without a person.
    pub(super) fn allowed_by(&self) -> Option<&str> {
        self.allow.as_ref().filter(|(_, but)| but.is_none()).map(|(rule, _)| rule.as_str())
    }
}

/// What becomes of a submission.
pub(super) enum Ruled<'r> {
    Refused(Refusing<'r>),
    Sealed(Box<Sealed>),
}

impl Submission<'_> {
    /// As rules look at it.
    pub(super) fn subject<'a>(&'a self, asker: &Asker<'a>) -> Subject<'a> {
        let (action, server) = (self.words("tool").unwrap_or_default(), self.words("server"));
        Subject::new(asker.tenant, asker.agent, action, server, &self.labels, self.arguments())
    }

    /// Rules on it, and writes the sealed text where it is not refused.
    pub(super) fn seal<'r>(
        &self,
        asker: &Asker<'_>,
        rules: &'r Rules,
        created_at: Timestamp,
    ) -> Result<Ruled<'r>, Refusal> {
        let ruling = rules.rule_on(&self.subject(asker));
        if let Some(refusing) = ruling.refuse {
            return Ok(Ruled::Refused(refusing));
        }
        let time = ruling.time.filter(|(time, _)| *time < self.timeout);
        let expires_at = created_at
            .checked_add(time.map_or(self.timeout, |(time, _)| time))
            .map_err(|_| Refusal::bad("invalid_timeout", "timeout ends after the end of time"))?;
        let reviewers = self.reviewers(&ruling);
        let of = |name: &str| self.value.get(name);
        let draft = Draft {
            id: asker.id,
            tenant_id: asker.tenant,
            thread_id: self.thread.as_deref().unwrap_or(asker.id),
            idempotency_key: asker.key,
            agent: asker.agent,
            action: self.words("tool").unwrap_or_default(),
            server: self.words("server"),
            payload: self.arguments().text(self.source),
            summary: of("context").and_then(|context| context.get("summary")?.as_str()),
            rationale: self.words("agent_reasoning"),
            claims: of("context").map(|context| context.text(self.source)),
            risk: self.claimed_risk.unwrap_or_default().max(ruling.risk().unwrap_or(Risk::Low)),
            risk_reasons: &[],
            labels: &self.labels,
            source: self.way.as_ref(),
            reviewers_needed: reviewers.as_ref().map_or(1, |(count, _)| *count),
            grace: ruling.grace.map_or(Duration::ZERO, |(grace, _)| grace),
            created_at,
            expires_at,
        };
        // Judged as the console will see it.
        let shown = readable(&draft)?;
        let mut reasons = self.risk_reasons(&ruling, &shown);
        reasons.extend(reviewers.map(|(_, why)| why));
        reasons.extend(
            time.map(|(time, rule)| format!("{} to decide: rule \"{rule}\"", timestamp::span_words(time))),
        );
        reasons.extend(
            ruling
                .grace
                .map(|(grace, rule)| format!("held for {}: rule \"{rule}\"", timestamp::span_words(grace))),
        );
        let action = readable(&Draft { risk: shown.risk, risk_reasons: &reasons, ..draft })?;
        let allow = ruling.allow.map(|rule| (rule.to_owned(), needs_a_person(&ruling, &action)));
        let window = ruling.window.map_or(WINDOW, |(window, _)| window);
        Ok(Ruled::Sealed(Box::new(Sealed { action, window, allow })))
    }

    /// How many must approve, where that is more than one, and why: what a rule asks for, or the agent.
    fn reviewers(&self, ruling: &Ruling<'_>) -> Option<(u32, String)> {
        let claimed = self.claimed_reviewers.min(MOST_REVIEWERS);
        match ruling.reviewers {
            Some((count, rule)) if count >= claimed.max(2) => {
                Some((count, format!("{count} reviewers: rule \"{rule}\"")))
            }
            _ if claimed > 1 => Some((claimed, format!("{claimed} reviewers: the agent asks for them"))),
            _ => None,
        }
    }

    /// Who says that the risk is what it is.
    fn risk_reasons(&self, ruling: &Ruling<'_>, shown: &Action) -> Vec<String> {
        let claimed = self.claimed_risk.filter(|risk| *risk == shown.risk);
        let rules = ruling.risks.iter().filter(|(risk, _)| *risk == shown.risk);
        let seen = shown.findings.iter().filter(|finding| finding.kind.raises() >= shown.risk);
        claimed
            .map(|_| "the agent says so".to_owned())
            .into_iter()
            .chain(rules.map(|(_, rule)| format!("rule \"{rule}\"")))
            .chain(seen.map(|finding| format!("the gateway saw {}", finding.words())))
            .collect()
    }

    fn words(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str)
    }
}

fn readable(draft: &Draft<'_>) -> Result<Action, Refusal> {
    Action::read(draft.seal())
        .map_err(|error| Refusal::bad("unreadable", format!("the action could not be shown: {error}")))
}

/// Why a person decides although a rule allows it.
fn needs_a_person(ruling: &Ruling<'_>, action: &Action) -> Option<String> {
    if let Some(other) = ruling.other {
        return Some(format!("rule \"{other}\" fits too"));
    }
    if action.reviewers_needed > 1 {
        return Some(format!("the agent asks for {} reviewers", action.reviewers_needed));
    }
    if action.covers_many_calls() {
        return Some("one yes covers many calls".to_owned());
    }
    if let Some(finding) = action.findings.first() {
        return Some(format!("the gateway saw {}", finding.words()));
    }
    (action.risk > Risk::Medium).then(|| format!("the risk is {}", action.risk))
}

#[cfg(test)]
mod tests;
