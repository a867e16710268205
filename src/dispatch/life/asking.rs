//! Asking: whether an action still stands, and what became of a decision. Nothing here can decide anything.

use super::super::plan::Next;
use super::super::shared::halted;
use super::super::{Checked, News};
use super::Life;
use crate::client::Looked;
use crate::domain::Outcome;
use crate::journal::Step;
use std::sync::Arc;
use tokio::time::Instant;

/// Answers in a row that say nothing before watching one in progress is given up.
const MUTE: u32 = 3;

impl Life {
    pub(super) async fn check(&mut self) {
        let shared = Arc::clone(&self.shared);
        let Some(_place) = Self::place(&shared, &mut self.halt).await else { return };
        // A server that does not answer is not asked this either, but by a probe.
        let pass = match shared.client.pass() {
            Ok(pass) => pass,
            Err(wait) => return self.put_off(wait).await,
        };
        let checked = tokio::select! {
            biased;
            () = halted(&mut self.halt) => return,
            checked = shared.check.still_stands(&self.intent) => checked,
        };
        match checked {
            // Perhaps without having asked anybody.
            Checked::Stands | Checked::Undecided => {
                drop(pass);
                (self.unchecked, self.unanswered) = (false, 0);
            }
            Checked::Changed(why) => {
                drop(pass);
                self.give_back(why).await;
            }
            Checked::Unknown => {
                pass.unanswered();
                let since = *self.put_off_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= shared.pace.redeliver_for {
                    return self.give_back("nobody could say whether it still stands".into()).await;
                }
                let doubled = shared.pace.first_pause.saturating_mul(2_u32.saturating_pow(self.unanswered));
                self.unanswered = self.unanswered.saturating_add(1);
                self.put_off(doubled.min(shared.pace.longest_pause)).await;
            }
        }
    }

    pub(super) async fn give_back(&mut self, why: String) {
        if self.note(Step::Returned(why.clone())).await.is_ok() {
            self.shared.tell(self.intent.id, News::Returned { why }).await;
        }
    }

    pub(super) async fn look(&mut self, why: Next) {
        let shared = Arc::clone(&self.shared);
        self.looks = self.looks.saturating_add(u32::from(why == Next::Look));
        let looked = {
            let Some(_place) = Self::place(&shared, &mut self.halt).await else { return };
            let call = if why == Next::Look { self.its_call().once_more() } else { self.its_call() };
            tokio::select! {
                biased;
                () = halted(&mut self.halt) => return,
                // What cannot even be asked about can only be left.
                looked = call.look() => looked.unwrap_or(Looked::Unanswered),
            }
        };
        match (looked, why) {
            // Nothing is new: it waits on for another reviewer.
            (Looked::Settled(seen), Next::Follow) if Some(&seen.outcome) == self.outcome() => {
                self.follow_on(&Looked::Pending);
            }
            (Looked::Settled(seen), _) => self.end(self.seen(*seen)).await,
            (looked, Next::Follow) => self.follow_on(&looked),
            // What the queue says of it is certain; what the status call does not say is nothing.
            (Looked::Nothing, Next::Look) if self.is_too_late() && self.is_undecided().await => {
                self.undecided = true;
            }
            (Looked::Pending, _) => self.end(self.known(Outcome::InProgress)).await,
            (_, Next::LastLook) => self.end(self.known(Outcome::Unconfirmed)).await,
            _ => self.ran(self.known(Outcome::Unconfirmed), None, true).await,
        }
    }

    /// Whether the queue says that nothing has been decided on its action.
    async fn is_undecided(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            () = halted(&mut self.halt) => false,
            checked = shared.check.still_stands(&self.intent) => checked == Checked::Undecided,
        }
    }

    /// The next look at what has ended but for its processing, or no more of them.
    pub(super) fn follow_on(&mut self, looked: &Looked) {
        self.mute = if *looked == Looked::Nothing { self.mute + 1 } else { 0 };
        let enough = if self.outcome() == Some(&Outcome::Accepted) { 1 } else { MUTE };
        let pace = &self.shared.pace;
        if self.mute >= enough {
            // This server does not tell.
            self.ended_before = pace.follow_for.max(pace.counted_for);
        }
        let longest = if self.is_counted() { pace.counted_pauses.1 } else { pace.longest_pause };
        self.follow_pause = (self.follow_pause * 2).min(longest);
        self.due = Instant::now() + self.follow_pause;
    }
}
