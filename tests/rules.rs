//! `aegis-console rules` as a user runs it: what it prints, where it writes, and its exit codes; and SIGHUP to a gateway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const RULES: &str = r#"[[rule]]
name = "prod database"
action = "sql.*"
payload."/database" = { glob = "*prod*" }
risk = "high"
reviewers = 2

[[rule]]
name = "no dropping"
payload."/statement" = { glob = "*drop table*" }
refuse = "by migrations only"

[[rule]]
name = "reading"
action = "sql.select"
payload."/database" = "staging"
allow = true
"#;

fn rules(data: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.arg("rules").args(args).arg("--data").arg(data);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read it closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn init_writes_rules_that_rule_nothing_and_never_over_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = data.join("rules.toml");
    assert!(rules(&data, &["path"], "").1.ends_with("rules.toml (not there)\n"));
    let (code, said, _) = rules(&data, &["init"], "");
    assert_eq!((code, said), (0, format!("{} is written\n", file.display())));
    let (code, said, _) = rules(&data, &["check"], "");
    assert_eq!((code, said), (0, format!("{} is fine: 0 rules\n", file.display())));
    std::fs::write(&file, "# mine\n").unwrap();
    assert!(rules(&data, &["init"], "").1.contains("stays as it is"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\n");
    assert_eq!(rules(&data, &["path"], "").1, format!("{}\n", file.display()));
}

#[test]
fn a_mistake_is_told_with_its_line_and_is_exit_code_1() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.toml"), RULES.replace("reviewers", "reviewrs")).unwrap();
    let (code, said, _) = rules(dir.path(), &["check"], "");
    assert_eq!(code, 1);
    assert!(
        said.contains("rules.toml:6:1: reviewrs is no part of a rule: did you mean reviewers?"),
        "{said}"
    );
    assert!(said.ends_with("  6 | reviewrs = 2\n    | ^^^^^^^^\n"), "{said}");
    let (code, said, _) = rules(dir.path(), &["check", "--json"], "");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["mistakes"][0]["line"]), (1, &json!(6)));
}

#[test]
fn it_says_what_an_action_would_get_and_why() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    let check = |args: &[&str], input: &str| rules(dir.path(), &[&["check"], args].concat(), input);

    let payload = r#"{"database":"PROD-eu","statement":"update t"}"#;
    let (code, said, _) = check(&["--action", "sql.update", "--payload", payload], "");
    assert_eq!(code, 0);
    assert_eq!(
        said,
        "waits for a person
  risk       high
  needs      2 reviewers, the last at most 15m after the first
  to decide  1h
  because    rule \"prod database\"
             2 reviewers: rule \"prod database\"

rule \"prod database\", line 1: takes effect
  yes    action \"sql.*\": \"sql.update\"
  alike  payload \"/database\" \"*prod*\": \"PROD-eu\"

rule \"no dropping\", line 8: does not fit
  no     payload \"/statement\" \"*drop table*\": \"update t\"

rule \"reading\", line 13: does not fit
  no     action \"sql.select\": \"sql.update\"
  no     payload \"/database\" \"staging\": \"PROD-eu\"

alike: not to the letter, but it could be taken for it; enough for a rule that asks for
       more or refuses, and not for one that allows
"
    );

    let staging = r#"{"database":"staging"}"#;
    let (code, said, _) = check(&["--action", "sql.select", "--payload", "-", "--label", "env=x"], staging);
    assert_eq!((code, said.lines().next()), (3, Some("runs without a person")));
    let (code, said, _) =
        check(&["--action", "sql.select", "--payload", staging, "--risk", "high", "--json"], "");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["outcome"], &said["risk"]), (0, &json!("waits"), &json!("high")));
    assert_eq!(said["would_allow"], json!({"rule": "reading", "but": "the risk is high"}));

    let submission = r#"{"tool":"x","arguments":{"statement":["Drop Table"]},"timeout":"5m"}"#;
    let (code, said, _) = check(&["-", "--json"], submission);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["outcome"], &said["rule"]), (4, &json!("refused"), &json!("no dropping")));
    assert_eq!(said["rules"][1]["matchers"][0]["fits"], "alike");
}

#[test]
fn what_no_agent_could_ask_for_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    for (args, input, words) in [
        (vec!["-"], r#"{"tool":"x","tool":"y"}"#, "stands twice"),
        (vec!["-"], r#"{"tool":"x","arguments":{}}"#, "\"timeout\" is missing"),
        (vec!["--action", "x", "--payload", "[]"], "", "must be a JSON object"),
        (vec!["--action", "x", "--payload", r#"{},"tool":"y""#], "", "no JSON"),
        (vec!["--action", "x", "--label", "env"], "", "NAME=VALUE"),
        (vec!["--action", "x", "--timeout", "5"], "", "timeout must be like"),
    ] {
        let (code, said, errors) = rules(dir.path(), &[&["check"], args.as_slice()].concat(), input);
        assert_eq!((code, said.as_str()), (1, ""), "{args:?}");
        assert!(errors.contains(words), "{errors}");
    }
    assert_eq!(rules(dir.path(), &["check", "--payload", "{}"], "").0, 2);
}

/// Killed where a test ends early.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn on_sighup_the_rules_are_read_again_and_a_mistake_leaves_the_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.toml");
    std::fs::write(&file, RULES).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path().join("data"));
    command.arg("--rules").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut serving = Serving(command.spawn().unwrap());
    let mut said = BufReader::new(serving.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut errors = BufReader::new(serving.0.stderr.take().unwrap());
    let mut wait = |words: &str| assert!(said.by_ref().any(|line| line.contains(words)), "{words}");
    wait("rules             3 in force, from ");
    wait("stop with");
    let pid = rustix::process::Pid::from_child(&serving.0);
    let signal = |signal| rustix::process::kill_process(pid, signal).unwrap();
    std::fs::write(&file, RULES.replace("allow = true", "alow = true")).unwrap();
    signal(rustix::process::Signal::HUP);
    let mut line = String::new();
    while !line.contains("the earlier ones stay in force") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended");
        assert!(
            !line.contains("alow") || line.contains("r.toml:17:1") && line.contains("did you mean allow?"),
            "{line}"
        );
    }
    std::fs::write(&file, RULES.split("\n\n").next().unwrap()).unwrap();
    signal(rustix::process::Signal::HUP);
    wait("rules read again: 1 in force");
    signal(rustix::process::Signal::TERM);
    assert_eq!(serving.0.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn with_a_mistake_in_its_rules_a_gateway_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("rules.toml"), "[[rule]]\nname = \"a\"\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.starts_with("aegis-console: the rules cannot be used\n"), "{errors}");
    assert!(errors.contains("rules.toml:1:1: this rule does nothing"), "{errors}");
    assert!(!data.join("gateway.db").exists(), "nothing was begun");
}

/// Asks as the gateway's own agent; the status of the answer.
fn ask(data: &Path, address: &str, key: &str, body: &str) -> u16 {
    let token = std::fs::read_to_string(data.join("agent.token")).unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let (token, length) = (token.trim(), body.len());
    write!(
        stream,
        "POST /aap/v1/requests HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn serve(data: &Path) -> (Serving, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).stdout(Stdio::piped());
    let mut serving = Serving(command.spawn().unwrap());
    let mut first = String::new();
    BufReader::new(serving.0.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("listening on http://").unwrap().to_owned();
    (serving, address)
}

fn stop(mut serving: Serving) {
    let pid = rustix::process::Pid::from_child(&serving.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(serving.0.wait().unwrap().code(), Some(0));
}

/// The rows of the audit log of these kinds.
fn told(data: &Path, kinds: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    let output = command.args(["audit", "export", "--format", "jsonl", "--data"]).arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        match row["entry"].as_str() {
            Some(entry) => serde_json::from_str(entry).unwrap(),
            None => row,
        }
    });
    rows.filter(|row: &Value| kinds.contains(&row["kind"].as_str().unwrap())).collect()
}

#[test]
fn what_rules_do_and_every_change_of_them_is_in_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let file = data.join("rules.toml");
    let rule_rows = || told(&data, &["rules.changed"]);

    // Without rules there is nothing to tell.
    stop(serve(&data).0);
    assert_eq!(rule_rows(), Vec::<Value>::new());
    std::fs::write(&file, RULES).unwrap();
    let (serving, address) = serve(&data);
    let refused = r#"{"tool":"x","arguments":{"statement":"drop table t"},"timeout":"1h"}"#;
    assert_eq!(ask(&data, &address, "no", refused), 403);
    let allowed = r#"{"tool":"sql.select","arguments":{"database":"staging"},"timeout":"1h"}"#;
    assert_eq!(ask(&data, &address, "yes", allowed), 201);
    stop(serving);
    // The same rules at another start are no change.
    stop(serve(&data).0);

    let rows = rule_rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let facts = &rows[0]["facts"];
    let sha256 = |text: &str| aegis_console::domain::Digest::of(text.as_bytes()).to_string();
    assert_eq!((&rows[0]["by"], &facts["text"], &facts["rules"]), (&json!("file"), &json!(RULES), &json!(3)));
    assert_eq!((&facts["sha256"], &facts["before"]), (&json!(sha256(RULES)), &json!(sha256(""))));

    let rows = told(&data, &["refused", "allowed_by_rule", "decided"]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((&rows[0]["kind"], &rows[0]["by"]), (&json!("refused"), &json!("agent")));
    let facts = &rows[0]["facts"];
    assert_eq!((&facts["rule"], &facts["words"]), (&json!("no dropping"), &json!("by migrations only")));
    assert_eq!((&facts["submission"], &facts["ask_key"]), (&json!(refused), &json!("no")));
    assert_eq!((&rows[1]["kind"], &rows[1]["by"]), (&json!("allowed_by_rule"), &json!("rule:reading")));
    assert_eq!(
        (&rows[1]["facts"]["rule"], &rows[1]["facts"]["verdict"]),
        (&json!("reading"), &json!("approve"))
    );

    // Taken away, they have changed too, and what holds is told.
    std::fs::remove_file(&file).unwrap();
    stop(serve(&data).0);
    let rows = rule_rows();
    assert_eq!(
        (rows.len(), &rows[1]["facts"]["text"], &rows[1]["facts"]["rules"]),
        (2, &json!(""), &json!(0))
    );
    assert_eq!(
        (&rows[1]["facts"]["before"], &rows[1]["facts"]["sha256"]),
        (&json!(sha256(RULES)), &json!(sha256("")))
    );
}
