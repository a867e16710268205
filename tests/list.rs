//! `aegis-console list` as a script runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aegis_console::domain::{Action, Queued};
use assert_cmd::Command;
use std::os::unix::fs::PermissionsExt;
use support::scripted::{Answer, Scripted};

fn entry(id: &str) -> String {
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k:{id}","agent":"g","action":"send_email","payload":{{"n":1e400}},"summary":"Refund","created_at":"2026-11-23T12:00:00Z","expires_at":"2999-11-23T12:10:00Z"}}"#
    );
    Queued::pending(Action::read(sealed).unwrap()).write()
}

/// What is found in [`entry`]: a number that no double holds.
fn found(id: &str) -> String {
    format!(
        r#"{{"findings":[{{"count":1,"first":"/n","kind":"unsafe-number","place":"payload"}}],"id":"{id}","risk":"medium"}}"#
    )
}

/// Runs `list` and returns exit code, standard output and standard error.
fn list(server: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("aegis-console").unwrap();
    command.env_remove("AEGIS_API_KEY_FILE").env("AEGIS_API_KEY", "s3cret");
    let output = command.args(["list", "--server", server]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// One sentence, the code 1, and nothing that a script could take for a queue.
fn fails(server: &str, arguments: &[&str]) -> String {
    let (code, out, error) = list(server, arguments);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    error
}

#[test]
fn json_holds_the_entries_of_all_pages_as_the_server_gave_them() {
    let server = Scripted::start(|asked, _| match asked.target.contains("after=") {
        false => Answer::json(&format!(r#"{{"actions":[{},{}],"next":"c"}}"#, entry("a"), entry("b"))),
        true => Answer::json(&format!(r#"{{"actions":[{}],"next":null}}"#, entry("c"))),
    });
    let (code, out, error) = list(server.url(), &["--json"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let found = ["a", "b", "c"].map(found).join(",");
    let entries = ["a", "b", "c"].map(entry).join(",");
    assert_eq!(out, format!("{{\"actions\":[{entries}],\"found\":[{found}]}}\n"));
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == Some("Bearer s3cret")));
}

#[test]
fn the_table_is_for_people_and_the_state_is_asked_for() {
    let server = Scripted::start(|asked, _| {
        let actions = if asked.target.contains("state=pending") { entry("a") } else { String::new() };
        Answer::json(&format!(r#"{{"actions":[{actions}],"next":null}}"#))
    });
    let (code, out, _) = list(server.url(), &[]);
    assert_eq!(code, 0);
    let lines: Vec<_> = out.lines().collect();
    assert!(
        lines[0].starts_with("ID  RISK  ACTION      AGENT  SUMMARY  STATE    LEFT       THEN     FOUND"),
        "{out}"
    );
    assert!(lines[1].starts_with("a   MED   send_email  g      Refund   pending  "), "{out}");
    assert!(lines[1].ends_with("  not run  unsafe-number 1"), "{out}");
    assert_eq!(list(server.url(), &["--state", "rejected"]).1, "Nothing is rejected.\n");
    assert!(server.asked()[1].target.contains("state=rejected"));
    let (code, _, error) = list(server.url(), &["--state", "odd"]);
    assert!(code == 2 && error.contains("[possible values: pending, approved"), "{error}");
}

#[test]
fn an_entry_that_cannot_be_read_is_named_and_the_rest_is_listed() {
    let server = Scripted::start(|_, _| {
        let odd = entry("z").replace("1e400", "1e401");
        Answer::json(&format!(r#"{{"actions":[{odd},{}],"next":null}}"#, entry("a")))
    });
    let (code, out, error) = list(server.url(), &["--json"]);
    let expected = format!("{{\"actions\":[{}],\"found\":[{}]}}\n", entry("a"), found("a"));
    assert_eq!((code, out), (1, expected));
    assert!(error.contains("entry 1 is left out") && error.contains("digest"), "{error}");
}

#[test]
fn what_goes_wrong_is_one_sentence_that_says_what_to_do() {
    let html = Scripted::start(|_, _| Answer::new("200 OK", "text/html", "<html>"));
    assert!(fails(html.url(), &[]).contains("answers a web page instead of a queue: check the address"));
    let refuses = Scripted::start(|_, _| Answer::new("401 Unauthorized", "application/json", "{}"));
    assert!(
        fails(refuses.url(), &[]).contains("does not know this credential (401): name a reviewer's token")
    );
    let later = Scripted::start(|asked, _| match asked.target.contains("after=") {
        false => Answer::json(&format!(r#"{{"actions":[{}],"next":"c"}}"#, entry("a"))),
        true => Answer::new("500 Internal Server Error", "text/plain", ""),
    });
    assert!(fails(later.url(), &["--json"]).contains("answers 500"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(fails(&format!("http://{free}"), &[]).contains("no server answers at http://127.0.0.1:"));
    assert!(fails("localhost:8000", &[]).contains("localhost:8000"));

    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret").unwrap();
    std::fs::set_permissions(token.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = fails(html.url(), &["--token-file", token.path().to_str().unwrap()]);
    assert!(error.contains("others can read the token file") && error.contains("chmod 600"), "{error}");
}
