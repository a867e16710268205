//! What is done to a log, and what is said of it: every kind by hand, then every byte and every row by chance.

use super::super::entry::{Facts, Happened, Kind};
use super::super::key::SecretKey;
use super::super::note::sign;
use super::*;
use crate::gateway::audit::head::NoHead;
use proptest::prelude::*;

fn secret() -> SecretKey {
    SecretKey::new("aegis-console/audit/test", &[7; 32]).unwrap()
}

/// A log in memory, as it stands in a database.
#[derive(Clone)]
struct Memory {
    rows: Vec<StoredRow>,
    notes: Vec<StoredNote>,
    head: Head,
    /// What the head is where it was written otherwise.
    stored_head: Option<Result<Head, NoHead>>,
}

impl Memory {
    fn new(rows: u64) -> Self {
        let mut memory =
            Self { rows: Vec::new(), notes: Vec::new(), head: Head::default(), stored_head: None };
        memory.write(rows, "dana");
        memory
    }

    fn write(&mut self, rows: u64, by: &str) {
        for _ in 0..rows {
            let number = i64::try_from(self.head.size()).unwrap();
            let facts = Facts::default().number("number", number).text("text", "é\u{1}\"");
            let id = format!("id-{}", number % 5);
            let action_id = (number % 3 > 0).then_some(id.as_str());
            let kind = Kind::ALL[usize::try_from(number).unwrap() % Kind::ALL.len()];
            let what = Happened { kind, tenant: "t", by, action_id, facts };
            let at = Timestamp::from_microsecond(number * 1_000_003).unwrap();
            let row = self.head.append(at, &what);
            self.rows.push(StoredRow { seq: number + 1, row: Ok(row) });
            if self.head.size().is_multiple_of(EVERY) {
                self.checkpoint();
            }
        }
    }

    fn checkpoint(&mut self) {
        let size = i64::try_from(self.head.size()).unwrap();
        self.notes.push(StoredNote { size, note: Some(sign(&secret(), &self.head)) });
    }

    fn row(&mut self, place: usize) -> &mut Row {
        self.rows[place - 1].row.as_mut().unwrap()
    }

    /// Numbers the rows anew, as whoever takes one out or puts one in would.
    fn number(&mut self) {
        for (seq, row) in (1..).zip(&mut self.rows) {
            row.seq = seq;
        }
    }

    /// Writes the hash that goes with the entry.
    fn hash(&mut self, place: usize) {
        let row = self.row(place);
        row.hash = tree::hex(&tree::leaf(row.entry.as_bytes()));
    }

    fn elsewhere(&self) -> Vec<Elsewhere> {
        let notes = self.notes.iter().filter_map(|note| note.note.as_deref());
        let note = |note: &str| Elsewhere { place: "FILE".into(), note: Note::parse(note).unwrap() };
        notes.map(note).collect()
    }

    fn verify(&self) -> Report {
        self.against(Vec::new())
    }

    fn against(&self, elsewhere: Vec<Elsewhere>) -> Report {
        verify(&mut self.clone(), vec![secret().public()], elsewhere).unwrap()
    }

    /// What is wrong first.
    fn first(&self) -> (u64, What) {
        first(&self.verify())
    }
}

fn first(report: &Report) -> (u64, What) {
    let trouble = report.troubles.first().cloned().expect("nothing was found");
    assert!(!trouble.to_string().is_empty());
    (trouble.row, trouble.what)
}

impl Log for Memory {
    fn rows(&mut self, after: i64) -> Result<Vec<StoredRow>, LogError> {
        // In fives, so that a piece ends in every place.
        Ok(self.rows.iter().filter(|row| row.seq > after).take(5).cloned().collect())
    }

    fn about(&mut self, _: &str, _: Option<&str>) -> Result<Vec<StoredRow>, LogError> {
        Ok(Vec::new())
    }

    fn notes(&mut self, after: i64, until: i64) -> Result<Vec<StoredNote>, LogError> {
        Ok(self.notes.iter().filter(|note| note.size > after && note.size <= until).cloned().collect())
    }

    fn head(&mut self) -> Result<Result<Head, NoHead>, LogError> {
        Ok(self.stored_head.clone().unwrap_or(Ok(self.head.clone())))
    }

    fn sound(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

#[test]
fn a_log_that_holds_is_said_to_hold_and_how_far() {
    for rows in [0, 1, 63, 64, 65, 200] {
        let mut memory = Memory::new(rows);
        if rows > 0 && rows % EVERY > 0 {
            memory.checkpoint();
        }
        let elsewhere = memory.elsewhere();
        let report = memory.against(elsewhere.clone());
        assert_eq!(report.troubles, [], "{rows}");
        let count = u64::try_from(elsewhere.len()).unwrap();
        assert_eq!((report.rows, report.stored, report.elsewhere), (rows, (count, rows), (count, rows)));
        assert_eq!(report.span.is_some(), rows > 0);
    }
}

#[test]
fn an_edited_row_is_named() {
    let mut edited = Memory::new(100);
    edited.row(10).entry = edited.row(10).entry.replace("dana", "eve");
    assert_eq!(edited.first(), (10, What::Edited));
    // Even where its hash is written anew: what comes after it is bound to the old one.
    edited.hash(10);
    assert_eq!(edited.first(), (10, What::EditedWithHash));
    // The last has nothing after it but the head.
    let mut last = Memory::new(100);
    last.row(100).entry = last.row(100).entry.replace("dana", "eve");
    last.hash(100);
    assert_eq!(last.first(), (100, What::Head("hash")));
    // Its bond to the one before it.
    let mut unbound = Memory::new(100);
    let (old, new) = (unbound.row(9).hash.clone(), "0".repeat(64));
    unbound.row(10).entry = unbound.row(10).entry.replace(&old, &new);
    unbound.hash(10);
    assert_eq!(unbound.first(), (10, What::EditedWithHash));
    let mut columns = Memory::new(100);
    columns.row(10).kind = "decided".into();
    assert_eq!(columns.first(), (10, What::Column("kind")));
    columns.row(9).at += 1;
    assert_eq!(columns.first(), (9, What::Column("at")));
    columns.row(8).action_id = None;
    assert_eq!(columns.first(), (8, What::Column("action_id")));
    let mut blob = Memory::new(100);
    blob.rows[9].row = Err("entry".into());
    assert!(matches!(blob.first(), (10, What::Damaged(why)) if why.contains("entry")));
    let mut text = Memory::new(100);
    text.row(10).entry = "{}".into();
    text.hash(10);
    assert!(matches!(text.first(), (10, What::Damaged(_))));
}

#[test]
fn deleted_inserted_and_reordered_rows_are_named() {
    let whole = Memory::new(100);
    for (from, to) in [(1, 1), (10, 10), (10, 14), (63, 64)] {
        let mut deleted = whole.clone();
        deleted.rows.drain(from - 1..to);
        let expected = (u64::try_from(from).unwrap(), What::Deleted(u64::try_from(to).unwrap()));
        assert_eq!(deleted.first(), expected);
        deleted.number();
        assert_eq!(deleted.first(), expected, "and the rest numbered anew");
    }
    let mut forged = whole.clone();
    let mut head = Head::default();
    (1..10).for_each(|place| drop(head.add(&whole.rows[place - 1].row.as_ref().unwrap().entry)));
    let facts = Facts::default();
    let what = Happened { kind: Kind::Decided, tenant: "t", by: "eve", action_id: None, facts };
    let row = head.append(Timestamp::UNIX_EPOCH, &what);
    forged.rows.insert(9, StoredRow { seq: 10, row: Ok(row) });
    forged.number();
    assert_eq!(forged.first(), (10, What::Inserted(10)));
    for from in [3, 30] {
        let mut copied = whole.clone();
        copied.rows.insert(9, whole.rows[from - 1].clone());
        copied.number();
        let expected = if from < 10 { What::Inserted(10) } else { What::Reordered(30) };
        // What stands there later too is in its own place, one further on.
        let (row, what) = copied.first();
        assert!(row == 10 && (what == expected || what == What::Deleted(29)), "{what:?}");
    }
    let mut swapped = whole.clone();
    swapped.rows.swap(9, 19);
    swapped.number();
    assert_eq!(swapped.first(), (10, What::Reordered(20)));
    // By their numbers alone.
    let mut moved = whole.clone();
    moved.rows[9].seq = 500;
    moved.rows.sort_by_key(|row| row.seq);
    assert_eq!(moved.first(), (10, What::Moved(500)));
    let mut appended = whole;
    let keep = appended.head.clone();
    appended.write(3, "eve");
    appended.stored_head = Some(Ok(keep));
    assert_eq!(appended.first(), (101, What::Inserted(103)));
}

#[test]
fn a_tail_that_was_cut_off_is_named_by_whatever_still_knows_of_it() {
    let whole = Memory::new(200);
    let mut cut = whole.clone();
    cut.rows.truncate(150);
    assert_eq!(cut.first(), (151, What::CutOff(200, Witness::Head)));
    // The head written to fit: the checkpoint over 192 rows knows better.
    cut.stored_head = Some(Ok(Memory::new(150).head));
    assert_eq!(cut.first(), (151, What::CutOff(192, Witness::Stored)));
    // That taken away too: one that was kept elsewhere.
    cut.notes.truncate(2);
    assert_eq!(cut.verify().troubles, []);
    let report = cut.against(whole.elsewhere());
    assert_eq!(first(&report), (151, What::RolledBack(192, Witness::Elsewhere("FILE".into()))));
    assert_eq!((report.elsewhere, report.stored), ((2, 128), (2, 128)));
    assert!(report.troubles[0].to_string().contains("rolled back"), "{}", report.troubles[0]);
}

#[test]
fn an_older_copy_that_was_put_back_is_named_also_when_it_was_written_on() {
    let mut whole = Memory::new(100);
    let mut older = whole.clone();
    whole.write(100, "dana");
    whole.checkpoint();
    let elsewhere = whole.elsewhere();
    let back = |size| What::RolledBack(size, Witness::Elsewhere("FILE".into()));
    assert_eq!(first(&older.against(elsewhere.clone())), (101, back(200)));
    older.write(100, "eve");
    older.checkpoint();
    assert_eq!(older.verify().troubles, [], "by itself it holds");
    let report = older.against(elsewhere);
    assert_eq!(first(&report), (65, back(128)));
    assert_eq!(report.elsewhere, (1, 64), "so far both are the same");
}

#[test]
fn a_log_that_was_written_anew_does_not_have_the_roots_that_were_signed() {
    let whole = Memory::new(200);
    let mut anew = Memory::new(0);
    anew.write(70, "dana");
    anew.write(130, "eve");
    anew.notes.clone_from(&whole.notes);
    let report = anew.verify();
    assert_eq!(first(&report), (65, What::Rewritten(128, Witness::Stored)));
    assert_eq!(report.stored, (1, 64));
    anew.notes.clear();
    assert_eq!(anew.first(), (64, What::NoCheckpoint));
    let rewritten = What::Rewritten(128, Witness::Elsewhere("FILE".into()));
    assert_eq!(first(&anew.against(whole.elsewhere())), (65, rewritten));
}

#[test]
fn checkpoints_that_do_not_count_are_named() {
    let mut memory = Memory::new(130);
    memory.checkpoint();
    let other = SecretKey::new("aegis-console/audit/other", &[9; 32]).unwrap();
    let mut unknown = memory.clone();
    unknown.notes[1].note = Some(sign(&other, &Memory::new(128).head));
    assert!(
        matches!(unknown.first(), (128, What::Unsigned(Witness::Stored, why)) if why.to_string().contains("other"))
    );
    let mut broken = memory.clone();
    let note = broken.notes[0].note.as_mut().unwrap();
    *note = note.replacen("64", "65", 1);
    assert_eq!(broken.first(), (64, What::NoNote(Witness::Stored)));
    let mut moved = memory.clone();
    moved.notes[2].size = 129;
    assert_eq!(moved.first(), (129, What::NoNote(Witness::Stored)));
    let mut none = memory.clone();
    none.notes.remove(0);
    assert_eq!(none.first(), (64, What::NoCheckpoint));
    none.notes[0].note = None;
    assert_eq!(none.verify().troubles.len(), 2);
    let foreign = Elsewhere { place: "FILE".into(), note: Note::parse(&sign(&other, &memory.head)).unwrap() };
    let report = memory.against(vec![foreign]);
    assert!(matches!(first(&report), (130, What::Unsigned(Witness::Elsewhere(_), _))));
}

#[test]
fn what_the_head_says_is_compared_with_the_rows() {
    let mut memory = Memory::new(70);
    for (change, what) in [(2, "hash"), (3, "peaks")] {
        let mut fields = [memory.head.size().to_string(), memory.head.hash(), memory.head.peaks()];
        let field = &mut fields[change - 1];
        let other = if field.starts_with('0') { "1" } else { "0" };
        field.replace_range(..1, other);
        memory.stored_head = Some(Head::read(70, &fields[1], &fields[2]));
        assert_eq!(memory.first(), (70, What::Head(what)));
    }
    memory.stored_head = Some(Head::read(70, "", ""));
    assert_eq!(memory.first(), (70, What::Head("hash")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_byte_can_be_another(rows in 1_u64..140, place in any::<prop::sample::Index>(), column in 0..6,
        byte in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let mut memory = Memory::new(rows);
        let at = place.index(memory.rows.len());
        let flipped = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let index = byte.index(bytes.len());
            bytes[index] ^= flip;
            String::from_utf8(bytes).map_err(|_| "text".to_owned())
        };
        let row = memory.rows[at].row.clone().unwrap();
        let changed = match column {
            0 => flipped(&row.entry).map(|entry| Row { entry, ..row }),
            1 => flipped(&row.hash).map(|hash| Row { hash, ..row }),
            2 => flipped(&row.kind).map(|kind| Row { kind, ..row }),
            3 => flipped(&row.tenant).map(|tenant| Row { tenant, ..row }),
            4 => Ok(Row { at: row.at ^ (i64::from(flip) << (byte.index(7) * 8)), ..row }),
            _ => flipped(row.action_id.as_deref().unwrap_or("x")).map(|id| Row { action_id: Some(id), ..row }),
        };
        memory.rows[at].row = changed;
        let (row, _) = memory.first();
        prop_assert_eq!(row, u64::try_from(at + 1).unwrap());
    }

    #[test]
    fn no_row_can_go_come_or_move(rows in 2_u64..140, a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(), how in 0..4, anew in any::<bool>()) {
        let mut memory = Memory::new(rows);
        let (a, b) = (a.index(memory.rows.len()), b.index(memory.rows.len()));
        prop_assume!(a != b);
        let place = match how {
            0 => { memory.rows.remove(a); a }
            1 => { let row = memory.rows[b].clone(); memory.rows.insert(a, row); a }
            2 => { memory.rows.swap(a, b); a.min(b) }
            _ => { memory.rows.truncate(a); a }
        };
        // Where nobody numbers them anew, a database gives them by their numbers, each number once.
        if anew || how == 1 || how == 2 { memory.number() }
        let (row, what) = memory.first();
        // A copy put in before the row itself is that row in another place.
        prop_assert_eq!(row, u64::try_from(place + 1).unwrap(), "{:?}", what);
    }

    #[test]
    fn whatever_is_put_back_is_not_what_was_signed(before in 0_u64..140, after in 1_u64..140, then in 0_u64..140) {
        let mut memory = Memory::new(before);
        let mut older = memory.clone();
        memory.write(after, "dana");
        memory.checkpoint();
        older.write(then, "eve");
        let report = older.against(memory.elsewhere());
        let (row, what) = first(&report);
        // What was written instead is known to be other from the next checkpoint on.
        let (last_common, latest) = (before / EVERY * EVERY, before + then + 1);
        prop_assert!(row > last_common && row <= latest, "{} {:?}", row, what);
    }
}
