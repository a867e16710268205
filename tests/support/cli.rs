//! The binary as a user runs it, without a credential or a journal from the outside.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;

/// The command with its state in `home`.
pub(crate) fn cli(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("aegis-console").unwrap();
    command.env_remove("AEGIS_API_KEY").env_remove("AEGIS_API_KEY_FILE").env("XDG_STATE_HOME", home);
    command.args(args);
    command
}

/// Runs it to its end: exit code, standard output, standard error.
pub(crate) fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Every line as JSON.
pub(crate) fn events(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

/// The values of one member of the events of one kind, in order.
pub(crate) fn values<'e>(events: &'e [Value], event: &str, member: &str) -> Vec<&'e str> {
    let of = events.iter().filter(|line| line["event"] == event);
    of.map(|line| line[member].as_str().unwrap_or_default()).collect()
}
