//! A real file: what was written is read, and no byte of it can be another without a word about it.

use super::super::entry::{Facts, Happened, Kind};
use super::super::key::{PublicKey, SecretKey};
use super::super::note::sign;
use super::super::verify::{EVERY, Report, verify};
use super::*;
use jiff::Timestamp;
use std::path::PathBuf;

const MIGRATIONS: [&str; 3] = [
    include_str!("../../../../assets/migrations/0001_queue_and_decisions.sql"),
    include_str!("../../../../assets/migrations/0002_pauses.sql"),
    include_str!("../../../../assets/migrations/0003_trust.sql"),
];

fn secret() -> SecretKey {
    SecretKey::new("aegis-console/audit/test", &[7; 32]).unwrap()
}

/// A database with so many rows, closed well.
fn database(dir: &Path, rows: i64) -> PathBuf {
    let path = dir.join("gateway.db");
    let db = Connection::open(&path).unwrap();
    MIGRATIONS.iter().for_each(|sql| db.execute_batch(sql).unwrap());
    db.pragma_update(None, "user_version", 3).unwrap();
    db.execute_batch("BEGIN").unwrap();
    let mut head = Head::default();
    for number in 0..rows {
        // One in fifty is long enough for pages of its own.
        let text = "x".repeat(if number % 50 == 9 { 9000 } else { 60 });
        let facts = Facts::default().number("number", number).text("text", &text);
        let id = format!("id-{}", number % 5);
        let action_id = (number % 3 > 0).then_some(id.as_str());
        let what = Happened { kind: Kind::Seen, tenant: "default", by: "dana", action_id, facts };
        let row = head.append(Timestamp::from_second(number).unwrap(), &what);
        db.execute(
            "INSERT INTO audit (seq, tenant, kind, action_id, at, entry, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (number + 1, row.tenant, row.kind, row.action_id, row.at, row.entry, row.hash),
        )
        .unwrap();
        if head.size().is_multiple_of(EVERY) || number + 1 == rows {
            db.execute("INSERT INTO checkpoint VALUES (?1, ?2, 0)", (number + 1, sign(&secret(), &head)))
                .unwrap();
        }
    }
    let fields = (rows, head.hash(), head.peaks());
    db.execute("UPDATE audit_head SET size = ?1, hash = ?2, peaks = ?3", fields).unwrap();
    db.execute_batch("COMMIT").unwrap();
    path
}

fn keys() -> Vec<PublicKey> {
    vec![secret().public()]
}

fn report(path: &Path) -> Result<Report, LogError> {
    verify(&mut SqliteLog::open(path)?, keys(), Vec::new())
}

/// Everything of the log that can be read, by a reader that checks nothing.
fn content(path: &Path) -> rusqlite::Result<Vec<String>> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let all = |sql: &str| {
        let mut statement = db.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|column| Ok(format!("{:?}", row.get_ref(column)?)));
            Ok(values.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut rows = all("SELECT * FROM audit ORDER BY seq")?;
    rows.extend(all("SELECT size, note FROM checkpoint ORDER BY size")?);
    rows.extend(all("SELECT * FROM audit_head")?);
    Ok(rows)
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), 300);
    let found = report(&path).unwrap();
    assert_eq!(found.troubles, []);
    assert_eq!((found.rows, found.stored), (300, (5, 300)));
    let mut log = SqliteLog::open(&path).unwrap();
    let about = |log: &mut SqliteLog, tenant| log.about("id-2", tenant).unwrap().len();
    let expected = (0..300).filter(|number| number % 5 == 2 && number % 3 > 0).count();
    assert_eq!(about(&mut log, None), expected);
    assert_eq!((about(&mut log, Some("default")), about(&mut log, Some("other"))), (expected, 0));
}

#[test]
fn what_is_no_log_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(matches!(report(&at("none.db")), Err(LogError::OutOfReach(why)) if why.contains("--data")));
    Connection::open(at("old.db")).unwrap().execute_batch(MIGRATIONS[0]).unwrap();
    assert!(matches!(report(&at("old.db")), Err(LogError::OutOfReach(why)) if why.contains("older")));
    std::fs::write(at("text.db"), "x".repeat(10_000)).unwrap();
    assert!(matches!(report(&at("text.db")), Err(LogError::Damaged(_))));
    std::fs::write(at("empty.db"), "").unwrap();
    assert!(matches!(report(&at("empty.db")), Err(LogError::Damaged(_))));
}

#[test]
fn rows_changed_by_sql_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (change, row, word) in [
        ("UPDATE audit SET entry = replace(entry, 'dana', 'evie') WHERE seq = 7", 7, "edited"),
        ("UPDATE audit SET entry = CAST(entry AS BLOB) WHERE seq = 7", 7, "damaged"),
        ("UPDATE audit SET seq = -7 WHERE seq = 7", 1, "damaged"),
        ("UPDATE audit SET seq = 999 WHERE seq = 7", 7, "reordered"),
        ("DELETE FROM audit WHERE seq = 7", 7, "deleted"),
        ("DELETE FROM audit WHERE seq > 90", 91, "cut off"),
        ("DELETE FROM audit_head", 100, "where its log ends"),
        ("DELETE FROM checkpoint WHERE size = 64", 64, "taken away"),
        ("UPDATE checkpoint SET note = lower(note) WHERE size = 64", 64, "a checkpoint in the database"),
    ] {
        let _ = std::fs::remove_file(dir.path().join("gateway.db"));
        let path = database(dir.path(), 100);
        let db = Connection::open(&path).unwrap();
        db.execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_taken_away").unwrap();
        db.pragma_update(None, "ignore_check_constraints", true).unwrap();
        // A STRICT table takes no blob for a text; whoever can write the file can say that it is none.
        if change.contains("BLOB") {
            db.execute_batch(
                "PRAGMA writable_schema = on;
                UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'audit'",
            )
            .unwrap();
            drop(db);
            Connection::open(&path).unwrap().execute_batch(change).unwrap();
        } else {
            db.execute_batch(change).unwrap();
        }
        let found = report(&path).unwrap();
        let first = found.troubles.first().unwrap_or_else(|| panic!("nothing: {change}"));
        assert_eq!(first.row, row, "{change}: {first}");
        assert!(first.to_string().contains(word), "{change}: {first}");
    }
}

#[test]
fn no_byte_of_the_file_can_be_another_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), 70);
    let whole = std::fs::read(&path).unwrap();
    let before = content(&path).unwrap();
    let damaged = dir.path().join("damaged.db");
    // Evenly over the file, its header and every page in it, with another bit each time.
    let step = 911;
    let (mut told, mut unseen) = (0, 0);
    for (turn, offset) in (0..whole.len()).step_by(step).chain((0..100).step_by(9)).enumerate() {
        let mut bytes = whole.clone();
        bytes[offset] ^= 1 << (turn % 8);
        std::fs::write(&damaged, &bytes).unwrap();
        let found = report(&damaged);
        let fine = found.as_ref().is_ok_and(|found| found.troubles.is_empty());
        let same = content(&damaged).is_ok_and(|now| now == before);
        assert!(same || !fine, "byte {offset} is another, and nothing was said");
        told += usize::from(!fine);
        unseen += usize::from(fine);
    }
    assert!(told > 40 && unseen > 0, "{told} were told, {unseen} were not the log's");
}

#[test]
fn a_file_that_was_cut_short_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), 70);
    let whole = std::fs::read(&path).unwrap();
    let damaged = dir.path().join("damaged.db");
    for keep in (1..whole.len()).step_by(whole.len() / 12) {
        std::fs::write(&damaged, &whole[..keep]).unwrap();
        let found = report(&damaged);
        assert!(!found.as_ref().is_ok_and(|found| found.troubles.is_empty()), "{keep} of {}", whole.len());
    }
}
