//! Each place by itself, and one that fails at first.

use super::super::entry;
use super::super::head::Head;
use super::super::key::SecretKey;
use super::super::note::{Note, sign};
use super::*;
use jiff::Timestamp;
use std::os::unix::net::UnixDatagram;

fn key() -> SecretKey {
    SecretKey::new("aegis-console/audit/test", &[7; 32]).unwrap()
}

fn checkpoint(rows: u64) -> Checkpoint {
    let mut end = Head::default();
    for _ in 0..rows {
        let facts = entry::Facts::default();
        let what =
            entry::Happened { kind: entry::Kind::Seen, tenant: "t", by: "dana", action_id: None, facts };
        end.append(Timestamp::UNIX_EPOCH, &what);
    }
    Checkpoint { size: rows, note: sign(&key(), &end) }
}

fn sizes(text: &str) -> Vec<Option<u64>> {
    Note::all(text).into_iter().map(|note| note.map(|note| note.checkpoint.size)).collect()
}

#[tokio::test]
async fn a_file_gets_every_note_and_one_that_was_cut_short_swallows_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoints");
    let place = Place::File(path.clone());
    assert_eq!(last(&path).unwrap(), []);
    for rows in [1, 2] {
        place.put(&checkpoint(rows).note).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(sizes(&text), [Some(1), Some(2)]);
    let note = checkpoint(3).note;
    for cut in 1..note.len() {
        let Some(begun) = note.get(..cut) else { continue };
        std::fs::write(&path, format!("{text}\n{begun}")).unwrap();
        place.put(&checkpoint(4).note).await.unwrap();
        let found: Vec<_> = sizes(&std::fs::read_to_string(&path).unwrap()).into_iter().flatten().collect();
        assert!(found.starts_with(&[1, 2]) && found.ends_with(&[4]), "cut at {cut}: {found:?}");
        assert_eq!(last(&path).unwrap().last().unwrap().checkpoint.size, 4);
    }
    let error = Place::File(dir.path().join("none/file")).put("x").await.unwrap_err();
    assert!(!error.is_empty());
}

#[tokio::test]
async fn the_systems_log_gets_a_line_that_can_be_verified() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("log");
    let log = UnixDatagram::bind(&socket).unwrap();
    Place::Syslog(socket).put(&checkpoint(5).note).await.unwrap();
    let mut bytes = [0; 4096];
    let length = log.recv(&mut bytes).unwrap();
    let line = std::str::from_utf8(&bytes[..length]).unwrap();
    assert!(line.starts_with("<85>") && line.contains(" aegis-console["), "{line}");
    let notes = Note::all(&format!("{line}\n"));
    assert!(notes[0].as_ref().unwrap().check(&[key().public()]).is_ok(), "{line}");
    assert!(Place::Syslog(dir.path().join("none")).put(&checkpoint(5).note).await.is_err());
}

#[tokio::test]
async fn a_command_gets_the_note_and_no_more_time_than_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let words = |script: &str| vec!["sh".into(), "-c".into(), script.to_owned()];
    let note = checkpoint(6).note;
    Place::Command(words(&format!("cat > {}", out.display()))).put(&note).await.unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), note);
    let failed = Place::Command(words("exit 3")).put(&note).await.unwrap_err();
    assert!(failed.contains('3'), "{failed}");
    let none = Place::Command(vec!["/no/such/program".into()]).put(&note).await.unwrap_err();
    assert!(none.contains("started"), "{none}");
    let slow = command::run(&words("sleep 60 & wait"), &note, Duration::from_millis(200)).await.unwrap_err();
    assert!(slow.contains("killed"), "{slow}");
    // Nothing is understood by a shell that was not asked for.
    let plain = vec!["true".into(), format!("; touch {}", dir.path().join("never").display())];
    Place::Command(plain).put(&note).await.unwrap();
    assert!(!dir.path().join("never").exists());
    assert!(!Place::Command(vec!["x".into(), "secret".into()]).to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_place_that_fails_is_tried_again_and_gets_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("later");
    let path = folder.join("checkpoints");
    let (sender, receiver) = watch::channel(Some(checkpoint(1)));
    let task = tokio::spawn(bring(Place::File(path.clone()), receiver));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!path.exists());
    sender.send_replace(Some(checkpoint(2)));
    std::fs::create_dir(&folder).unwrap();
    drop(sender);
    task.await.unwrap();
    assert_eq!(sizes(&std::fs::read_to_string(&path).unwrap()), [Some(2)]);
}
