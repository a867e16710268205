//! How outcomes look, in the words of screen.md: `12:04:12  reject   execute_trade  409 mine   landed on an earlier try …`.

use super::{Kind, Ours, Progress, Row};
use crate::console::app::{Model, Now, Pane};
use crate::console::keymap::{Intent, Scope};
use crate::console::screens::view::framed;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::dispatch::RESEND_FOR;
use crate::domain::timestamp::{between, took};
use crate::domain::{
    ActionState, Execution, ExecutionState, Outcome, Queued, Resolution, Standing, Untrusted, Verdict,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;

/// From this width a row has room for when and what before what became of it.
const ROOMY: usize = 90;
/// Columns that the last answer may have while the next try is waited for.
const LONGEST_ANSWER: usize = 36;
/// What the demo says of itself where there is no room for more.
const DEMO: &str = " A demo: agents, alice and faults are simulated (? says more)";
/// Columns that the server's words may have.
const LONGEST_DETAIL: usize = 120;
/// Columns that the agent's note on how it went may have.
const LONGEST_NOTE: usize = 200;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let mut foot = RoleLine::default();
    if model.outcomes.below() > 0 {
        foot.push(Role::Title, format!(" {} more below ", model.outcomes.below()));
    }
    let title = RoleLine::of(Role::Title, " Outcomes ");
    let inner = framed(frame, area, model, Pane::Outcomes, &title, &foot);
    let columns = usize::from(inner.width);
    let focused = model.focus == Pane::Outcomes && model.bar.is_none();
    let cursor = model.outcomes.selected().map(|row| row.id).filter(|_| focused);
    let rows = model.outcomes.shown();
    let mut lines: Vec<_> =
        rows.into_iter().map(|row| line(model, row, cursor == Some(row.id), columns, now)).collect();
    if lines.is_empty() {
        lines.push(RoleLine::of(Role::Quiet, " No decision yet."));
        if let Some(simulated) = &model.settings.simulated {
            let all = RoleLine::of(Role::Quiet, format!(" {simulated}")).wrap_words(columns, 1);
            let fits = lines.len() + all.len() <= usize::from(inner.height);
            let short = || RoleLine::of(Role::Quiet, DEMO).wrap_words(columns, 1);
            lines.extend(if fits { all } else { short() });
        }
    }
    for (line, y) in lines.iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.styled(&model.settings.theme), inner.width);
    }
}

/// The newest outcome where there is room for one line.
pub(in crate::console::screens) fn draw_newest(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let columns = usize::from(area.width);
    let line = match model.outcomes.newest() {
        Some(row) => line(model, row, false, columns, now),
        None if model.settings.simulated.is_some() => RoleLine::of(Role::Quiet, DEMO),
        None => RoleLine::of(Role::Quiet, " No decision yet."),
    };
    let line = line.cut(columns).styled(&model.settings.theme);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

fn line(model: &Model, row: &Row, cursor: bool, columns: usize, now: Now) -> RoleLine {
    let symbols = &model.settings.theme.symbols;
    let words = Words {
        zone: &model.settings.time_zone,
        dot: format!(" {} ", symbols.dot),
        now,
        undo: key_bar::name(&model.settings.keymap, &[Scope::Outcomes, Scope::Global], Intent::Undo),
        offline: model.is_offline(),
    };
    let (verb, label, role, text) = match &row.kind {
        Kind::Ours(ours) => {
            let (label, role, text) = words.ours(ours);
            (ours.order.verdict.word(), label, role, text)
        }
        Kind::Elsewhere(entry) => {
            let (label, role, text) = words.elsewhere(entry);
            ("-", label.to_owned(), role, text)
        }
    };
    let mark = if cursor { symbols.cursor } else { " " };
    let mut line = RoleLine::of(Role::Cursor, mark);
    if columns >= ROOMY {
        line.push(Role::Quiet, words.time(row.at));
        line.push(Role::Text, format!("  {verb:<7}  "));
        line.append(RoleLine::default().foreign(&row.action.name.name().cut(14)).fit(14));
        line.push(role, format!("  {label:<9}  "));
    } else {
        // What became of it matters more than when and what: the time to the next try must not be cut.
        line.push(role, format!("{label} "));
        line.push(Role::Text, format!("{verb} "));
        line.append(RoleLine::default().foreign(&row.action.name.name().cut(12)));
        line.push(Role::Text, " ");
    }
    line.append(text);
    line.cut(columns)
}

/// What became of it where everything is printed line by line: the label and the words after it.
pub(in crate::console) fn sentence(model: &Model, row: &Row, now: Now) -> (String, RoleLine) {
    let zone = &model.settings.time_zone;
    let words = Words { zone, dot: ", ".into(), now, undo: None, offline: model.is_offline() };
    let (label, _, text) = match &row.kind {
        Kind::Ours(ours) => words.ours(ours),
        Kind::Elsewhere(entry) => {
            let (label, role, text) = words.elsewhere(entry);
            (label.to_owned(), role, text)
        }
    };
    (label, text)
}

struct Words<'m> {
    zone: &'m TimeZone,
    dot: String,
    now: Now,
    /// The key that takes a held decision back.
    undo: Option<String>,
    offline: bool,
}

impl Words<'_> {
    fn time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// The time of day, and the day with it where it is another than today.
    fn when(&self, at: Timestamp) -> String {
        let [day, today] = [at, self.now.wall].map(|at| at.to_zoned_datetime(self.zone.clone()).date());
        if day == today { self.time(at) } else { format!("{day} {}", self.time(at)) }
    }

    /// The label, its role, and the words after it.
    fn ours(&self, ours: &Ours) -> (String, Role, RoleLine) {
        match &ours.progress {
            Progress::Sending { number, of, last, next, looking } => {
                let mut text = RoleLine::default();
                if *number > 0 {
                    text.push(Role::Text, format!("try {number} of {of}"));
                }
                if let Some(last) = last {
                    text.push(Role::Text, self.dot.as_str());
                    // The time to the next try has its place in a terminal of 120 columns whatever was said.
                    text.push_foreign(Role::Foreign, &last.head(LONGEST_ANSWER));
                }
                if let Some(next) = next {
                    let left = between(self.now.wall, *next).as_millis().div_ceil(100);
                    text.push(Role::Text, format!("{}next in {}.{} s", self.dot, left / 10, left % 10));
                }
                if *looking {
                    text.push(Role::Text, format!("{}asking what stands", self.dot));
                }
                ("sending".into(), Role::Doubt, text)
            }
            Progress::Recording => ("sending".into(), Role::Doubt, RoleLine::default()),
            Progress::Held { until } => {
                let left = between(self.now.wall, *until).as_millis().div_ceil(1_000);
                let mut text = RoleLine::of(Role::Text, format!("goes out in {left} s"));
                if let Some(undo) = &self.undo {
                    text.push(Role::Text, self.dot.as_str());
                    text.push(Role::KeyName, undo.as_str());
                    text.push(Role::Text, " takes it back");
                }
                ("held".into(), Role::Doubt, text)
            }
            Progress::Queued => {
                let words = if self.offline {
                    "on disk, goes out when the link is back"
                } else {
                    "on disk, goes out next"
                };
                ("queued".into(), Role::Doubt, RoleLine::of(Role::Text, words))
            }
            Progress::Doubtful { next, resolution } => {
                let mut text = self.ended(ours, resolution);
                let left = took(between(self.now.wall, *next));
                text.push(Role::Text, format!("{}asks again in {left}", self.dot));
                ("unconfirmed".into(), Role::Doubt, text)
            }
            Progress::Dropped => {
                ("undone".into(), Role::Quiet, RoleLine::of(Role::Text, "taken back, nothing was sent"))
            }
            Progress::Returned { why } => {
                let text = RoleLine::of(Role::Text, "not sent, it waits again: ").foreign(&why.visible());
                ("returned".into(), Role::Bad, text)
            }
            Progress::NotTaken { why } => {
                let text = RoleLine::of(Role::Text, "nothing was sent: ").foreign(&why.visible());
                ("not taken".into(), Role::Bad, text)
            }
            Progress::Stopped { why } => {
                let text =
                    RoleLine::of(Role::Text, "on disk, goes on at the next start: ").foreign(&why.visible());
                ("stopped".into(), Role::Bad, text)
            }
            Progress::Nowhere => {
                let text = "there is no server to send it to (--server)";
                ("not sent".into(), Role::Bad, RoleLine::of(Role::Text, text))
            }
            Progress::Ended(end) => {
                let mut text = self.ended(ours, end);
                if let Some(execution) = &ours.execution {
                    self.execution(execution, &mut text);
                }
                (end.outcome.label(end.http_status), role(&end.outcome), text)
            }
        }
    }

    fn ended(&self, ours: &Ours, end: &Resolution) -> RoleLine {
        let verdict = ours.order.verdict;
        let say = |words: &str| RoleLine::of(Role::Text, words);
        let mut line = match &end.outcome {
            Outcome::Accepted => say("accepted"),
            Outcome::Committed => say("committed"),
            Outcome::Failed => say("its processing failed"),
            Outcome::Mine => say("landed on an earlier try, its answer was lost"),
            Outcome::Same => self.standing(end.standing.as_ref(), verdict),
            Outcome::Conflict => self
                .standing(end.standing.as_ref(), opposite(verdict))
                .with(Role::Text, format!("{}your {} had no effect", self.dot, verdict.noun())),
            Outcome::InProgress => say("the server is still at it"),
            Outcome::Unknown => say("already processed, the server does not say by whom"),
            Outcome::Quota { until: Some(until) } => {
                say(&format!("quota used up until {}", self.when(*until)))
            }
            Outcome::Quota { until: None } => say("quota used up"),
            Outcome::Refused => say("refused"),
            Outcome::Unconfirmed if self.may_run_twice(ours, end) => {
                say("no answer: it may have landed; sent again, it may run twice")
            }
            Outcome::Unconfirmed => say("no answer can be had: it may have landed"),
            Outcome::NotSent => say("nothing reached the server"),
        };
        // Where it is known what stands, the server's own words add nothing.
        let known = matches!(
            end.outcome,
            Outcome::Accepted | Outcome::Committed | Outcome::Mine | Outcome::Same | Outcome::Conflict
        );
        if let (false, Some(detail)) = (known, &end.detail) {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &detail.quoted().cut(LONGEST_DETAIL));
        }
        if end.tries.len() > 1 {
            line.push(Role::Text, format!("{}{} tries", self.dot, end.tries.len()));
        }
        if let Some(time) = ours.took {
            line.push(Role::Quiet, format!("{}{}", self.dot, took(time)));
        }
        line
    }

    /// Whether its key may be open again at the server although it was carried out (wire.md, part 1).
    fn may_run_twice(&self, ours: &Ours, end: &Resolution) -> bool {
        let since = end.tries.first().map_or(ours.order.decided_at, |first| first.started);
        between(since, self.now.wall) >= RESEND_FOR
    }

    /// `alice rejected it at 12:03:11`, with what the server does not say left out.
    fn standing(&self, standing: Option<&Standing>, verdict: Verdict) -> RoleLine {
        let who = standing.and_then(|standing| standing.reviewer.as_ref());
        let mut line = self.who(who);
        line.push(Role::Text, format!(" {} it", verdict.past()));
        if let Some(at) = standing.and_then(|standing| standing.decided_at) {
            line.push(Role::Text, format!(" at {}", self.when(at)));
        }
        line
    }

    fn who(&self, reviewer: Option<&Untrusted>) -> RoleLine {
        let unnamed = || RoleLine::of(Role::Text, "another reviewer");
        let named = |name: &Untrusted| RoleLine::default().foreign(&name.name().cut(24));
        reviewer.filter(|name| !name.is_empty()).map_or_else(unnamed, named)
    }

    fn elsewhere(&self, entry: &Queued) -> (&'static str, Role, RoleLine) {
        let say = |words: &str| RoleLine::of(Role::Text, words);
        let (label, role, mut line) = match (entry.state, &entry.decision) {
            (ActionState::Expired, _) => ("expired", Role::Bad, say("nobody decided in time: not run")),
            (ActionState::Cancelled, _) => ("withdrawn", Role::Quiet, say("the agent no longer asks")),
            (_, Some(decision)) => {
                let mut line = self.who(Some(&decision.reviewer));
                line.push(
                    Role::Text,
                    format!(" {} it at {}", decision.verdict.past(), self.when(decision.decided_at)),
                );
                ("elsewhere", Role::Quiet, line)
            }
            (_, None) => {
                ("settled", Role::Quiet, say("settled while the link was down: how is not known here"))
            }
        };
        if let Some(execution) = &entry.execution {
            self.execution(execution, &mut line);
        }
        (label, role, line)
    }

    /// What the agent made of it, with its own words labelled as such.
    fn execution(&self, execution: &Execution, line: &mut RoleLine) {
        let (role, words) = match execution.state {
            ExecutionState::Waiting => return,
            ExecutionState::Consumed => (Role::Doubt, "the agent runs it"),
            ExecutionState::Succeeded => (Role::Good, "the agent says it went well"),
            ExecutionState::Failed => (Role::Bad, "the agent says it failed"),
        };
        line.push(Role::Text, self.dot.as_str());
        line.push(role, words);
        if let Some(note) = &execution.note {
            line.push(Role::Text, ": ");
            line.push_foreign(Role::Foreign, &note.quoted().cut(LONGEST_NOTE));
        }
    }
}

fn role(outcome: &Outcome) -> Role {
    match outcome {
        Outcome::Accepted | Outcome::Committed | Outcome::Mine => Role::Good,
        Outcome::Same | Outcome::InProgress | Outcome::Unknown | Outcome::Unconfirmed => Role::Doubt,
        _ => Role::Bad,
    }
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Approve => Verdict::Reject,
        Verdict::Reject => Verdict::Approve,
    }
}
