//! What the plain mode needs to know of the list: the one file that knows how the list keeps it.

use crate::console::app::Model;
use crate::console::screens::queue::Row;
use crate::domain::{Action, Untrusted};
use std::sync::Arc;

/// A row of the list.
#[derive(Debug, Clone)]
pub(super) enum Waits {
    /// One action.
    One(Arc<Action>),
    /// So many that one agent asked too fast.
    Many(Untrusted, usize),
}

/// The rows from this one on, at most so many.
pub(super) fn rows(model: &Model, first: usize, most: usize) -> Vec<Waits> {
    let row = |row: Row<'_>| match row {
        Row::Action { headline, .. } => model.queue.known(headline.id()).map(Waits::One),
        // Nothing else is gathered here.
        Row::Group(group) => group.key.agent().map(|agent| Waits::Many(agent.clone(), group.len())),
    };
    model.queue.rows_from(first).take(most).filter_map(row).collect()
}

/// The action that the cursor is on.
pub(super) fn at_cursor(model: &Model) -> Option<Arc<Action>> {
    model.queue.selected().map(Arc::clone)
}
