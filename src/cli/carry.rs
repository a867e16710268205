//! Carries decisions that are in the journal to their end, without a screen: for a batch, for one recorded decision, and
//! for `resume`.
//!
//! Nothing is sent that the journal does not have as being sent, and nothing is told to have ended before the journal has
//! it. What the outcome is, the client says; this file only moves between the two.

mod elsewhere;
pub(super) mod standing;
mod watch;

use crate::client::{AegisClient, ClientError, DecisionCall, End};
use crate::dispatch::{Fence, RESEND_FOR};
use crate::domain::{Outcome, Resolution, Try};
use crate::journal::{Entry, Intent, Journal, JournalError, Stage, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use watch::{Watch, Watcher};

/// Decisions that the journal takes in one commit at most.
pub(super) const GROUP: usize = 256;
/// A decision that is put off is not taken up again sooner.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// A decision in the journal that is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) intent: Intent,
    /// What brings it to where it may be sent.
    arrows: Vec<Step>,
    /// Whether an earlier try may have landed.
    maybe: bool,
    /// The tries of earlier runs.
    earlier: Vec<Try>,
    /// How long it is sent again by itself once it may have landed.
    fence: Fence,
    /// Its user wants it sent again, however long ago that was.
    insisted: bool,
    /// The journal has its next try as being sent.
    noted: bool,
}

impl Job {
    /// Of a decision that has just been recorded.
    pub(super) fn new(intent: Intent) -> Self {
        let fence = Fence::new(RESEND_FOR, None);
        let (arrows, earlier) = (Vec::new(), Vec::new());
        Self { intent, arrows, maybe: false, earlier, fence, insisted: false, noted: false }
    }

    /// Says that its user has just asked for it to be sent again.
    pub(super) fn insisted(mut self, insisted: bool) -> Self {
        self.insisted |= insisted;
        self
    }

    /// Whether its key may be open again since it may have landed: then the server is asked, and it is not sent.
    fn is_too_late(&self) -> bool {
        self.maybe && !self.insisted && self.fence.is_passed()
    }

    /// Says that somebody may have sent it before, though not from this journal.
    pub(super) fn sent_before(mut self, maybe: bool) -> Self {
        self.maybe |= maybe;
        self
    }

    /// Of a decision that was recorded by an earlier run. `Err` within: it is at an end, and this is its entry.
    ///
    /// What was not sent, or met a quota, is known to have had no effect, and what is unconfirmed or in progress is not
    /// known to have ended: whoever starts it again wants it to go on.
    pub(super) fn of(journal: &Journal, entry: Entry) -> Result<Result<Self, Box<Entry>>, JournalError> {
        use Outcome::{InProgress, NotSent, Quota, Unconfirmed};
        let outcome = entry.resolution.as_ref().map(|resolution| &resolution.outcome);
        let arrows = match (entry.stage, outcome) {
            (Stage::Held, _) => vec![Step::Released],
            (Stage::Queued | Stage::Sending | Stage::Doubtful, _) => Vec::new(),
            (Stage::Ended, Some(NotSent | Quota { .. } | Unconfirmed | InProgress)) => vec![Step::Retried],
            _ => return Ok(Err(Box::new(entry))),
        };
        let earlier = if entry.tries > 0 { journal.tries(entry.intent.id)? } else { Vec::new() };
        let maybe = entry.maybe || entry.stage == Stage::Sending;
        let fence = Fence::new(RESEND_FOR, entry.reached_at);
        Ok(Ok(Self { arrows, maybe, earlier, fence, ..Self::new(entry.intent) }))
    }
}

/// How a job ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// With an outcome, which is in the journal.
    Resolved(Box<Intent>, Box<Resolution>),
    /// It does not fit the wire, or this client: nothing was sent, and the journal has it as it was.
    Unsendable(Box<Intent>, ClientError),
    /// It was given back or taken back unsent, in the process that carries the journal out; why.
    Returned(Box<Intent>, String),
    /// The journal failed, so that nothing more is sent.
    NotRecorded(JournalError),
}

/// Where decisions are recorded, and what they are sent with.
#[derive(Clone)]
pub(super) struct Carrier {
    pub(super) client: AegisClient,
    pub(super) journal: Journal,
    /// The time for one decision, from when it is first sent.
    pub(super) deadline: Duration,
}

impl Carrier {
    /// Carries out what comes, `in_flight` at a time, and tells how each ended; where another process carries the journal
    /// out, it is that one's. It is done when `jobs` is at its end and
    /// all that came has ended, or the journal failed.
    pub(super) async fn run(
        self,
        mut jobs: mpsc::Receiver<Vec<Job>>,
        in_flight: u16,
        ended: mpsc::Sender<Ended>,
    ) {
        if !self.journal.is_dispatcher() {
            return elsewhere::run(self, jobs, ended).await;
        }
        let (ready, mut readies) = mpsc::channel(1);
        let record = async {
            // While one group is being sent, the journal takes the next.
            while let Some(group) = jobs.recv().await {
                if !self.make_ready(group, &ready, &ended).await {
                    break;
                }
            }
            // Whoever still brings jobs learns it from a closed channel, and so does whoever sends.
            drop((jobs, ready));
        };
        let room = Arc::new(Semaphore::new(in_flight.into()));
        let send = async {
            let mut sending = JoinSet::new();
            while let Some(group) = readies.recv().await {
                for job in group {
                    // The semaphore is never closed; were it, sending without a permit would still be right.
                    let permit = Arc::clone(&room).acquire_owned().await.ok();
                    let (carrier, room, ended) = (self.clone(), Arc::clone(&room), ended.clone());
                    sending.spawn(async move {
                        let news = carrier.carry(job, permit, &room).await;
                        // Nobody listens any more: the journal has it all the same.
                        let _ = ended.send(news).await;
                    });
                    while sending.try_join_next().is_some() {}
                }
            }
            while sending.join_next().await.is_some() {}
        };
        futures_util::future::join(record, send).await;
    }

    /// Carries out one.
    pub(super) async fn one(self, job: Job) -> Option<Ended> {
        let (jobs, to_carry) = mpsc::channel(1);
        let (end, mut ended) = mpsc::channel(1);
        // There is room for the one.
        let _ = jobs.try_send(vec![job]);
        drop(jobs);
        futures_util::future::join(self.run(to_carry, 1, end), ended.recv()).await.1
    }

    /// Asks the server once more about a decision that is at an end: sent again, it is told apart by its request id. The
    /// journal keeps what is better known then.
    pub(super) async fn ask_again(&self, entry: Entry) -> anyhow::Result<Resolution> {
        let earlier = self.journal.tries(entry.intent.id)?;
        let job = Job { maybe: true, earlier, ..Job::new(entry.intent) };
        let resolution = self.call(&job).send().await?;
        match self.journal.note(job.intent.id, Step::Refined(resolution.clone())).await {
            // Nor may it where another process carries the journal out.
            Ok(()) | Err(JournalError::NotAllowed { .. } | JournalError::NotDispatcher { .. }) => {
                Ok(resolution)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes a group as being sent, in one commit. Whether to go on.
    async fn make_ready(
        &self,
        group: Vec<Job>,
        ready: &mpsc::Sender<Vec<Job>>,
        ended: &mpsc::Sender<Ended>,
    ) -> bool {
        let (mut notes, mut fit) = (Vec::new(), Vec::new());
        for mut job in group {
            match self.call(&job).check() {
                Ok(()) => {
                    job.noted = !job.is_too_late();
                    let try_number = number(job.earlier.len() + 1);
                    let sending = job.noted.then(|| Step::Sending { try_number, at: crate::clock::now() });
                    let id = job.intent.id;
                    notes.extend(job.arrows.iter().cloned().chain(sending).map(|step| (id, step)));
                    fit.push(job);
                }
                Err(error) => {
                    let _ = ended.send(Ended::Unsendable(Box::new(job.intent), error)).await;
                }
            }
        }
        if fit.is_empty() {
            return true;
        }
        if let Err(error) = self.journal.note_many(notes).await {
            let _ = ended.send(Ended::NotRecorded(error)).await;
            return false;
        }
        ready.send(fit).await.is_ok()
    }

    /// The call: nothing is sent until it is started.
    fn call(&self, job: &Job) -> DecisionCall {
        let intent = &job.intent;
        let mut call = self.client.decide(intent.verdict, &*intent.key).thread_id(&*intent.thread_id);
        if let Some(tenant) = &intent.tenant_id {
            call = call.tenant_id(tenant);
        }
        call.request_id(intent.request_id)
            .body(&*intent.body)
            .sent_before(job.maybe)
            .tried_before(job.earlier.clone())
    }

    /// Sends it until it has an outcome, or its time is over; a call that was put off, because the server has enough to
    /// do already, is taken up again with the tries that are left, and waits without a permit.
    async fn carry(
        &self,
        mut job: Job,
        mut permit: Option<OwnedSemaphorePermit>,
        room: &Arc<Semaphore>,
    ) -> Ended {
        let watch = Arc::new(Watch::new(&self.journal, &job));
        let until = Instant::now() + self.deadline;
        let mut tries_left = self.client.tries();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let call = self.call(&job).max_retries(tries_left.saturating_sub(1)).deadline(left);
            let End { resolution, put_off } = match call.begin(Box::new(Watcher(Arc::clone(&watch)))) {
                Ok(running) => running.await,
                // It was checked before.
                Err(error) => return Ended::Unsendable(Box::new(job.intent), error),
            };
            drop(permit.take());
            if let Some(error) = watch.failed() {
                return Ended::NotRecorded(error);
            }
            tries_left = tries_left.saturating_sub(number(resolution.tries.len() - job.earlier.len()));
            let pause = put_off.map(|wait| wait.max(SHORTEST_PAUSE)).filter(|_| tries_left > 0);
            let pause = pause.filter(|_| !watch.was_too_late());
            if let Some(pause) = pause.filter(|pause| Instant::now() + *pause < until) {
                tokio::time::sleep(pause).await;
                permit = Arc::clone(room).acquire_owned().await.ok();
                if Instant::now() < until {
                    job.maybe = watch.may_have_landed();
                    job.earlier = resolution.tries;
                    continue;
                }
            }
            return match watch.end(&resolution).await {
                Ok(()) => Ended::Resolved(Box::new(job.intent), Box::new(resolution)),
                Err(error) => Ended::NotRecorded(error),
            };
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
