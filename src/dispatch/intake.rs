//! Taking decisions, and what is wanted of them afterwards: recorded first, then begun, here or by the process that holds
//! the journal.

use super::life::Origin;
use super::noting::Refused;
use super::shared::{Command, Halt, Open, Shared};
use super::{News, call, news_of, poke};
use crate::journal::{Entry, Intent, Stage, Step};
use std::sync::Arc;
use uuid::Uuid;

impl Shared {
    /// Takes decisions: records them in one commit, and begins each. What cannot be taken is told so, each by itself.
    pub(super) fn take(
        self: &Arc<Self>,
        ids: Vec<(Uuid, Stage)>,
        make: impl FnOnce() -> Vec<Intent> + Send + 'static,
    ) {
        // Before anything else happens, so that what is wanted of a decision at once finds it.
        let begin = |(id, stage)| (self.register(id, stage), Open::new(self));
        let begun: Vec<_> = ids.into_iter().map(begin).collect();
        let shared = Arc::clone(self);
        self.spawn(async move {
            let mut fit = Vec::with_capacity(begun.len());
            let elsewhere = shared.carried_for_another();
            for (intent, (commands, open)) in make().into_iter().zip(begun) {
                // Others get their turn in between.
                tokio::task::consume_budget().await;
                let why = match (&commands, shared.halted(), call(&shared.client, &intent).check()) {
                    _ if elsewhere.is_some() => elsewhere.clone(),
                    (None, ..) => Some("it was decided just now".to_owned()),
                    (_, Some(Halt::Stopping), _) => Some("the program is ending".into()),
                    (_, Some(Halt::Broken(why)), _) => Some(why),
                    (.., Err(error)) => Some(error.to_string()),
                    _ => None,
                };
                match (why, commands) {
                    (None, Some(commands)) => fit.push((intent, commands, open)),
                    (why, commands) => {
                        shared.not_recorded(intent.id, commands.is_some(), why.unwrap_or_default()).await;
                    }
                }
            }
            let intents: Vec<_> = fit.iter().map(|(intent, ..)| intent.clone()).collect();
            if intents.is_empty() {
                return;
            }
            let errors = shared.record(&intents).await;
            let mut handed = Vec::new();
            for ((intent, commands, open), error) in fit.into_iter().zip(errors) {
                match error {
                    Some(error) => shared.not_recorded(intent.id, true, error.to_string()).await,
                    None if shared.journal.is_dispatcher() => {
                        shared.live(fresh(intent), Origin::Made, commands, open);
                    }
                    None => {
                        shared.unregister(intent.id);
                        handed.push((fresh(intent), commands, open));
                    }
                }
            }
            shared.hand_over(handed).await;
        });
    }

    /// Follows decisions that are in the journal already.
    pub(super) fn follow(self: &Arc<Self>, ids: Vec<Uuid>) {
        let shared = Arc::clone(self);
        self.spawn(async move {
            for id in ids {
                match shared.journal.entry(id) {
                    Ok(Some(entry)) if !entry.stage.is_open() => shared.tell(id, news_of(&entry)).await,
                    Ok(Some(entry)) if shared.journal.is_dispatcher() => shared.adopt(entry, Origin::Handed),
                    Ok(Some(entry)) => shared.hand_on(entry).await,
                    Ok(None) => tracing::debug!(%id, "is not in the journal"),
                    Err(error) => tracing::error!(%error, "the journal cannot be read"),
                }
            }
            poke::poke(&poke::beside(shared.journal.path()));
        });
    }

    async fn not_recorded(&self, id: Uuid, registered: bool, why: String) {
        if registered {
            self.unregister(id);
        }
        self.tell(id, News::NotRecorded { why }).await;
    }

    /// Does what is wanted of a decision, or has it done.
    pub(super) fn want(self: &Arc<Self>, id: Uuid, command: Command) {
        if !self.command(id, command) {
            self.without_life(id, command);
        }
    }

    /// What is wanted of a decision that has no life here: it has ended, or another process carries it out.
    pub(super) fn without_life(self: &Arc<Self>, id: Uuid, command: Command) {
        let step = match command {
            Command::Undo => Step::Dropped,
            Command::Release => Step::Released,
            Command::TryAgain => Step::Retried,
            Command::Reread | Command::Heard => return,
        };
        let shared = Arc::clone(self);
        self.spawn(async move {
            match shared.note(vec![(id, step)]).await {
                Ok(()) => shared.noted(id, command).await,
                Err(Refused::NotAllowed | Refused::Broken) => {
                    tracing::debug!(%id, ?command, "cannot be done now");
                }
            }
        });
    }

    async fn noted(self: &Arc<Self>, id: Uuid, command: Command) {
        let Ok(Some(entry)) = self.journal.entry(id) else { return };
        match (self.journal.is_dispatcher(), command) {
            (true, Command::TryAgain) => self.adopt(entry, Origin::Retried),
            (true, Command::Release) => self.adopt(entry, Origin::Handed),
            (true, _) => self.tell(id, News::Dropped).await,
            (false, _) => self.changed_by_us(entry).await,
        }
    }

    /// Notes that the reviewer has seen how it ended.
    pub(super) fn acknowledge(self: &Arc<Self>, id: Uuid) {
        let shared = Arc::clone(self);
        self.spawn(async move {
            if shared.note(vec![(id, Step::Acknowledged)]).await == Err(Refused::NotAllowed) {
                tracing::debug!(%id, "cannot be acknowledged");
            }
        });
    }
}

/// As the journal has it when it has just been recorded.
fn fresh(intent: Intent) -> Entry {
    Entry {
        stage: if intent.hold_until.is_some() { Stage::Held } else { Stage::Queued },
        intent,
        maybe: false,
        reached_at: None,
        tries: 0,
        next_at: None,
        resolution: None,
        acknowledged: false,
        returned: None,
        updated_at: crate::clock::now(),
    }
}
