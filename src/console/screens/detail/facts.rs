//! The facts above the payload: who asks, when, under which key, and what the agent says about it. Each takes one line,
//! however much an agent writes, so that the payload is never pushed away; what is cut stands in full below it.

use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::{Action, Untrusted, Visible};

/// Columns of the name of a fact.
pub(super) const NAME: usize = 10;
/// Columns of the fact that says how long ago it was asked.
const ASKED: usize = 20;
/// What labels the agent's words, in panes that are wide and in those that are not.
const LABELS: [(usize, &str, &str); 2] =
    [(60, " says     \"", "\"  (agent's words)"), (0, " agent's words \"", "\"")];

/// The facts, laid out once for an action and a width. How long ago it was asked changes with the time, so a blank is
/// left for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The lines.
    pub(super) lines: Vec<RoleLine>,
    /// The line and the column where the age is drawn.
    pub(super) asked: Option<(usize, usize)>,
    /// The line of the heading of the payload, which is drawn as a rule.
    pub(super) heading: Option<usize>,
    /// The facts that had no room, or not enough, in full.
    pub(super) cut: Vec<RoleLine>,
    /// Whether the summary is longer than its line.
    pub(super) summary_cut: bool,
}

/// A fact: its name and its value.
pub(super) fn field(name: &str, value: &Visible) -> RoleLine {
    RoleLine::of(Role::Quiet, format!(" {name:<9}")).foreign(value)
}

pub(super) fn facts(action: &Action, columns: usize, roomy: bool) -> Facts {
    let mut facts = Facts::default();
    let agent = field("agent", &action.agent.visible());
    let agent = match &action.server {
        Some(server) => agent.with(Role::Quiet, " via ").foreign(&server.visible()),
        None => agent,
    };
    let thread = field("thread", &action.thread_id.visible());
    let key = field("key", &Visible::of(&action.idempotency_key));
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
    if let Some(summary) = &action.summary {
        facts.says(summary, columns);
    }
    if roomy {
        let digest = Visible::of(&format!("sha256:{}", action.digest.short()));
        facts.lines.push(field("digest", &digest).with(Role::Quiet, " …"));
        facts.heading = Some(facts.lines.len());
        facts.lines.push(RoleLine::of(Role::Quiet, " payload"));
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

    /// The agent's words, always labelled and never wider than their field.
    fn says(&mut self, summary: &Untrusted, columns: usize) {
        let label = LABELS.into_iter().find(|(from, ..)| columns >= *from);
        let Some((_, before, after)) = label else { return };
        let room = columns.saturating_sub(before.len() + after.len());
        let (head, more) = (summary.head(room), summary.head(room + 1));
        self.summary_cut = head != more;
        self.lines.push(RoleLine::of(Role::Quiet, before).foreign(&head).with(Role::Quiet, after));
    }
}
