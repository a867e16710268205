//! How outcomes look: `12:04:12  reject   execute_trade  409 mine   landed on an earlier try …`, a row each; and the page
//! of the one that is open.

use super::page::PageLine;
use super::words::Words;
use super::{Kind, Page, Row};
use crate::config::Highlight;
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::detail::view::{draw_line, foot};
use crate::console::screens::view::framed;
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::Visible;
use ratatui::Frame;
use ratatui::layout::Rect;

/// From this width a row has room for when and what before what became of it.
const ROOMY: usize = 90;
/// What the demo says of itself where there is no room for more.
const DEMO: &str = " A demo: agents, alice and faults are simulated (? says more)";

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    if let (Some(page), Some(row)) = (model.outcomes.page(), model.outcomes.selected()) {
        draw_page(frame, area, model, page, row, now);
        return;
    }
    let inner = framed(frame, area, model, Pane::Outcomes, &title(model), &foot_of_rows(model));
    let columns = usize::from(inner.width);
    let focused = model.focus == Pane::Outcomes && model.bar.is_none();
    let cursor = model.outcomes.selected().map(|row| row.id).filter(|_| focused);
    let rows = model.outcomes.shown();
    let words = Words::new(&model.settings, model.is_offline(), now);
    let mut lines: Vec<_> =
        rows.into_iter().map(|row| line(model, row, cursor == Some(row.id), columns, &words)).collect();
    if lines.is_empty() && model.outcomes.search().is_active() {
        lines.push(RoleLine::of(Role::Quiet, " Nothing here has all these words."));
    } else if lines.is_empty() {
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

/// ` Outcomes 3 of 120 ─ /alice `; how many there are is said where that is not on the screen.
fn title(model: &Model) -> RoleLine {
    let search = model.outcomes.search();
    let mut title = RoleLine::of(Role::Title, " Outcomes ");
    if search.is_active() {
        let (shown, all) = model.outcomes.counted();
        title.push(Role::Title, format!("{shown} of {all} "));
        title.push(Role::Border, model.settings.theme.symbols.rule);
        title.push(Role::Notice, " /");
        title.push_foreign(Role::Foreign, &Visible::of(search.text()));
        title.push(Role::Text, " ");
    }
    title
}

fn foot_of_rows(model: &Model) -> RoleLine {
    let (above, below) = model.outcomes.hidden();
    let mut foot = RoleLine::default();
    for (count, word) in [(above, "above"), (below, "below")] {
        if count > 0 {
            foot.push(Role::Title, format!(" {count} more {word} "));
        }
    }
    let forgotten = model.outcomes.forgotten();
    if below == 0 && forgotten > 0 {
        foot.push(Role::Title, format!(" {forgotten} older ones: aegis-console outbox "));
    }
    foot
}

/// The newest outcome where there is room for one line.
pub(in crate::console::screens) fn draw_newest(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let columns = usize::from(area.width);
    let words = Words::new(&model.settings, model.is_offline(), now);
    let line = match model.outcomes.newest() {
        Some(row) => line(model, row, false, columns, &words),
        None if model.settings.simulated.is_some() => RoleLine::of(Role::Quiet, DEMO),
        None => RoleLine::of(Role::Quiet, " No decision yet."),
    };
    let line = line.cut(columns).styled(&model.settings.theme);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

fn line(model: &Model, row: &Row, cursor: bool, columns: usize, words: &Words<'_>) -> RoleLine {
    let (label, role, text) = said(row, words);
    let verb = row.verb();
    let name = match model.settings.highlight {
        Highlight::Row if cursor => Role::ForeignCursor,
        // Only the gutter: then a move of the cursor costs two cells.
        _ => Role::Foreign,
    };
    let mut action = RoleLine::default();
    action.push_foreign(name, &row.action.name.name().cut(if columns >= ROOMY { 14 } else { 12 }));
    let mark = if cursor { model.settings.theme.symbols.cursor } else { " " };
    let mut line = RoleLine::of(Role::Cursor, mark);
    if columns >= ROOMY {
        line.push(Role::Quiet, words.time(row.at));
        line.push(Role::Text, format!("  {verb:<7}  "));
        line.append(action.fit(14));
        line.push(role, format!("  {label:<9}  "));
    } else {
        // What became of it matters more than when and what: the time to the next try must not be cut.
        line.push(role, format!("{label} "));
        line.push(Role::Text, format!("{verb} "));
        line.append(action);
        line.push(Role::Text, " ");
    }
    line.append(text);
    line.cut(columns)
}

/// What became of it where everything is printed line by line: the label and the words after it.
pub(in crate::console) fn sentence(model: &Model, row: &Row, now: Now) -> (String, RoleLine) {
    let (label, _, text) = said(row, &Words::in_a_line(&model.settings, model.is_offline(), now));
    (label, text)
}

fn said(row: &Row, words: &Words<'_>) -> (String, Role, RoleLine) {
    match &row.kind {
        Kind::Ours(ours) => words.ours(ours),
        Kind::Elsewhere(entry) => {
            let (label, role, text) = words.elsewhere(entry);
            (label.to_owned(), role, text)
        }
    }
}

/// ` Outcome ─ 409 CONFLICT ─ approve ─ send_email `: the console's own words first.
fn draw_page(frame: &mut Frame<'_>, area: Rect, model: &Model, page: &Page, row: &Row, now: Now) {
    let theme = &model.settings.theme;
    let words = Words::new(&model.settings, model.is_offline(), now);
    let (label, role, _) = said(row, &words);
    let mut title = RoleLine::of(Role::Title, " Outcome ");
    title.push(Role::Border, theme.symbols.rule);
    title.push(role, format!(" {label} "));
    title.push(Role::Border, theme.symbols.rule);
    title.push(Role::Text, format!(" {} ", row.verb()));
    title.append(RoleLine::default().foreign(&row.action.name.name()));
    title.push(Role::Text, " ");
    let inner = framed(frame, area, model, Pane::Outcomes, &title, &foot(&page.scroll, theme));
    let asked = Visible::of(&words.when(row.action.created_at));
    for (number, y) in page.scroll.window().zip(inner.top()..inner.bottom()) {
        let place = Rect { y, height: 1, ..inner };
        match page.line(number) {
            PageLine::Own(line) => {
                frame.buffer_mut().set_line(place.x, y, &line.styled(theme), place.width);
            }
            PageLine::Action(detail, number) => draw_line(frame, place, detail, number, &asked, theme),
        }
    }
}
