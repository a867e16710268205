//! `aegis-console rules`: where a gateway's rules are, whether they are right, what an action would get and why, and a
//! first copy of them. Nothing is asked and no gateway is needed.

mod check;
mod say;

use super::output::{complain, line};
use super::place;
use crate::domain::Visible;
use crate::gateway::EXAMPLE_RULES;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The arguments of `rules`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A gateway reads its rules at its start and again on SIGHUP. With a mistake in them it does not \
    start; on SIGHUP the old ones stay in force."
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read the rules and say what is wrong in them; or what an action would get, and why
    Check(Box<check::Args>),
    /// Print where the rules are looked for
    Path {
        #[command(flatten)]
        place: Place,
    },
    /// Write rules that explain themselves, every one commented out; never over a file that is there
    Init {
        #[command(flatten)]
        place: Place,
    },
}

/// Which rules.
#[derive(Debug, clap::Args)]
struct Place {
    /// The rules [default: rules.toml in the data directory]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The gateway's data directory [default: aegis-console in the XDG state directory]
    #[arg(long, value_name = "DIR", conflicts_with = "rules")]
    data: Option<PathBuf>,
}

impl Place {
    fn file(&self) -> anyhow::Result<PathBuf> {
        match (&self.rules, &self.data) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(data)) => Ok(data.join("rules.toml")),
            (None, None) => Ok(place::default_data()?.join("rules.toml")),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where a file cannot be read or written, or what was given to check is nothing that an agent could send.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check(args) => return check::run(&args),
        Command::Path { place } => {
            let file = place.file()?;
            let missing = if file.exists() { "" } else { " (not there)" };
            line(&format!("{}{missing}", visible(&file)));
        }
        Command::Init { place } => return Ok(init(&place.file()?)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The name of a file, made visible.
fn visible(path: &Path) -> String {
    Visible::of(&path.to_string_lossy()).plain()
}

fn init(file: &Path) -> ExitCode {
    let name = visible(file);
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    // A data directory is its owner's alone.
    let made = directory.map_or(Ok(()), |path| DirBuilder::new().recursive(true).mode(0o700).create(path));
    let written = made.and_then(|()| {
        // Made anew or not at all: between a look and a write another program could have put a file there.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        file.write_all(commented_out(EXAMPLE_RULES).as_bytes())
    });
    match written {
        Ok(()) => line(&format!("{name} is written")),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            line(&format!("{name} is there already, and stays as it is"));
        }
        Err(error) => {
            complain(&format!("cannot write {name}: {error}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The text with every line that says something behind a `#`.
fn commented_out(text: &str) -> String {
    let says = |line: &str| !line.is_empty() && !line.starts_with('#');
    text.lines().map(|line| if says(line) { format!("#{line}\n") } else { format!("{line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Rules;

    #[test]
    fn what_is_written_rules_nothing_until_a_line_is_let_in() {
        let written = commented_out(EXAMPLE_RULES);
        assert!(Rules::read("rules.toml", &written).unwrap().is_empty());
        let let_in = |line: &str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_lowercase() || c == '[') => rest.to_owned(),
            _ => line.to_owned(),
        };
        let lines: Vec<_> = written.lines().map(let_in).collect();
        assert_eq!(lines, EXAMPLE_RULES.lines().collect::<Vec<_>>());
    }
}
