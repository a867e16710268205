//! What a running gateway does for its audit log besides writing rows: tells its start and its stop, compares the log with
//! the checkpoints that it has put elsewhere, signs what has been left unsigned for a while, and hands checkpoints on.

use super::super::server::Stop;
use super::super::store::{Checkpoint, Store, StoreError, Told};
use super::entry::{Facts, Kind};
use super::key::PublicKey;
use super::note::Note;
use super::places::{self, Place};
use super::verify::EVERY;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// A row is under a checkpoint after this time at the latest.
const UNSIGNED: Duration = Duration::from_secs(10);
/// How long the places may take at the end.
const LAST: Duration = Duration::from_millis(1500);

/// Who tells what a gateway does by itself.
pub(crate) const SELF: &str = "gateway";

/// The tasks, and the way to them.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
    notes: watch::Sender<Option<Checkpoint>>,
    signing: JoinHandle<()>,
    places: Vec<JoinHandle<()>>,
}

impl Keeper {
    /// Looks whether the log is the one that the places know, tells the start, and goes on.
    pub(crate) async fn start(
        store: Arc<dyn Store>,
        keys: &[PublicKey],
        places: Vec<Place>,
        start: Facts,
        stop: Stop,
    ) -> Result<Self, StoreError> {
        for place in &places {
            compare(&*store, keys, place).await?;
        }
        store.tell(of_itself(Kind::Started, start)).await?;
        let (notes, newest) = watch::channel(None);
        let bring = |place| tokio::spawn(places::bring(place, newest.clone()));
        let places = places.into_iter().map(bring).collect();
        let signing = tokio::spawn(sign(Arc::clone(&store), notes.clone(), stop));
        Ok(Self { store, notes, signing, places })
    }

    /// After the gateway has been told to stop: tells it, signs it, and has it brought to the places as far as they take it.
    pub(crate) async fn stop(self) {
        // It ends with the gateway, and with it the other sender of notes is gone.
        let _ = self.signing.await;
        let last = async {
            self.store.tell(of_itself(Kind::Stopped, Facts::default())).await?;
            self.store.checkpoint().await?;
            hand_on(&*self.store, &self.notes).await
        };
        if let Err(error) = last.await {
            tracing::error!(%error, "the last checkpoint of the audit log could not be signed");
        }
        drop(self.notes);
        let deadline = Instant::now() + LAST;
        for mut place in self.places {
            if tokio::time::timeout_at(deadline, &mut place).await.is_err() {
                place.abort();
            }
        }
    }
}

fn of_itself(kind: Kind, facts: Facts) -> Told {
    Told { kind, tenant: "".into(), by: SELF.into(), action_id: None, facts }
}

/// Compares the log with the last checkpoint that a file holds: one that is older was put back.
async fn compare(store: &dyn Store, keys: &[PublicKey], place: &Place) -> Result<(), StoreError> {
    let Place::File(path) = place else { return Ok(()) };
    let last = match places::last(path) {
        Ok(last) => last,
        Err(why) => {
            tracing::warn!(%place, %why, "the checkpoints of the audit log cannot be read there");
            return Ok(());
        }
    };
    // Those that another gateway has signed are for that one to look after.
    let Some(last) = last.into_iter().rfind(|note| note.check(keys).is_ok()) else { return Ok(()) };
    let (rows, size) = (store.log_size().await?, last.checkpoint.size);
    let here = store.last_checkpoint(size).await?.filter(|here| here.size == size);
    let here = here.and_then(|here| Note::parse(&here.note));
    if here.is_some_and(|here| here.checkpoint == last.checkpoint) {
        return Ok(());
    }
    tracing::error!(
        %place,
        rows,
        signed = size,
        "THE AUDIT LOG IS NOT THE ONE THAT WAS SIGNED: the database is older than this checkpoint, or another one; what \
         was decided since may be missing from it. Run aegis-console audit verify --checkpoint on this file"
    );
    let facts = Facts::default()
        .text("place", &place.to_string())
        .number("signed_rows", i64::try_from(size).unwrap_or(i64::MAX))
        .number("rows", i64::try_from(rows).unwrap_or(i64::MAX));
    store.tell(of_itself(Kind::RolledBack, facts)).await
}

/// Hands on what the writer signs, and signs what would stay unsigned for too long.
async fn sign(store: Arc<dyn Store>, notes: watch::Sender<Option<Checkpoint>>, stop: Stop) {
    let mut grew = store.log_grew();
    // What is there already: a start is told before this begins.
    let (mut signed, mut due) = (0, Some(Instant::now() + UNSIGNED));
    loop {
        let wait = due;
        let late = async {
            match wait {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.stopped() => return,
            grown = grew.changed() => {
                if grown.is_err() {
                    return;
                }
                let size = *grew.borrow_and_update();
                let due_at = due.unwrap_or_else(|| Instant::now() + UNSIGNED);
                due = (size > signed).then_some(due_at);
                if size / EVERY == signed / EVERY {
                    continue;
                }
            }
            () = late => {
                due = None;
                if let Err(error) = store.checkpoint().await {
                    tracing::error!(%error, "a checkpoint of the audit log could not be signed; trying again");
                    due = Some(Instant::now() + UNSIGNED);
                    continue;
                }
            }
        }
        match hand_on(&*store, &notes).await {
            Ok(()) => signed = notes.borrow().as_ref().map_or(signed, |note| note.size),
            Err(error) => tracing::error!(%error, "a checkpoint of the audit log could not be read"),
        }
        if *grew.borrow() > signed && due.is_none() {
            due = Some(Instant::now() + UNSIGNED);
        }
    }
}

/// Gives the newest checkpoint to the places.
async fn hand_on(store: &dyn Store, notes: &watch::Sender<Option<Checkpoint>>) -> Result<(), StoreError> {
    if let Some(note) = store.last_checkpoint(u64::MAX).await? {
        notes.send_if_modified(|newest| {
            let changed = newest.as_ref() != Some(&note);
            *newest = Some(note);
            changed
        });
    }
    Ok(())
}
