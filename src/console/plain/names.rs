//! The numbers by which actions are named. A number stands for one action, bytes and all, for as long as the program
//! runs: it never changes what it means and is never given again. What has other bytes has another number.

use crate::console::app::guard::{Selection, selection};
use crate::domain::Action;
use std::collections::HashMap;
use std::time::Duration;

/// Who bears which number.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    numbers: HashMap<Selection, u32>,
    /// By number, less one.
    named: Vec<Named>,
    /// How many of them have been printed.
    printed: usize,
}

/// What a number means.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// The action.
    pub(super) selection: Selection,
    /// When it was first printed together with its number.
    pub(super) since: Duration,
}

impl Names {
    /// The number of an action; it gets one where it has none, because it is about to be printed.
    pub(super) fn of(&mut self, action: &Action) -> u32 {
        let selection = selection(action);
        if let Some(number) = self.numbers.get(&selection) {
            return *number;
        }
        let named = Named { selection: selection.clone(), since: Duration::MAX };
        self.named.push(named);
        let number = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
        self.numbers.insert(selection, number);
        number
    }

    /// What a number means, where it has been printed.
    pub(super) fn get(&self, number: u32) -> Option<&Named> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.named.get(at).filter(|_| at < self.printed)
    }

    /// Everything that was given a number has been printed.
    pub(super) fn printed(&mut self, now: Duration) {
        for named in &mut self.named[self.printed..] {
            named.since = now;
        }
        self.printed = self.named.len();
    }
}
