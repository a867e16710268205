//! How the list looks: one row an action, the risk first, the time left last.

use super::Row;
use super::floods::Flood;
use crate::console::app::layout::readable;
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::view::{framed, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::{Queued, Untrusted, Visible};
use crate::feed::Link;
use ratatui::Frame;
use ratatui::layout::Rect;

/// From this width a row has the age of the action too.
const WITH_AGE: usize = 50;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let (above, below) = model.queue.hidden();
    let mut title = RoleLine::of(Role::Title, format!(" Pending {} ", model.queue.len()));
    if model.queue.marked() > 0 {
        title.push(Role::Border, model.settings.theme.symbols.rule);
        title.push(Role::Notice, format!(" {} marked ", model.queue.marked()));
    }
    title = title.with(Role::Border, model.settings.theme.symbols.rule).with(Role::Title, " by deadline ");
    if let Link::Reconnecting { since, .. } = &model.link {
        // A list that nobody keeps up to date says how old it is.
        let as_of =
            since.to_zoned_datetime(model.settings.time_zone.clone()).strftime("%H:%M:%S").to_string();
        title.push(Role::Border, model.settings.theme.symbols.rule);
        title.push(Role::Doubt, format!(" as of {as_of} "));
    }
    let mut foot = RoleLine::default();
    for (count, word) in [(above, "above"), (below, "below")] {
        if count > 0 {
            foot.push(Role::Title, format!(" {count} more {word} "));
        }
    }
    let inner = framed(frame, area, model, Pane::List, &title, &foot);
    let columns = readable(inner.width);
    let lines = if model.queue.is_empty() {
        empty(model, columns)
    } else {
        let quiet = model.is_offline();
        let line = |(row, cursor)| match row {
            Row::Action(entry) => action_row(model, entry, cursor, columns, now, quiet),
            Row::Flood { agent, flood } => flood_row(model, agent, flood, cursor, columns, now),
        };
        model.queue.rows().map(line).collect()
    };
    for (line, y) in lines.iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.styled(&model.settings.theme), inner.width);
    }
}

fn action_row(
    model: &Model,
    entry: &Queued,
    cursor: bool,
    columns: usize,
    now: Now,
    quiet: bool,
) -> RoleLine {
    let action = &entry.action;
    let left = left(countdown(between(now.wall, action.expires_at)));
    let mut tail = RoleLine::default();
    if columns >= WITH_AGE {
        tail.push(Role::Quiet, format!(" {:>4}", age(between(action.created_at, now.wall))));
    }
    tail.push(Role::Text, format!(" {left:>7}"));
    let plain = if quiet { Role::Quiet } else { Role::Foreign };
    let name = if cursor { Role::Cursor } else { plain };
    let symbols = &model.settings.theme.symbols;
    let mut line = RoleLine::of(Role::Cursor, if cursor { symbols.cursor } else { " " });
    line.push(Role::Notice, if model.queue.is_marked(action) { symbols.mark } else { " " });
    line.push(risk_role(action.risk), action.risk.badge());
    line.push(Role::Text, " ");
    let width = if columns < WITH_AGE { 12 } else { 14 };
    let mut field = RoleLine::default();
    field.push_foreign(name, &action.name.head(width));
    line.append(field.fit(width));
    line.push(Role::Text, " ");
    let rest = columns.saturating_sub(line.width() + tail.width());
    let head = |summary: &Untrusted| summary.head(rest);
    let words = action.summary.as_ref().map_or_else(|| Visible::head(action.payload(), rest), head);
    let mut field = RoleLine::default();
    field.push_foreign(plain, &words);
    line.append(field.fit(rest));
    line.append(tail);
    line
}

/// What one agent asked faster than anybody could read: how many wait, and until when the first of them does.
fn flood_row(
    model: &Model,
    agent: &Untrusted,
    flood: &Flood,
    cursor: bool,
    columns: usize,
    now: Now,
) -> RoleLine {
    let symbols = &model.settings.theme.symbols;
    let tail = format!(" {:>7}", left(countdown(between(now.wall, flood.expires_at()))));
    let mut line = RoleLine::of(Role::Cursor, if cursor { symbols.cursor } else { " " });
    line.push(Role::Text, " ");
    line.push(risk_role(flood.risk), flood.risk.badge());
    let paused = if model.paused.contains_key(agent) { "paused, " } else { "" };
    line.push(Role::Notice, format!(" {} {paused}asked too fast: ", flood.len()));
    let room = columns.saturating_sub(line.width() + tail.len());
    line.append(RoleLine::default().foreign(&agent.name().cut(room)).fit(room));
    line.with(Role::Text, tail)
}

/// `4:31` rather than `04:31`: the column is narrow.
fn left(countdown: String) -> String {
    match countdown.strip_prefix('0') {
        Some(shorter) if shorter.len() == 4 => shorter.to_owned(),
        _ => countdown,
    }
}

fn empty(model: &Model, columns: usize) -> Vec<RoleLine> {
    let mut lines = vec![RoleLine::default(), RoleLine::of(Role::Text, " Nothing is waiting.")];
    for text in &model.settings.how_to_ask {
        lines.extend(RoleLine::of(Role::Quiet, format!(" {text}")).wrap_words(columns, 1));
    }
    lines
}
