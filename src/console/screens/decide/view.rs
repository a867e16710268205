//! How the bar looks: what would be decided behind a gutter, under it what has to be typed, and last, on a line of its
//! own, what the keys do. Over it, where several are decided, their table.

use super::table::Line;
use super::target::target;
use super::{Bar, Field, Subject, Table};
use crate::console::app::{Layout, Model};
use crate::console::keymap::Intent;
use crate::console::screens::view::{frame_of, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::domain::action::Covers;
use crate::domain::{Action, Verdict};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// Columns that are left to type into at least, where a label can be shorter.
const TYPING: usize = 24;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, layout: &Layout, model: &Model) {
    let (Some(bar), Some(area)) = (&model.bar, layout.bar) else { return };
    if let (Subject::Marked(table), Some(area)) = (&bar.subject, layout.table) {
        draw_table(frame, area, model, table);
    }
    let theme = &model.settings.theme;
    let question = if bar.verdict == Verdict::Approve { " Approve? " } else { " Reject? " };
    let mut title = RoleLine::of(Role::Title, question);
    if let Subject::One(action) = &bar.subject {
        title.push(Role::Border, theme.symbols.rule);
        title.push(Role::Text, " ");
        title.push(risk_role(action.risk), action.risk.badge().trim_end());
        title.push(Role::Text, " ");
    }
    let inner = frame_of(frame, area, model, true, &title, &RoleLine::default());
    let columns = usize::from(inner.width);
    let mut lines = match &bar.subject {
        Subject::One(action) => about_one(model, bar, action, columns),
        Subject::Marked(table) => vec![about_marked(bar.verdict, table)],
    };
    let fields = [
        bar.letters.as_ref().map(|letters| {
            let label = RoleLine::of(Role::Text, " type ").with(Role::Title, letters.wanted.as_str());
            (Field::Letters, label.with(Role::Text, ": "), &letters.typed)
        }),
        bar.reason.as_ref().map(|reason| (Field::Reason, reason_label(bar.actions(), columns), reason)),
    ];
    for (field, label, input) in fields.into_iter().flatten() {
        let y = inner.y + u16::try_from(lines.len()).unwrap_or(0);
        let (line, cursor) = input.line(label, columns);
        if bar.field == Some(field) && y < inner.bottom() {
            frame.set_cursor_position(Position { x: inner.x + u16::try_from(cursor).unwrap_or(0), y });
        }
        lines.push(line);
    }
    if !bar.has_fields() {
        lines.push(keys(model));
    }
    for (line, y) in lines.iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.cut(columns).styled(theme), inner.width);
    }
}

/// Rows that the bar needs inside its frame.
pub(in crate::console) fn rows(bar: &Bar) -> u16 {
    let about = match &bar.subject {
        Subject::One(action) => 2 + u16::from(warns_of_many(bar, action)),
        Subject::Marked(_) => 1,
    };
    let fields = u16::from(bar.letters.is_some()) + u16::from(bar.reason.is_some());
    about + fields.max(1)
}

/// Whether it has to be said that the yes is not for one call alone.
fn warns_of_many(bar: &Bar, action: &Action) -> bool {
    bar.verdict == Verdict::Approve && action.covers_many_calls()
}

/// What stands before the reason, with as much as there is room for of where it does not get to.
fn reason_label(actions: &[Arc<Action>], columns: usize) -> RoleLine {
    let quiet = |words: &str| RoleLine::of(Role::Quiet, words);
    let mute: Vec<_> = actions.iter().filter_map(|action| action.mute()).collect();
    let Some(name) = mute.first() else { return quiet(" reason: ") };
    let who = match (actions.len(), mute.len()) {
        (1, _) => RoleLine::default().foreign(&name.name()),
        (all, some) if all == some => quiet("none of these"),
        (all, some) => quiet(&format!("{some} of {all}")),
    };
    let labels = [
        quiet(" reason (kept for the record; ")
            .followed_by(Some(who.clone()))
            .with(Role::Quiet, " cannot pass it on): "),
        quiet(" reason (").followed_by(Some(who)).with(Role::Quiet, " cannot pass it on): "),
        quiet(" reason (for the record): "),
    ];
    let [.., shortest] = &labels;
    labels.iter().find(|label| label.width() + TYPING <= columns).unwrap_or(shortest).clone()
}

fn about_one(model: &Model, bar: &Bar, action: &Action, columns: usize) -> Vec<RoleLine> {
    let symbols = &model.settings.theme.symbols;
    let gutter = format!("{} ", symbols.gutter);
    let digest = format!(" {} {}", symbols.dot, action.digest.short());
    let mut what = RoleLine::of(Role::Gutter, gutter.as_str());
    let room = columns.saturating_sub(gutter.len() + digest.chars().count() + " by ".len());
    let agent = action.agent.name().cut(room / 2);
    what.push_foreign(Role::ForeignName, &action.name.name().cut(room.saturating_sub(agent.width())));
    what.push(Role::Text, " by ");
    what.append(RoleLine::default().foreign(&agent));
    what.push(Role::Quiet, digest);
    let mut aim = RoleLine::of(Role::Gutter, gutter);
    match target(action) {
        Some(target) => aim.push_foreign(Role::Foreign, &target),
        None => aim.push(Role::Quiet, "(nothing in its payload says what it is aimed at)"),
    }
    let many = warns_of_many(bar, action)
        .then(|| RoleLine::of(Role::Bad, format!(" {}", Covers::ManyCalls.words())));
    [what, aim].into_iter().chain(many).collect()
}

fn about_marked(verdict: Verdict, table: &Table) -> RoleLine {
    let what = match verdict {
        Verdict::Approve => "approves",
        Verdict::Reject => "rejects",
    };
    let line = RoleLine::of(Role::Title, format!(" {what} {}", table.taken().len()));
    let line = line.with(Role::Text, " of what is marked");
    match table.left_out() {
        0 => line,
        left_out => line.with(Role::Notice, format!(", leaves out {left_out}")),
    }
}

/// `Enter approves it, Esc leaves it`
fn keys(model: &Model) -> RoleLine {
    let key = |intent| key_bar::name(&model.settings.keymap, &model.scopes(), intent).unwrap_or_default();
    RoleLine::of(Role::KeyName, format!(" {}", key(Intent::Confirm)))
        .with(Role::Text, " decides, ")
        .with(Role::KeyName, key(Intent::Leave))
        .with(Role::Text, " leaves it")
}

fn draw_table(frame: &mut Frame<'_>, area: Rect, model: &Model, table: &Table) {
    let theme = &model.settings.theme;
    let title = RoleLine::of(Role::Title, format!(" Marked {} ", table.taken().len() + table.left_out()));
    let mut foot = RoleLine::default();
    if table.scroll.below() > 0 {
        foot.push(Role::Title, format!(" {} more below ", table.scroll.below()));
    }
    let inner = frame_of(frame, area, model, false, &title, &foot);
    for (line, y) in table.window().iter().zip(inner.top()..inner.bottom()) {
        let line = match line {
            Line::Own(line) => line.clone(),
            Line::Foreign(line) => {
                let mut behind = RoleLine::of(Role::Gutter, format!("{} ", theme.symbols.gutter));
                behind.append(line.clone());
                behind
            }
        };
        frame.buffer_mut().set_line(inner.x, y, &line.styled(theme), inner.width);
    }
}
