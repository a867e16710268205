//! Everything that is known of one outcome, as lines: what became of it, the decision as it was sent, what stands, what
//! the agent made of it, and every try.

use super::words::{Words, made_of_it};
use super::{Kind, Ours, Progress, Row};
use crate::console::screens::detail::facts::{NAME, field};
use crate::console::screens::detail::review::{reason, sum};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::timestamp::took;
use crate::domain::{Decision, Execution, Queued, Review, Standing, Try, Visible, rule_name};
use std::time::Duration;

/// The lines for so many columns.
pub(super) fn account(row: &Row, words: &Words<'_>, columns: usize) -> Vec<RoleLine> {
    let mut account = Account { words, columns, lines: Vec::new() };
    match &row.kind {
        Kind::Ours(ours) => account.ours(ours),
        Kind::Elsewhere(entry) => account.elsewhere(entry),
    }
    account.heading(match &row.kind {
        Kind::Ours(_) => "the action, as it was decided on",
        Kind::Elsewhere(_) => "the action, as it was asked",
    });
    account.lines
}

struct Account<'w, 'm> {
    words: &'w Words<'m>,
    columns: usize,
    lines: Vec<RoleLine>,
}

impl Account<'_, '_> {
    fn ours(&mut self, ours: &Ours) {
        let (label, role, text) = self.words.ours(ours);
        self.outcome(&label, role, text);
        let order = &ours.order;
        self.own("decided", &format!("{}, {}", order.verdict.word(), self.words.when(order.decided_at)));
        match &order.reason {
            Some(reason) => {
                self.push(&field("reason", &Visible::quoted(reason)));
                if let Some(name) = order.action.mute() {
                    let line = field("", &name.name());
                    self.push(&line.with(Role::Text, " cannot pass it on: it is kept for the record"));
                }
            }
            None => self.own("reason", "none was given"),
        }
        match &order.reviewer {
            Some(reviewer) => {
                let line = field("reviewer", &Visible::name(reviewer));
                self.push(&line.with(Role::Quiet, ", as sent: the name on record is the credential's"));
            }
            None => self.own("reviewer", "none was sent: the name on record is the credential's"),
        }
        self.push(&field("key", &Visible::name(&order.action.idempotency_key)));
        self.push(&field("request", &Visible::of(&order.request_id.to_string())));
        self.push(&field("digest", &Visible::of(&order.action.digest.to_string())));
        if let Some(detail) = ours.resolution().and_then(|end| end.detail.as_ref()) {
            self.push(&field("answer", &detail.quoted()).with(Role::Quiet, "  (the server's words)"));
        }
        if let Some(standing) = ours.standing() {
            self.standing(standing);
        }
        if let Some(review) = &ours.review {
            self.review(review);
        }
        if let Some(execution) = &ours.execution {
            self.execution(execution);
        }
        self.tries(ours);
    }

    fn elsewhere(&mut self, entry: &Queued) {
        let (label, role, text) = self.words.elsewhere(entry);
        self.outcome(label, role, text);
        if let Some(decision) = &entry.decision {
            self.decision(decision);
        }
        if let Some(review) = &entry.review {
            self.review(review);
        }
        if let Some(execution) = &entry.execution {
            self.execution(execution);
        }
    }

    fn outcome(&mut self, label: &str, role: Role, text: RoleLine) {
        let mut line = RoleLine::of(Role::Quiet, format!(" {:<9}", "outcome")).with(role, label);
        if !text.is_empty() {
            line.push(Role::Text, "  ");
            line.append(text);
        }
        self.push(&line);
    }

    /// Whose decision stands, as far as the server says.
    fn standing(&mut self, standing: &Standing) {
        let mut parts = Vec::new();
        if let Some(verdict) = standing.verdict {
            parts.push(RoleLine::of(Role::Text, verdict.word()));
        }
        if let Some(reviewer) = standing.reviewer.as_ref().filter(|reviewer| !reviewer.is_empty()) {
            parts.push(RoleLine::of(Role::Text, "by ").foreign(&reviewer.name()));
        }
        if let Some(at) = standing.decided_at {
            parts.push(RoleLine::of(Role::Text, format!("at {}", self.words.when(at))));
        }
        if let Some(status) = standing.status {
            parts.push(RoleLine::of(Role::Text, format!("its row is {}", status.word())));
        }
        if let Some(request) = &standing.request_id {
            parts.push(RoleLine::of(Role::Text, "request ").foreign(&Visible::name(request)));
        }
        self.parts("stands", parts);
    }

    /// The decision on record, of somebody else.
    fn decision(&mut self, decision: &Decision) {
        self.own(
            "decided",
            &format!("{}, {}", decision.verdict.word(), self.words.when(decision.decided_at)),
        );
        match &decision.reason {
            Some(reason) => self.push(&field("reason", &reason.quoted())),
            None => self.own("reason", "none was given"),
        }
        match rule_name(&decision.reviewer) {
            Some(rule) => self.push(&field("rule", &rule.quoted()).with(Role::Quiet, ", without a person")),
            None => self.push(&field("reviewer", &decision.reviewer.name())),
        }
        self.push(&field("request", &Visible::name(&decision.request_id)));
        match &decision.digest {
            Some(digest) => self.push(&field("digest", &Visible::of(&digest.to_string()))),
            None => self.own("digest", "the decision names none"),
        }
    }

    /// Everybody who has approved, with what they wrote once that is told.
    fn review(&mut self, review: &Review) {
        self.push(&RoleLine::of(Role::Quiet, format!(" {:<9}", "review")).followed_by(Some(sum(review))));
        for approval in &review.approvals {
            let line = field("approved", &approval.reviewer.name());
            let at = format!(" at {}", self.words.when(approval.decided_at));
            self.push(&reason(approval, line.with(Role::Text, at)));
        }
    }

    fn execution(&mut self, execution: &Execution) {
        let Some((role, words)) = made_of_it(execution.state) else { return };
        let mut line = RoleLine::of(Role::Quiet, format!(" {:<9}", "agent")).with(role, words);
        line.push(Role::Text, format!(" at {}", self.words.when(execution.at)));
        if let Some(note) = &execution.note {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &note.quoted());
        }
        self.push(&line);
    }

    fn tries(&mut self, ours: &Ours) {
        let tries = ours.tries();
        if tries.is_empty() && ours.under_way.is_none() {
            return;
        }
        self.heading("tries");
        for one in tries {
            self.one_try(one);
        }
        if let Some(at) = ours.under_way {
            let number = tries.last().map_or(1, |last| last.number + 1);
            let line = format!(" {number:>3}  {}  under way", self.words.time(at));
            self.push(&RoleLine::of(Role::Text, line));
        }
        let next = match &ours.progress {
            Progress::Sending { next, .. } => *next,
            Progress::Doubtful { next, .. } => Some(*next),
            _ => None,
        };
        if let Some(next) = next {
            let line = format!("      {}  next", self.words.time(next));
            self.push(&RoleLine::of(Role::Text, line));
        }
    }

    fn one_try(&mut self, one: &Try) {
        let dot = &self.words.dot;
        let status = one.http_status.map_or_else(|| " - ".to_owned(), |status| format!("{status:<3}"));
        let mut line =
            RoleLine::of(Role::Text, format!(" {:>3}  {}  ", one.number, self.words.time(one.started)));
        let (role, class) = class(one);
        line.push(role, format!("{status} {class}"));
        if let Some(error) = &one.error {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &Visible::of(error));
        }
        if one.waited > Duration::ZERO {
            line.push(Role::Quiet, format!("{dot}after {}", took(one.waited)));
        }
        line.push(Role::Quiet, format!("{dot}took {}", took(one.took)));
        self.push(&line);
    }

    /// A fact in the console's own words alone.
    fn own(&mut self, name: &str, text: &str) {
        let line = RoleLine::of(Role::Quiet, format!(" {name:<9}")).with(Role::Text, text);
        self.lines.extend(line.wrap_words(self.columns, NAME));
    }

    fn parts(&mut self, name: &str, parts: Vec<RoleLine>) {
        let mut line = RoleLine::of(Role::Quiet, format!(" {name:<9}"));
        for (number, part) in parts.into_iter().enumerate() {
            line.push(Role::Text, if number == 0 { "" } else { self.words.dot.as_str() });
            line.append(part);
        }
        self.push(&line);
    }

    fn heading(&mut self, words: &str) {
        self.lines.push(RoleLine::default());
        self.push(&RoleLine::of(Role::Title, format!(" {words}")));
    }

    fn push(&mut self, line: &RoleLine) {
        self.lines.extend(line.wrap(self.columns, NAME));
    }
}

/// What kind of an answer a try had (wire.md, part 1).
fn class(one: &Try) -> (Role, &'static str) {
    match one.http_status {
        None => (Role::Doubt, "no whole answer"),
        Some(202) => (Role::Good, "taken"),
        Some(409) => (Role::Doubt, "decided or at work already"),
        Some(429) => (Role::Doubt, "quota"),
        Some(408 | 425) | Some(500..) => (Role::Doubt, "may be tried again"),
        Some(_) => (Role::Bad, "refused"),
    }
}
