//! Completions for shells and the manual, made by the binary itself from its command line and its keymap: what they say
//! is what this version does.

use super::output::line;
use crate::console::keymap::{Keymap, Scope};
use anyhow::Context as _;
use clap_complete::Shell;
use clap_mangen::Man;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const PROGRAM: &str = "aegis-console";

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The directory, which is made where it is not there; without it the main page goes to standard output
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Prints a shell's completions.
pub fn run(args: &Args, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, PROGRAM, &mut text);
    // Nobody reads it any more; the exit code still tells.
    let _ = std::io::stdout().write_all(&text);
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual, or writes it into a directory.
pub fn manual(args: &ManArgs, command: clap::Command) -> anyhow::Result<ExitCode> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(directory) = &args.directory else {
        let _ = std::io::stdout().write_all(&page(&command)?);
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let pages = write_pages(&command, directory)?;
    line(&format!("{pages} pages are written"));
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &clap::Command, directory: &Path) -> anyhow::Result<usize> {
    let path = directory.join(Man::new(command.clone()).get_filename());
    std::fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    let mut pages = 1;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        pages += write_pages(inner, directory)?;
    }
    Ok(pages)
}

/// One page. Those of the screen have the table of keys.
fn page(command: &clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    if matches!(command.get_name(), PROGRAM | "review" | "demo") {
        page.extend(keys(&Keymap::shipped()?).into_bytes());
    }
    Ok(page)
}

/// The table of keys, from the same keymap that the screen goes by.
fn keys(keymap: &Keymap) -> String {
    let mut text =
        String::from(".SH KEYS\nEvery key can be changed: see\n.BR \"aegis-console config init\" .\n");
    for scope in Scope::ALL {
        text.push_str(&format!(".SS {scope}\n"));
        for intent in keymap.intents(scope) {
            let keys: Vec<_> = keymap.keys(intent, &[scope]).iter().map(ToString::to_string).collect();
            text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", roff(&keys.join(" ")), roff(intent.help())));
        }
    }
    text
}

/// Text that roff prints as it stands; where a line could start with an order it starts with nothing.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\n', " ");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory as _, ValueEnum as _};

    #[test]
    fn each_shell_gets_completions_that_know_every_command() {
        for shell in Shell::value_variants() {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), PROGRAM, &mut text);
            let text = String::from_utf8(text).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(text.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }

    #[test]
    fn there_is_a_page_for_each_command_and_the_keys_are_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let args = ManArgs { directory: Some(directory.path().join("man1")) };
        manual(&args, Cli::command()).unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join("man1").join(name)).unwrap();
        let main = read("aegis-console.1");
        for scope in Scope::ALL {
            assert!(main.contains(&format!(".SS {scope}")));
        }
        assert!(main.contains("\\fBctrl\\-c q\\fR") || main.contains("\\fBq ctrl\\-c\\fR"), "{main}");
        assert!(read("aegis-console-review.1").contains(".SH KEYS"));
        assert!(read("aegis-console-config-show.1").contains("keymap"));
        assert!(!read("aegis-console-list.1").contains(".SH KEYS"));
    }

    #[test]
    fn no_key_is_an_order_to_roff() {
        assert_eq!(roff("."), "\\&.");
        assert_eq!(roff("\\ ctrl-d"), "\\e ctrl\\-d");
    }
}
