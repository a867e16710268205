//! What holds of all the rules that fit an action: of each effect the strictest, with the rule that asked for it.

use super::{Effect, Fit, Rule, Rules, Subject};
use crate::domain::Risk;
use std::time::Duration;

/// Something that a rule asked for, and the name of that rule.
pub(crate) type Asked<'r, T> = (T, &'r str);

/// What the rules say of one action.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ruling<'r> {
    /// The first rule that refuses.
    pub(crate) refuse: Option<Refusing<'r>>,
    /// Every risk that was asked for.
    pub(crate) risks: Vec<Asked<'r, Risk>>,
    /// The most reviewers.
    pub(crate) reviewers: Option<Asked<'r, u32>>,
    /// The shortest time within which several reviewers must agree.
    pub(crate) window: Option<Asked<'r, Duration>>,
    /// The shortest time to decide.
    pub(crate) time: Option<Asked<'r, Duration>>,
    /// The longest time for which a decision is held.
    pub(crate) grace: Option<Asked<'r, Duration>>,
    /// The first rule that allows.
    pub(crate) allow: Option<&'r str>,
    /// The first rule that fits and does not allow: with it a person decides.
    pub(crate) other: Option<&'r str>,
}

/// A rule that refuses, and its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusing<'r> {
    pub(crate) rule: &'r str,
    pub(crate) words: &'r str,
}

/// How an action fits one rule, for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Looked<'r> {
    pub(crate) rule: &'r Rule,
    /// Whether the rule takes effect.
    pub(crate) takes: bool,
    /// Each thing that it asks for: what that is, how it fits, and what the action has there.
    pub(crate) matchers: Vec<(String, Fit, String)>,
}

impl Rules {
    /// What holds for an action.
    pub(crate) fn rule_on(&self, subject: &Subject<'_>) -> Ruling<'_> {
        let mut ruling = Ruling::default();
        for rule in self.rules.iter().filter(|rule| rule.takes(rule.fit(subject))) {
            ruling.take(rule);
        }
        ruling
    }

    /// How an action fits each rule.
    pub(crate) fn look<'r>(&'r self, subject: &Subject<'_>) -> Vec<Looked<'r>> {
        let look = |rule: &'r Rule| {
            let matcher =
                |matcher: &super::Matcher| (matcher.words(), matcher.fit(subject), matcher.found(subject));
            let matchers = rule.matchers.iter().map(matcher).collect();
            Looked { rule, takes: rule.takes(rule.fit(subject)), matchers }
        };
        self.rules.iter().map(look).collect()
    }
}

impl<'r> Ruling<'r> {
    fn take(&mut self, rule: &'r Rule) {
        let name = rule.name.as_str();
        match &rule.effect {
            Effect::Allow => {
                self.allow.get_or_insert(name);
                return;
            }
            Effect::Refuse(words) => {
                self.refuse.get_or_insert(Refusing { rule: name, words });
            }
            Effect::More(more) => {
                self.risks.extend(more.risk.map(|risk| (risk, name)));
                stricter(&mut self.reviewers, more.reviewers, name, |new, old| new > old);
                stricter(&mut self.window, more.window, name, |new, old| new < old);
                stricter(&mut self.time, more.time, name, |new, old| new < old);
                stricter(&mut self.grace, more.grace, name, |new, old| new > old);
            }
        }
        self.other.get_or_insert(name);
    }

    /// The highest risk that was asked for.
    pub(crate) fn risk(&self) -> Option<Risk> {
        self.risks.iter().map(|(risk, _)| *risk).max()
    }
}

fn stricter<'r, T: Copy>(
    held: &mut Option<Asked<'r, T>>,
    new: Option<T>,
    rule: &'r str,
    is_stricter: impl Fn(T, T) -> bool,
) {
    if let Some(new) = new
        && held.is_none_or(|(old, _)| is_stricter(new, old))
    {
        *held = Some((new, rule));
    }
}
