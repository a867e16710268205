//! `aegis-console token` as a user runs it: what it prints and what it never prints, beside a gateway that runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aegis_console::gateway::{Config, Gateway};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn run(args: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(args).arg("--data").arg(data).stdin(Stdio::null()).env_remove("AEGIS_CONSOLE_STORE");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Made, and put into a file as the README says.
fn create(role: &str, name: &str, data: &Path) -> (String, PathBuf) {
    let made = run(&["token", "create", "--role", role, "--name", name], data);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let token = text(&made.stdout).trim_end().to_owned();
    assert_eq!(text(&made.stdout), format!("{token}\n"), "the token and nothing else");
    let digits = token.strip_prefix(&format!("aegis_{role}_")).unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let said = text(&made.stderr);
    assert!(said.contains(name) && said.contains(role) && !said.contains(digits), "{said}");
    let file = data.with_file_name(format!("{name}.token"));
    std::fs::write(&file, &made.stdout).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    (token, file)
}

fn refused(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn a_token_is_printed_once_and_listed_and_revoked_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    refused(&run(&["token", "list"], &data), &["no gateway's database", "--store"]);
    assert!(!data.exists(), "looking makes nothing");
    let tokens = [create("reviewer", "alice", &data).0, create("auditor", "bob", &data).0];
    let short =
        ["token", "create", "--role", "agent", "--name", "ci", "--expires", "90d", "--tenant", "acme"];
    assert!(run(&short, &data).status.success());
    for args in [&["token", "list"][..], &["token", "list", "--json"]] {
        let listed = run(args, &data);
        let listed = text(&listed.stdout);
        assert!(
            ["alice", "bob", "ci", "acme", "auditor"].iter().all(|word| listed.contains(word)),
            "{listed}"
        );
        assert!(tokens.iter().all(|token| !listed.contains(&token[token.len() - 64..])), "{listed}");
        assert!(!listed.contains("hash"), "{listed}");
    }
    let json = run(&["token", "list", "--json", "--tenant", "acme"], &data);
    let [row] = text(&json.stdout).lines().collect::<Vec<_>>()[..] else { panic!("{json:?}") };
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    assert_eq!((&row["name"], &row["role"], &row["revoked_at"]), (&"ci".into(), &"agent".into(), &().into()));
    assert!(row["created_by"].as_str().unwrap().starts_with("uid:"), "{row}");

    refused(&run(&["token", "revoke", "nobody"], &data), &["nobody", "token list"]);
    refused(&run(&["token", "revoke", "ci"], &data), &["ci", "default"]);
    assert!(text(&run(&["token", "revoke", "1"], &data).stdout).contains("alice"));
    assert!(text(&run(&["token", "revoke", "ci", "--tenant", "acme"], &data).stdout).contains("ci"));
    let left = run(&["token", "list", "--json"], &data);
    let revoked = text(&left.stdout).lines().filter(|line| line.contains(r#""revoked_by":"uid:"#)).count();
    assert_eq!(revoked, 2, "{}", text(&left.stdout));

    refused(&run(&["token", "create", "--role", "king", "--name", "x"], &data), &["reviewer"]);
    refused(&run(&["token", "create", "--role", "admin", "--name", "a b"], &data), &["A-Z"]);
    refused(&run(&["token", "create", "--role", "admin", "--name", "BOB"], &data), &["bob"]);
    refused(&run(&["token", "create", "--role", "admin", "--name", "x", "--expires", "1y"], &data), &["90d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_gateway_that_runs_a_token_is_good_at_once_for_what_its_role_may() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let gateway = Gateway::start(Config::new(([127, 0, 0, 1], 0).into(), &data)).await.unwrap();
    let (_, alice) = create("reviewer", "alice", &data);
    let (_, bob) = create("auditor", "bob", &data);
    let call = |args: &[&str], token: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(args).args(["--server", &gateway.url(), "--token-file"]).arg(token);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let decide = ["decide", "approve", "--key", "refund-42", "--thread", "order-42", "--json"];
    for token in [&alice, &bob] {
        let listed = call(&["list"], token);
        assert!(listed.status.success(), "{}", text(&listed.stderr));
    }
    let refused = call(&decide, &bob);
    assert!(!refused.status.success(), "{}", text(&refused.stdout));
    assert!(text(&refused.stdout).contains("needs a reviewer's credential"), "{}", text(&refused.stdout));
    let decided = call(&decide, &alice);
    assert!(decided.status.success(), "{} {}", text(&decided.stdout), text(&decided.stderr));
    assert!(run(&["token", "revoke", "alice"], &data).status.success());
    let begun = std::time::Instant::now();
    while call(&["list"], &alice).status.success() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "it is still good");
    }
    gateway.shutdown().await;
}
