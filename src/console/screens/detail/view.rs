//! How the action in full looks: a title with risk and time left, facts, the payload behind its gutter.

use super::below::BodyLine;
use super::{Detail, GUTTER};
use crate::console::app::layout::readable;
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::view::{framed, risk_role};
use crate::console::theme::{Role, Theme};
use crate::console::widgets::{RoleLine, Scroll};
use crate::domain::action::Silence;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::visible::columns_of;
use crate::domain::{Action, Visible};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Who looks at it takes no more of the name than what is behind these columns.
const LONGER_NAME: usize = 14;
/// The name of the action keeps at least this many columns of the title, however much else there is to say.
const SHORTEST_NAME: usize = 5;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let theme = &model.settings.theme;
    let Some(action) = model.queue.selected() else {
        let inner = framed(frame, area, model, Pane::Detail, &RoleLine::default(), &RoleLine::default());
        let words = match model.queue.group_cursor() {
            _ if model.queue.is_empty() => "",
            Some(_) => " The cursor is on a group: everything under its row.",
            None => " The cursor is on nothing.",
        };
        let line = RoleLine::of(Role::Quiet, words).styled(theme);
        frame.buffer_mut().set_line(inner.x, inner.y, &line, inner.width);
        return;
    };
    let title = title(model, action, usize::from(area.width).saturating_sub(4), now);
    let inner = framed(frame, area, model, Pane::Detail, &title, &foot(&model.detail.scroll, theme));
    let asked = Visible::of(&format!("{} ago", age(between(action.created_at, now.wall))));
    for (number, y) in model.detail.scroll.window().zip(inner.top()..inner.bottom()) {
        draw_line(frame, Rect { y, height: 1, ..inner }, &model.detail, number, &asked, theme);
    }
}

/// One line of it: what the agent sent behind the gutter, the console's own words as they are. When it was asked is said
/// in these words, because they may change with the time.
pub(in crate::console::screens) fn draw_line(
    frame: &mut Frame<'_>,
    place: Rect,
    detail: &Detail,
    number: usize,
    asked: &Visible,
    theme: &Theme,
) {
    let facts = &detail.facts;
    let line = match detail.line(number) {
        Some(BodyLine::Foreign(line)) => {
            let mut behind = RoleLine::of(Role::Gutter, format!("{:<GUTTER$}", theme.symbols.gutter));
            behind.append(line);
            behind
        }
        Some(BodyLine::Own(line)) if facts.heading == Some(number) => {
            heading(line, theme.symbols.rule, readable(place.width))
        }
        Some(BodyLine::Own(line)) => line,
        None => RoleLine::default(),
    };
    frame.buffer_mut().set_line(place.x, place.y, &line.styled(theme), place.width);
    if let Some(column) = facts.asked.filter(|(line, _)| *line == number).map(|(_, column)| column) {
        let x = place.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
        let asked = RoleLine::default().foreign(asked).styled(theme);
        frame.buffer_mut().set_line(x, place.y, &asked, place.right().saturating_sub(x));
    }
}

/// ` ── payload ─────`, over the whole width.
pub(in crate::console::screens) fn heading(words: RoleLine, rule: &str, columns: usize) -> RoleLine {
    let mut line = RoleLine::of(Role::Quiet, format!(" {} ", rule.repeat(2)));
    line.append(words);
    line.push(Role::Quiet, " ");
    let rest = columns.saturating_sub(line.width());
    line.with(Role::Quiet, rule.repeat(rest))
}

/// ` send_email ─ HIGH ─ hidden characters: 2 ─ 24 more below ─ expires in 04:31, then: not run `: the console's own
/// words are never pushed out by the name, and what a reviewer must know comes before what is only good to know.
fn title(model: &Model, action: &Action, columns: usize, now: Now) -> RoleLine {
    let detail = &model.detail;
    let rule = format!(" {} ", model.settings.theme.symbols.rule);
    let mut own = RoleLine::of(Role::Border, rule.as_str());
    own.push(risk_role(action.risk), action.risk.badge().trim_end());
    if detail.hidden() > 0 {
        own.push(Role::Border, rule.as_str());
        own.push(Role::Bad, format!("hidden characters: {}", detail.hidden()));
    }
    let looking = looking(model, action);
    let left = countdown(between(now.wall, action.expires_at));
    let (silence, then) = (action.silence(), action.silence().then());
    let role = if silence == Silence::Runs { Role::Bad } else { Role::Title };
    let mut expires = vec![
        format!("expires in {left}, then: {then}"),
        format!("{left}, then: {then}"),
        format!("{left} {then}"),
    ];
    if silence != Silence::NotRun {
        // Nobody would think of it, so it is said however little room there is.
        expires.push(silence.short().to_owned());
    }
    for (role, words) in [(Role::Title, unseen(detail)), (role, expires)] {
        let room = columns.saturating_sub(own.width() + columns_of(&rule) + SHORTEST_NAME + 2);
        if let Some(words) = words.iter().find(|words| columns_of(words) <= room) {
            own.push(Role::Border, rule.as_str());
            own.push(role, words.as_str());
        }
    }
    let name = detail.facts.name.width().min(LONGER_NAME);
    let room = columns.saturating_sub(own.width() + columns_of(&rule) + name + 2);
    if !looking.is_empty() && looking.width() <= room {
        own.push(Role::Border, rule.as_str());
        own.append(looking);
    }
    own.push(Role::Text, " ");
    let mut title = RoleLine::of(Role::Text, " ");
    let mut name = RoleLine::default();
    let room = columns.saturating_sub(own.width() + 1).max(SHORTEST_NAME);
    name.push_foreign(Role::ForeignName, &detail.facts.name.cut(room));
    title.append(name);
    title.append(own);
    title
}

/// `bob looks`, where another reviewer does.
fn looking(model: &Model, action: &Action) -> RoleLine {
    let looking = model.presence.looking_at(&action.id);
    let Some(first) = looking.first() else { return RoleLine::default() };
    let line = RoleLine::default().foreign(&first.name().cut(12));
    match looking.len() - 1 {
        0 => line.with(Role::Doubt, " looks"),
        more => line.with(Role::Doubt, format!(" and {more} more look")),
    }
}

/// What has not been on the screen yet, in the words that fit best first.
fn unseen(detail: &Detail) -> Vec<String> {
    let (below, above) = (detail.unseen_below(), detail.unseen_above());
    let folds = detail.unopened();
    let plural = if folds == 1 { "" } else { "s" };
    match (below, above, folds) {
        (0, 0, 0) => Vec::new(),
        (0, above, 0) => vec![format!("{above} more above")],
        (0, ..) => vec![format!("{folds} fold{plural} not opened"), format!("{folds} folded")],
        (below, ..) => vec![format!("{below} more below")],
    }
}

/// ` lines 1–14 of 38 ─ 24 more below `.
pub(in crate::console::screens) fn foot(scroll: &Scroll, theme: &Theme) -> RoleLine {
    if scroll.total <= scroll.rows {
        return RoleLine::default();
    }
    let (window, symbols) = (scroll.window(), &theme.symbols);
    let mut foot = format!(" lines {}{}{} of {} ", window.start + 1, symbols.to, window.end, scroll.total);
    if scroll.below() > 0 {
        foot.push_str(&format!("{} {} more below ", symbols.rule, scroll.below()));
    }
    RoleLine::of(Role::Title, foot)
}
