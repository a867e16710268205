//! Notes and keys against the published example of the Go package `note`, and against everything that is none.

use super::super::entry::{Facts, Happened, Kind};
use super::*;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn head(rows: i64) -> Head {
    let mut head = Head::default();
    for number in 0..rows {
        let facts = Facts::default().number("number", number);
        let what = Happened { kind: Kind::Seen, tenant: "t", by: "dana", action_id: None, facts };
        head.append(Timestamp::UNIX_EPOCH, &what);
    }
    head
}

fn secret() -> SecretKey {
    SecretKey::new("aegis-console/audit/ab12", &[7; 32]).unwrap()
}

#[test]
fn keys_and_signatures_are_those_of_the_published_example() {
    let secret = SecretKey::parse(SECRET).unwrap();
    assert_eq!(secret.public().to_string(), PUBLIC);
    assert_eq!(secret.reveal(), SECRET);
    assert_eq!(PublicKey::parse(PUBLIC), Some(secret.public()));
    assert!(!format!("{secret:?}").contains("AYEK"), "a secret in a debug text");
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    assert_eq!(
        STANDARD.encode(secret.sign(text)),
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    );
}

#[test]
fn a_checkpoint_is_signed_read_and_checked() {
    let (secret, head) = (secret(), head(3));
    let note = sign(&secret, &head);
    let lines: Vec<_> = note.lines().collect();
    let root = STANDARD.encode(head.root());
    assert_eq!(lines[..4], ["aegis-console/audit/ab12", "3", root.as_str(), ""]);
    assert!(lines[4].starts_with("— aegis-console/audit/ab12 ") && note.ends_with('\n'), "{note}");
    let read = Note::parse(&note).unwrap();
    assert_eq!((read.checkpoint.size, read.checkpoint.root), (3, head.root()));
    assert_eq!(read.check(&[secret.public()]), Ok(&secret.public()));
    let other = SecretKey::new("aegis-console/audit/ab12", &[8; 32]).unwrap().public();
    assert!(matches!(read.check(&[other]), Err(Unsigned::UnknownKey(name)) if name.contains("ab12")));
    assert!(matches!(read.check(&[]), Err(Unsigned::UnknownKey(_))));
}

#[test]
fn no_byte_of_a_note_can_be_another() {
    let secret = secret();
    let note = sign(&secret, &head(65));
    let keys = [secret.public()];
    for at in 0..note.len() {
        for flip in [1, 0x20] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= flip;
            let text = String::from_utf8_lossy(&bytes);
            let held = Note::parse(&text).is_some_and(|note| note.check(&keys).is_ok());
            assert!(!held, "byte {at} with {flip:#x}: {text}");
        }
    }
}

#[test]
fn notes_one_after_another_and_lines_of_a_log_are_told_apart() {
    let secret = secret();
    let notes: Vec<_> = [1, 64, 70].map(|rows| sign(&secret, &head(rows))).into();
    let sizes = |text: &str| {
        let read = Note::all(text);
        read.into_iter().map(|note| note.map(|note| note.checkpoint.size)).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&notes.concat()), [Some(1), Some(64), Some(70)]);
    assert_eq!(sizes(&notes.join("\n")), [Some(1), Some(64), Some(70)]);
    assert_eq!(sizes(&format!("\n\n{}\n\n", notes[1])), [Some(64)]);
    let line = Note::line(&notes[1]).unwrap();
    assert!(line.is_ascii() && !line.contains('\n'), "{line}");
    let log = format!("Nov 27 20:30:00 host aegis-console[7]: {line}\nNov 27 20:30:01 host else: {line}\n");
    assert_eq!(sizes(&log), [Some(64), Some(64)]);
    assert!(Note::all(&log).iter().flatten().all(|note| note.check(&[secret.public()]).is_ok()));
    // A last one that was cut short is nothing; those before it are what they were.
    for cut in 1..notes[2].len() {
        let text = format!("{}{}", notes[0], &notes[2].as_bytes()[..cut].escape_ascii());
        let read = sizes(&text);
        assert_eq!((read[0], read.iter().flatten().count()), (Some(1), 1), "{text}");
    }
    assert_eq!(sizes(""), []);
    assert_eq!(sizes("no note\n"), [None]);
}

#[test]
fn keys_have_one_form() {
    for bad in [
        "",
        "name",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
    ] {
        assert_eq!(PublicKey::parse(bad), None, "{bad}");
    }
    assert!(SecretKey::parse(PUBLIC).is_none() && SecretKey::new("a b", &[1; 32]).is_none());
    // The neutral point: a key under which anything is signed.
    let mut weak = [0; 33];
    (weak[0], weak[1]) = (1, 1);
    let id = Sha256::new().chain_update("w\n\u{1}").chain_update(&weak[1..]).finalize();
    let text = format!("w+{:02x}{:02x}{:02x}{:02x}+{}", id[0], id[1], id[2], id[3], STANDARD.encode(weak));
    assert_eq!(PublicKey::parse(&text), None);
}
