//! The table of what is marked: exactly the marked actions, frozen, grouped by action and agent, with what differs
//! inside each group; and those that are left out, with the reason.
//!
//! What may be in it, the guard says. Laid out once for a width; drawing shows a window of it.

use crate::console::app::guard::Refusal;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, Scroll};
use crate::domain::json::{self, Limits, Value};
use crate::domain::{Action, Untrusted, Visible};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Columns of the gutter at the left of foreign lines.
const GUTTER: usize = 2;
/// No more of one value is shown in a row.
const LONGEST_VALUE: usize = 60;

/// What is marked, frozen.
#[derive(Debug, Clone, Default)]
pub struct Table {
    taken: Vec<Arc<Action>>,
    left_out: Vec<(Arc<Action>, Refusal)>,
    width: usize,
    lines: Vec<Line>,
    /// Which lines show.
    pub scroll: Scroll,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(in crate::console) enum Line {
    /// The console's own words, with names in quotes.
    Own(RoleLine),
    /// What differs between actions, behind the gutter.
    Foreign(RoleLine),
}

impl Table {
    /// A table of what would be decided, in order, and what would not.
    pub fn new(taken: Vec<Arc<Action>>, left_out: Vec<(Arc<Action>, Refusal)>) -> Self {
        Self { taken, left_out, ..Self::default() }
    }

    /// What would be decided.
    pub fn taken(&self) -> &[Arc<Action>] {
        &self.taken
    }

    /// How many are left out.
    pub fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Whether this action would be decided.
    pub fn takes(&self, id: &str) -> bool {
        self.taken.iter().any(|action| action.id == id)
    }

    /// Takes in where it stands.
    pub fn resize(&mut self, columns: usize, rows: usize) {
        if self.width != columns || self.lines.is_empty() {
            self.width = columns;
            self.lines = self.lay_out(columns);
        }
        self.scroll.resize(rows, self.lines.len());
    }

    /// The lines that show.
    pub(in crate::console) fn window(&self) -> &[Line] {
        &self.lines[self.scroll.window()]
    }

    fn lay_out(&self, columns: usize) -> Vec<Line> {
        let mut groups: BTreeMap<(&Untrusted, &Untrusted), Vec<&Arc<Action>>> = BTreeMap::new();
        for action in &self.taken {
            groups.entry((&action.name, &action.agent)).or_default().push(action);
        }
        let mut lines = Vec::new();
        for ((name, agent), actions) in groups {
            let head = RoleLine::of(Role::Title, format!(" {} ", count(actions.len())))
                .foreign(&name.name().cut(columns / 2))
                .with(Role::Text, " by ")
                .foreign(&agent.name().cut(columns / 2));
            lines.extend(head.wrap(columns, 3).into_iter().map(Line::Own));
            lines
                .extend(differences(&actions, columns.saturating_sub(GUTTER)).into_iter().map(Line::Foreign));
        }
        if !self.left_out.is_empty() {
            let head = format!(" left out, not decided: {}", self.left_out.len());
            lines.push(Line::Own(RoleLine::default()));
            lines.push(Line::Own(RoleLine::of(Role::Title, head)));
        }
        for (action, why) in &self.left_out {
            let line = RoleLine::of(Role::Text, format!("   {}: ", why.words()))
                .foreign(&action.name.name().cut(columns / 3))
                .with(Role::Text, " by ")
                .foreign(&action.agent.name().cut(columns / 3))
                .with(Role::Quiet, format!(" {}", action.digest.short()));
            lines.extend(line.wrap_words(columns, 5).into_iter().map(Line::Own));
        }
        lines
    }
}

fn count(number: usize) -> String {
    format!("{number} ×")
}

/// One row an action: its digest, and of its payload what is not the same in all of them.
fn differences(actions: &[&Arc<Action>], columns: usize) -> Vec<RoleLine> {
    let payloads: Vec<_> =
        actions.iter().map(|action| json::parse(action.payload().as_bytes(), Limits::SEALED).ok()).collect();
    let text = |at: usize, value: &Value| actions[at].payload()[value.span.clone()].to_owned();
    let member =
        |at: usize, name: &str| -> Option<String> { Some(text(at, payloads[at].as_ref()?.get(name)?)) };
    let mut names: Vec<&str> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for member in payloads.iter().flatten().filter_map(Value::as_object).flatten() {
        if known.insert(member.name.as_str()) {
            names.push(&member.name);
        }
    }
    let (same, differ): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| {
        let first = member(0, name);
        (1..actions.len()).all(|at| member(at, name) == first)
    });
    let mut lines = Vec::new();
    if actions.len() > 1 && !same.is_empty() {
        let mut line = RoleLine::of(Role::Quiet, "the same in all: ");
        for name in same.iter().copied() {
            line.append(pair(name, member(0, name).as_deref()));
        }
        lines.push(line.cut(columns));
    }
    let shown = if actions.len() > 1 { &differ } else { &same };
    for (at, action) in actions.iter().enumerate() {
        let mut line = RoleLine::of(Role::Quiet, format!("{} ", action.digest.short()));
        if shown.is_empty() {
            line.push(Role::Quiet, "no difference in the payload");
        }
        for name in shown.iter().copied() {
            line.append(pair(name, member(at, name).as_deref()));
        }
        lines.push(line.cut(columns));
    }
    lines
}

/// `"to": "user@example.com"  `
fn pair(name: &str, value: Option<&str>) -> RoleLine {
    let mut line = RoleLine::default();
    line.push_foreign(Role::JsonKey, &Visible::name(name).cut(LONGEST_VALUE / 2));
    line.push(Role::JsonMark, ": ");
    match value {
        Some(value) => line.push_foreign(Role::Foreign, &Visible::head(value, LONGEST_VALUE)),
        None => line.push(Role::Quiet, "(none)"),
    }
    line.with(Role::Text, "  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(number: u32, name: &str, payload: &str) -> Arc<Action> {
        let sealed = format!(
            r#"{{"v":1,"id":"{number}","tenant_id":"t","thread_id":"h","idempotency_key":"k{number}","agent":"g","action":"{name}",
            "payload":{payload},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
        );
        Arc::new(Action::read(sealed).unwrap())
    }

    fn text(table: &mut Table) -> Vec<String> {
        table.resize(70, 20);
        let line = |line: &Line| match line {
            Line::Own(line) | Line::Foreign(line) => line.text(),
        };
        table.window().iter().map(line).collect()
    }

    #[test]
    fn groups_show_what_differs_and_what_is_left_out_says_why() {
        let mail = |number, to: &str| action(number, "mail", &format!(r#"{{"to":"{to}","subject":"hi"}}"#));
        let taken = vec![mail(1, "a@x"), action(2, "ping", "{}"), mail(3, "b@x")];
        let digests: Vec<_> = taken.iter().map(|action| action.digest.short()).collect();
        let left_out = action(4, "drop", "{}");
        let short = left_out.digest.short();
        let mut table = Table::new(taken, vec![(left_out, Refusal::OneByOne)]);
        let expected = [
            " 2 × mail by g".to_owned(),
            "the same in all: subject: \"hi\"  ".into(),
            format!("{} to: \"a@x\"  ", digests[0]),
            format!("{} to: \"b@x\"  ", digests[2]),
            " 1 × ping by g".into(),
            format!("{} no difference in the payload", digests[1]),
            String::new(),
            " left out, not decided: 1".into(),
            format!("   high risk is approved one by one: drop by g {short}"),
        ];
        assert_eq!(text(&mut table), expected);
        assert!(table.takes("3") && !table.takes("4"));
    }
}
