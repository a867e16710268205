//! `aegis-console ask`: a human's yes for a shell, a CI or any program that can run another: ask, wait, take the yes once,
//! and with `-- COMMAND` run it once and report how it went.
//!
//! Only exit code 0 of a call without a command, and the command's own, mean that there was a yes.

mod progress;
mod report;

use self::progress::{Progress, Waiting};
use self::report::Report;
use super::decide::read_payload;
use super::interrupt::interrupted;
use super::output::complain;
use super::provider::Provider;
use crate::agent::command::{Relay, Seen, Wanted};
use crate::agent::{
    Answer, Approval, Context, Covers, Gate, Request, RequestState, Run, Silence, Source, Status, Submission,
};
use crate::domain::action::is_id;
use crate::domain::{Visible, timestamp};
use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture;
use std::cell::Cell;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

/// One call's worth of trying to reach the gateway: what a wrong address costs.
const REACH: Duration = Duration::from_secs(30);
/// Beyond the reviewers' time: the request has its own deadline at the gateway, and clocks differ.
const OVER: Duration = Duration::from_secs(45);
/// So often one run asks for the same thing again after nobody decided; each time takes as long as a reviewer has.
const MOST_TIMES: u32 = 1_000;
/// Between two of them.
const AGAIN: Duration = Duration::from_millis(50);
/// Characters of a command line as a summary.
const SUMMARY: usize = 200;
/// Differences that are told.
const MOST_CHANGES: usize = 10;

const AFTER_HELP: &str = "\
With a command, exactly that is shown to the reviewers: every argument, the working directory, the program's file with \
its SHA-256, that of every file that an argument names, and the variables named with --env. Once approved it is all looked \
at again; if anything differs, nothing runs. The command has this one's output, its standard input only with \
--stdin (it can be the whole program, and is not shown), and all of its environment (with --only-env, the named variables alone). \
A signal before it starts means that it does not; then SIGTERM and SIGHUP are passed on to it. Values of variables, and files given with --show, are \
kept in the gateway's records: name no secret.

Killed while it waits and called again in the same run, it goes on with the same request. What was approved is taken once: \
called again after that it runs nothing (exit code 6), unless --key is another one. A run is what AEGIS_RUN_ID says; else the \
job that GitHub Actions, GitLab CI, Buildkite, CircleCI, Azure Pipelines, CodeBuild or Jenkins names; else, on Linux, the \
group of processes: all calls of one script share it, and each line that is typed into a shell is one of its own. A denial stands \
for the run; what expired or was withdrawn is asked anew; a yes that was not taken in time needs another --key.

While it waits, a gateway that is away ends nothing before the time is up; where it cannot be reached at first, it is tried for 30 s.

With --json, one object on standard output at the end (after the command's own output): status (approved, denied, \
expired, cancelled, error), request_id, reason (the reviewer's words), error (what failed or has changed), action, thread, run, key, \
ran, command (exit_code, signal; or null), exit_code. What is not known is null.

Exit codes:
  0  approved; with a command: it ran and ended well
  2  wrong usage
  3  denied; the reason is on standard error
  4  expired: nobody decided in time
  5  cancelled: withdrawn, by Ctrl-C, SIGTERM or SIGHUP
  6  not asked, or not run: whatever failed, a yes that was taken before, or a command that is not what was shown any more
  else, with a command: its own exit code, 128 and the number of the signal that ended it (\"ran\" in --json tells it apart)";

/// The arguments of `ask`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What is to be done, in a word: `deploy` [default: the name of the program of COMMAND]
    #[arg(long, required_unless_present = "command", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    action: Option<String>,

    /// What it is to be done with, a JSON object: as it is, from a file, or from standard input. It is shown as it came;
    /// beside a command as the member `payload`
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,

    /// One line on what it is about [default: the command line, where there is a command]
    #[arg(long)]
    summary: Option<String>,

    /// How much harm it could do, in your eyes; the gateway may raise it, never lower it
    #[arg(long, value_parser = PossibleValuesParser::new(["low", "medium", "high", "critical"]))]
    risk: Option<String>,

    /// A word to filter by, and its value; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// The conversation, run or order that it belongs to [default: the run, where that may be an id]
    #[arg(long, value_parser = thread)]
    thread: Option<String>,

    /// How long there is to decide, from 1s to 30d; then it is not run
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = span)]
    timeout: Duration,

    /// What names this request, together with its content: asked again under the same, it is the same request [default:
    /// the run]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key: Option<String>,

    /// An environment variable that is shown with its value, also to whoever reads the gateway's records; may be
    /// repeated. The command gets exactly what was shown; one that is not set is shown as null
    #[arg(long, value_name = "NAME", requires = "command")]
    env: Vec<OsString>,

    /// The command gets the variables of --env and no others
    #[arg(long, requires = "command")]
    only_env: bool,

    /// A text file that is shown whole, so that a script can be read before it is approved; may be repeated
    #[arg(long, value_name = "FILE", requires = "command")]
    show: Vec<OsString>,

    /// The command gets standard input, of which reviewers see only that it does; without this it gets nothing there
    #[arg(long, requires = "command")]
    stdin: bool,

    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    provider: Provider,

    /// What to run, once, if it is approved
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("a label is NAME=VALUE, such as env=prod")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn thread(text: &str) -> Result<String, String> {
    if is_id(text) { Ok(text.to_owned()) } else { Err("a thread is 1 to 128 of A-Z a-z 0-9 . _ : -".into()) }
}

fn span(text: &str) -> Result<Duration, String> {
    let most = Duration::from_secs(30 * 24 * 60 * 60);
    let span = timestamp::span(text).filter(|span| !span.is_zero() && *span <= most);
    span.ok_or_else(|| "give a time such as 30s, 10m, 24h or 7d, from 1s to 30d".into())
}

/// Runs the command. Every failure is told and has the exit code 6.
///
/// # Errors
/// None: it is a `Result` as every command's is.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let asked = Asked::of(args);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(ask(args, &asked)));
    let report = report.unwrap_or_else(|error| Report::not_asked(&error));
    report.tell(&asked);
    if args.json {
        report.print(&asked);
    }
    Ok(report.exit_code())
}

/// What names a request: told in the end, whatever came of it.
struct Asked {
    action: String,
    thread: Option<String>,
    run: Run,
    key: String,
}

impl Asked {
    fn of(args: &Args) -> Self {
        let run = Run::current();
        let program = args
            .command
            .first()
            .map(|program| Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned());
        Self {
            action: args.action.clone().or(program).unwrap_or_default(),
            thread: args.thread.clone().or_else(|| run.thread().map(str::to_owned)),
            key: args.key.as_ref().map_or_else(|| format!("ask:{}", run.name()), |key| format!("key:{key}")),
            run,
        }
    }

    /// The key of the n-th time that the same is asked.
    fn key_of(&self, time: u32) -> String {
        if time == 1 { self.key.clone() } else { format!("{}#{time}", self.key) }
    }
}

async fn ask(args: &Args, asked: &Asked) -> anyhow::Result<Report> {
    let command = look(args)?;
    let submission = submission(args, asked, command.as_ref())?;
    let client = args.provider.client()?.retry_budget(REACH.min(args.timeout));
    let Waited { answer, stopped, relay } = wait(args, asked, &Gate::new(client), &submission).await?;
    let approval = match answer {
        Answer::Allowed(approval) if !stopped => approval,
        // Whoever stopped it does not want it run: not even where the yes had come a moment before.
        Answer::Allowed(approval) => return Ok(stopped_before_it_ran(&approval).await),
        Answer::Error { request_id: None, .. } if stopped => return Ok(Report::stopped(None)),
        no => return Ok(Report::no(&no)),
    };
    Report::tell_yes(asked, &approval);
    match command {
        None => Ok(Report::approved(&approval)),
        Some((wanted, seen)) => carry_out(&approval, relay, &wanted, &seen).await,
    }
}

/// What would run, where something is to.
fn look(args: &Args) -> anyhow::Result<Option<(Wanted, Seen)>> {
    if args.command.is_empty() {
        return Ok(None);
    }
    let wanted = Wanted::new(&args.command, &args.env, args.only_env, &args.show)?;
    let wanted = Wanted { stdin: args.stdin, ..wanted };
    let seen = wanted.look()?;
    Ok(Some((wanted, seen)))
}

fn submission(args: &Args, asked: &Asked, command: Option<&(Wanted, Seen)>) -> anyhow::Result<Submission> {
    if args.stdin && args.payload.as_deref() == Some("-") {
        bail!("with --stdin standard input is the command's: give the payload from a file, --payload @FILE");
    }
    let payload = args.payload.as_deref().map(read_payload).transpose()?;
    let (arguments, words) = match command {
        None => (payload.unwrap_or_else(|| "{}".to_owned()), None),
        Some((wanted, seen)) => {
            if let Some(payload) = &payload {
                // Refused by itself, so that nothing in it can end the object that it stands in.
                Submission::new(&asked.action, payload)?;
            }
            let line = shlex::try_join(wanted.argv.iter().map(String::as_str)).ok();
            (seen.payload(wanted, payload.as_deref()), line)
        }
    };
    let words = words.map(|line| head(&line));
    let context = Context {
        thread_id: asked.thread.clone(),
        agent: None,
        summary: args.summary.clone().or(words),
        risk: args.risk.clone(),
        labels: args.labels.iter().cloned().collect(),
        source: Some(Source { name: "ask", reason: true, covers: Covers::OneCall, silence: Silence::NotRun }),
    };
    let submission = Submission::new(&asked.action, arguments)?;
    Ok(submission.timeout(timestamp::span_words(args.timeout)).context(context.to_json())?)
}

/// A command line as a summary, its cut marked: no row must read as a shorter command. Three full stops, because `…` is a
/// sign of the console's own; as it came, because whoever shows it makes it visible.
fn head(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(SUMMARY) else { return line.to_owned() };
    format!("{}...", &line[..end])
}

/// What came of waiting.
struct Waited {
    answer: Answer,
    /// Whether a signal asked to stop.
    stopped: bool,
    /// Keeps the signals from then on.
    relay: Relay,
}

/// Asks and waits.
async fn wait(args: &Args, asked: &Asked, gate: &Gate, submission: &Submission) -> anyhow::Result<Waited> {
    let mut stop = pin!(interrupted().context("signals cannot be listened for")?.fuse());
    let progress = Progress::new(&asked.action, args.provider.url());
    for time in 1..=MOST_TIMES {
        let (key, old) = (asked.key_of(time), Cell::new(false));
        let see = |request: &Request| {
            old.set(matches!(request.state, RequestState::Expired | RequestState::Cancelled));
            progress.waits(Waiting { since: request.created_at, until: request.deadline_at });
        };
        let check = gate.check_within(submission, &key, args.timeout + OVER, stop.as_mut(), see);
        let answer = tokio::select! {
            answer = check => answer,
            never = progress.count() => match never {},
        };
        // Of an earlier call in this run: nobody decided, or somebody stopped it. It never ran, and never will. An approval that
        // has run out is not among these: by a clock that is wrong each new one has, and a rule may give them without end.
        if old.get() && matches!(answer, Answer::Expired { .. } | Answer::Cancelled { .. }) {
            tokio::time::sleep(AGAIN).await;
            continue;
        }
        let relay = Relay::listen().context("signals cannot be listened for")?;
        // Between the yes and now; what comes later goes to the command.
        let stopped = stop.is_terminated() || stop.as_mut().now_or_never().is_some();
        return Ok(Waited { answer, stopped, relay });
    }
    bail!("{MOST_TIMES} requests of this run have expired or were withdrawn: give another --key")
}

/// Looks once more, runs it once, and says how it went.
async fn carry_out(
    approval: &Approval,
    mut relay: Relay,
    wanted: &Wanted,
    seen: &Seen,
) -> anyhow::Result<Report> {
    crate::failpoint::reached("before", "look again");
    let changes = match wanted.look() {
        Ok(now) => seen.changes(&now),
        Err(error) => vec![error.to_string()],
    };
    if !changes.is_empty() {
        let more = changes.len().saturating_sub(MOST_CHANGES);
        let mut words = changes[..changes.len() - more].join("; ");
        if more > 0 {
            words.push_str(&format!("; and {more} more"));
        }
        let words = format!("not run, because it is not what was approved any more: {words}");
        report_outcome(approval, Status::Failed, Some(&words)).await;
        return Ok(Report::not_run(approval, &words));
    }
    crate::failpoint::reached("before", "start");
    // Hashing takes its time.
    if relay.has_come().await {
        return Ok(stopped_before_it_ran(approval).await);
    }
    let running = match relay.start(wanted, seen) {
        Ok(running) => running,
        Err(error) => {
            let words = format!("not run: {} could not be started: {error}", seen.program.path);
            report_outcome(approval, Status::Failed, Some(&words)).await;
            return Ok(Report::not_run(approval, &words));
        }
    };
    crate::failpoint::reached("after", "start");
    let ended = match running.ended().await {
        Ok(ended) => ended,
        Err(error) => {
            let words = format!("it was started, and how it ended is not known: {error}");
            report_outcome(approval, Status::Failed, Some(&words)).await;
            return Ok(Report::lost(approval, &words));
        }
    };
    let (status, note) = match ended.is_success() {
        true => (Status::Succeeded, None),
        false => (Status::Failed, Some(ended.words())),
    };
    report_outcome(approval, status, note.as_deref()).await;
    Ok(Report::ran(approval, ended))
}

async fn stopped_before_it_ran(approval: &Approval) -> Report {
    report_outcome(approval, Status::Failed, Some("stopped by a signal before it ran")).await;
    Report::stopped(Some(approval.request_id))
}

/// Says how it went, until a signal. What has run has run: that it could not be told is a warning.
async fn report_outcome(approval: &Approval, status: Status, note: Option<&str>) {
    let told = async {
        let stop = interrupted().map_err(|error| error.to_string())?;
        tokio::select! {
            told = approval.report(status, note) => told.map_err(|error| error.to_string()),
            () = stop => Err("stopped by a signal".to_owned()),
        }
    };
    if let Err(why) = told.await {
        complain(&format!("warning: how it went could not be told to the gateway: {why}"));
    }
}

/// Whether a person sits at standard error.
fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// The action's name as it may be printed.
fn name(asked: &Asked) -> String {
    Visible::of(&asked.action).cut(40).plain()
}
