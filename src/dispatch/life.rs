//! The life of one decision in the process that carries it out, from the moment it is on disk to its end: what `plan`
//! says is next is done, noted, and told. Each arrow is on disk before what it allows is done.

use super::plan::{self, After, Next, Ran, Situation};
use super::recorder::{Record, Recorder};
use super::shared::{Command, Halt, Open, Refused, Shared, halted, held, later, until};
use super::{Checked, Link, News, news_of};
use crate::client::{AttemptEvent, DecisionCall, End, Looked};
use crate::domain::{Outcome, Resolution, Try, timestamp};
use crate::journal::{Entry, Intent, Progress, Stage, Step};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{SemaphorePermit, mpsc, watch};
use tokio::time::Instant;

const FIRST_FOLLOW: Duration = Duration::from_millis(100);
/// Answers in a row that say nothing before watching one in progress is given up.
const MUTE: u32 = 3;

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
    born: Instant,
    age_at_birth: Duration,
    /// When it goes on. Waits are by a clock that only grows.
    due: Instant,
    unchecked: bool,
    insisted: bool,
    put_off_since: Option<Instant>,
    /// Checks in a row that nobody answered.
    unanswered: u32,
    ended: Instant,
    ended_before: Duration,
    follow_pause: Duration,
    mute: u32,
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
        let (now, clock) = (Instant::now(), Timestamp::now());
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
        let insisted = match origin {
            Origin::Retried => true,
            // In this process nothing else leads there.
            Origin::Handed => entry.stage == Stage::Queued && entry.maybe,
            Origin::Made | Origin::Found | Origin::TakenOver => false,
        };
        Self {
            halt: shared.halt.subscribe(),
            link: shared.link.subscribe(),
            age_at_birth: timestamp::between(entry.intent.decided_at, clock),
            ended_before: timestamp::between(entry.updated_at, clock),
            due: now + waits_until.map(until).unwrap_or_default().min(longest),
            born: now,
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
            put_off_since: None,
            unanswered: 0,
            follow_pause: FIRST_FOLLOW,
            mute: 0,
            unwritten: Vec::new(),
            over: false,
            shared,
        }
    }

    pub(super) async fn run(mut self) {
        self.announce().await;
        while !self.over && self.shared.halted().is_none() {
            let next = plan::next(&self.situation(), &self.shared.pace);
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
        while let Ok(command) = self.commands.try_recv() {
            self.obey(command).await;
        }
        if let Some(Halt::Broken(why)) = shared.halted()
            && self.now.stage.is_open()
            && !self.over
        {
            shared.tell(id, News::Stopped { why }).await;
        }
        shared.unregister(id);
        while let Ok(command) = self.commands.try_recv() {
            shared.without_life(id, command);
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            stage: self.now.stage,
            maybe: self.now.maybe,
            outcome: self.now.resolution.as_ref().map(|resolution| &resolution.outcome),
            redelivered: self.redelivered(),
            age: self.age(),
            wait: self.wait(),
            followed: self.ended_before.saturating_add(self.ended.elapsed()),
            link_up: *self.link.borrow() == Link::Up,
            unchecked: self.unchecked,
            insisted: self.insisted,
        }
    }

    fn redelivered(&self) -> u32 {
        self.now.tries.saturating_sub(self.shared.client.tries())
    }

    /// Since the decision, by whichever clock says more: a clock that was set back makes nothing younger.
    fn age(&self) -> Duration {
        let by_day = timestamp::between(self.intent.decided_at, Timestamp::now());
        by_day.max(self.age_at_birth.saturating_add(self.born.elapsed()))
    }

    fn wait(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    fn entry(&self) -> Entry {
        Entry {
            intent: self.intent.clone(),
            stage: self.now.stage,
            maybe: self.now.maybe,
            tries: self.now.tries,
            next_at: self.now.next_at,
            resolution: self.now.resolution.clone(),
            acknowledged: self.now.acknowledged,
            returned: self.now.returned.clone(),
            updated_at: Timestamp::now(),
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
        // Even without a link a doubtful decision comes to the reviewer in the end.
        let left = self.shared.pace.redeliver_for.saturating_sub(self.age());
        let end = self.now.maybe.then(|| Instant::now() + left);
        self.pause(end).await;
    }

    async fn obey(&mut self, command: Command) {
        match (command, self.now.stage) {
            (Command::Undo, Stage::Held) => self.take_back().await,
            (Command::Release, Stage::Held) => self.due = Instant::now(),
            (Command::TryAgain, Stage::Queued | Stage::Doubtful) => {
                (self.insisted, self.due) = (true, Instant::now());
            }
            (Command::TryAgain, Stage::Ended) => self.retry().await,
            (Command::Reread, _) => self.reread(true).await,
            _ => {}
        }
    }

    async fn take_back(&mut self) {
        if self.note(Step::Dropped).await.is_ok() {
            self.shared.tell(self.intent.id, News::Dropped).await;
        }
    }

    async fn retry(&mut self) {
        if self.note(Step::Retried).await.is_ok() {
            (self.insisted, self.due) = (true, Instant::now());
            self.open = Some(Open::new(&self.shared));
            self.shared.tell(self.intent.id, News::Queued).await;
        }
    }

    /// Takes what stands from the journal, where another process has changed it.
    async fn reread(&mut self, by_another: bool) {
        let Ok(Some(entry)) = self.shared.journal.entry(self.intent.id) else { return };
        let changed = entry.stage != self.now.stage;
        self.now = progress(&entry);
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

    /// Notes a step, in one commit with what is unwritten, and takes it; where the journal knows better, what it says is
    /// taken instead.
    async fn note(&mut self, step: Step) -> Result<(), Refused> {
        let after = self.now.after(&step);
        let mut steps = std::mem::take(&mut self.unwritten);
        steps.push(step);
        let noted = self.write(steps.clone()).await;
        match (&noted, after) {
            (Ok(()), Some(after)) => {
                self.now = after;
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

    async fn check(&mut self) {
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
            Checked::Stands => {
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

    async fn give_back(&mut self, why: String) {
        if self.note(Step::Returned(why.clone())).await.is_ok() {
            self.shared.tell(self.intent.id, News::Returned { why }).await;
        }
    }

    /// It has not landed, and goes out later.
    async fn put_off(&mut self, wait: Duration) {
        let until = later(wait);
        let again = self.put_off_since.replace(self.put_off_since.unwrap_or_else(Instant::now)).is_some();
        // Put off for as long as it takes: that it waits is on disk already.
        let known = again && self.now.stage == Stage::Queued && self.unwritten.is_empty();
        if known || self.note(Step::Waiting { next_at: until }).await.is_ok() {
            self.due = Instant::now() + wait;
            let next_number = u32::try_from(self.tries.len()).unwrap_or(u32::MAX).saturating_add(1);
            let of = next_number.saturating_add(self.shared.client.tries() - 1);
            let waiting = AttemptEvent::Waiting { next_number, of, until };
            self.shared.tell(self.intent.id, News::Attempt(waiting)).await;
        }
    }

    fn call(&self) -> DecisionCall {
        super::call(&self.shared.client, &self.intent)
            .sent_before(self.now.maybe)
            .tried_before(self.tries.clone())
    }

    async fn send(&mut self, redelivery: bool) {
        let shared = Arc::clone(&self.shared);
        // Where nobody is asked but by a probe, nothing need be written about it.
        if let Some(wait) = shared.client.held_off() {
            let outcome = if self.now.maybe { Outcome::Unconfirmed } else { Outcome::NotSent };
            return self.ran(self.known(outcome), Some(wait), false).await;
        }
        let Some(place) = Self::place(&shared, &mut self.halt).await else { return };
        if *self.link.borrow() == Link::Down {
            return;
        }
        let record = Arc::new(Mutex::new(Record { now: self.now.clone(), unwritten: Vec::new() }));
        let (events, mut heard) = mpsc::unbounded_channel();
        let (in_flight, mut on_its_way) = watch::channel(false);
        let recorder = Recorder {
            shared: Arc::clone(&shared),
            id: self.intent.id,
            record: Arc::clone(&record),
            events,
            in_flight,
        };
        let call = if redelivery { self.call().once_more() } else { self.call().comes_back() };
        let call = match call.begin(Box::new(recorder)) {
            Ok(call) => call,
            Err(error) => {
                let mut resolution = self.known(Outcome::NotSent);
                resolution.detail = Some(error.to_string().into());
                return self.end(resolution).await;
            }
        };
        let halt = &mut self.halt;
        let run = async move {
            // What is on its way may still be answered; nothing else is begun.
            let stopped = async {
                halted(halt).await;
                // Its sender goes with the call.
                let _ = on_its_way.wait_for(|on_its_way| !on_its_way).await;
            };
            tokio::select! { biased; end = call => Some(end), () = stopped => None }
        };
        let forward = async {
            while let Some(event) = heard.recv().await {
                shared.tell(self.intent.id, News::Attempt(event)).await;
            }
        };
        let (end, ()) = futures_util::future::join(run, forward).await;
        drop(place);
        {
            let mut record = held(&record);
            self.now = record.now.clone();
            self.unwritten = std::mem::take(&mut record.unwritten);
        }
        self.insisted = false;
        match end {
            // What has ended is told and written, also while everything is being halted.
            Some(End { resolution, put_off }) if put_off.is_none() || shared.halted().is_none() => {
                let sent = resolution.tries.len() > self.tries.len();
                self.tries.clone_from(&resolution.tries);
                self.last = Some(resolution.clone());
                self.ran(resolution, put_off, sent).await;
            }
            _ => self.cut_short().await,
        }
    }

    /// What is known so far is written; a try that is still on its way stays as being sent.
    async fn cut_short(&mut self) {
        let next_at = Timestamp::now();
        let noted = match (self.now.stage, self.now.in_flight, self.now.maybe) {
            (Stage::Sending, false, true) => self.note(Step::Doubtful { next_at }).await,
            (Stage::Sending, false, false) => self.note(Step::Waiting { next_at }).await,
            _ => {
                let steps = std::mem::take(&mut self.unwritten);
                self.write(steps).await
            }
        };
        if noted.is_err() {
            tracing::debug!(id = %self.intent.id, "it will be found as being sent");
        }
    }

    /// Goes on from the end of a run, or from its not having been begun.
    async fn ran(&mut self, resolution: Resolution, put_off: Option<Duration>, sent: bool) {
        let named = match &resolution.outcome {
            Outcome::Quota { until: Some(at) } => Some(until(*at)),
            _ => None,
        };
        let ran = Ran {
            outcome: &resolution.outcome,
            put_off: put_off.max(named),
            sent,
            put_off_for: self.put_off_since.map_or(Duration::ZERO, |since| since.elapsed()),
            redelivered: self.redelivered(),
            age: self.age(),
            random: Shared::random(),
        };
        match plan::after(&ran, &self.shared.pace) {
            After::End => self.end(resolution).await,
            After::PutOff(wait) => {
                self.unchecked = true;
                self.put_off(wait).await;
            }
            After::Doubt(wait) => {
                let next = later(wait);
                // Of nothing having happened nothing need be written.
                let known = !sent && self.now.stage == Stage::Doubtful;
                if known || self.note(Step::Doubtful { next_at: next }).await.is_ok() {
                    self.due = Instant::now() + wait;
                    self.shared.tell(self.intent.id, News::Doubtful { next, resolution }).await;
                }
            }
        }
    }

    /// It has ended, or more is known of how. On disk before it is told.
    async fn end(&mut self, resolution: Resolution) {
        let step = match self.now.stage {
            Stage::Ended => Step::Refined(resolution.clone()),
            _ => Step::Ended(resolution.clone()),
        };
        if let Err(refused) = self.note(step).await {
            // What is known is true, and told, also where the journal is broken: the next start will find it out again.
            // That it is not allowed would be a bug; whatever it is, it must not send again and again.
            tracing::error!(?refused, outcome = resolution.outcome.word(), "an end that is not on disk");
            self.over = true;
        }
        (self.ended, self.ended_before) = (Instant::now(), Duration::ZERO);
        self.put_off_since = None;
        if resolution.outcome == Outcome::Accepted || resolution.outcome == Outcome::InProgress {
            self.due = Instant::now() + self.follow_pause;
        }
        if !self.now.stage.is_open() {
            self.open = None;
        }
        self.last = Some(resolution.clone());
        self.shared.tell(self.intent.id, News::Resolved(resolution)).await;
    }

    async fn look(&mut self, why: Next) {
        let shared = Arc::clone(&self.shared);
        let looked = {
            let Some(_place) = Self::place(&shared, &mut self.halt).await else { return };
            let call = if why == Next::Look { self.call().once_more() } else { self.call() };
            tokio::select! {
                biased;
                () = halted(&mut self.halt) => return,
                // What cannot even be asked about can only be left.
                looked = call.look() => looked.unwrap_or(Looked::Unanswered),
            }
        };
        match (looked, why) {
            (Looked::Settled(seen), _) => self.end(self.seen(*seen)).await,
            (looked, Next::Follow) => self.follow_on(&looked),
            (Looked::Pending, _) => self.end(self.known(Outcome::InProgress)).await,
            (_, Next::LastLook) => self.end(self.known(Outcome::Unconfirmed)).await,
            _ => self.ran(self.known(Outcome::Unconfirmed), None, true).await,
        }
    }

    /// The next look at what has ended but for its processing, or no more of them.
    fn follow_on(&mut self, looked: &Looked) {
        let outcome = self.now.resolution.as_ref().map(|resolution| &resolution.outcome);
        self.mute = if *looked == Looked::Nothing { self.mute + 1 } else { 0 };
        let enough = if outcome == Some(&Outcome::Accepted) { 1 } else { MUTE };
        if self.mute >= enough {
            // This server does not tell.
            self.ended_before = self.shared.pace.follow_for;
        }
        self.follow_pause = (self.follow_pause * 2).min(self.shared.pace.longest_pause);
        self.due = Instant::now() + self.follow_pause;
    }

    /// What a look has shown, with what was known before.
    fn seen(&self, seen: Resolution) -> Resolution {
        let before = self.known(seen.outcome.clone());
        Resolution {
            http_status: seen.http_status.or(before.http_status),
            standing: seen.standing.or(before.standing),
            detail: seen.detail.or(before.detail),
            ..before
        }
    }

    /// What is known, under that outcome.
    fn known(&self, outcome: Outcome) -> Resolution {
        let last = self.last.as_ref();
        Resolution {
            outcome,
            http_status: last
                .and_then(|last| last.http_status)
                .or_else(|| self.tries.iter().rev().find_map(|one| one.http_status)),
            standing: last.and_then(|last| last.standing.clone()),
            detail: last.and_then(|last| last.detail.clone()),
            tries: self.tries.clone(),
            request_id: self.intent.request_id.to_string(),
            idempotency_key: self.intent.key.clone(),
        }
    }
}

/// The part of an entry that changes.
fn progress(entry: &Entry) -> Progress {
    Progress {
        stage: entry.stage,
        maybe: entry.maybe,
        in_flight: false,
        tries: entry.tries,
        next_at: entry.next_at,
        resolution: entry.resolution.clone(),
        acknowledged: entry.acknowledged,
        returned: entry.returned.clone(),
    }
}
