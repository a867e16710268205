//! From what the pure console asks for to who does it: the dispatcher, the source of the queue.
//! Decides nothing.

use crate::console::app::guard::Selection;
use crate::console::app::{Effect, Message};
use crate::dispatch::{Dispatcher, Link as DispatchLink};
use crate::domain::Verdict;
use crate::feed::{self, FeedEvent};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Who does what the console asks for.
pub(super) struct Doers {
    /// Carries decisions out; where decisions go nowhere the model asks for none.
    pub(super) dispatcher: Option<Dispatcher>,
    /// The server that the queue comes from, where there is one.
    pub(super) source: Option<feed::Source>,
    /// How long approvals are held.
    pub(super) grace: Duration,
    /// Where it is said what the reviewer looks at.
    pub(super) looks: watch::Sender<Option<Selection>>,
    /// Where news goes.
    pub(super) tell: mpsc::Sender<Message>,
}

impl Doers {
    /// Sees to it that it is done. Never waits.
    pub(super) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Pause { agent, paused } => self.ask(async move |source: feed::Source| {
                let paused = source.pause(agent.raw(), paused).await;
                paused.map(|agent| FeedEvent::Agents(vec![agent]))
            }),
            Effect::Refetch(id) => {
                self.ask(async move |source: feed::Source| source.fetch(&id).await.map(FeedEvent::Replaced));
            }
            // What is not said now is said again soon.
            Effect::Look(at) => drop(self.looks.send(at)),
            effect => {
                if let Some(dispatcher) = &self.dispatcher {
                    dispatch(dispatcher, effect, self.grace);
                }
            }
        }
    }

    /// Asks the source for something, and tells what it answers.
    fn ask<F>(&self, question: impl FnOnce(feed::Source) -> F + Send + 'static)
    where
        F: Future<Output = Result<FeedEvent, feed::Trouble>> + Send,
    {
        let tell = self.tell.clone();
        let Some(source) = self.source.clone() else {
            let words = "there is no server that could do this".into();
            // Full is a screen that has other things to say.
            let _ = tell.try_send(Message::SourceRefused(words));
            return;
        };
        tokio::spawn(async move {
            let news = match question(source).await {
                Ok(event) => Message::Feed(event),
                Err(trouble) => Message::SourceRefused(trouble.sentence()),
            };
            // Nobody listens any more once the console was left.
            let _ = tell.send(news).await;
        });
    }
}

fn dispatch(dispatcher: &Dispatcher, effect: Effect, grace: Duration) {
    match effect {
        Effect::Decide(orders) => {
            // Only approvals are held: a rejection that is late can do harm, one that is early cannot.
            let approves = orders.iter().all(|order| order.verdict == Verdict::Approve);
            dispatcher.decide(orders, if approves { grace } else { Duration::ZERO });
        }
        Effect::Undo(ids) => ids.into_iter().for_each(|id| dispatcher.undo(id)),
        Effect::Release(ids) => dispatcher.release(&ids),
        Effect::DropHeld(ids) => dispatcher.drop_held(&ids),
        Effect::TryAgain(id) => dispatcher.try_again(id),
        Effect::Acknowledge(id) => dispatcher.acknowledge(id),
        Effect::Link(up) => dispatcher.link(if up { DispatchLink::Up } else { DispatchLink::Down }),
        // Done elsewhere: above, or in the shell of the console.
        Effect::Announce(_)
        | Effect::Repaint
        | Effect::Suspend
        | Effect::FlushInput
        | Effect::Pause { .. }
        | Effect::Look(_)
        | Effect::Refetch(_) => {}
    }
}
