//! `rules check`: the file by itself, or an action against it. The gateway's own code rules; this only puts together what
//! an agent would send.

use super::{Place, say, visible};
use crate::cli::decide::read_payload;
use crate::cli::output::line;
use crate::document::{Mistakes, file};
use crate::domain::Risk;
use crate::domain::json::{self, Limits, quote};
use crate::gateway::{Outcome, Rules, trial};
use anyhow::{Context as _, anyhow, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Without an action the rules alone are read.

With --json, one object on standard output: outcome (waits, allowed, refused), rule, words, risk, reasons, \
reviewers_needed, review_window_s, time_s, grace_s, would_allow (the rule that would have allowed it, and what kept it from \
that), and rules: for each its name, line, takes_effect, and its matchers (wanted; fits: yes, alike or no; found). Without an \
action: file, rules; where there are mistakes, mistakes (line, column, message).

Exit codes:
  0  the rules are right; of an action: it waits for a person
  1  a mistake in the rules, or the action is none that an agent could ask for
  2  wrong usage
  3  a rule lets the action run without a person
  4  a rule refuses the action";

/// The arguments of `rules check`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// A submission as an agent sends it (AAP): a file, or - for standard input
    #[arg(value_name = "SUBMISSION", conflicts_with_all = ["action", "payload", "server", "label", "risk", "timeout"])]
    submission: Option<PathBuf>,

    /// The action: the name of the tool
    #[arg(long)]
    action: Option<String>,
    /// What the tool is to be called with: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", requires = "action", default_value = "{}")]
    payload: String,
    /// The tool's server
    #[arg(long, requires = "action")]
    server: Option<String>,
    /// A label that the agent claims; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "action")]
    label: Vec<String>,
    /// The risk that the agent claims
    #[arg(long, requires = "action",
        value_parser = PossibleValuesParser::new(Risk::ALL.map(Risk::word)).try_map(|word| word.parse::<Risk>()))]
    risk: Option<Risk>,
    /// The time that the agent gives
    #[arg(long, requires = "action", default_value = "1h")]
    timeout: String,

    /// The name of the agent's credential
    #[arg(long, default_value = "agent")]
    agent: String,
    /// The tenant of the agent's credential
    #[arg(long, default_value = "default")]
    tenant: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.place.file()?;
    let read = || -> Result<Option<Rules>, Mistakes> {
        let named = args.place.rules.is_some();
        let text = if named { Some(file::read(&path)?) } else { file::read_if_there(&path)? };
        text.map(|text| Rules::read(&path.to_string_lossy(), &text)).transpose()
    };
    let rules = match read() {
        Ok(rules) => rules,
        Err(mistakes) => {
            line(&if args.json { say::mistakes_json(&mistakes) } else { mistakes.to_string() });
            return Ok(ExitCode::FAILURE);
        }
    };
    let Some(submission) = submission(args)? else {
        line(&alone(args, &visible(&path), rules.as_ref()));
        return Ok(ExitCode::SUCCESS);
    };
    let rules = rules.unwrap_or_default();
    let trial =
        trial(&rules, &args.tenant, &args.agent, submission.as_bytes()).map_err(|why| anyhow!(why))?;
    line(&if args.json { say::json(&trial) } else { say::words(&trial) });
    Ok(match trial.outcome {
        Outcome::Allowed { .. } => ExitCode::from(3),
        Outcome::Refused { .. } => ExitCode::from(4),
        Outcome::Waits { .. } => ExitCode::SUCCESS,
    })
}

/// What is said of rules that are right.
fn alone(args: &Args, path: &str, rules: Option<&Rules>) -> String {
    let count = rules.map_or(0, Rules::len);
    match (args.json, rules) {
        (true, _) => crate::cli::output::json(&serde_json::json!({"file": path, "rules": count})),
        (false, None) => format!("there is no {path}: no rules"),
        (false, Some(_)) => format!("{path} is fine: {}", say::count(count, "rule")),
    }
}

/// What an agent would send.
fn submission(args: &Args) -> anyhow::Result<Option<String>> {
    if let Some(path) = &args.submission {
        let given = match path.to_str() {
            Some("-") => "-".to_owned(),
            _ => format!("@{}", path.display()),
        };
        return read_payload(&given).context("cannot read the submission").map(Some);
    }
    let Some(action) = &args.action else { return Ok(None) };
    let payload = read_payload(&args.payload)?;
    let payload = payload.trim();
    let read = json::parse_unique(payload.as_bytes(), Limits::DOOR)
        .context("the payload is no JSON that a gateway takes")?;
    if read.as_object().is_none() {
        bail!("the payload must be a JSON object");
    }
    let mut labels = Vec::new();
    for label in &args.label {
        let (name, value) = label.split_once('=').ok_or_else(|| anyhow!("write --label NAME=VALUE"))?;
        labels.push(format!("{}:{}", quote(name), quote(value)));
    }
    let risk = args.risk.map(|risk| format!("\"risk\":{},", quote(risk.word()))).unwrap_or_default();
    let server =
        args.server.as_ref().map(|server| format!("\"server\":{},", quote(server))).unwrap_or_default();
    Ok(Some(format!(
        "{{\"tool\":{},{server}\"arguments\":{payload},\"timeout\":{},\"context\":{{{risk}\"labels\":{{{}}}}}}}",
        quote(action),
        quote(&args.timeout),
        labels.join(",")
    )))
}
