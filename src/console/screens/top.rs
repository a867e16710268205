//! The line at the top: who decides and where, how the link is, and the counts.

use crate::console::app::{Model, Now};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::Visible;
use crate::domain::timestamp::between;
use crate::domain::visible::columns_of;
use crate::feed::Link;
use ratatui::Frame;
use ratatui::layout::Rect;
use std::time::Duration;

/// Down for this long is offline, not a hiccup.
const OFFLINE: Duration = Duration::from_secs(60);

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let columns = usize::from(area.width);
    let counts = counts(model, columns);
    let link = link(model, now);
    // The brand, the link, and the blanks around them.
    let room = columns.saturating_sub(counts.width() + link.width() + if columns >= 60 { 19 } else { 3 });
    let counts = counts.followed_by(allowed(model, room));
    let mut line = RoleLine::of(Role::Brand, if columns >= 60 { " aegis-console" } else { "" });
    // Its parts stand between the signs of the theme.
    let identity = model.settings.identity.replace('·', model.settings.theme.symbols.dot);
    let room = columns.saturating_sub(line.width() + link.width() + counts.width() + 5);
    if columns >= 60 && room >= 10 {
        line.push(Role::Text, "  ");
        line.append(RoleLine::default().foreign(&Visible::of(&identity)).cut(room));
    }
    line.push(Role::Text, if line.is_empty() { " " } else { "  " });
    line.append(link);
    let gap = columns.saturating_sub(line.width() + counts.width() + 1);
    line.push(Role::Text, " ".repeat(gap.max(1)));
    line.append(counts);
    frame.buffer_mut().set_line(area.x, area.y, &line.cut(columns).styled(&model.settings.theme), area.width);
}

fn link(model: &Model, now: Now) -> RoleLine {
    let symbols = &model.settings.theme.symbols;
    let (role, sign, words) = match &model.link {
        Link::Connecting => (Role::Doubt, symbols.down, "connecting".to_owned()),
        Link::Live => (Role::Good, symbols.up, "live".to_owned()),
        Link::Reconnecting { since, .. } if between(*since, now.wall) >= OFFLINE => {
            let since = since.to_zoned_datetime(model.settings.time_zone.clone()).strftime("%H:%M");
            (Role::Bad, symbols.down, format!("offline since {since}"))
        }
        Link::Reconnecting { next, .. } => {
            let left = between(now.wall, *next).as_millis().div_ceil(1_000);
            (Role::Doubt, symbols.down, format!("reconnecting in {left} s"))
        }
        Link::Ended => (Role::Quiet, symbols.down, "read to its end".to_owned()),
    };
    let mut line = RoleLine::of(role, format!("{sign} {words}"));
    if model.carried_elsewhere {
        line.push(Role::Doubt, format!(" {} another console sends", symbols.dot));
    }
    if model.journal_failed.is_some() {
        line.push(Role::Bad, format!(" {} no decisions", symbols.dot));
    }
    if model.settings.read_only {
        line.push(Role::Notice, format!(" {} read-only", symbols.dot));
    } else if !model.settings.decisions_go_out {
        line.push(Role::Bad, format!(" {} decisions go nowhere", symbols.dot));
    }
    line
}

/// ` · 37 allowed by rule`: what nobody was asked about, in the form that has room.
fn allowed(model: &Model, room: usize) -> Option<RoleLine> {
    let count = model.allowed_by_rule.filter(|count| *count > 0)?;
    let dot = model.settings.theme.symbols.dot;
    let forms = ["allowed by rule", "by rule"].map(|words| format!(" {dot} {count} {words}"));
    let form = forms.into_iter().find(|form| columns_of(form) <= room)?;
    Some(RoleLine::of(Role::Text, form))
}

fn counts(model: &Model, columns: usize) -> RoleLine {
    let dot = format!(" {} ", model.settings.theme.symbols.dot);
    let pending = if columns >= 60 { "pending" } else { "pend" };
    let mut line = RoleLine::of(Role::Text, format!("{} {pending}", model.queue.len()));
    let outcomes = &model.outcomes;
    let more = [
        (outcomes.held(), Role::Doubt, "held"),
        (outcomes.queued(), Role::Doubt, "queued"),
        (outcomes.sending(), Role::Doubt, "sending"),
        (outcomes.counted_ones(), Role::Doubt, "counted"),
        (model.not_taken, Role::Bad, "not taken"),
        (outcomes.unconfirmed(), Role::Doubt, "unconfirmed"),
        (outcomes.conflicts(), Role::Bad, if outcomes.conflicts() == 1 { "conflict" } else { "conflicts" }),
    ];
    for (count, role, word) in more.into_iter().filter(|(count, ..)| *count > 0) {
        line.push(Role::Text, dot.as_str());
        line.push(role, format!("{count} {word}"));
    }
    line
}
