//! How the action in full looks: a title with risk and time left, facts, the payload behind its gutter.

use super::{BodyLine, GUTTER};
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::view::{framed, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::{Action, Visible};
use ratatui::Frame;
use ratatui::layout::Rect;

/// The name of the action keeps this many columns of the title, however much else there is to say.
const SHORTEST_NAME: usize = 8;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let theme = &model.settings.theme;
    let Some(entry) = model.queue.selected() else {
        let inner = framed(frame, area, model, Pane::Detail, &RoleLine::default(), &RoleLine::default());
        let words = if model.queue.is_empty() { "" } else { " The cursor is on nothing." };
        let line = RoleLine::of(Role::Quiet, words).styled(theme);
        frame.buffer_mut().set_line(inner.x, inner.y, &line, inner.width);
        return;
    };
    let action = &entry.action;
    let title = title(model, action, usize::from(area.width).saturating_sub(4), now);
    let inner = framed(frame, area, model, Pane::Detail, &title, &foot(model));
    let columns = usize::from(inner.width);
    let facts = model.detail.facts();
    let asked = Visible::of(&format!("{} ago", age(between(action.created_at, now.wall))));
    for (number, y) in model.detail.scroll.window().zip(inner.top()..inner.bottom()) {
        let line = match facts.lines.get(number) {
            Some(line) => line.cut(columns),
            None => match model.detail.body().get(number - facts.lines.len()) {
                Some(BodyLine::Foreign(line)) => {
                    let mut behind = RoleLine::of(Role::Gutter, format!("{:<GUTTER$}", theme.symbols.gutter));
                    behind.append(line.clone());
                    behind
                }
                Some(BodyLine::Own(line)) => line.clone(),
                None => RoleLine::default(),
            },
        };
        frame.buffer_mut().set_line(inner.x, y, &line.styled(theme), inner.width);
        if let Some(column) = facts.asked.filter(|(line, _)| *line == number).map(|(_, column)| column) {
            let x = inner.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
            let asked = RoleLine::default().foreign(&asked).styled(theme);
            frame.buffer_mut().set_line(x, y, &asked, inner.right().saturating_sub(x));
        }
    }
}

/// ` send_email ─ HIGH ─ expires in 04:31, then: not run `: the console's own words are never pushed out by the name.
fn title(model: &Model, action: &Action, columns: usize, now: Now) -> RoleLine {
    let rule = format!(" {} ", model.settings.theme.symbols.rule);
    let left = countdown(between(now.wall, action.expires_at));
    let mut own = RoleLine::of(Role::Border, rule.as_str());
    own.push(risk_role(action.risk), action.risk.badge().trim_end());
    own.push(Role::Border, rule.as_str());
    if model.detail.hidden() > 0 {
        own.push(Role::Bad, format!("hidden characters: {}", model.detail.hidden()));
        own.push(Role::Border, rule);
    }
    own.push(Role::Title, format!("expires in {left}"));
    let then = ", then: not run";
    if own.width() + then.len() + SHORTEST_NAME < columns {
        own.push(Role::Title, then);
    }
    own.push(Role::Text, " ");
    let mut title = RoleLine::of(Role::Text, " ");
    let mut name = RoleLine::default();
    let room = columns.saturating_sub(own.width() + 1).max(SHORTEST_NAME);
    name.push_foreign(Role::Title, &action.name.head(room));
    title.append(name);
    title.append(own);
    title
}

fn foot(model: &Model) -> RoleLine {
    let scroll = &model.detail.scroll;
    if scroll.total <= scroll.rows {
        return RoleLine::default();
    }
    let (window, symbols) = (scroll.window(), &model.settings.theme.symbols);
    let mut foot = format!(" lines {}{}{} of {} ", window.start + 1, symbols.to, window.end, scroll.total);
    if scroll.below() > 0 {
        foot.push_str(&format!("{} {} more below ", symbols.rule, scroll.below()));
    }
    RoleLine::of(Role::Title, foot)
}

/// The facts above the payload, laid out once for an action and a width. How long ago it was asked changes with the
/// time, so a blank is left for it.
#[derive(Debug, Clone, Default)]
pub(in crate::console::screens) struct Facts {
    /// The lines.
    pub(super) lines: Vec<RoleLine>,
    /// The line and the column where the age is drawn.
    asked: Option<(usize, usize)>,
}

/// Columns of the name of a fact.
const NAME: usize = 10;
/// Columns of the fact that says how long ago it was asked.
const ASKED: usize = 20;

pub(in crate::console::screens) fn facts(action: &Action, columns: usize, roomy: bool) -> Facts {
    let field = |name: &str, value: &Visible| RoleLine::of(Role::Quiet, format!(" {name:<9}")).foreign(value);
    let asked = field("asked", &Visible::default()).fit(ASKED);
    let agent = match &action.server {
        Some(server) => {
            field("agent", &action.agent.visible()).with(Role::Quiet, " via ").foreign(&server.visible())
        }
        None => field("agent", &action.agent.visible()),
    };
    let key = Visible::of(&action.idempotency_key);
    let mut lines = Vec::new();
    let mut pair = |left: RoleLine, right: RoleLine| {
        let half = columns / 2;
        if left.width() < half && right.width() <= columns - half {
            let mut line = left.fit(half);
            line.append(right);
            lines.push(line);
            (lines.len() - 1, half)
        } else {
            lines.extend(left.wrap(columns, NAME));
            let last = lines.len();
            lines.extend(right.wrap(columns, NAME));
            (last, 0)
        }
    };
    // Where the right one of a pair begins; `asked` never takes more than a line.
    let asked = if roomy {
        pair(agent, field("thread", &action.thread_id.visible()));
        let (line, column) = pair(asked, field("key", &key));
        (if column > 0 { line } else { line - 1 }, NAME)
    } else {
        let (line, column) = pair(agent, asked);
        (line, column + NAME)
    };
    if let Some(summary) = &action.summary {
        let mut says = RoleLine::of(Role::Quiet, " says     \"").foreign(&summary.visible());
        says.push(Role::Quiet, "\"");
        lines.extend(says.wrap(columns, 10));
        let label = RoleLine::of(Role::Quiet, "  (agent's words)");
        match lines.last_mut() {
            Some(last) if last.width() + label.width() <= columns => last.append(label),
            _ => lines.push(RoleLine::of(Role::Text, " ".repeat(8)).with(Role::Quiet, "  (agent's words)")),
        }
    }
    if roomy {
        lines.push(
            field("digest", &Visible::of(&format!("sha256:{}", action.digest.short())))
                .with(Role::Quiet, " …"),
        );
        lines.push(RoleLine::of(Role::Quiet, " payload"));
    }
    Facts { lines, asked: Some(asked) }
}
