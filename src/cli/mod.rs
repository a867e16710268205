//! The command line: one file a command, and the one place where things are wired together.
//!
//! A command parses, wires and reports; what it does belongs in the layers below. Errors are one message that names the
//! thing and says what to do, on standard error; the exit code is documented in `--help`.

pub mod ask;
pub mod audit;
mod batch;
mod carry;
mod checkpoints;
pub mod completions;
pub mod config;
pub mod connection;
pub mod decide;
pub mod demo;
pub mod doctor;
pub mod feed;
pub mod gateway;
pub mod hook;
pub mod interrupt;
pub mod list;
pub mod logs;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod outbox;
pub mod output;
pub mod place;
pub mod provider;
mod recorded;
pub mod resume;
pub mod review;
pub mod rules;
pub mod serve;
pub mod status;
pub mod token;
pub mod tries;

use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

/// The terminal where a person says yes or no to what AI agents want to do.
#[derive(Debug, Parser)]
#[command(name = "aegis-console", version, about, max_term_width = 100)]
#[command(after_help = "Without a command it is `review`: on a gateway of its own, on 127.0.0.1:8000.")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    review: review::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Review what waits for a decision, on a full screen
    Review(review::Args),
    /// Try it: console, gateway and agents at work in one process, nothing to set up
    Demo(demo::Args),
    /// Get a human's yes in a script: ask, wait, and with `-- COMMAND` run it once if it is approved
    Ask(Box<ask::Args>),
    /// Run the gateway: agents ask, reviewers decide, over HTTP
    Serve(serve::Args),
    /// Give people and agents the tokens that they come in with, and take them back
    Token(token::Args),
    /// Look after a gateway's database: copy it, bring it to this program's schema
    Gateway(gateway::Args),
    /// Answer the hooks of Claude Code and Codex: a reviewer says yes or no to each tool
    Hook(hook::Args),
    /// Approve or reject without the screen: one action, or a batch
    Decide(Box<decide::Args>),
    /// Ask the server what became of an earlier decision
    Status(Box<status::Args>),
    /// List the decisions that the journal holds, what is still open first
    Outbox(outbox::Args),
    /// Carry out what the journal still holds, without the screen
    Resume(resume::Args),
    /// Bring what waits elsewhere to the gateway, and the answers back: OpenCode
    Feed(Box<feed::Args>),
    /// Ask a person from any client of the Model Context Protocol: a server on standard input and output
    #[cfg(feature = "mcp")]
    Mcp(mcp::Args),
    /// List actions without the screen
    List(list::Args),
    /// What the gateway's rules make of an action and why; check them; write a first copy
    Rules(rules::Args),
    /// Read the gateway's audit log: what became of an action, whether the log holds, all of it
    Audit(audit::Args),
    /// What is in force and where it comes from; check it; write a first copy
    Config(config::Args),
    /// Say what is set up, what is reachable, as whom, and what would happen to an action now
    Doctor(doctor::Args),
    /// Print a shell's completions
    Completions(completions::Args),
    /// Print the manual, or write one page for each command into a directory
    Man(completions::ManArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let Cli { command, review } = Cli::parse();
    let result = match command.unwrap_or(Command::Review(review)) {
        Command::Review(args) => review::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Ask(args) => ask::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Token(args) => token::run(args),
        Command::Gateway(args) => gateway::run(args),
        Command::Hook(args) => hook::run(args),
        Command::Decide(args) => decide::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Outbox(args) => outbox::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Feed(args) => feed::run(&args),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::run(args),
        Command::List(args) => list::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Audit(args) => audit::run(&args),
        Command::Config(args) => config::run(args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => completions::manual(&args, Cli::command()),
    };
    result.unwrap_or_else(|error| {
        output::complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
