//! What stands below the facts: the payload, then the agent's other words, each in full and labelled as such, then the
//! facts that had no room above.

use super::GUTTER;
use super::facts::{Facts, field};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::console::widgets::payload::{Folds, Sheet};
use crate::domain::{Action, Visible};
use std::collections::BTreeSet;

/// A line below the facts.
#[derive(Debug, Clone)]
pub(super) enum BodyLine {
    /// What the agent sent: drawn behind the gutter, so that it can never pass for the console's own words.
    Foreign(RoleLine),
    /// The console's own words, and values that it names.
    Own(RoleLine),
}

/// What stands behind the payload, in order.
#[derive(Debug, Clone)]
enum Block {
    Own(Vec<RoleLine>),
    /// Lines behind the gutter.
    Foreign(Vec<RoleLine>),
    /// One of the other sheets, by its number.
    Sheet(usize),
}

/// Everything below the facts. Foreign text is written out once for an action; the lines are made for a width.
#[derive(Debug, Clone, Default)]
pub(super) struct Below {
    payload: Sheet,
    summary: Option<usize>,
    rationale: Option<usize>,
    reasons: std::ops::Range<usize>,
    others: std::ops::Range<usize>,
    /// The foreign texts that the numbers above mean.
    sheets: Vec<Sheet>,
    /// Each with the number of its first line.
    blocks: Vec<(usize, Block)>,
    lines: usize,
}

impl Below {
    /// Writes out everything foreign; there are no lines before it is laid out.
    pub(super) fn of(action: &Action) -> Self {
        let payload = match action.unreadable {
            None => Sheet::json(action.payload()),
            Some(_) => Sheet::words(action.payload()),
        };
        let mut below = Self { payload, ..Self::default() };
        below.summary = action.summary.as_ref().map(|words| below.keep(Sheet::words(words.raw())));
        below.rationale = action.rationale.as_ref().map(|words| below.keep(Sheet::words(words.raw())));
        below.sheets.extend(action.risk_reasons.iter().map(|words| Sheet::words(words.raw())));
        below.reasons = below.sheets.len() - action.risk_reasons.len()..below.sheets.len();
        below.sheets.extend(action.others.iter().map(|(_, span)| Sheet::json(action.other(span))));
        below.others = below.reasons.end..below.sheets.len();
        below
    }

    fn keep(&mut self, sheet: Sheet) -> usize {
        self.sheets.push(sheet);
        self.sheets.len() - 1
    }

    /// The payload.
    pub(super) fn payload(&self) -> &Sheet {
        &self.payload
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines
    }

    /// How far folds can be opened so that it makes a difference.
    pub(super) fn steps(&self) -> Vec<Folds> {
        let sheets = std::iter::once(&self.payload).chain(&self.sheets);
        let steps: BTreeSet<_> = sheets.flat_map(|sheet| sheet.stream().steps()).collect();
        steps.into_iter().collect()
    }

    /// A line; `None` where there are no more.
    pub(super) fn line(&self, number: usize) -> Option<BodyLine> {
        if number < self.payload.len() {
            return Some(BodyLine::Foreign(self.payload.line(number)));
        }
        let block = self.blocks.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, block) = self.blocks.get(block)?;
        match block {
            Block::Own(lines) => lines.get(number - first).cloned().map(BodyLine::Own),
            Block::Foreign(lines) => lines.get(number - first).cloned().map(BodyLine::Foreign),
            Block::Sheet(sheet) => {
                let sheet = self.sheets.get(*sheet).filter(|sheet| number - first < sheet.len())?;
                Some(BodyLine::Foreign(sheet.line(number - first)))
            }
        }
    }

    /// Makes the lines for a pane of `columns` columns.
    pub(super) fn lay_out(&mut self, action: &Action, facts: &Facts, columns: usize, folds: Folds) {
        let inner = columns.saturating_sub(GUTTER);
        self.payload.lay_out(inner, folds);
        for sheet in &mut self.sheets {
            sheet.lay_out(inner, folds);
        }
        (self.blocks, self.lines) = (Vec::new(), self.payload.len());
        let quiet = |text: &str| RoleLine::of(Role::Quiet, text);
        if let Some(summary) = self.summary.filter(|_| facts.summary_cut) {
            self.part(&quiet(" says, in full (agent's words)"), columns, [summary]);
        }
        if let Some(rationale) = self.rationale {
            self.part(&quiet(" why (agent's words)"), columns, [rationale]);
        }
        for ((name, _), sheet) in action.others.iter().zip(self.others.clone()) {
            let heading =
                quiet(" also sealed, as ").foreign(&name.name()).with(Role::Quiet, " (agent's words)");
            if heading.width() <= columns {
                self.part(&heading, columns, [sheet]);
            } else {
                // A name that takes lines of its own must not stand where facts are named.
                self.part(&quiet(" also sealed (agent's words), as"), columns, []);
                self.push(Block::Foreign(RoleLine::default().foreign(&name.name()).wrap(inner, 0)));
                self.part(&quiet(" with this value"), columns, [sheet]);
            }
        }
        if !action.risk_reasons.is_empty() || !action.findings.is_empty() {
            let raised = action.risk != action.sealed_risk;
            let sealed = if raised { format!(", sealed as {}", action.sealed_risk) } else { String::new() };
            let heading = quiet(&format!(" why the risk is {}{sealed}", action.risk));
            self.part(&heading, columns, self.reasons.clone());
            let found = action
                .findings
                .iter()
                .flat_map(|finding| field("found", &finding.sentence()).wrap(columns, super::facts::NAME));
            self.push(Block::Own(found.collect()));
        }
        let mut own = vec![RoleLine::default()];
        let mut fact = |line: RoleLine| own.extend(line.wrap(columns, super::facts::NAME));
        fact(field("action", &action.name.name()));
        for cut in &facts.cut {
            fact(cut.clone());
        }
        fact(field("id", &Visible::of(&action.id)));
        fact(field("tenant", &action.tenant_id.name()));
        fact(field("digest", &Visible::of(&action.digest.to_string())));
        for (name, value) in &action.labels {
            fact(field("label", &name.name()).with(Role::Quiet, " = ").foreign(&value.name()));
        }
        self.push(Block::Own(own));
    }

    /// A heading with a blank line above, and the foreign texts that it is about.
    fn part(&mut self, heading: &RoleLine, columns: usize, sheets: impl IntoIterator<Item = usize>) {
        let mut own = vec![RoleLine::default()];
        own.extend(heading.wrap(columns, 2));
        self.push(Block::Own(own));
        for sheet in sheets {
            self.push(Block::Sheet(sheet));
        }
    }

    fn push(&mut self, block: Block) {
        let lines = match &block {
            Block::Own(lines) | Block::Foreign(lines) => lines.len(),
            Block::Sheet(sheet) => self.sheets.get(*sheet).map_or(0, Sheet::len),
        };
        self.blocks.push((self.lines, block));
        self.lines += lines;
    }
}
