//! One reviewer's console: a real dispatcher on a real journal, what the reviewer does with it, and what happens to it.

use crate::audit::{self, Claim, Wrong};
use crate::disk;
use crate::network::{Line, Sent};
use crate::plan::{At, Deed};
use crate::world::World;
use aegis_console::client::{AegisClient, AttemptEvent};
use aegis_console::dispatch::{DispatchEvent, Dispatcher, Link, News, Pace};
use aegis_console::domain::{Outcome, Resolution, Verdict};
use aegis_console::journal::{Intent, Journal, Stage};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// After that long with nothing going wrong everything must be at an end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(75 * 60);
/// How long the reviewer still has things sent again then.
const PRESSES: Duration = Duration::from_secs(20 * 60);

struct Desk {
    dispatcher: Dispatcher,
    events: mpsc::Receiver<DispatchEvent>,
    path: PathBuf,
}

/// What the reviewer will do.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Press(Uuid),
    Undo(Uuid),
}

pub(crate) struct Console {
    world: Arc<World>,
    me: usize,
    deeds: VecDeque<At<Deed>>,
    wishes: Vec<(Instant, Wish)>,
    chance: fastrand::Rng,
    home: TempDir,
    lives: usize,
    /// The journal of the present life.
    journal: Arc<Mutex<Option<Journal>>>,
    decisions: BTreeMap<Uuid, Intent>,
    /// What was said last of each.
    said: BTreeMap<Uuid, Outcome>,
    presses: BTreeMap<Uuid, usize>,
}

/// A directory in memory where there is one: here nothing is proven about disks.
fn home() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Console {
    pub(crate) fn new(world: &Arc<World>, me: usize, deeds: Vec<At<Deed>>, chance: fastrand::Rng) -> Self {
        Self {
            world: Arc::clone(world),
            me,
            deeds: deeds.into(),
            wishes: Vec::new(),
            chance,
            home: home(),
            lives: 0,
            journal: Arc::default(),
            decisions: BTreeMap::new(),
            said: BTreeMap::new(),
            presses: BTreeMap::new(),
        }
    }

    /// Lives until everything should be at an end, and has it audited.
    pub(crate) async fn live(mut self) {
        let end = self.world.start + self.world.plan.heals + PATIENCE;
        let mut desk = self.start(self.place());
        loop {
            let deed = self.deeds.front().map(|(at, _)| self.world.start + *at);
            let wish = self.wishes.iter().map(|(at, _)| *at).min();
            let next = deed.into_iter().chain(wish).chain([end]).min().unwrap();
            tokio::select! {
                biased;
                event = desk.events.recv() => self.hear(event.expect("the dispatcher lives")),
                () = sleep_until(next) => {
                    if next == end {
                        break;
                    } else if deed == Some(next) {
                        let (_, deed) = self.deeds.pop_front().unwrap();
                        desk = self.act(deed, desk).await;
                    } else {
                        let which = self.wishes.iter().position(|(at, _)| *at == next).unwrap();
                        let (_, wish) = self.wishes.remove(which);
                        self.wish(wish, &desk);
                    }
                }
            }
        }
        self.audit();
    }

    fn say(&self, what: impl std::fmt::Display) {
        self.world.say(format_args!("console {}: {what}", self.me));
    }

    fn place(&self) -> PathBuf {
        let directory = self.home.path().join(self.lives.to_string());
        std::fs::create_dir_all(&directory).unwrap();
        directory.join("journal.sqlite")
    }

    fn start(&self, path: PathBuf) -> Desk {
        let journal = disk::open(self.me, &path);
        assert!(journal.is_dispatcher(), "nobody else has it");
        *self.journal.lock().unwrap() = Some(journal.clone());
        let (world, slot, me) = (Arc::clone(&self.world), Arc::clone(&self.journal), self.me);
        let line = Line::new(&world.network, me, {
            let world = Arc::clone(&world);
            move |sent| witness(&world, slot.lock().unwrap().as_ref(), sent)
        });
        let transport = world.variant.transport(line);
        let client = AegisClient::builder().api_key("k".to_owned()).transport(transport).build().unwrap();
        let (dispatcher, events) = Dispatcher::start(client, journal, world.variant.check(), Pace::default());
        Desk { dispatcher, events, path }
    }

    async fn act(&mut self, deed: Deed, mut desk: Desk) -> Desk {
        self.say(format_args!("{deed:?}"));
        match deed {
            Deed::Decide { action, verdict, grace } => self.decide(action, verdict, grace, &desk),
            Deed::Link { up } => desk.dispatcher.link(if up { Link::Up } else { Link::Down }),
            Deed::Stall { stalled } => disk::stall(self.me, stalled),
            Deed::Kill { lost, down } => desk = self.kill(desk, lost, down).await,
            Deed::Quit { down } => desk = self.quit(desk, down).await,
        }
        desk
    }

    fn decide(&mut self, action: usize, verdict: Verdict, grace: Duration, desk: &Desk) {
        let now = self.world.now();
        let name = format!("a-{action}");
        let intent = Intent {
            id: Uuid::from_u128(self.chance.u128(..)),
            request_id: Uuid::from_u128(self.chance.u128(..)),
            verdict,
            tenant_id: Some("acme".into()),
            thread_id: "order-42".into(),
            key: format!("key-{action}"),
            base_url: desk.dispatcher.base_url().into(),
            body: format!(r#"{{"action":"{name}","by":{},"n":1.10}}"#, self.me),
            sealed: None,
            digest: None,
            reason: None,
            reviewer: None,
            decided_at: now,
            hold_until: (!grace.is_zero()).then(|| now + grace),
        };
        self.decisions.insert(intent.id, intent.clone());
        desk.dispatcher.take(vec![intent]);
    }

    /// Its process ends where it stands. What was written is what the next life finds.
    async fn kill(&mut self, desk: Desk, lost: bool, down: Duration) -> Desk {
        if !lost {
            disk::flush(self.me);
        }
        self.lives += 1;
        let next = self.place();
        if !self.world.variant.forgets() {
            copy(&desk.path, &next);
        }
        self.leave();
        // What is dropped before its first answer has done no more than to be dropped itself.
        tokio::select! {
            biased;
            () = desk.dispatcher.shutdown() => {}
            () = std::future::ready(()) => {}
        }
        drop(desk);
        sleep(down).await;
        self.start(next)
    }

    async fn quit(&mut self, mut desk: Desk, down: Duration) -> Desk {
        desk.dispatcher.shutdown().await;
        while let Ok(event) = desk.events.try_recv() {
            self.hear(event);
        }
        let path = desk.path.clone();
        disk::flush(self.me);
        self.leave();
        drop(desk);
        sleep(down).await;
        self.start(path)
    }

    fn leave(&self) {
        self.journal.lock().unwrap().take();
        disk::leave(self.me);
    }

    fn wish(&mut self, wish: Wish, desk: &Desk) {
        match wish {
            Wish::Undo(id) => desk.dispatcher.undo(id),
            Wish::Press(id) if self.said.get(&id).is_some_and(can_be_sent_again) => {
                *self.presses.entry(id).or_default() += 1;
                self.world.pressed(&self.action(id));
                desk.dispatcher.try_again(id);
            }
            Wish::Press(_) => return,
        }
        self.say(format_args!("{wish:?}"));
    }

    fn hear(&mut self, DispatchEvent { id, news }: DispatchEvent) {
        let number = self.decisions[&id].key.clone();
        match news {
            News::Resolved(resolution) => {
                self.say(format_args!("{number} {}", resolution.outcome.word()));
                self.told(id, &resolution);
            }
            News::Held { .. } => {
                self.say(format_args!("{number} held"));
                if self.chance.u8(0..4) == 0 {
                    let at = Instant::now() + Duration::from_millis(self.chance.u64(0..4_000));
                    self.wishes.push((at, Wish::Undo(id)));
                }
            }
            News::NotRecorded { why } => {
                assert!(why.contains("the program is ending"), "{number}: {why}");
                let entry = self.journal.lock().unwrap().as_ref().unwrap().entry(id).unwrap();
                self.world
                    .check(entry.is_none(), Wrong::Untrue, || format!("{why}, and it is on disk: {entry:?}"));
            }
            News::Attempt(AttemptEvent::Started { number: n, .. }) => {
                self.say(format_args!("{number} try {n}"));
            }
            News::Attempt(AttemptEvent::Answered { http_status, error, .. }) => {
                self.say(format_args!("{number} {http_status:?} {error:?}"));
            }
            News::Attempt(event) => self.say(format_args!("{number} {}", word(&event))),
            News::Found(entry) => self.say(format_args!("{number} found {}", entry.stage.word())),
            News::Doubtful { .. } => self.say(format_args!("{number} doubtful")),
            News::Stopped { why } => panic!("{number} stopped: {why}"),
            other => self.say(format_args!("{number} {other:?}")),
        }
    }

    /// The reviewer is told how it ended: that is on disk, and it is true.
    fn told(&mut self, id: Uuid, resolution: &Resolution) {
        let (outcome, word) = (resolution.outcome.clone(), resolution.outcome.word());
        let entry = self.journal.lock().unwrap().as_ref().unwrap().entry(id).unwrap();
        let on_disk =
            entry.as_ref().is_some_and(|entry| entry.resolution.is_some() || self.presses.contains_key(&id));
        self.world
            .check(on_disk, Wrong::NotOnDisk, || format!("{word} was said and is not on disk: {entry:?}"));
        self.audit_word(id, word);
        self.world.met(word);
        if can_be_sent_again(&outcome)
            && self.chance.u8(0..10) < 3
            && self.presses.get(&id).is_none_or(|n| *n < 2)
        {
            let at = Instant::now() + Duration::from_millis(self.chance.u64(1_000..900_000));
            if at < self.world.start + self.world.plan.heals + PRESSES {
                self.wishes.push((at, Wish::Press(id)));
            }
        }
        self.said.insert(id, outcome);
    }

    fn audit_word(&self, id: Uuid, word: &'static str) {
        let server = &self.world.server;
        self.world.find(audit::word(&server.ledger(), &self.claim(id, word), server.manner.status));
    }

    fn action(&self, id: Uuid) -> String {
        self.decisions[&id].key.replace("key", "a")
    }

    fn claim(&self, id: Uuid, word: &'static str) -> Claim {
        let intent = &self.decisions[&id];
        Claim {
            console: self.me,
            action: self.action(id),
            key: intent.key.clone(),
            verdict: intent.verdict,
            request_id: intent.request_id.to_string(),
            word,
            again: self.presses.contains_key(&id),
        }
    }

    /// After everything: each decision is at an end, its word is true, and what was said before still is.
    fn audit(&self) {
        let slot = self.journal.lock().unwrap();
        let journal = slot.as_ref().unwrap();
        for (id, intent) in &self.decisions {
            let Some(entry) = journal.entry(*id).unwrap() else {
                // Killed before it was on disk: it was never said to be.
                let said = self.said.get(id);
                self.world
                    .check(said.is_none(), Wrong::Unsaid, || format!("{said:?} was said of {intent:?}"));
                continue;
            };
            let ends = matches!(entry.stage, Stage::Ended | Stage::Dropped);
            self.world.check(ends, Wrong::NeverEnds, || format!("{entry:?}"));
            let Some(resolution) = &entry.resolution else { continue };
            let word = resolution.outcome.word();
            self.say(format_args!("{} ends as {word}", intent.key));
            self.audit_word(*id, word);
            let stands = self.said.get(id).is_none_or(|said| stays(said, &resolution.outcome));
            self.world.check(stands, Wrong::Unsaid, || format!("{:?}, then {entry:?}", self.said.get(id)));
        }
    }
}

/// Before a decision call leaves: it is on disk as being sent, and so is how often.
fn witness(world: &World, journal: Option<&Journal>, sent: &Sent) {
    let Some(journal) = journal else { return };
    let entry = journal.by_request_id(&sent.request_id).unwrap();
    let mine = |one: &&Sent| (one.console, &one.action) == (sent.console, &sent.action);
    let count = world.network.sent().iter().filter(mine).count();
    let known = entry.as_ref().is_some_and(|entry| {
        entry.stage == Stage::Sending && entry.intent.key == sent.key && entry.tries as usize >= count
    });
    world.check(known, Wrong::NotOnDisk, || format!("sent {count} times: {sent:?}\n{entry:?}"));
}

fn can_be_sent_again(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::NotSent
            | Outcome::Unconfirmed
            | Outcome::Failed
            | Outcome::Quota { .. }
            | Outcome::InProgress
    )
}

/// Whether the second may follow the first with nothing having been unsaid.
fn stays(said: &Outcome, now: &Outcome) -> bool {
    match said {
        Outcome::Accepted | Outcome::Mine => {
            matches!(now, Outcome::Committed | Outcome::Failed) || now == said
        }
        Outcome::Committed | Outcome::Same | Outcome::Conflict | Outcome::Refused => now == said,
        _ => true,
    }
}

fn word(event: &AttemptEvent) -> &'static str {
    match event {
        AttemptEvent::Waiting { .. } => "waits",
        AttemptEvent::Looking => "looks",
        _ => "",
    }
}

/// What is on disk of a journal, as of its last sync.
fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", ".lock"] {
        let name = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        std::fs::copy(name(from), name(to)).unwrap();
    }
}
