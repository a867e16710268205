//! How the bar looks: what would be decided behind a gutter, and under it, on a line of its own, what the keys do.

use super::target;
use crate::console::app::Model;
use crate::console::keymap::Intent;
use crate::console::screens::view::{frame_of, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::domain::{Verdict, Visible};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let Some(bar) = &model.bar else { return };
    let theme = &model.settings.theme;
    let question = if bar.verdict == Verdict::Approve { " Approve? " } else { " Reject? " };
    let mut title = RoleLine::of(Role::Title, question).with(Role::Border, theme.symbols.rule);
    title.push(Role::Text, " ");
    title.push(risk_role(bar.action.risk), bar.action.risk.badge().trim_end());
    title.push(Role::Text, " ");
    let inner = frame_of(frame, area, model, true, &title, &RoleLine::default());
    let columns = usize::from(inner.width);

    let gutter = format!("{} ", theme.symbols.gutter);
    let digest = format!(" {} {}", theme.symbols.dot, bar.action.digest.short());
    let mut what = RoleLine::of(Role::Gutter, gutter.as_str());
    let room = columns.saturating_sub(gutter.len() + digest.chars().count() + " by ".len());
    let agent = bar.action.agent.head(room / 2);
    what.push_foreign(Role::Cursor, &bar.action.name.head(room.saturating_sub(agent.width())));
    what.push(Role::Text, " by ");
    what.append(RoleLine::default().foreign(&agent));
    what.push(Role::Quiet, digest);
    let mut aim = RoleLine::of(Role::Gutter, gutter);
    match target(&bar.action) {
        Some(target) => aim.push_foreign(Role::Foreign, &target),
        None => aim.push(Role::Quiet, "(nothing in its payload says what it is aimed at)"),
    }
    for (line, y) in [what, aim].iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.cut(columns).styled(theme), inner.width);
    }
    let y = inner.y + 2;
    if y >= inner.bottom() {
        return;
    }
    let Some(input) = &bar.reason else {
        let key = |intent| key_bar::name(&model.settings.keymap, &model.scopes(), intent).unwrap_or_default();
        let words = RoleLine::of(Role::KeyName, format!(" {}", key(Intent::Confirm)))
            .with(Role::Text, " approves it, ")
            .with(Role::KeyName, key(Intent::Leave))
            .with(Role::Text, " leaves it");
        frame.buffer_mut().set_line(inner.x, y, &words.cut(columns).styled(theme), inner.width);
        return;
    };
    let label = " reason: ";
    frame.buffer_mut().set_line(inner.x, y, &RoleLine::of(Role::Quiet, label).styled(theme), inner.width);
    let x = inner.x + u16::try_from(label.len()).unwrap_or(0);
    let room = usize::from(inner.right().saturating_sub(x)).saturating_sub(1);
    // What the reviewer types is the reviewer's own, but a paste can hold anything.
    let before: String = input.value().chars().take(input.cursor()).collect();
    let cursor = Visible::of(&before).width();
    let skip = cursor.saturating_sub(room);
    let text = RoleLine::default().foreign(&Visible::of(input.value()));
    let shown = text.skip(skip).cut(room.max(1));
    frame.buffer_mut().set_line(x, y, &shown.styled(theme), inner.right().saturating_sub(x));
    let cursor = u16::try_from(cursor - skip).unwrap_or(0);
    frame.set_cursor_position(Position { x: (x + cursor).min(inner.right().saturating_sub(1)), y });
}
