//! `aegis-console audit` against a gateway that really runs: what is shown, what is exported, what is verified, and what is
//! said after somebody has been at the database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const TEXT: &str = "send \u{1b}[2J\u{202e}it";

/// A gateway of the binary, killed where a test ends early.
struct Serving {
    child: Child,
    address: String,
    data: PathBuf,
}

impl Serving {
    fn start(data: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{first}"));
        Self { address: address.to_owned(), data: data.to_owned(), child }
    }

    /// One call; its status and its body.
    fn call(
        &self,
        role: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Value) {
        let token = std::fs::read_to_string(self.data.join(format!("{role}.token"))).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            self.address,
            token.trim(),
            body.len()
        );
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Asks; the action's id.
    fn ask(&self, key: &str) -> String {
        let body = json!({"tool": "send_email", "arguments": {"text": TEXT, "n": 1}, "timeout": "10m"});
        let (status, asked) =
            self.call("agent", "POST", "/aap/v1/requests", &[("Idempotency-Key", key)], &body);
        assert_eq!(status, 201, "{asked}");
        asked["id"].as_str().unwrap().to_owned()
    }

    /// Approves as the console does; the digest.
    fn approve(&self, id: &str) -> String {
        let path = format!("/api/v1/hitl/actions/{id}");
        let (_, entry) = self.call("reviewer", "GET", &path, &[], &Value::Null);
        let sealed: Value = serde_json::from_str(entry["sealed"].as_str().unwrap()).unwrap();
        let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
        let digest = entry["digest"].as_str().unwrap().to_owned();
        let review = json!({"action_id": id, "digest": digest, "reason": "fine \u{1b}[31m"});
        let (key, thread) = (text("idempotency_key"), text("thread_id"));
        let headers = [("Idempotency-Key", &*key), ("Thread-Id", &*thread), ("X-Request-Id", "request-1")];
        let (status, answer) =
            self.call("reviewer", "POST", "/api/v1/hitl/approve", &headers, &json!({"review": review}));
        assert_eq!(status, 202, "{answer}");
        digest
    }

    /// From asking to the outcome.
    fn whole(&self, key: &str) -> String {
        let id = self.ask(key);
        self.approve(&id);
        let path = format!("/aap/v1/requests/{id}");
        let headers = [("Idempotency-Key", "consume")];
        assert_eq!(self.call("agent", "POST", &format!("{path}/consume"), &headers, &Value::Null).0, 200);
        let outcome = json!({"status": "succeeded", "note": "sent"});
        assert_eq!(self.call("agent", "POST", &format!("{path}/outcome"), &[], &outcome).0, 200);
        id
    }

    /// Stops it; what it said on standard error.
    fn stop(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended where `stop` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `audit`: exit code, standard output, standard error.
fn audit(data: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    let done = command.arg("audit").args(words).arg("--data").arg(data).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn verify(data: &Path, checkpoints: &Path) -> (i32, String) {
    let (code, out, err) = audit(data, &["verify", "--checkpoint", checkpoints.to_str().unwrap()]);
    (code, out + &err)
}

/// The rows as they are exported.
fn exported(data: &Path) -> Vec<Value> {
    let (code, out, err) = audit(data, &["export"]);
    assert_eq!(code, 0, "{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(data: &Path) -> Vec<String> {
    exported(data).iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
}

fn places() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (dir.path().join("data"), dir.path().join("elsewhere"));
    (dir, data, elsewhere)
}

/// A log of two runs with eight actions, whose checkpoints are elsewhere too.
fn written(data: &Path, elsewhere: &Path) {
    for run in 0..2 {
        let serving = Serving::start(data, &["--checkpoint-file", elsewhere.to_str().unwrap()]);
        (0..4).for_each(|number| drop(serving.whole(&format!("ask-{run}-{number}"))));
        serving.stop();
    }
}

#[test]
fn what_happened_is_shown_exported_and_verified_while_the_gateway_runs() {
    let (_dir, data, elsewhere) = places();
    let out = elsewhere.with_extension("command");
    let command = format!("sh -c 'cat > {}'", out.display());
    let flags = ["--checkpoint-file", elsewhere.to_str().unwrap(), "--checkpoint-command", &command];
    let serving = Serving::start(&data, &flags);
    let id = serving.whole("ask-1");
    let waiting = serving.ask("ask-2");

    let (code, shown, errors) = audit(&data, &["show", &id]);
    assert_eq!(code, 0, "{errors}");
    let told = [
        "asked by agent",
        "sent by reviewer",
        "decided by reviewer",
        "answered by gateway",
        "consumed by agent",
    ];
    let places: Vec<_> =
        told.iter().map(|word| shown.find(word).unwrap_or_else(|| panic!("{word}: {shown}"))).collect();
    assert!(places.is_sorted(), "{shown}");
    for word in ["request-1", "sha256:", "its digest is the one above", "succeeded", "send_email"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
    assert_eq!(audit(&data, &["show", &waiting]).0, 0);
    let (code, _, errors) = audit(&data, &["show", "nothing"]);
    assert!(code == 1 && errors.contains("nothing about"), "{errors}");

    let (_, lines, _) = audit(&data, &["export"]);
    let mut before = String::new();
    for (seq, line) in (1_u64..).zip(lines.lines()) {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!((row["seq"].as_u64(), row["prev"].as_str()), (Some(seq), Some(&*before)));
        let hash = Sha256::new().chain_update([0]).chain_update(line).finalize();
        before = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(line.is_ascii());
    }
    assert_eq!(
        kinds(&data),
        ["started", "asked", "sent", "decided", "answered", "consumed", "outcome", "asked"]
    );
    let (code, said, _) = audit(&data, &["verify"]);
    assert!(code == 0 && said.contains("holds: 8 rows"), "{said}");

    assert_eq!(serving.stop(), "");
    let (code, said) = verify(&data, &elsewhere);
    assert!(code == 0 && !said.contains("vouched for by nothing"), "{said}");
    let (code, said) = verify(&data, &out);
    assert!(code == 0 && said.contains("1 of 1"), "what the command got: {said}");
    assert_eq!(kinds(&data).last().unwrap(), "stopped");
}

#[test]
fn an_older_copy_that_is_put_back_is_named_by_verify_and_by_the_gateway() {
    let (dir, data, elsewhere) = places();
    written(&data, &elsewhere);
    let (database, copy) = (data.join("gateway.db"), dir.path().join("copy"));
    std::fs::copy(&database, &copy).unwrap();
    let rows = exported(&data).len();
    let flags = ["--checkpoint-file", elsewhere.to_str().unwrap()];
    let serving = Serving::start(&data, &flags);
    serving.whole("ask-3");
    assert_eq!(serving.stop(), "");
    assert_eq!(verify(&data, &elsewhere).0, 0);

    std::fs::copy(&copy, &database).unwrap();
    let (code, said) = verify(&data, &elsewhere);
    let row = format!("row {}: rolled back", rows + 1);
    assert!(code == 1 && said.contains(&row), "{said}");
    let said = Serving::start(&data, &flags).stop();
    assert!(said.contains("THE AUDIT LOG IS NOT THE ONE THAT WAS SIGNED"), "{said}");
    assert_eq!(kinds(&data).iter().filter(|kind| *kind == "audit.rolled_back").count(), 2, "for each file");
    // What has been written since holds by itself, and still is not what was signed.
    let (code, said) = verify(&data, &elsewhere);
    assert!(code == 1 && said.contains("older copy"), "{said}");
    assert_eq!(Serving::start(&data, &flags).stop(), "", "it is said once");
}

#[test]
fn whoever_was_at_the_rows_is_found_out() {
    let (dir, data, elsewhere) = places();
    written(&data, &elsewhere);
    let database = data.join("gateway.db");
    let whole = std::fs::read(&database).unwrap();
    let names_row = |said: &str, row: u64| {
        said.contains(&format!("row {row}:")) || said.contains(&format!("rows {row} "))
    };

    // One byte of an entry, in the file.
    let entry = exported(&data)[4]["facts"]["request_id"].clone();
    assert_eq!(entry, "request-1");
    let needle = b"\"seq\":5,";
    let mut bytes = whole.clone();
    // It may stand in a page that is in use no more too.
    let places = whole.windows(needle.len()).enumerate().filter(|(_, bytes)| *bytes == needle);
    places.for_each(|(at, _)| bytes[at + 40] ^= 1);
    std::fs::write(&database, &bytes).unwrap();
    let (code, said) = verify(&data, &elsewhere);
    assert!(code == 1 && names_row(&said, 5), "{said}");
    std::fs::write(&database, &whole).unwrap();

    let tamper = |sql: &str| {
        std::fs::write(&database, &whole).unwrap();
        let db = rusqlite::Connection::open(&database).unwrap();
        db.execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_taken_away").unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        verify(&data, &elsewhere)
    };
    let cases = [
        ("UPDATE audit SET entry = replace(entry, 'approve', 'reject') WHERE seq = 4", 4, "edited"),
        ("DELETE FROM audit WHERE seq = 7", 7, "deleted"),
        ("DELETE FROM audit WHERE seq = 7; UPDATE audit SET seq = seq - 1 WHERE seq > 7", 7, "deleted"),
        (
            "UPDATE audit SET seq = 1000 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;
          UPDATE audit SET seq = 4 WHERE seq = 1000",
            3,
            "reordered",
        ),
        ("DELETE FROM audit WHERE seq > 20", 21, "cut off"),
        (
            "DELETE FROM audit_head; DELETE FROM checkpoint; DELETE FROM audit;
          INSERT INTO audit_head (id, size, hash, peaks) VALUES (1, 0, '', '')",
            1,
            "rolled back",
        ),
    ];
    for (sql, row, word) in cases {
        let (code, said) = tamper(sql);
        assert!(code == 1 && names_row(&said, row) && said.contains(word), "{sql}: {said}");
    }

    // Another key.
    std::fs::write(&database, &whole).unwrap();
    let other = dir.path().join("other");
    Serving::start(&other, &[]).stop();
    let key = other.join("audit.pub");
    let (code, said, _) = audit(&data, &["verify", "--public-key", key.to_str().unwrap()]);
    assert!(code == 1 && said.contains("not known"), "{said}");
    assert_eq!(verify(&data, &elsewhere).0, 0, "and nothing else was changed");
}

#[test]
fn where_nobody_can_look_that_is_said() {
    let (_dir, data, elsewhere) = places();
    let (code, _, errors) = audit(&data, &["verify"]);
    assert!(code == 2 && errors.contains("--public-key"), "{errors}");
    for words in [&["show", "x"][..], &["export"]] {
        let (code, _, errors) = audit(&data, words);
        assert!(code == 2 && errors.contains("--data"), "{errors}");
    }
    Serving::start(&data, &[]).stop();
    let (code, said) = verify(&data, &elsewhere);
    assert!(code == 2 && said.contains("elsewhere"), "{said}");
    std::fs::write(&elsewhere, "no checkpoint\n").unwrap();
    let (code, said) = verify(&data, &elsewhere);
    assert!(code == 2 && said.contains("no checkpoint"), "{said}");
    let key = data.join("audit.key");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.metadata().unwrap().permissions()) & 0o777,
        0o600
    );
}
