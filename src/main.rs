//! Parses the command line, runs one command, turns its error into an exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    aegis_console::cli::main()
}
