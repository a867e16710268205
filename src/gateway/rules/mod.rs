//! The gateway's rules: what an action gets because of what it is (README, *Rules*).
//!
//! Pure: a text in, [`Rules`] out; an action in, a [`Ruling`] out. Reading the file and reading it again is `rulebook`'s,
//! and what a ruling does to an action is `ask`'s.
//!
//! Every rule that fits takes effect, and of several effects the strictest holds, so the order of the rules means
//! nothing. A rule asks for more, refuses, or allows; one that allows counts only where no other rule fits.
//!
//! A rule that asks for more or refuses also fits what only looks like what it names ([`Fit::Alike`]): an agent must not
//! get around it by writing `Prod` for `prod`, or `"5000"` for `5000`. A rule that allows fits to the letter or not at all.
//!
//! | file | what it owns |
//! |---|---|
//! | `read` | TOML to rules, and every mistake in it |
//! | `value` | the values in it: patterns, numbers, times |
//! | `matcher` | what a rule looks at, and how an action fits it |
//! | `pattern`, `number`, `pointer` | texts with wildcards, exact decimals, places in a payload |
//! | `ruling` | what holds of all the rules that fit |

mod matcher;
mod number;
mod pattern;
mod pointer;
mod read;
mod ruling;
#[cfg(test)]
mod tests;
mod value;

use crate::domain::Risk;
use matcher::Matcher;
pub(crate) use matcher::Subject;
pub(crate) use pattern::Fit;
pub(crate) use ruling::{Looked, Refusing, Ruling};
use std::time::Duration;

/// Rules that a file may hold.
const MOST: usize = 256;
/// Places of the payload, or labels, that one rule may look at.
const MATCHERS: usize = 16;
/// Reviewers that a rule, or an agent, can ask for at most.
pub(crate) const MOST_REVIEWERS: u32 = 10;

/// The rules with comments on what there is: what `aegis-console rules init` writes.
pub const EXAMPLE: &str = include_str!("../../../assets/rules.toml");

/// Every rule of a gateway.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    name: String,
    /// Where it stands in its file, from 1.
    line: usize,
    /// All of them must fit; without any, every action does.
    matchers: Vec<Matcher>,
    effect: Effect,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
enum Effect {
    /// Asks for more.
    More(More),
    /// Refuses outright, with these words.
    Refuse(String),
    /// Lets it run without a person.
    Allow,
}

/// What a rule asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct More {
    risk: Option<Risk>,
    reviewers: Option<u32>,
    window: Option<Duration>,
    time: Option<Duration>,
    grace: Option<Duration>,
}

impl Rule {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The line in which it begins.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// How an action fits all that it asks for.
    fn fit(&self, subject: &Subject<'_>) -> Fit {
        let mut all = Fit::Yes;
        for matcher in &self.matchers {
            all = all.min(matcher.fit(subject));
            if all == Fit::No {
                break;
            }
        }
        all
    }

    /// Whether it takes effect where an action fits so.
    fn takes(&self, fit: Fit) -> bool {
        match self.effect {
            Effect::Allow => fit == Fit::Yes,
            Effect::More(_) | Effect::Refuse(_) => fit >= Fit::Alike,
        }
    }
}
