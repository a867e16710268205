//! The whole frame: `view(&Model, &mut Frame)`. Draws and changes nothing.

use super::outcomes::Page;
use super::queue::GroupKey;
use super::{command, copy, decide, detail, help, outcomes, queue, top};
use crate::console::app::layout::inside;
use crate::console::app::{Model, Now, Pane};
use crate::console::keymap::{Intent, Scope};
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::domain::Risk;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Block;

/// Draws the model as it is now.
pub fn view(model: &Model, frame: &mut Frame<'_>, now: Now) {
    let area = frame.area();
    let layout = &model.layout;
    if layout.too_small || (area.width, area.height) != model.size {
        let times = model.settings.theme.symbols.times;
        let words = RoleLine::of(Role::Text, format!("terminal too small (needs 40{times}12)"));
        for (line, y) in words.wrap(usize::from(area.width), 0).iter().zip(area.top()..area.bottom()) {
            frame.buffer_mut().set_line(area.x, y, &line.styled(&model.settings.theme), area.width);
        }
        return;
    }
    if let Some(open) = &model.help {
        help::draw(frame, area, model, open);
        return;
    }
    top::draw(frame, layout.top, model, now);
    if let Some(area) = layout.list {
        queue::view::draw(frame, area, model, now);
    }
    if let Some(area) = layout.detail {
        detail::view::draw(frame, area, model, now);
    }
    if let Some(area) = layout.outcomes {
        outcomes::view::draw(frame, area, model, now);
    }
    if let Some(area) = layout.newest {
        outcomes::view::draw_newest(frame, area, model, now);
    }
    decide::view::draw(frame, layout, model);
    if model.command.is_open() {
        command::view::draw(frame, layout.keys, model);
    } else {
        keys(frame, layout.keys, model);
        copy::view::draw(frame, layout.keys, model);
    }
}

fn keys(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let columns = usize::from(area.width);
    if let Some(search) = model.search().filter(|search| search.is_typing() && model.help.is_none()) {
        let theme = &model.settings.theme;
        let hints = key_bar::line(&model.settings.keymap, &model.scopes(), &hints(model), columns / 2);
        let room = columns.saturating_sub(hints.width() + 2).max(columns / 2);
        let (mut line, column) = search.field().line(RoleLine::of(Role::KeyName, " /"), room);
        let place = Position { x: area.x + u16::try_from(column).unwrap_or(0), y: area.y };
        line = line.fit(room);
        line.append(hints);
        frame.buffer_mut().set_line(area.x, area.y, &line.cut(columns).styled(theme), area.width);
        frame.set_cursor_position(place);
        return;
    }
    let held = model.outcomes.held();
    let line = match &model.notice {
        _ if model.leaving => {
            let mut line = RoleLine::of(Role::Notice, format!(" {held} held:"));
            line.append(key_bar::line(&model.settings.keymap, &model.scopes(), &LEAVING, columns));
            line.cut(columns)
        }
        Some(notice) => {
            let mut line = RoleLine::of(Role::Text, " ");
            line.append(notice.line.clone());
            line.cut(columns)
        }
        None => key_bar::line(&model.settings.keymap, &model.scopes(), &hints(model), columns),
    };
    frame.buffer_mut().set_line(area.x, area.y, &line.styled(&model.settings.theme), area.width);
}

/// What becomes of held decisions when the program is left.
const LEAVING: [Intent; 3] = [Intent::SendHeld, Intent::DropHeld, Intent::Stay];

/// What works here and now, what matters most first.
fn hints(model: &Model) -> Vec<Intent> {
    let [scope, _] = model.scopes();
    let selected = model.queue.cursor().is_some();
    let mut hints = match scope {
        Scope::Leaving => return LEAVING.to_vec(),
        Scope::Copy => return vec![Intent::Leave],
        Scope::Bar => return vec![Intent::Confirm, Intent::Leave],
        Scope::Field => {
            let two = model.bar.as_ref().is_some_and(|bar| bar.letters.is_some() && bar.reason.is_some());
            let next = two.then_some(Intent::NextField);
            return [next, Some(Intent::Confirm), Some(Intent::Leave)].into_iter().flatten().collect();
        }
        Scope::Filter => return vec![Intent::KeepFilter, Intent::ClearFilter],
        Scope::Outcomes | Scope::Outcome => {
            let row = model.outcomes.selected();
            let ours = row.and_then(|row| match &row.kind {
                outcomes::Kind::Ours(ours) => Some(ours),
                outcomes::Kind::Elsewhere(_) => None,
            });
            let conflict = ours.is_some_and(|ours| ours.is_open_conflict());
            let again = ours.is_some_and(|ours| ours.may_try_again());
            let rows = scope == Scope::Outcomes && row.is_some();
            let folds = scope == Scope::Outcome && model.outcomes.page().is_some_and(Page::has_folds);
            let when = |on: bool, intent| on.then_some(intent);
            let hints = [
                when(again, Intent::TryAgain),
                when(conflict, Intent::Acknowledge),
                when(rows, Intent::Open),
                Some(Intent::Back),
                when(scope == Scope::Outcomes, Intent::Filter),
                when(folds, Intent::Folds),
            ];
            hints.into_iter().flatten().collect()
        }
        Scope::Detail if selected => vec![Intent::Approve, Intent::Reject, Intent::Back],
        Scope::List => of_the_list(model),
        _ => Vec::new(),
    };
    if scope == Scope::Detail && model.detail.scroll.below() > 0 {
        hints.push(Intent::PageDown);
    }
    if scope == Scope::Detail && model.detail.has_folds() {
        hints.push(Intent::Folds);
    }
    if model.outcomes.held() > 0 {
        hints.insert(0, Intent::Undo);
    }
    if model.panes.zoomed && scope != Scope::Help {
        // Nothing else says where the other panes are.
        hints.insert(hints.len().min(3), Intent::Zoom);
    }
    if model.settings.read_only {
        hints.retain(|intent| !intent.decides() && !intent.touches_decisions() && *intent != Intent::Mark);
    }
    hints.extend([Intent::NextPane, Intent::Command, Intent::Help]);
    // Inside an outcome the key that quits goes back.
    if scope != Scope::Outcome {
        hints.push(Intent::Quit);
    }
    hints
}

/// The same in the list: a row, a group, a range, or none of them.
fn of_the_list(model: &Model) -> Vec<Intent> {
    let queue = &model.queue;
    let group = queue.group_cursor().and_then(|key| Some((key, queue.group_of(key)?)));
    let (selected, marked) = (queue.cursor().is_some(), queue.marked() > 0);
    // Of a group, as of what is marked, only what is low can be approved unread, and nothing of a flood.
    let approve = selected
        || group.is_some_and(|(key, group)| group.risk == Risk::Low && !matches!(key, GroupKey::Flood(_)));
    let on_something = selected || group.is_some();
    let when = |on: bool, intent| on.then_some(intent);
    let hints = [
        when(!on_something && queue.kept() > 0, Intent::Down),
        when(approve || marked, Intent::Approve),
        when(on_something || marked, Intent::Reject),
        when(queue.is_ranging(), Intent::MarkRange),
        when(selected && !queue.is_ranging(), Intent::Open),
        when(queue.can_fold(), Intent::Fold),
        when(on_something && !queue.is_ranging(), Intent::Mark),
        when(marked || queue.search().is_active(), Intent::Unmark),
        when(!queue.is_empty(), Intent::Filter),
        when(queue.len() > 1, Intent::Sort),
        when(on_something && queue.len() > 1, Intent::Down),
    ];
    hints.into_iter().flatten().collect()
}

/// A pane's frame, brighter where keys go; returns its inside.
pub(super) fn framed(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    pane: Pane,
    title: &RoleLine,
    foot: &RoleLine,
) -> Rect {
    frame_of(frame, area, model, model.focus == pane && model.bar.is_none(), title, foot)
}

/// A frame with a title and words at its foot; returns its inside.
pub(super) fn frame_of(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    focused: bool,
    title: &RoleLine,
    foot: &RoleLine,
) -> Rect {
    let theme = &model.settings.theme;
    let role = if focused { Role::BorderFocused } else { Role::Border };
    let room = usize::from(area.width).saturating_sub(2);
    let mut block = Block::bordered().border_set(theme.symbols.border).border_style(theme.style(role));
    if !title.is_empty() {
        block = block.title_top(title.cut(room).styled(theme));
    }
    if !foot.is_empty() {
        block = block.title_bottom(foot.cut(room).styled(theme));
    }
    frame.render_widget(block, area);
    inside(area)
}

/// The role in which a level of risk is drawn.
pub(super) fn risk_role(risk: Risk) -> Role {
    match risk {
        Risk::Low => Role::Low,
        Risk::Medium => Role::Medium,
        Risk::High => Role::High,
        Risk::Critical | Risk::Unreadable => Role::Critical,
    }
}
