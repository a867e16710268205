//! What the reviewer wants of a decision, and what another process has made of it.

use super::super::shared::{Command, Open};
use super::super::{News, news_of};
use super::{Life, progress};
use crate::journal::{Stage, Step};
use tokio::time::Instant;

impl Life {
    pub(super) async fn obey(&mut self, command: Command) {
        match (command, self.now.stage) {
            (Command::Undo, Stage::Held) => self.take_back().await,
            (Command::Release, Stage::Held) => self.due = Instant::now(),
            (Command::TryAgain, Stage::Queued | Stage::Doubtful) => {
                (self.insisted, self.due) = (true, Instant::now());
            }
            (Command::TryAgain, Stage::Ended) => self.retry().await,
            (Command::Heard, Stage::Doubtful | Stage::Ended) => {
                (self.follow_pause, self.due) = (self.first_follow(), Instant::now());
            }
            (Command::Reread, _) => self.reread(true).await,
            _ => {}
        }
    }

    pub(super) async fn take_back(&mut self) {
        if self.note(Step::Dropped).await.is_ok() {
            self.shared.tell(self.intent.id, News::Dropped).await;
        }
    }

    pub(super) async fn retry(&mut self) {
        if self.note(Step::Retried).await.is_ok() {
            (self.insisted, self.due) = (true, Instant::now());
            self.open = Some(Open::new(&self.shared));
            self.shared.tell(self.intent.id, News::Queued).await;
        }
    }

    /// Takes what stands from the journal, where another process has changed it.
    pub(super) async fn reread(&mut self, by_another: bool) {
        let Ok(Some(entry)) = self.shared.journal.entry(self.intent.id) else { return };
        let changed = entry.stage != self.now.stage;
        self.stands_at(progress(&entry));
        self.shared.is_now(self.intent.id, entry.stage);
        if changed {
            self.due = Instant::now();
            self.insisted |= by_another && entry.stage == Stage::Queued && entry.maybe;
            if entry.stage.is_open() && self.open.is_none() {
                self.open = Some(Open::new(&self.shared));
            }
            self.shared.tell(self.intent.id, news_of(&entry)).await;
        }
    }
}
