//! The action in full: facts, the payload whole, and the agent's words, as one text that scrolls.
//!
//! The payload is laid out once for an action and a width; drawing shows a window of it.

pub(super) mod view;

use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, Scroll, payload};
use crate::domain::json::{self, Limits};
use crate::domain::{Action, Digest, Visible};
use ratatui::layout::Rect;
use std::sync::Arc;

/// From this many lines there is room for every fact above the payload.
const ROOMY: usize = 14;
/// Columns of the gutter at the left of foreign lines.
pub(super) const GUTTER: usize = 2;

/// A line below the facts.
#[derive(Debug, Clone)]
pub(super) enum BodyLine {
    /// What the agent sent: drawn behind the gutter, so that it can never pass for the console's own words.
    Foreign(RoleLine),
    /// The console's own words, and values that it names.
    Own(RoleLine),
}

/// The action in full, laid out for a width.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    laid_out: Option<(Digest, usize, bool)>,
    facts: view::Facts,
    /// Everything below the facts.
    body: Vec<BodyLine>,
    hidden: usize,
    seen: Option<Digest>,
    /// Which lines show.
    pub scroll: Scroll,
}

impl Detail {
    /// Takes in what the cursor is on and where the pane stands. Another action starts at its top; another width keeps
    /// the place as well as it can.
    pub fn show(&mut self, action: Option<&Arc<Action>>, frame: Option<Rect>) {
        let Some(action) = action else {
            *self = Self::default();
            return;
        };
        let other = self.laid_out.is_none_or(|(digest, ..)| digest != action.digest);
        if other {
            *self = Self { scroll: Scroll { top: 0, ..self.scroll }, seen: self.seen, ..Self::default() };
        }
        let Some(frame) = frame.map(inside) else { return };
        let (columns, rows) = (usize::from(frame.width), usize::from(frame.height));
        let roomy = rows >= ROOMY;
        if self.laid_out != Some((action.digest, columns, roomy)) {
            self.laid_out = Some((action.digest, columns, roomy));
            self.facts = view::facts(action, columns, roomy);
            self.body = body(action, columns, roomy);
            self.hidden = hidden(action);
        }
        self.scroll.resize(rows, self.facts.lines.len() + self.body.len());
    }

    /// A frame that drew it has reached the terminal.
    pub fn painted(&mut self) {
        if self.scroll.below() == 0 {
            self.seen = self.laid_out.map(|(digest, ..)| digest).or(self.seen);
        }
    }

    /// Lines that no frame has shown yet.
    pub fn unseen(&self) -> usize {
        let seen = self.laid_out.is_none_or(|(digest, ..)| self.seen == Some(digest));
        if seen { 0 } else { self.scroll.below() }
    }

    /// Whether this action is the one that was last read to its end.
    pub fn has_been_seen(&self, digest: &Digest) -> bool {
        self.seen.as_ref() == Some(digest)
    }

    /// Moves by what the key means; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        self.scroll.go(intent)
    }

    /// The facts above the payload.
    pub(super) fn facts(&self) -> &view::Facts {
        &self.facts
    }

    /// How many characters of it would have been invisible, or could have acted on the terminal.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    /// Everything below the facts.
    pub(super) fn body(&self) -> &[BodyLine] {
        &self.body
    }
}

fn body(action: &Action, columns: usize, roomy: bool) -> Vec<BodyLine> {
    let inner = columns.saturating_sub(GUTTER);
    let mut lines: Vec<_> = json_lines(action.payload(), inner).into_iter().map(BodyLine::Foreign).collect();
    let heading =
        |text: &str| [BodyLine::Own(RoleLine::default()), BodyLine::Own(RoleLine::of(Role::Quiet, text))];
    if let Some(rationale) = &action.rationale {
        lines.extend(heading(" why (agent's words)"));
        lines.extend(paragraph(&rationale.visible(), inner).into_iter().map(BodyLine::Foreign));
    }
    for (name, span) in &action.others {
        let title = RoleLine::of(Role::Quiet, " also sealed, as ").foreign(&name.visible());
        lines.push(BodyLine::Own(RoleLine::default()));
        lines.extend(
            title.with(Role::Quiet, " (agent's words)").wrap(columns, 2).into_iter().map(BodyLine::Own),
        );
        lines.extend(json_lines(action.other(span), inner).into_iter().map(BodyLine::Foreign));
    }
    if !action.risk_reasons.is_empty() {
        lines.extend(heading(&format!(" why the risk is {}", action.risk)));
        let reasons = action.risk_reasons.iter().flat_map(|reason| paragraph(&reason.visible(), inner));
        lines.extend(reasons.map(BodyLine::Foreign));
    }
    lines.push(BodyLine::Own(RoleLine::default()));
    let mut fact = |name: &str, value: RoleLine| {
        let mut line = RoleLine::of(Role::Quiet, format!(" {name:<9}"));
        line.append(value);
        lines.extend(line.wrap(columns, 10).into_iter().map(BodyLine::Own));
    };
    let foreign = |text: &Visible| RoleLine::default().foreign(text);
    if !roomy {
        fact("thread", foreign(&action.thread_id.visible()));
        fact("key", foreign(&Visible::of(&action.idempotency_key)));
    }
    fact("id", foreign(&Visible::of(&action.id)));
    fact("tenant", foreign(&action.tenant_id.visible()));
    fact("digest", foreign(&Visible::of(&action.digest.to_string())));
    for (name, value) in &action.labels {
        fact("label", foreign(&name.visible()).with(Role::Quiet, " = ").foreign(&value.visible()));
    }
    lines
}

/// A JSON text as lines; where it cannot be read, as the text that it is.
fn json_lines(text: &str, columns: usize) -> Vec<RoleLine> {
    match json::parse(text.as_bytes(), Limits::SEALED) {
        Ok(value) => payload::lines(&value, columns),
        Err(_) => paragraph(&Visible::of(text), columns),
    }
}

fn paragraph(text: &Visible, columns: usize) -> Vec<RoleLine> {
    RoleLine::default().foreign(text).wrap(columns, 0)
}

/// Of everything that is shown of an action.
fn hidden(action: &Action) -> usize {
    let optional = [&action.server, &action.summary, &action.rationale].into_iter().flatten();
    let texts =
        [&action.agent, &action.name, &action.thread_id, &action.tenant_id].into_iter().chain(optional);
    let labels = action.labels.iter().flat_map(|(name, value)| [name, value]);
    let words: usize =
        texts.chain(labels).chain(&action.risk_reasons).map(|text| text.visible().hidden()).sum();
    let others =
        action.others.iter().map(|(name, span)| name.visible().hidden() + json_hidden(action.other(span)));
    words + json_hidden(action.payload()) + others.sum::<usize>()
}

/// Of the strings and keys of a JSON text, decoded: a line feed or a tab that a string has is not hidden, it shows.
fn json_hidden(text: &str) -> usize {
    let Ok(value) = json::parse(text.as_bytes(), Limits::SEALED) else { return Visible::of(text).hidden() };
    let count = |text: &str| Visible::of(&text.replace(['\n', '\t'], "")).hidden();
    let (mut steps, mut hidden) = (vec![&value], 0);
    while let Some(value) = steps.pop() {
        match &value.kind {
            json::Kind::String(text) => hidden += count(text),
            json::Kind::Array(elements) => steps.extend(elements),
            json::Kind::Object(members) => {
                hidden += members.iter().map(|member| count(&member.name)).sum::<usize>();
                steps.extend(members.iter().map(|member| &member.value));
            }
            _ => {}
        }
    }
    hidden
}
