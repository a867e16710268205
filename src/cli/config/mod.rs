//! `aegis-console config`: what is in force and where it comes from, where the files are, whether they are right, and a
//! first copy of them. No secret is printed: there is none in any of these files.

mod chosen;
mod init;
mod show;

pub(super) use chosen::Chosen;

use super::output::{complain, line};
use super::review::Look;
use crate::config::place;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// The arguments of `config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A flag goes before the environment (AEGIS_CONSOLE_ and the setting's name in capitals), the \
    environment before the config file, the file before the defaults.\nExit codes: 0; 1 where something is wrong in a file."
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print what is in force, and where each value comes from
    Show {
        /// A part of it, as a file of its own
        #[arg(value_enum)]
        part: Option<show::Part>,
        #[command(flatten)]
        look: Box<Look>,
    },
    /// Print where everything is looked for
    Path {
        #[command(flatten)]
        look: Box<Look>,
    },
    /// Read config, keymap and theme, and say what is wrong in them
    Check {
        #[command(flatten)]
        look: Box<Look>,
    },
    /// Write config, keymap and theme with every default in them, commented out; never over a file that is there
    Init {
        #[command(flatten)]
        look: Box<Look>,
    },
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Show { part, look } => {
            let text = show::show(&look.choose()?, part);
            // Nobody reads it any more; the exit code still tells.
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        Command::Path { look } => {
            for (what, place) in show::paths(&look.choose()?) {
                line(&format!("{what:<9} {place}"));
            }
        }
        Command::Check { look } => match look.choose() {
            Ok(chosen) => check(&chosen),
            Err(mistakes) => {
                line(&mistakes.to_string());
                return Ok(ExitCode::FAILURE);
            }
        },
        Command::Init { look } => return Ok(init::run(&look.config_path()?)),
    }
    Ok(ExitCode::SUCCESS)
}

fn check(chosen: &Chosen) {
    let found = [&chosen.file, &chosen.keymap_file];
    let files =
        found.into_iter().flatten().filter(|found| found.text.is_some()).map(|found| found.path.as_path());
    let files: Vec<&Path> = files.chain(chosen.theme_file.as_deref()).collect();
    for file in &files {
        line(&format!("{} is fine", show::visible(file)));
    }
    if files.is_empty() {
        line("there is no file of yours; the defaults are fine");
    }
    for instead in &chosen.instead {
        line(&format!("on this terminal: {instead}"));
    }
}

impl Look {
    /// Where the config file is, or would be.
    fn config_path(&self) -> anyhow::Result<std::path::PathBuf> {
        let path = place::config_path(self.config_flag());
        path.ok_or_else(|| anyhow::anyhow!("there is no home directory; name a file with --config"))
    }
}

/// Says on standard error what could not be done.
fn failed(message: &str) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}
