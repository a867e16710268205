//! What follows from the rows and the filter: the order in which they show, and the counts. Made in one pass, and kept
//! until something changes.

use super::rows::{Place, Rows};
use super::{Kind, Ours, Progress, Row};
use crate::console::widgets::search::Words;

/// The order of the rows, and the counts of all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Sorted {
    /// The rows that the filter lets through: newest first; but where nobody has taken note of a conflict, the newest
    /// decision made here, then such conflicts, then the rest. So a conflict stays in sight and hides no outcome.
    pub(super) order: Vec<Place>,
    /// Where the open conflicts begin in it, if there are any.
    first_conflict: Option<usize>,
    pub(super) held: usize,
    pub(super) queued: usize,
    pub(super) sending: usize,
    pub(super) counted: usize,
    pub(super) conflicts: usize,
    pub(super) asking: usize,
    pub(super) unconfirmed: usize,
}

impl Sorted {
    pub(super) fn of(rows: &Rows, words: &Words) -> Self {
        let mut sorted = Self::default();
        let (mut open, mut rest, mut latest) = (Vec::new(), Vec::new(), None);
        for (place, row) in rows.places() {
            if let Kind::Ours(ours) = &row.kind {
                sorted.count(ours);
            }
            if !words.is_empty() && !words.match_lowercase(&row.searched()) {
                continue;
            }
            let ours = matches!(row.kind, Kind::Ours(_));
            if is_open(row) {
                open.push(place);
            } else if ours && latest.is_none() && open.is_empty() {
                latest = Some(rest.len());
                rest.push(place);
            } else {
                rest.push(place);
            }
        }
        if !open.is_empty() {
            let latest = latest.map(|at| rest.remove(at));
            sorted.first_conflict = Some(usize::from(latest.is_some()));
            sorted.order.extend(latest);
            sorted.order.extend(open);
        }
        sorted.order.extend(rest);
        sorted
    }

    /// Where the newest conflict stands that waits to be noted.
    pub(super) fn conflict(&self) -> Option<usize> {
        self.first_conflict
    }

    fn count(&mut self, ours: &Ours) {
        let counts = [
            (&mut self.held, ours.is_held()),
            (&mut self.queued, ours.is_queued()),
            (&mut self.sending, ours.is_sending()),
            (&mut self.counted, ours.is_counted()),
            (&mut self.conflicts, ours.is_open_conflict()),
            (&mut self.asking, matches!(ours.progress, Progress::Doubtful { .. })),
            (&mut self.unconfirmed, ours.is_unconfirmed()),
        ];
        for (count, is) in counts {
            *count += usize::from(is);
        }
    }
}

fn is_open(row: &Row) -> bool {
    matches!(&row.kind, Kind::Ours(ours) if ours.is_open_conflict())
}
