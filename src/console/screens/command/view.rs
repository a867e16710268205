//! How the command line looks: the line in place of the key bar, over it in a frame what the text may mean, each with its
//! key and what it does.

use super::complete::{Found, Known};
use crate::console::app::Model;
use crate::console::keymap::Intent;
use crate::console::screens::overlay;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, key_bar};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

/// Rows for what the text may mean, where there is room.
const ROWS: u16 = 10;
/// From this width the key stands between a name and what it does.
const ROOMY: usize = 60;

/// Draws the open line in the last row, and the frame over the rows above it.
pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, row: Rect, model: &Model) {
    let Some(open) = &model.command.open else { return };
    let theme = &model.settings.theme;
    let (line, cursor) = open.field.line(RoleLine::of(Role::KeyName, ":"), usize::from(row.width));
    frame.buffer_mut().set_line(row.x, row.y, &line.styled(theme), row.width);
    frame.set_cursor_position(Position { x: row.x + u16::try_from(cursor).unwrap_or(0), y: row.y });

    let found = open.found.len();
    let shown = overlay::rows(row, u16::try_from(found).unwrap_or(ROWS).min(ROWS));
    let rows = usize::from(shown);
    let top = open.choice.map_or(0, |choice| (choice + 1).saturating_sub(rows));
    let mut title = RoleLine::of(Role::Title, " Commands ");
    if found > rows {
        let (from, to) = (top + 1, (top + rows).min(found));
        title.push(Role::Title, format!("{from}{}{to} of {found} ", theme.symbols.to));
    }
    let inner = overlay::draw(frame, row, shown, model, &title, &foot(model));
    let columns = usize::from(inner.width);
    if found == 0 {
        let none = RoleLine::of(Role::Notice, " no command matches this").cut(columns);
        frame.buffer_mut().set_line(inner.x, inner.y, &none.styled(theme), inner.width);
    }
    let shown = open.found.iter().enumerate().skip(top).take(rows);
    for ((at, found), y) in shown.zip(inner.top()..inner.bottom()) {
        let Some(known) = open.known.get(found.at) else { continue };
        let chosen = open.choice == Some(at);
        let mark = if chosen { theme.symbols.cursor } else { " " };
        let mut line = RoleLine::of(Role::Cursor, mark).with(Role::Text, " ");
        line.append(row_of(known, found, chosen, columns.saturating_sub(2)));
        frame.buffer_mut().set_line(inner.x, y, &line.cut(columns).styled(theme), inner.width);
    }
}

/// `mark-all  *  mark all that the list shows`
fn row_of(known: &Known, found: &Found, chosen: bool, columns: usize) -> RoleLine {
    let (name_columns, key_columns) = if columns >= ROOMY { (24, 11) } else { (18, 0) };
    let mut name = RoleLine::default();
    for (at, c) in (0..).zip(known.name.chars()) {
        let role = match (found.letters.contains(&at), chosen) {
            (true, _) => Role::KeyName,
            (false, true) => Role::Cursor,
            (false, false) => Role::Text,
        };
        name.push(role, c);
    }
    if let Some(takes) = known.takes {
        name.push(Role::Quiet, format!(" {takes}"));
    }
    let mut line = name.fit(name_columns);
    line.push(Role::Text, " ");
    line.append(RoleLine::of(Role::KeyName, known.key.as_deref().unwrap_or("")).fit(key_columns));
    line.append(RoleLine::of(Role::Quiet, known.help.as_str()).cut(columns.saturating_sub(line.width())));
    line
}

/// Why Enter did nothing, else what the keys do.
fn foot(model: &Model) -> RoleLine {
    let mut foot = RoleLine::of(Role::Text, " ");
    match &model.notice {
        Some(notice) => foot.append(notice.line.clone()),
        None => {
            let (keymap, scopes) = (&model.settings.keymap, model.scopes());
            let mut first = true;
            for intent in [Intent::Complete, Intent::Run, Intent::Leave] {
                let Some(key) = key_bar::name(keymap, &scopes, intent) else { continue };
                foot.push(Role::Text, if first { "" } else { "  " });
                foot.push(Role::KeyName, key);
                foot.push(Role::KeyHint, format!(" {}", intent.hint()));
                first = false;
            }
        }
    }
    foot.with(Role::Text, " ")
}
