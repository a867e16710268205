//! A soak: one process carries many decisions through a server that loses or refuses a fifth of its answers; afterwards
//! each was carried out once, and memory, file handles and the journal have stayed in bounds. A few hundred in
//! `cargo test`; `SOAK=1000000 cargo test --release --test soak -- --nocapture` for as long as it takes.

#![cfg(all(feature = "console", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The request id whose decision stands under each key, and how often something was carried out under it.
type Ledger = Arc<Mutex<HashMap<String, (String, u32)>>>;

/// A server that answers on kept connections until the other side leaves.
fn serve(stream: TcpStream, ledger: &Ledger) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let header = |name: &str| {
            let of = |line: &String| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            };
            head.iter().find_map(of).unwrap_or_default()
        };
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        let (key, id) = (header("idempotency-key"), header("x-request-id"));
        let (status, body) = if head[0].starts_with("POST ") {
            // Chance by the key and the number of the call: the same in every run.
            let mut ledger = ledger.lock().unwrap();
            let calls = ledger.len() as u64;
            let chance = (key.bytes().fold(calls, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte))) % 100;
            if chance < 8 {
                (503, "{}".to_owned())
            } else if let Some((standing, _)) = ledger.get(&key) {
                (409, format!(r#"{{"request_id":"{standing}","verdict":"approve","status":"COMMITTED"}}"#))
            } else {
                ledger.entry(key).or_insert((id, 0)).1 += 1;
                match chance {
                    8..14 => return None,
                    14..20 => (500, "{}".to_owned()),
                    _ => (202, r#"{"status":"COMMITTED"}"#.to_owned()),
                }
            }
        } else {
            let asked = head[0].split(' ').nth(1)?.rsplit('/').next()?.to_owned();
            let known = ledger.lock().unwrap().values().any(|(standing, _)| *standing == asked);
            let row = format!(r#"{{"request_id":"{asked}","verdict":"approve","status":"COMMITTED"}}"#);
            if known { (200, row) } else { (404, "{}".to_owned()) }
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
    }
}

/// Resident memory in KiB and open handles of a process, while it lives.
fn look(process: u32) -> Option<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let handles = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    Some((resident.trim().trim_end_matches(" kB").parse().ok()?, handles))
}

#[test]
fn nothing_grows_and_nothing_is_carried_out_twice() {
    let count: usize = std::env::var("SOAK").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn({
        let ledger = Arc::clone(&ledger);
        move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let ledger = Arc::clone(&ledger);
                std::thread::spawn(move || serve(stream, &ledger));
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut batch = String::new();
    for number in 0..count {
        writeln!(batch, r#"{{"key":"k-{number}","tenant":"acme","thread":"h","decision":"approve"}}"#)
            .unwrap();
    }
    std::fs::write(folder.path().join("batch.jsonl"), batch).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aegis-console"))
        .current_dir(folder.path())
        .args(["decide", "--batch", "batch.jsonl", "--journal", "journal", "--server", &url])
        .args(["--concurrency", "32", "--json"])
        .env_remove("AEGIS_API_KEY")
        .env_remove("AEGIS_API_KEY_FILE")
        .env("XDG_STATE_HOME", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (began, mut seen) = (Instant::now(), Vec::new());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        seen.extend(look(child.id()));
        std::thread::sleep(Duration::from_millis(100));
    };
    let journal = std::fs::metadata(folder.path().join("journal")).unwrap().len();
    let most = |of: &[(u64, usize)]| of.iter().map(|seen| seen.0).max().unwrap_or(0);
    let (half, handles) = (seen.len() / 2, seen.iter().map(|seen| seen.1).max().unwrap_or(0));
    let (first, second) = (most(&seen[..half]), most(&seen[half..]));
    println!(
        "{count} decisions in {:.1} s: {first} KiB resident at most in the first half, {second} in the second; {handles} \
         handles at most; the journal has {} bytes a decision",
        began.elapsed().as_secs_f64(),
        journal / count as u64,
    );
    assert_eq!(status.code(), Some(0));
    let ledger = ledger.lock().unwrap();
    assert_eq!(ledger.len(), count);
    assert!(ledger.values().all(|(_, times)| *times == 1), "something was carried out twice");
    assert!(second <= first + first / 4 + 4_096, "memory grew from {first} to {second} KiB");
    assert!(handles < 150, "{handles} handles");
    assert!(journal / count as u64 <= 8_192, "{journal} bytes for {count} decisions");
}
