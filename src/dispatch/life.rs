//! The life of one decision in the process that carries it out, from the moment it is on disk to its end: what `plan`
//! says is next is done, noted, and told. Each arrow is on disk before what it allows is done.

mod asking;
mod knowing;
mod sending;
mod wanted;

use super::Link;
use super::News;
use super::fence::{Age, Fence};
use super::noting::Refused;
use super::plan::{self, Next};
use super::shared::{Command, Halt, Open, Shared, halted, later, until};
use crate::domain::{Outcome, Resolution, Try, timestamp};
use crate::journal::{Entry, Intent, Progress, Stage, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{SemaphorePermit, mpsc, watch};
use tokio::time::Instant;

const FIRST_FOLLOW: Duration = Duration::from_millis(100);

/// Where a decision comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was made here, just now.
    Made,
    /// It was made, or changed, in another process, just now.
    Handed,
    /// It was in the journal when this process began to carry it out.
    Found,
    /// As that, and its news has been told already.
    TakenOver,
    /// The reviewer has just had it sent again.
    Retried,
}

pub(super) struct Life {
    shared: Arc<Shared>,
    intent: Intent,
    now: Progress,
    tries: Vec<Try>,
    /// What the last run said.
    last: Option<Resolution>,
    commands: mpsc::UnboundedReceiver<Command>,
    halt: watch::Receiver<Option<Halt>>,
    link: watch::Receiver<Link>,
    open: Option<Open>,
    origin: Origin,
    /// Since the decision.
    age: Age,
    /// How long it may be sent again by itself once it may have landed.
    fence: Fence,
    /// When it goes on. Waits are by a clock that only grows.
    due: Instant,
    unchecked: bool,
    insisted: bool,
    /// The queue has just said that nothing of it has landed.
    undecided: bool,
    put_off_since: Option<Instant>,
    /// Checks in a row that nobody answered.
    unanswered: u32,
    ended: Instant,
    ended_before: Duration,
    follow_pause: Duration,
    mute: u32,
    /// Looks at it while it was in doubt.
    looks: u32,
    /// Steps that are in `now` and not on disk yet.
    unwritten: Vec<Step>,
    /// Nothing more can be done for it here.
    over: bool,
}

impl Life {
    pub(super) fn new(
        shared: Arc<Shared>,
        entry: Entry,
        origin: Origin,
        commands: mpsc::UnboundedReceiver<Command>,
        open: Open,
    ) -> Self {
        let now = Instant::now();
        let tries = if entry.tries > 0 { shared.journal.tries(entry.intent.id) } else { Ok(Vec::new()) };
        let tries = tries.unwrap_or_else(|error| {
            tracing::error!(%error, "the earlier tries cannot be read");
            Vec::new()
        });
        let waits_until = match entry.stage {
            Stage::Held => entry.intent.hold_until,
            _ => entry.next_at,
        };
        // A clock that was set back must not make a pause longer than it was.
        let longest = shared.pace.redeliver_for;
        let counted = matches!(entry.resolution.as_ref().map(|end| &end.outcome), Some(Outcome::Counted(_)));
        let follow_pause = if counted { shared.pace.counted_pauses.0 } else { FIRST_FOLLOW };
        let insisted = match origin {
            Origin::Retried => true,
            // In this process nothing else leads there.
            Origin::Handed => entry.stage == Stage::Queued && entry.maybe,
            Origin::Made | Origin::Found | Origin::TakenOver => false,
        };
        Self {
            halt: shared.halt.subscribe(),
            link: shared.link.subscribe(),
            age: Age::since(entry.intent.decided_at),
            fence: Fence::new(shared.pace.resend_for, entry.reached_at),
            ended_before: timestamp::between(entry.updated_at, crate::clock::now()),
            due: now + waits_until.map(until).unwrap_or_default().min(longest),
            ended: now,
            now: progress(&entry),
            last: entry.resolution,
            intent: entry.intent,
            tries,
            commands,
            open: Some(open),
            origin,
            unchecked: matches!(origin, Origin::Found | Origin::TakenOver),
            insisted,
            undecided: false,
            put_off_since: None,
            unanswered: 0,
            follow_pause,
            mute: 0,
            looks: 0,
            unwritten: Vec::new(),
            over: false,
            shared,
        }
    }

    pub(super) async fn run(mut self) {
        self.announce().await;
        while !self.over && self.shared.halted().is_none() {
            let next = plan::next(&self.situation(), &self.shared.pace);
            self.shared.is_counted(self.intent.digest, self.intent.id, self.is_counted());
            if !self.now.stage.is_open() {
                self.open = None;
            }
            match next {
                Next::Wait => self.pause(Some(self.due)).await,
                Next::AwaitLink => self.await_link().await,
                Next::Release => self.release().await,
                Next::Check => self.check().await,
                Next::Send => self.send(false).await,
                Next::Redeliver => self.send(true).await,
                Next::Look | Next::LastLook | Next::Follow => self.look(next).await,
                Next::GiveUp => self.end(self.known(Outcome::Unconfirmed)).await,
                Next::Nothing => break,
            }
        }
        self.leave().await;
    }

    async fn announce(&mut self) {
        let id = self.intent.id;
        let news = match (self.origin, self.now.stage) {
            (Origin::TakenOver, _) => return,
            (Origin::Found | Origin::Handed, _) => News::Found(Box::new(self.entry())),
            (_, Stage::Held) => News::Held { until: later(self.wait()) },
            _ => News::Queued,
        };
        self.shared.tell(id, news).await;
    }

    /// Does what is still wanted of it, and leaves it as it stands on disk.
    async fn leave(mut self) {
        let (id, shared) = (self.intent.id, Arc::clone(&self.shared));
        // Where it can go on, that is for a life of its own, below: this one is over.
        while shared.halted().is_some()
            && let Ok(command) = self.commands.try_recv()
        {
            self.obey(command).await;
        }
        if let Some(Halt::Broken(why)) = shared.halted()
            && self.now.stage.is_open()
            && !self.over
        {
            shared.tell(id, News::Stopped { why }).await;
        }
        shared.is_counted(self.intent.digest, id, false);
        shared.unregister(id);
        while let Ok(command) = self.commands.try_recv() {
            shared.without_life(id, command);
        }
    }

    /// Waits until then, or until anything happens that may change what is next.
    async fn pause(&mut self, until: Option<Instant>) {
        let time = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let command = tokio::select! {
            biased;
            // What the reviewer wanted is done before the end.
            command = self.commands.recv() => command,
            () = halted(&mut self.halt) => None,
            _ = self.link.changed() => None,
            () = time => None,
        };
        if let Some(command) = command {
            self.obey(command).await;
        }
    }

    async fn await_link(&mut self) {
        self.unchecked = true;
        // Even without a link a doubtful decision comes to the reviewer in the end, unless it comes from there.
        let left = self.shared.pace.redeliver_for.saturating_sub(self.age.elapsed());
        let doubtful = self.now.maybe && self.now.stage.is_open() && !self.insisted;
        let end = doubtful.then(|| Instant::now() + left);
        self.pause(end).await;
    }

    /// Notes a step, in one commit with what is unwritten, and takes it; where the journal knows better, what it says is
    /// taken instead.
    async fn note(&mut self, step: Step) -> Result<(), Refused> {
        let after = self.now.after(&step);
        let mut steps = std::mem::take(&mut self.unwritten);
        steps.push(step);
        let noted = self.write(steps.clone()).await;
        match (&noted, after) {
            (Ok(()), Some(after)) => {
                self.stands_at(after);
                self.shared.is_now(self.intent.id, self.now.stage);
            }
            (Ok(()), None) => self.reread(false).await,
            (Err(Refused::NotAllowed), _) => {
                // What went before it has happened all the same.
                steps.pop();
                let _ = self.write(steps).await;
                self.reread(false).await;
            }
            (Err(Refused::Broken), _) => {}
        }
        noted
    }

    /// Takes what stands now.
    fn stands_at(&mut self, now: Progress) {
        self.fence.reached_at(now.reached_at);
        self.now = now;
    }

    async fn write(&self, steps: Vec<Step>) -> Result<(), Refused> {
        self.shared.note(steps.into_iter().map(|step| (self.intent.id, step)).collect()).await
    }

    async fn release(&mut self) {
        if self.note(Step::Released).await.is_ok() {
            self.shared.tell(self.intent.id, News::Queued).await;
        }
    }

    /// A place among the requests on their way; `None` where everything is halted.
    async fn place<'s>(
        shared: &'s Shared,
        halt: &mut watch::Receiver<Option<Halt>>,
    ) -> Option<SemaphorePermit<'s>> {
        tokio::select! {
            biased;
            () = halted(halt) => None,
            // The semaphore is never closed.
            permit = shared.room.acquire() => permit.ok(),
        }
    }
}

/// The part of an entry that changes.
fn progress(entry: &Entry) -> Progress {
    Progress {
        stage: entry.stage,
        maybe: entry.maybe,
        in_flight: false,
        reached_at: entry.reached_at,
        tries: entry.tries,
        next_at: entry.next_at,
        resolution: entry.resolution.clone(),
        acknowledged: entry.acknowledged,
        returned: entry.returned.clone(),
    }
}
