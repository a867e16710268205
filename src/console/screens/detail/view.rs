//! How the action in full looks: a title with risk and time left, facts, the payload behind its gutter.

use super::{BodyLine, GUTTER};
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::view::{framed, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::{Action, Visible};
use jiff::Timestamp;
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
    let facts = facts(action, columns, model.detail.roomy(), now.wall);
    for (number, y) in model.detail.scroll.window().zip(inner.top()..inner.bottom()) {
        let line = match facts.get(number) {
            Some(line) => line.cut(columns),
            None => match model.detail.body().get(number - facts.len()) {
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
    name.push_foreign(Role::Title, &action.name.visible());
    title.append(name.cut(columns.saturating_sub(own.width() + 1).max(SHORTEST_NAME)));
    title.append(own);
    title
}

fn foot(model: &Model) -> RoleLine {
    let scroll = &model.detail.scroll;
    if scroll.total <= scroll.rows {
        return RoleLine::default();
    }
    let window = scroll.window();
    let mut foot = format!(" lines {}–{} of {} ", window.start + 1, window.end, scroll.total);
    if scroll.below() > 0 {
        foot.push_str(&format!("{} {} more below ", model.settings.theme.symbols.rule, scroll.below()));
    }
    RoleLine::of(Role::Title, foot)
}

/// The facts above the payload; their number does not change with the time.
pub(super) fn facts(action: &Action, columns: usize, roomy: bool, now: Timestamp) -> Vec<RoleLine> {
    let field = |name: &str, value: &Visible| RoleLine::of(Role::Quiet, format!(" {name:<9}")).foreign(value);
    let asked = Visible::of(&format!("{} ago", age(between(action.created_at, now))));
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
        } else {
            lines.extend(left.wrap(columns, 10));
            lines.extend(right.wrap(columns, 10));
        }
    };
    if roomy {
        pair(agent, field("thread", &action.thread_id.visible()));
        // Padded, so that a growing age never changes how the lines break.
        pair(field("asked", &asked).fit(20), field("key", &key));
    } else {
        pair(agent, field("asked", &asked).fit(20));
    }
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
    lines
}
