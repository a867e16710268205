//! `hook install` and `hook uninstall`: shows what would change in the agent's settings, asks, and changes it.

use super::{Asking, whole};
use crate::agent::hook::settings::{self, Entry, SettingsFile};
use crate::agent::hook::{Agent, Event, Pace};
use crate::cli::output::{complain, line};
use crate::cli::provider::{Provider, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE};
use crate::domain::Visible;
use crate::domain::timestamp::span_words;
use anyhow::{Context as _, bail};
use clap::builder::PossibleValue;
use similar::ChangeTag;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Whose settings, and which of its files.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The agent
    #[arg(value_name = "AGENT")]
    agent: Agent,
    /// In the project in this directory: .claude/settings.json, .codex/hooks.json. This is the default
    #[arg(long, conflicts_with = "user")]
    project: bool,
    /// For all of this user's projects: ~/.claude/settings.json (CLAUDE_CONFIG_DIR), ~/.codex/hooks.json (CODEX_HOME)
    #[arg(long)]
    user: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// The arguments of `hook install`.
#[derive(Debug, clap::Args)]
pub(super) struct Install {
    #[command(flatten)]
    target: Target,
    /// The tools that it is for, as the agent's own matchers go: 'Bash|Edit|Write|mcp__.*' [default: every tool]
    #[arg(long, value_name = "M")]
    matcher: Option<String>,
    /// The event, more than one by repeating it: PreToolUse sees every tool before it runs; PermissionRequest only what the
    /// agent would ask its user about
    #[arg(long, value_name = "EVENT", default_value = "PreToolUse")]
    event: Vec<Event>,
    /// How long a reviewer has: 30s, 9m, 24h; the agent is told to wait half a minute longer
    #[arg(long, value_name = "TIME", default_value = Asking::TIMEOUT, value_parser = whole)]
    timeout: Duration,
    #[command(flatten)]
    provider: Provider,
}

impl clap::ValueEnum for Agent {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::ClaudeCode, Self::Codex]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// Installs it.
///
/// # Errors
/// The settings are none, cannot be written, or the user does not want it.
pub(super) fn install(args: &Install) -> anyhow::Result<ExitCode> {
    let Install { target, matcher, event, timeout, provider } = args;
    let agent = target.agent;
    // Before it is shown and written: there may be a password in it.
    provider.is_here()?;
    let entry = |event: Event| -> anyhow::Result<Entry> {
        let command = settings::command(agent, event, &words(args, event)?).map_err(anyhow::Error::msg)?;
        let timeout = (*timeout + Pace::SPARE).as_secs();
        Ok(Entry { event, matcher: matcher.clone(), command, timeout })
    };
    let entries = event.iter().copied().map(entry).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(other) = path(agent, !target.user).ok().and_then(|path| SettingsFile::open(&path).ok())
        && settings::is_in(other.text(), agent).unwrap_or_default()
        && path(agent, target.user)? != other.path()
    {
        complain(&format!(
            "it is installed in {} too: where both hold, each call is asked about by both and only one of them can be told \
             yes; uninstall one",
            other.path().display()
        ));
    }
    if !change(target, |text| settings::with(text, agent, &entries))? {
        return Ok(ExitCode::FAILURE);
    }
    match provider.found() {
        Ok(found) if found.from == TOKEN_VARIABLE => line(&format!(
            "{}'s own environment must have {TOKEN_VARIABLE}: no token is written into settings",
            agent.title()
        )),
        Ok(_) => {}
        Err(error) => complain(&format!("until this is mended every call is refused: {error:#}")),
    }
    line(match agent {
        Agent::ClaudeCode => {
            "Claude Code takes it up by itself; /hooks there shows it. Before its version 2.1.295 (no onFailure) a tool runs \
             where the hook is late all the same."
        }
        Agent::Codex => {
            "Codex runs it only once you have trusted it: start codex, /hooks. Until then tools run as its approval policy \
             says. Before its version 0.124 hooks must be switched on: `codex_hooks = true` below `[features]` in \
             config.toml."
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// Takes it out again.
///
/// # Errors
/// As [`install`].
pub(super) fn uninstall(target: &Target) -> anyhow::Result<ExitCode> {
    let agent = target.agent;
    let done = change(target, |text| settings::without(text, agent))?;
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The command as it is installed: everything by its whole path, because the agent runs it from anywhere.
fn words(args: &Install, event: Event) -> anyhow::Result<Vec<String>> {
    let mut words = vec![utf8(&program()?)?, "hook".to_owned(), args.target.agent.name().to_owned()];
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    flag("--event", event.name().to_owned());
    flag("--timeout", span_words(args.timeout));
    if let Some(server) = args.provider.server.as_ref().filter(|server| !server.is_empty()) {
        flag("--server", server.clone());
    }
    let named = std::env::var_os(TOKEN_FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    for (name, path) in [
        ("--token-file", args.provider.token_file.clone().or(named)),
        ("--ca-file", args.provider.ca_file.clone()),
    ] {
        if let Some(path) = path {
            let path = std::path::absolute(&path).with_context(|| format!("{name} {}", path.display()))?;
            flag(name, utf8(&path)?);
        }
    }
    Ok(words)
}

/// Where this program is: by the name that it was called by, where that leads to it, because what a package manager puts
/// there stays when what it leads to is replaced by a newer version.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program cannot tell where it is")?;
    let called = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let named = match called.components().count() {
        1 => std::env::split_paths(&directories).map(|directory| directory.join(&called)).collect(),
        _ => vec![called],
    };
    let whole = named.iter().filter_map(|path| std::path::absolute(path).ok());
    let is_own = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == own);
    Ok(whole.into_iter().find(is_own).unwrap_or_else(|| own.clone()))
}

fn utf8(path: &Path) -> anyhow::Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("the path {} is no UTF-8 and fits in no JSON", path.display()))?;
    Ok(text.to_owned())
}

fn path(agent: Agent, user: bool) -> anyhow::Result<PathBuf> {
    let (variable, directory, file) = match agent {
        Agent::ClaudeCode => ("CLAUDE_CONFIG_DIR", ".claude", "settings.json"),
        Agent::Codex => ("CODEX_HOME", ".codex", "hooks.json"),
    };
    if !user {
        return Ok(std::env::current_dir()?.join(directory).join(file));
    }
    let own = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let directory = match own {
        Some(own) => own,
        None => etcetera::home_dir().context("there is no home directory; use --project")?.join(directory),
    };
    Ok(directory.join(file))
}

/// Whether the file is as it should be now.
fn change(
    target: &Target,
    new: impl FnOnce(&str) -> Result<String, settings::NotSettings>,
) -> anyhow::Result<bool> {
    let path = path(target.agent, target.user)?;
    let file = SettingsFile::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = file.path().display();
    let new = new(file.text()).with_context(|| format!("{name} is left as it is"))?;
    if new == file.text() {
        line(&format!("nothing to change in {}", Visible::of(&name.to_string()).plain()));
        return Ok(true);
    }
    show(&file, &new);
    if !target.yes && !asked(&format!("Write {name}?"))? {
        line("nothing is written");
        return Ok(false);
    }
    file.replace(&new).with_context(|| format!("cannot write {name}"))?;
    line(&format!("{} is written", Visible::of(&name.to_string()).plain()));
    Ok(true)
}

/// What would change, and nothing that stands around it: settings hold keys.
fn show(file: &SettingsFile, new: &str) {
    let old = if file.exists() { file.text() } else { "" };
    line(&format!("--- {}", Visible::of(&file.path().display().to_string()).plain()));
    let difference = similar::TextDiff::from_lines(old, new);
    for op in difference.ops() {
        let of = |tag: ChangeTag| {
            let changes = difference.iter_changes(op).filter(move |change| change.tag() == tag);
            changes.map(|change| change.value()).collect::<String>()
        };
        let (gone, come) = (of(ChangeTag::Delete), of(ChangeTag::Insert));
        let (gone, come) = between(&gone, &come);
        for (sign, text) in [('-', gone), ('+', come)] {
            for text in text.lines() {
                line(&format!("{sign}{}", Visible::of(text).plain()));
            }
        }
    }
}

/// Where lines only get something, a comma behind them or all of it where the settings are one line, or only lose it: that
/// alone, with `…` for what is kept.
fn between(gone: &str, come: &str) -> (String, String) {
    let same = |(a, b): &(char, char)| a == b;
    let head: usize = gone.chars().zip(come.chars()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (&gone[head..], &come[head..]);
    let tail: usize = a.chars().rev().zip(b.chars().rev()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    if !a.is_empty() && !b.is_empty() {
        return (gone.to_owned(), come.to_owned());
    }
    let dots = |kept: &str| if kept.trim().is_empty() { "" } else { "…" };
    let cut = |text: &str| match text {
        "" => String::new(),
        text => format!("{}{text}{}", dots(&gone[..head]), dots(&gone[gone.len() - tail..])),
    };
    (cut(a), cut(b))
}

fn asked(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nothing is written: nobody can be asked here; --yes writes it");
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{} [y/N] ", Visible::of(question).plain())?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
