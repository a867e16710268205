//! How the menu looks: each part with its key, how large it is and how it begins.

use super::size;
use crate::console::app::Model;
use crate::console::app::announce::LARGEST_COPY;
use crate::console::app::copy::intent_of;
use crate::console::keymap::Scope;
use crate::console::screens::overlay;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use crate::domain::Visible;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the menu over the rows above this one.
pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, row: Rect, model: &Model) {
    let Some(menu) = &model.copy else { return };
    let theme = &model.settings.theme;
    let key = |intent| key_bar::name(&model.settings.keymap, &[Scope::Copy], intent).unwrap_or_default();
    let rows = overlay::rows(row, u16::try_from(menu.parts.len()).unwrap_or(1));
    let mut title = RoleLine::of(Role::Title, " Copy from ");
    title.push_foreign(Role::ForeignName, &menu.action.name.name().cut(24));
    title.push(Role::Text, " ");
    let foot = RoleLine::of(Role::KeyHint, " what is copied is what is shown ");
    let inner = overlay::draw(frame, row, rows, model, &title, &foot);
    let columns = usize::from(inner.width);
    for ((part, text), y) in menu.parts.iter().zip(inner.top()..inner.bottom()) {
        let mut line = RoleLine::of(Role::KeyName, format!(" {:<3}", key(intent_of(*part))));
        line.push(Role::Text, format!("{:<9}", part.name()));
        line.append(about(text).cut(columns.saturating_sub(line.width() + 1)));
        frame.buffer_mut().set_line(inner.x, y, &line.cut(columns).styled(theme), inner.width);
    }
}

/// A text of one line is shown; of one with more, how large it is.
fn about(text: &str) -> RoleLine {
    if text.len() > LARGEST_COPY {
        RoleLine::of(Role::Bad, format!("{}: more than a clipboard takes", size(text.len())))
    } else if text.contains('\n') {
        RoleLine::of(Role::Quiet, format!("{} lines, {}", text.lines().count(), size(text.len())))
    } else {
        RoleLine::default().foreign(&Visible::of(text))
    }
}
