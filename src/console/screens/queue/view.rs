//! How the list looks: one row an action, the risk first, the time left last.

use super::note::note;
use super::{Filter, Group, GroupKey, Grouping, Row};
use crate::config::Highlight;
use crate::console::app::layout::readable;
use crate::console::app::{Model, Now, Pane};
use crate::console::screens::view::{framed, risk_role};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::action::Silence;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::{Field, Headline, Review, Visible};
use crate::feed::Link;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;

/// With this much room for the agent's words a row has the reason for its risk too.
const WITH_REASON: usize = 38;
/// Columns of that reason.
const REASON: usize = 24;
/// From this width a row has the age of the action too.
const WITH_AGE: usize = 50;
/// From this width a row says in full what silence does.
const WITH_SILENCE: usize = 64;

pub(in crate::console::screens) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Now) {
    let inner = framed(frame, area, model, Pane::List, &title(model), &foot(model));
    let columns = readable(inner.width);
    let lines = if model.queue.is_empty() {
        empty(model, columns)
    } else if model.queue.kept() == 0 {
        vec![RoleLine::default(), RoleLine::of(Role::Text, " Nothing that waits matches the filter.")]
    } else {
        let drawing = Drawing { model, columns, now };
        let line = |(row, cursor)| match row {
            row @ Row::Action { .. } => drawing.action(row, cursor),
            Row::Group(group) => drawing.group(group, cursor),
        };
        model.queue.rows().map(line).collect()
    };
    for (line, y) in lines.iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.styled(&model.settings.theme), inner.width);
    }
}

/// ` Pending 3 of 12 ─ 2 marked ─ by deadline ─ /prod `
fn title(model: &Model) -> RoleLine {
    let (queue, rule) = (&model.queue, model.settings.theme.symbols.rule);
    let filtered = !queue.filter().is_empty();
    let count =
        if filtered { format!("{} of {}", queue.kept(), queue.len()) } else { queue.len().to_string() };
    let mut title = RoleLine::of(Role::Title, format!(" Pending {count} "));
    // First, because a narrow title is cut.
    if let Some((word, why)) = queue.filter().problem() {
        title.push(Role::Border, rule);
        title.push(Role::Text, " ");
        title.push_foreign(Role::Foreign, &Visible::of(word).cut(16));
        title.push(Role::Bad, format!(": {why} "));
    }
    let mut part = |role, words: String| {
        title.push(Role::Border, rule);
        title.push(role, words);
    };
    if queue.marked() > 0 {
        let range = if queue.is_ranging() { ", range open" } else { "" };
        part(Role::Notice, format!(" {} marked{range} ", queue.marked()));
    }
    let grouped = match queue.grouping() {
        Grouping::None => String::new(),
        Grouping::Alike => ", alike together".to_owned(),
        grouping => format!(", grouped by {}", grouping.name()),
    };
    part(Role::Title, format!(" by {}{grouped} ", queue.order().name()));
    if let Link::Reconnecting { since, .. } = &model.link {
        // A list that nobody keeps up to date says how old it is.
        let as_of =
            since.to_zoned_datetime(model.settings.time_zone.clone()).strftime("%H:%M:%S").to_string();
        part(Role::Doubt, format!(" as of {as_of} "));
    }
    if filtered {
        title.push(Role::Border, rule);
        title.push(Role::KeyName, " /");
        // As likely pasted from an action as typed.
        title.push_foreign(Role::Foreign, &Visible::of(queue.filter().text()));
        title.push(Role::Text, " ");
    }
    title
}

fn foot(model: &Model) -> RoleLine {
    let (above, below) = model.queue.hidden();
    let mut foot = RoleLine::default();
    for (count, word) in [(above, "above"), (below, "below")] {
        if count > 0 {
            foot.push(Role::Title, format!(" {count} more {word} "));
        }
    }
    foot
}

struct Drawing<'m> {
    model: &'m Model,
    columns: usize,
    now: Now,
}

impl Drawing<'_> {
    fn action(&self, row: Row<'_>, cursor: bool) -> RoleLine {
        let Row::Action { headline, under, marked, review } = row else { return RoleLine::default() };
        let mut tail = RoleLine::default();
        if self.columns >= WITH_AGE {
            tail.push(Role::Quiet, format!(" {:>4}", age(between(headline.created_at, self.now.wall))));
        }
        tail.append(self.left(headline.expires_at, headline.silence));
        let whole_row = self.model.settings.highlight == Highlight::Row;
        let role = match cursor && whole_row {
            true => Role::ForeignCursor,
            false if self.model.is_offline() => Role::ForeignQuiet,
            false => Role::Foreign,
        };
        let symbols = &self.model.settings.theme.symbols;
        let mut line = self.cursor(cursor);
        line.push(Role::Notice, if marked { symbols.mark } else { " " });
        if under {
            line.push(Role::Border, symbols.under);
        }
        line.push(risk_role(headline.risk), headline.risk.badge());
        line.push(Role::Text, " ");
        let width = if self.columns < WITH_AGE { 12 } else { 14 } - usize::from(under);
        line.append(self.field(headline, Field::Action, width, role));
        line.push(if role == Role::ForeignCursor { role } else { Role::Text }, " ");
        let rest = self.columns.saturating_sub(line.width() + tail.width());
        let beside = self.beside(headline, review, rest);
        line.append(self.field(headline, Field::Summary, rest - beside.width(), role));
        line.append(beside);
        line.append(tail);
        line
    }

    /// What stands between the agent's words and the times, with a blank before each: why the risk is what it is, where
    /// there is room for that, and what other reviewers make of it.
    fn beside(&self, headline: &Headline, review: Option<&Review>, rest: usize) -> RoleLine {
        let looking = self.model.presence.looking_at(headline.id());
        let symbols = &self.model.settings.theme.symbols;
        // Who has approved is worth more of the agent's words than who only looks.
        let most = if review.is_some() { rest * 2 / 3 } else { rest / 2 };
        let note = note(review, looking, symbols, most.saturating_sub(1));
        let mut beside = RoleLine::default();
        if !headline.raw(Field::Reason).is_empty() && rest.saturating_sub(note.width()) >= WITH_REASON {
            beside.push(Role::Text, " ");
            beside.push_foreign(Role::Foreign, &headline.head(Field::Reason, REASON));
        }
        if !note.is_empty() {
            beside.push(Role::Text, " ");
            beside.append(note);
        }
        beside
    }

    /// The time that is left, and what happens when nobody uses it: `4:31 not run`, or `4:31 no` in a narrow list.
    fn left(&self, expires_at: Timestamp, silence: Silence) -> RoleLine {
        let left = left(countdown(between(self.now.wall, expires_at)));
        let short = silence.short();
        let (role, word) = match silence {
            Silence::NotRun => (Role::Quiet, "not run"),
            Silence::AskedElsewhere => (Role::Notice, "elsewhere"),
            Silence::Runs => (Role::Bad, short),
        };
        if self.columns >= WITH_SILENCE {
            return RoleLine::of(Role::Text, format!(" {left:>7} ")).with(role, format!("{word:<9}"));
        }
        let room: usize = if self.columns >= WITH_AGE { 10 } else { 7 };
        let left = format!(" {left:>width$} ", width = room.saturating_sub(short.len() + 1));
        RoleLine::of(Role::Text, left).with(role, short)
    }

    /// The cursor is a mark in the gutter, and nothing else unless whole rows are asked for: a move costs two cells.
    fn cursor(&self, cursor: bool) -> RoleLine {
        RoleLine::of(Role::Cursor, if cursor { self.model.settings.theme.symbols.cursor } else { " " })
    }

    /// A text of the agent's in its place, with the letters that the filter matches.
    fn field(&self, headline: &Headline, field: Field, width: usize, role: Role) -> RoleLine {
        let mut line = RoleLine::default();
        line.push_foreign(role, &headline.head(field, width));
        line = matched(line, self.model.queue.filter(), field, role).cut(width);
        if role == Role::ForeignCursor {
            let blanks = width.saturating_sub(line.width());
            line.push(role, " ".repeat(blanks));
        }
        line.fit(width)
    }

    /// What stands together: how many, what they have in common, and until when the first of them waits.
    fn group(&self, group: &Group, cursor: bool) -> RoleLine {
        let symbols = &self.model.settings.theme.symbols;
        let tail = self.left(group.expires_at(), group.silence);
        let mut line = self.cursor(cursor);
        line.push(Role::Notice, if group.open { symbols.open } else { symbols.closed });
        line.push(risk_role(group.risk), group.risk.badge());
        let room = self.columns.saturating_sub(line.width() + tail.width());
        line.append(self.common(group, room).fit(room));
        line.followed_by(Some(tail))
    }

    fn common(&self, group: &Group, room: usize) -> RoleLine {
        let mut line = RoleLine::default();
        let paused = group.key.agent().is_some_and(|agent| self.model.paused.contains_key(agent));
        let paused = if paused { "paused, " } else { "" };
        line.push(Role::Notice, format!(" {} ", group.len()));
        match &group.key {
            GroupKey::Flood(agent) => {
                line.push(Role::Notice, format!("{paused}asked too fast: "));
                line.foreign(&agent.name().cut(room))
            }
            GroupKey::Thread(thread) => {
                line.push(Role::Text, "in thread ");
                line.foreign(&thread.name().cut(room))
            }
            GroupKey::Agent(agent) => {
                line.push(Role::Text, format!("{paused}by "));
                line.foreign(&agent.name().cut(room))
            }
            GroupKey::Alike { agent, action, .. } => {
                line.push(Role::Text, paused);
                let line = line
                    .foreign(&action.name().cut(24))
                    .with(Role::Text, " by ")
                    .foreign(&agent.name().cut(24));
                if group.len() < 2 {
                    return line;
                }
                let mut differ = RoleLine::default();
                for name in group.differing() {
                    differ.push(Role::Text, if differ.is_empty() { ": differ in " } else { ", " });
                    differ.push_foreign(Role::Foreign, &name.name().cut(24));
                }
                let same = || RoleLine::of(Role::Text, ": the same payload");
                line.followed_by(Some(if differ.is_empty() { same() } else { differ }))
            }
        }
    }
}

/// The letters that a filter matches, in a role of their own.
fn matched(line: RoleLine, filter: &Filter, field: Field, role: Role) -> RoleLine {
    filter.words_in(field).fold(line, |line, word| line.mark(word, role, Role::Match))
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
