//! `aegis-console serve` as a user runs it: what it prints, how it stops, what it says where it cannot start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/authority.rs"]
#[allow(unreachable_pub)]
mod authority;

use authority::Authority;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn serve(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", listen, "--data"]).arg(data).stdin(Stdio::null());
    command
}

/// A gateway that runs, killed where a test ends early.
struct Serving {
    child: Child,
    address: String,
    said: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let said: Vec<_> = lines.by_ref().take(4).map(Result::unwrap).collect();
        let address = said[0].strip_prefix("listening on ").and_then(|url| url.split_once("://"));
        let address = address.unwrap_or_else(|| panic!("{said:?}")).1.to_owned();
        Self { child, address, said: said.join("\n") }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends the signal, and returns the exit code, how long the end took, and what stood on standard error.
    fn stop(mut self, signal: rustix::process::Signal) -> (Option<i32>, Duration, String) {
        let started = Instant::now();
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let took = started.elapsed();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status.code(), took, errors)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended where `stop` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One message, exit code 1.
fn refused(output: &Output, names: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("aegis-console: "), "{errors}");
    for name in names {
        assert!(errors.contains(name), "{name}: {errors}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn it_says_where_it_listens_and_where_the_tokens_are_and_stops_on_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let serving = Serving::start(serve(&data, "127.0.0.1:0"));
        assert!(std::net::TcpStream::connect(&serving.address).is_ok());
        for role in ["agent", "reviewer"] {
            let file = data.join(format!("{role}.token"));
            assert!(serving.said.contains(file.to_str().unwrap()), "{}", serving.said);
            let token = std::fs::read_to_string(file).unwrap();
            assert!(!serving.said.contains(token.trim()), "a token was printed");
        }
        let (code, took, errors) = serving.stop(signal);
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with("-wal")), "closed well: {left:?}");
}

#[test]
fn tenant_mode_says_so_loudly() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve(&dir.path().join("data"), "127.0.0.1:0");
    command.arg("--tenant-mode");
    let (code, _, errors) = Serving::start(command).stop(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(errors.contains("TENANT MODE"), "{errors}");
}

#[test]
fn what_keeps_it_from_starting_is_one_clear_message() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let serving = Serving::start(serve(&data, "127.0.0.1:0"));
    let second = serve(&data, "127.0.0.1:0").output().unwrap();
    refused(&second, &["another gateway", data.to_str().unwrap()]);
    let elsewhere = dir.path().join("elsewhere");
    refused(&serve(&elsewhere, &serving.address).output().unwrap(), &[&serving.address, "--listen"]);
    refused(&serve(&elsewhere, "0.0.0.0:0").output().unwrap(), &["0.0.0.0:0", "127.0.0.1"]);
    assert!(!elsewhere.exists(), "nothing was touched");
    let file = dir.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    refused(&serve(&file, "127.0.0.1:0").output().unwrap(), &[file.to_str().unwrap(), "--data"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    refused(&serve(Path::new("/proc/nobody"), "127.0.0.1:0").output().unwrap(), &["/proc/nobody", "--data"]);
}

#[test]
fn without_data_it_keeps_to_the_xdg_state_directory() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).stdin(Stdio::null());
    command.env("XDG_STATE_HOME", dir.path()).env("HOME", dir.path());
    let serving = Serving::start(command);
    assert!(dir.path().join("aegis-console/gateway.db").exists(), "{}", serving.said);
    assert_eq!(serving.stop(rustix::process::Signal::TERM).0, Some(0));
}

/// A gateway with a certificate, and what `list` says of it to who trusts that authority.
#[test]
fn over_tls_who_names_its_authority_is_served_and_sighup_renews_the_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (authority, next) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.files(dir.path());
    std::fs::write(path("first.pem"), authority.pem()).unwrap();
    std::fs::write(path("next.pem"), next.pem()).unwrap();
    let mut command = serve(&path("data"), "127.0.0.1:0");
    command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
    let serving = Serving::start(command);
    let url = format!("https://{}", serving.address);
    assert!(serving.said.contains(&format!("agents ask at     {url}/aap")), "{}", serving.said);
    let list = |authority: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["list", "--json", "--server", &url, "--token-file"]).arg(path("data/reviewer.token"));
        if let Some(authority) = authority {
            command.arg("--ca-file").arg(path(authority));
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(list(Some("first.pem")), (true, String::new()));
    let (done, says) = list(Some("next.pem"));
    assert!(!done && says.contains("certificate"), "{says}");
    assert!(!list(None).0, "this machine does not trust it");
    for (file, names) in [("none.pem", "none.pem"), ("tls.key", "BEGIN CERTIFICATE")] {
        let (done, says) = list(Some(file));
        assert!(!done && says.contains(names) && says.lines().count() == 1, "{says}");
    }
    next.files(dir.path());
    serving.signal(rustix::process::Signal::HUP);
    let started = Instant::now();
    while !list(Some("next.pem")).0 {
        assert!(started.elapsed() < Duration::from_secs(20), "the certificate was not read again");
    }
    std::fs::write(path("tls.crt"), "nothing").unwrap();
    serving.signal(rustix::process::Signal::HUP);
    let (code, _, errors) = serving.stop(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn a_key_that_others_can_read_is_warned_about_and_one_flag_alone_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = Authority::new().files(dir.path());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = serve(&dir.path().join("data"), "127.0.0.1:0");
    command.arg("--tls-cert").arg(&certificate);
    let alone = command.output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--tls-key"));
    command.arg("--tls-key").arg(&key);
    let (code, _, errors) = Serving::start(command).stop(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(errors.contains("WARN") && errors.contains("tls.key") && errors.contains("644"), "{errors}");
}

#[test]
fn what_is_kept_is_a_number_of_days_and_no_less_than_seven() {
    let dir = tempfile::tempdir().unwrap();
    for (keep, says) in
        [("6d", "7d"), ("90", "90d"), ("1.5d", "90d"), ("-1d", "90d"), ("99999999999d", "90d")]
    {
        let mut command = serve(&dir.path().join("data"), "127.0.0.1:0");
        let output = command.arg(format!("--keep={keep}")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(says), "{keep}: {errors}");
    }
    let mut command = serve(&dir.path().join("data"), "127.0.0.1:0");
    command.arg("--keep=7d");
    assert_eq!(Serving::start(command).stop(rustix::process::Signal::TERM).0, Some(0));
}
