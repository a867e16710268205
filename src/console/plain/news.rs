//! What has happened that is worth a line: arrivals, what others settled, what became of decisions, the link.
//!
//! Gathered as it happens; when it is told is the session's to say.

use super::session::Plain;
use super::wording::{self, say};
use crate::console::app::{Message, Now};
use crate::console::screens::outcomes::{Kind, Ours, Progress, Row};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::dispatch::DispatchEvent;
use crate::domain::{Action, ActionState, Listed};
use crate::feed::{FeedEvent, Link};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// So many arrivals are told one by one; more together are counted.
const ARRIVALS: usize = 5;
/// From one telling of arrivals to the next.
const BREATH: Duration = Duration::from_secs(1);
/// So many other lines are kept for somebody who does not want to hear them now.
const LINES: usize = 100;

/// What has not been told yet.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    arrived: Vec<Arc<Action>>,
    /// Arrivals beyond those.
    more: usize,
    told: Vec<Item>,
    /// Lines beyond those.
    left_out: usize,
    /// What was last said of each outcome.
    said: HashMap<Uuid, String>,
    /// Whether the link was said to be down.
    down: bool,
    /// Whether the first listing has been told.
    listed: bool,
    /// When arrivals may be told again: somebody listens.
    not_before: Duration,
}

/// What is to be told, in order.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    /// In these words.
    Line(RoleLine),
    /// How an outcome is by then.
    Outcome(Uuid),
}

/// What a message may change that is worth a line.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Actions that may be new.
    fresh: Vec<Arc<Action>>,
    /// Actions of which something may have become.
    actions: Vec<String>,
    /// Actions of which another reviewer has approved, or an approval counts no more.
    reviewed: Vec<String>,
    /// The decision that it is about.
    decision: Option<Uuid>,
    complete: bool,
}

impl News {
    /// When there is something to be told; `None` for never.
    pub(super) fn due(&self) -> Option<Duration> {
        match (self.told.is_empty(), self.arrived.is_empty()) {
            (false, _) => Some(Duration::ZERO),
            (true, false) => Some(self.not_before),
            (true, true) => None,
        }
    }

    /// Whether something is to be told of one of these decisions.
    pub(super) fn tells_of(&self, ids: &[Uuid]) -> bool {
        self.told.iter().any(|item| matches!(item, Item::Outcome(id) if ids.contains(id)))
    }

    /// Whether something is to be told by now.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.due().is_some_and(|due| due <= now.tick)
    }

    /// Whether what waits is known: before that a list would be a part of it.
    pub(super) fn is_listed(&self) -> bool {
        self.listed
    }

    fn tell(&mut self, item: Item) {
        if self.told.contains(&item) {
            return;
        }
        if self.told.len() < LINES {
            self.told.push(item);
        } else {
            self.left_out += 1;
        }
    }
}

impl Plain {
    /// What the message may change; to be asked before it is taken in.
    pub(super) fn touched(&self, message: &Message) -> Touched {
        let mut touched = Touched::default();
        let mut entry = |entry: &Listed| {
            let id = entry.headline.id();
            if entry.state != ActionState::Pending || entry.execution.is_some() {
                touched.actions.push(id.to_owned());
            } else if !self.model.queue.is_pending(id) {
                touched.fresh.push(entry.headline.action());
            } else if entry.review.is_some() && entry.review.as_ref() != self.model.queue.review(id) {
                touched.reviewed.push(id.to_owned());
            }
        };
        match message {
            Message::Feed(FeedEvent::Changed(changed)) => entry(changed),
            Message::Feed(FeedEvent::Entries(entries)) => entries.iter().for_each(entry),
            Message::Feed(FeedEvent::Replaced(replaced)) => {
                touched.fresh.push(Arc::clone(&replaced.action));
            }
            Message::Feed(FeedEvent::Complete { .. } | FeedEvent::Link(Link::Ended)) => {
                touched.complete = true;
            }
            Message::Dispatch(DispatchEvent { id, .. }) => touched.decision = Some(*id),
            _ => {}
        }
        touched
    }

    /// Gathers what a message has changed.
    pub(super) fn gather(&mut self, touched: Touched) {
        if let Some(notice) = self.model.notice.take() {
            self.news.tell(Item::Line(notice.line));
        }
        if self.news.listed {
            for action in touched.fresh {
                if !self.model.queue.waits(&action.id) {
                    continue;
                }
                if self.news.arrived.len() >= ARRIVALS {
                    self.news.more += 1;
                } else if let Some(known) = self.model.queue.known(&action.id) {
                    // As the list has it: it may know more of it than came with the news.
                    self.news.arrived.push(known);
                }
            }
        }
        for id in touched.reviewed {
            self.gather_review(&id);
        }
        self.gather_outcomes(&touched.actions, touched.decision);
        self.gather_link();
        if touched.complete && !self.news.listed {
            self.news.listed = true;
            self.first = true;
        }
    }

    /// `7: send_email, 1 of 2: alice`.
    fn gather_review(&mut self, id: &str) {
        let Some(action) = self.model.queue.known(id) else { return };
        let Some(others) = wording::others(&self.model, &action) else { return };
        let line = say(format!("{}: ", self.names.of(&action)));
        let line = line.followed_by(Some(wording::what(&action))).with(Role::Text, ", ");
        self.news.tell(Item::Line(line.followed_by(Some(others))));
    }

    /// Rows that are new, and those that may have changed.
    fn gather_outcomes(&mut self, actions: &[String], decision: Option<Uuid>) {
        let new = self.model.outcomes.rows().take_while(|row| !self.news.said.contains_key(&row.id));
        let mut ids: Vec<Uuid> = new.map(|row| row.id).collect();
        ids.reverse();
        ids.extend(decision);
        ids.extend(actions.iter().filter_map(|id| self.model.outcomes.newest_row_of(id)).map(|row| row.id));
        ids.dedup();
        for id in ids {
            self.news.said.entry(id).or_default();
            if self.model.outcomes.row(id).is_some_and(is_worth_a_line) {
                self.news.tell(Item::Outcome(id));
            }
        }
        if self.news.said.len() > 4_096 {
            let outcomes = &self.model.outcomes;
            self.news.said.retain(|id, _| outcomes.row(*id).is_some());
        }
    }

    fn gather_link(&mut self) {
        let down = self.model.is_offline();
        if self.news.down && !down {
            self.news.tell(Item::Line(say("the link is up again")));
        }
        self.news.down = down;
    }

    /// Tells all of it.
    pub(super) fn tell_news(&mut self, now: Now) {
        for item in std::mem::take(&mut self.news.told) {
            match item {
                Item::Line(line) => self.page.quoting(&line),
                Item::Outcome(id) => self.tell_outcome(id, now),
            }
        }
        if self.news.left_out > 0 {
            self.page.own(format!("{} more news: outcomes has them", self.news.left_out));
        }
        let arrived = std::mem::take(&mut self.news.arrived);
        if !arrived.is_empty() {
            self.news.not_before = now.tick + BREATH;
        }
        if self.news.more > 0 {
            let count = arrived.len() + self.news.more;
            self.page.own(format!("{count} new: {}; list lists them", wording::counts(&self.model)));
        } else {
            // What is gone again by now is told among the outcomes.
            for action in arrived.iter().filter(|action| self.model.queue.waits(&action.id)) {
                let line = say("new ").followed_by(Some(wording::action(self.names.of(action), action, now)));
                self.page.quoting(&line);
                if let Some(summary) = wording::summary(action) {
                    self.page.quoting(&summary);
                }
            }
        }
        (self.news.left_out, self.news.more) = (0, 0);
    }

    fn tell_outcome(&mut self, id: Uuid, now: Now) {
        let Some(row) = self.model.outcomes.row(id).filter(|row| is_worth_a_line(row)) else { return };
        let number = self.names.of(&row.action);
        let line = wording::outcome(&self.model, number, row, now);
        let said = self.news.said.entry(id).or_default();
        if *said != line.text() {
            *said = line.text();
            self.page.quoting(&line);
        }
    }
}

/// Whether the outcome says something that a listener does not know.
fn is_worth_a_line(row: &Row) -> bool {
    let ours = match &row.kind {
        Kind::Ours(ours) => ours,
        // What rules allow may come by the hundred: it is counted, and outcomes has it.
        Kind::Elsewhere(entry) => return !entry.is_allowed_by_rule(),
    };
    let Ours { progress, .. } = &**ours;
    match progress {
        // A try that is under way says nothing before it is over; the one that is waited for says why.
        Progress::Recording | Progress::Queued => false,
        Progress::Sending { next, looking, .. } => next.is_some() || *looking,
        _ => true,
    }
}
