//! `decide --batch`: many decisions from JSON Lines, each in the journal before it is sent, each with a line when it is
//! there and a line when it has ended.
//!
//! Started again with the same lines and the same journal it goes on where it was. It decides nothing: what a line says
//! is checked, recorded and handed to `cli/carry`.

mod line;
mod plan;
mod source;

pub(super) use plan::WrongLines;

use crate::cli::carry::{Carrier, Ended, GROUP, Job};
use crate::cli::decide::report::{Report, code};
use crate::cli::output;
use crate::cli::recorded::Planned;
use crate::domain::{Resolution, Untrusted};
use crate::journal::{Entry, Intent};
use anyhow::Context as _;
use plan::Seen;
use serde::Serialize;
use source::Source;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Which exit code counts where several apply: the first that does. What a person must look at first comes first.
const RANKING: [u8; 9] = [2, 4, 9, 5, 6, 7, 8, 10, 3];
/// Outcomes that wait to be printed.
const WAITING: usize = 256;

/// What the printing half is told by the recording half; the carrying half has a channel of its own.
enum News {
    /// It had ended in an earlier run.
    Before(Box<Entry>),
    /// A line of standard input is wrong.
    BadLine(usize, String),
}

/// A batch on its way: what its halves share.
struct Batch {
    carrier: Carrier,
    json: bool,
    /// Decisions of this run that have not ended: a line that comes again meanwhile is not sent again.
    open: Mutex<HashSet<Uuid>>,
}

/// Carries the batch out.
///
/// # Errors
/// The batch cannot be read, a line of a file is wrong (then nothing was sent), or the journal failed.
pub(super) async fn run(
    carrier: Carrier,
    path: &Path,
    in_flight: u16,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let source = Source::new(path);
    let lines = match &source {
        Source::File(path) => Lines::Checked(plan::whole(&carrier, &source, path)?.into_iter()),
        Source::StandardInput => Lines::Coming(source::standard_input().context("cannot read the batch")?),
    };
    let (jobs, to_carry) = mpsc::channel(1);
    let (tell, news) = mpsc::channel(WAITING);
    let (end, ended) = mpsc::channel(WAITING);
    let carrying = tokio::spawn(carrier.clone().run(to_carry, in_flight, end));
    let batch = Arc::new(Batch { carrier, json, open: Mutex::default() });
    let recording = tokio::spawn(Arc::clone(&batch).record(lines, jobs, tell));
    let printed = batch.print(news, ended).await;
    carrying.await?;
    // What the journal said to the recording half is the cause, where both have something to say.
    recording.await??;
    let codes = printed?;
    Ok(ExitCode::from(RANKING.into_iter().find(|code| codes.contains(code)).unwrap_or_default()))
}

/// Lines, checked already or as they come.
enum Lines {
    Checked(std::vec::IntoIter<Planned>),
    Coming(mpsc::Receiver<source::Numbered>),
}

impl Batch {
    /// Records group after group, says so, and hands them on.
    async fn record(
        self: Arc<Self>,
        mut lines: Lines,
        jobs: mpsc::Sender<Vec<Job>>,
        tell: mpsc::Sender<News>,
    ) -> anyhow::Result<()> {
        while let Some(group) = self.next_group(&mut lines, &tell).await? {
            let new = group.iter().filter_map(|planned| match planned {
                Planned::New(intent) => Some(Intent::clone(intent)),
                Planned::Known(_) => None,
            });
            let new: Vec<_> = new.collect();
            if !new.is_empty() {
                let recorded = self.carrier.journal.record(new).await;
                recorded.context("nothing more is sent; start it again with the same journal to go on")?;
            }
            let mut going = Vec::with_capacity(group.len());
            for planned in group {
                self.say_recorded(planned.intent());
                let job = match planned {
                    Planned::New(intent) => Ok(Job::new(*intent)),
                    Planned::Known(entry) => Job::of(&self.carrier.journal, *entry)?,
                };
                match job {
                    // It comes again while it is on its way.
                    Ok(job) if !self.open().insert(job.intent.id) => {}
                    Ok(job) => going.push(job),
                    Err(entry) => drop(tell.send(News::Before(entry)).await),
                }
            }
            if jobs.send(going).await.is_err() {
                // The carrying half has said why.
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next lines that are recorded together: as many as are there, and what is wrong with the others told.
    async fn next_group(
        &self,
        lines: &mut Lines,
        tell: &mpsc::Sender<News>,
    ) -> anyhow::Result<Option<Vec<Planned>>> {
        let lines = match lines {
            Lines::Checked(planned) => {
                let group: Vec<_> = planned.take(GROUP).collect();
                return Ok(Some(group).filter(|group| !group.is_empty()));
            }
            Lines::Coming(lines) => lines,
        };
        let (mut come, mut group, mut seen) = (Vec::new(), Vec::new(), Seen::default());
        if lines.recv_many(&mut come, GROUP).await == 0 {
            return Ok(None);
        }
        for (number, text) in come {
            let wrong = match text {
                Ok(text) => match plan::one(&self.carrier, &mut seen, number, &text)? {
                    Ok(planned) => {
                        group.extend(planned);
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
                Err(error) => format!("it cannot be read, and nothing after it is: {error}"),
            };
            let _ = tell.send(News::BadLine(number, wrong)).await;
        }
        Ok(Some(group))
    }

    /// Prints what ends, until all has; every exit code that applies.
    async fn print(
        &self,
        mut news: mpsc::Receiver<News>,
        mut ended: mpsc::Receiver<Ended>,
    ) -> anyhow::Result<BTreeSet<u8>> {
        let mut codes = BTreeSet::new();
        loop {
            tokio::select! {
                Some(news) = news.recv() => match news {
                    News::Before(entry) => codes.extend(entry.resolution.map(|resolution| {
                        say_ended(self.json, &entry.intent, &resolution)
                    })),
                    News::BadLine(number, why) => {
                        self.say_wrong(Some(number), None, &why);
                        codes.insert(2);
                    }
                },
                Some(ended) = ended.recv() => match ended {
                    Ended::Resolved(intent, resolution) => {
                        self.open().remove(&intent.id);
                        codes.insert(say_ended(self.json, &intent, &resolution));
                    }
                    Ended::Unsendable(intent, error) => {
                        self.open().remove(&intent.id);
                        self.say_wrong(None, Some(&intent), &error.to_string());
                        codes.insert(2);
                    }
                    Ended::Returned(intent, why) => {
                        self.open().remove(&intent.id);
                        say_returned(self.json, &intent, &why);
                        codes.insert(7);
                    }
                    Ended::NotRecorded(error) => {
                        return Err(error).context("start it again with the same journal to go on");
                    }
                },
                else => return Ok(codes),
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_recorded(&self, intent: &Intent) {
        if self.json {
            output::line(&output::json(&Event { event: "intent", ..Event::of(intent) }));
        }
    }

    fn say_wrong(&self, line: Option<usize>, intent: Option<&Intent>, why: &str) {
        if self.json {
            let event = intent.map(Event::of).unwrap_or_default();
            output::line(&output::json(&Event { event: "error", line, error: Some(why), ..event }));
        } else {
            let what = line.map(|number| format!("standard input:{number}"));
            let what = what.or_else(|| intent.map(|intent| intent.key.clone())).unwrap_or_default();
            output::complain(&format!("{what}: {why}"));
        }
    }
}

/// Says how a recorded decision ended, as an event or in words; the exit code that this comes to.
pub(super) fn say_ended(as_json: bool, intent: &Intent, resolution: &Resolution) -> u8 {
    if as_json {
        let outcome = Event {
            event: "outcome",
            decision: Some(intent.verdict.word()),
            outcome: Some(resolution.outcome.word()),
            request_id: Some(intent.request_id),
            http_status: resolution.http_status,
            detail: resolution.detail.as_ref().map(Untrusted::raw),
            ..Event::of(intent)
        };
        output::line(&output::json(&outcome));
    } else {
        let target = intent.key.as_str().into();
        let report = Report { verdict: intent.verdict, target, resolution: resolution.clone(), aside: None };
        output::line(&report.lines().join(" · "));
    }
    code(&resolution.outcome)
}

/// Says that a recorded decision was given back unsent.
pub(super) fn say_returned(as_json: bool, intent: &Intent, why: &str) {
    if as_json {
        output::line(&output::json(&Event { event: "returned", error: Some(why), ..Event::of(intent) }));
    } else {
        let key = Untrusted::from(&*intent.key).visible().plain();
        output::line(&format!("{} {key}: not sent: {why}", intent.verdict));
    }
}

/// One line of JSON; what is not known has no member. What everybody looks for comes first.
#[derive(Debug, Default, Serialize)]
struct Event<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn of(intent: &'a Intent) -> Self {
        Self {
            key: Some(&intent.key),
            thread: Some(&intent.thread_id),
            tenant: intent.tenant_id.as_deref(),
            ..Self::default()
        }
    }
}
