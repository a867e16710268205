//! The facts above the payload: who asks, when, under which key, and what the agent says about it. Each takes one line,
//! however much an agent writes, so that the payload is never pushed away; what is cut stands in full below it.

use super::review::Reviewed;
use crate::console::screens::view::risk_role;
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::action::{Covers, Silence, Source, Unreadable};
use crate::domain::difference::Differences;
use crate::domain::{Action, Untrusted, Visible};

/// Places of a change that are named; more would push the payload away.
const CHANGES: usize = 3;
/// Columns of the name of a fact.
pub(in crate::console::screens) const NAME: usize = 10;
/// Columns of the fact that says how long ago it was asked.
const ASKED: usize = 20;
/// Lines that the reason may take for which an action cannot be read.
const REASON: usize = 3;
/// What labels the agent's words, in panes that are wide and in those that are not.
const LABELS: [(usize, &str, &str); 2] =
    [(60, " says     ", "  (agent's words)"), (0, " agent's words ", "")];

/// The facts, laid out once for an action and a width. How long ago it was asked changes with the time, so a blank is
/// left for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The name of the action, for the title, where it stands among the console's own words.
    pub(super) name: Visible,
    /// The lines.
    pub(super) lines: Vec<RoleLine>,
    /// The line and the column where the age is drawn.
    pub(super) asked: Option<(usize, usize)>,
    /// The line of the heading of the payload, which is drawn in a rule.
    pub(super) heading: Option<usize>,
    /// The facts that had no room, or not enough, in full.
    pub(super) cut: Vec<RoleLine>,
    /// Whether the summary is longer than its line.
    pub(super) summary_cut: bool,
}

/// A fact: its name and its value, in quotes where it could be taken for more than one.
pub(in crate::console::screens) fn field(name: &str, value: &Visible) -> RoleLine {
    RoleLine::of(Role::Quiet, format!(" {name:<9}")).foreign(value)
}

/// What is known of an action beside what is sealed in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside<'d> {
    /// What is other than when it was decided on.
    pub(super) changes: Option<&'d Differences>,
    /// How far it is, where it needs more than one reviewer.
    pub(super) review: Option<&'d Reviewed>,
}

pub(super) fn facts(action: &Action, beside: &Beside<'_>, columns: usize, roomy: bool) -> Facts {
    let mut facts = Facts { name: action.name.name().cut(columns), ..Facts::default() };
    let agent = field("agent", &action.agent.name());
    let agent = match &action.server {
        Some(server) => agent.with(Role::Quiet, " via ").foreign(&server.name()),
        None => agent,
    };
    let thread = field("thread", &action.thread_id.name());
    let key = field("key", &Visible::name(&action.idempotency_key));
    let asked = field("asked", &Visible::default()).fit(ASKED);
    // Where the right one of a pair begins, and on which line; `asked` never takes more than a line.
    let (line, column) = if roomy {
        facts.pair(agent, thread, columns);
        let (line, column) = facts.pair(asked, key, columns);
        (if column > 0 { line } else { line - 1 }, 0)
    } else {
        facts.cut.extend([thread, key]);
        facts.pair(agent, asked, columns)
    };
    facts.asked = Some((line, column + NAME));
    if let Some(source) = &action.source {
        facts.source(source, columns, roomy);
    }
    if let Some(review) = beside.review {
        facts.review(review, columns);
    }
    if roomy && !action.risk_reasons.is_empty() {
        facts.risk(action, columns);
    }
    if let Some(changes) = beside.changes {
        facts.changed(changes, columns);
    }
    if let Some(unreadable) = &action.unreadable {
        facts.unreadable(unreadable, columns);
    }
    if let Some(summary) = &action.summary {
        facts.says(summary, columns);
    }
    if roomy {
        let digest = Visible::of(&format!("sha256:{}", action.digest.short()));
        facts.lines.push(field("digest", &digest).with(Role::Quiet, " …"));
        facts.heading = Some(facts.lines.len());
        let heading = if action.unreadable.is_some() { "the text as it came" } else { "payload" };
        facts.lines.push(RoleLine::of(Role::Quiet, heading));
    }
    facts
}

impl Facts {
    /// Two facts on one line, where both fit; else each on its own.
    fn pair(&mut self, left: RoleLine, right: RoleLine, columns: usize) -> (usize, usize) {
        let half = columns / 2;
        if left.width() < half && right.width() <= columns - half {
            let mut line = left.fit(half);
            line.append(right);
            self.lines.push(line);
            return (self.lines.len() - 1, half);
        }
        for fact in [left, right] {
            self.lines.push(fact.cut(columns));
            if fact.width() > columns {
                self.cut.push(fact);
            }
        }
        (self.lines.len() - 1, 0)
    }

    /// ` source   opencode says: one yes covers many calls, no reason gets back`: what is unusual always stands above the payload.
    fn source(&mut self, source: &Source, columns: usize, roomy: bool) {
        let mut line = field("source", &source.name.name()).with(Role::Quiet, " says: ");
        let many = source.covers == Covers::ManyCalls;
        line.push(if many { Role::Bad } else { Role::Text }, source.words());
        if many || source.silence == Silence::Runs || roomy {
            self.lines.extend(line.wrap_words(columns, NAME));
        } else {
            self.cut.push(line);
        }
    }

    /// How many have approved, and each of them in full below.
    fn review(&mut self, review: &Reviewed, columns: usize) {
        self.lines.push(review.line.cut(columns));
        if review.line.width() > columns {
            self.cut.push(review.line.clone());
        }
        self.cut.extend(review.approvals.iter().cloned());
    }

    /// ` risk     high: rule "prod database"`; every reason stands in full below.
    fn risk(&mut self, action: &Action, columns: usize) {
        let mut line = RoleLine::of(Role::Quiet, format!(" {:<9}", "risk"));
        line.push(risk_role(action.sealed_risk), action.sealed_risk.word());
        for (number, reason) in action.risk_reasons.iter().take(CHANGES).enumerate() {
            line.push(Role::Text, if number == 0 { ": " } else { ", " });
            line.push_foreign(Role::Foreign, &reason.head(columns));
        }
        self.lines.push(line.cut(columns));
    }

    /// What is no longer as it was when it was decided on: the first places, and how many more there are.
    fn changed(&mut self, changes: &Differences, columns: usize) {
        let role = Role::Bad;
        self.lines.push(RoleLine::of(role, " other than when it was decided on: read it anew").cut(columns));
        let text = |text: &Option<Untrusted>| match text {
            Some(text) => RoleLine::default().foreign(&text.quoted().cut(columns / 3)),
            None => RoleLine::of(Role::Quiet, "nothing"),
        };
        for change in changes.found.iter().take(CHANGES) {
            let mut line = RoleLine::of(Role::Quiet, "   ").foreign(&change.place.name().cut(columns / 3));
            line.push(Role::Text, ": ");
            line.append(text(&change.old));
            line.push(Role::Text, " is now ");
            line.append(text(&change.new));
            self.lines.push(line.cut(columns));
        }
        let more = changes.found.len().saturating_sub(CHANGES) + changes.more;
        if more > 0 {
            self.lines.push(RoleLine::of(role, format!("   and in {more} more places")));
        }
    }

    /// Why what stands below is shown as text, and what can be done about it.
    fn unreadable(&mut self, unreadable: &Unreadable, columns: usize) {
        let mut why = RoleLine::of(Role::Bad, " unreadable: ");
        why.push_foreign(Role::Foreign, &unreadable.reason.visible());
        let lines = why.wrap(columns, NAME);
        if lines.len() > REASON {
            self.cut.push(why.clone());
            self.lines.push(why.cut(columns));
        } else {
            self.lines.extend(lines);
        }
        let then = match unreadable.can_be_rejected {
            true => " it can only be rejected",
            false => " nothing can be decided: no id, tenant, thread and key can be told",
        };
        self.lines.extend(RoleLine::of(Role::Bad, then).wrap_words(columns, 1));
    }

    /// The agent's words, always labelled and never wider than their field.
    fn says(&mut self, summary: &Untrusted, columns: usize) {
        let label = LABELS.into_iter().find(|(from, ..)| columns >= *from);
        let Some((_, before, after)) = label else { return };
        let room = columns.saturating_sub(before.len() + after.len());
        // Its own quotes are escaped, so that only the last one ends it.
        let words = summary.quoted();
        self.summary_cut = words.width() > room;
        self.lines.push(RoleLine::of(Role::Quiet, before).foreign(&words.cut(room)).with(Role::Quiet, after));
    }
}
