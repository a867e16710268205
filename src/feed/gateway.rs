//! A gateway's queue, followed for as long as somebody listens: the stream of events is connected first, then everything
//! pending is listed, so that nothing falls between; then news goes on as it comes.
//!
//! When the link breaks it is taken up again with `Last-Event-ID`, after growing pauses, and the listing is told anew:
//! it is the truth about what waits, whatever the server remembers of its events.

use super::jsonl::spooled;
use super::source::Source;
use super::spool::Spool;
use super::trouble::{Kind, Trouble};
use super::{FeedEvent, Link, agents, page, presence};
use crate::domain::json::{self, Limits};
use crate::domain::{ActionState, Listed, Queued, Untrusted, rule_name};
use jiff::Timestamp;
use sse_stream::Sse;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// The limits for one event.
const EVENT: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 16, values: 1_000 };
/// The longest that a server's `Retry-After` is believed.
const LONGEST_WISH: Duration = Duration::from_secs(300);

/// How patient the feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first pause after a break; each is twice the one before.
    pub first: Duration,
    /// The longest pause, and the pause where only a person can help.
    pub longest: Duration,
    /// A stream on which nothing comes for so long is broken. The gateway gives a sign of life every 15 s.
    pub silence: Duration,
    /// A link that has held for so long starts again with the first pause.
    pub steady: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            silence: Duration::from_secs(40),
            steady: Duration::from_secs(10),
        }
    }
}

/// Follows the queue until the receiver is gone.
pub async fn run(source: Source, tx: mpsc::Sender<FeedEvent>) {
    run_at(Pace::default(), source, tx).await;
}

/// [`run`] with another patience.
pub async fn run_at(pace: Pace, source: Source, tx: mpsc::Sender<FeedEvent>) {
    let mut follower = Follower {
        pace,
        source,
        tx: tx.clone(),
        last_event: None,
        live_since: None,
        spool: Spool::default(),
        allowed: None,
    };
    tokio::select! {
        () = tx.closed() => {}
        Err(Gone) = follower.run() => {}
    }
}

/// Nobody listens any more.
struct Gone;

/// Why one connection ended.
enum End {
    Trouble(Trouble),
    Gone,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

struct Follower {
    pace: Pace,
    source: Source,
    tx: mpsc::Sender<FeedEvent>,
    /// The id of the last event that was told.
    last_event: Option<String>,
    /// Since when this connection has been live.
    live_since: Option<Instant>,
    /// Where the texts of actions are kept.
    spool: Spool,
    /// How many actions rules have allowed, where the server says so, and when it was last asked.
    allowed: Option<(u64, Timestamp)>,
}

impl Follower {
    async fn run(&mut self) -> Result<std::convert::Infallible, Gone> {
        self.tell(FeedEvent::Link(Link::Connecting)).await?;
        let (mut broken_since, mut pauses) = (Some(Timestamp::now()), 0);
        loop {
            self.live_since = None;
            let trouble = match self.follow().await {
                Err(End::Trouble(trouble)) => trouble,
                Err(End::Gone) => return Err(Gone),
                Ok(never) => match never {},
            };
            tracing::debug!(%trouble, "the link to the queue broke");
            if let Some(live_since) = self.live_since {
                let unheard = if let Kind::Silent(time) = trouble.kind { time } else { Duration::ZERO };
                broken_since = Timestamp::now().checked_sub(unheard).ok();
                pauses = if live_since.elapsed() >= self.pace.steady { 0 } else { pauses };
            }
            let pause = self.pause(&trouble, pauses);
            pauses += 1;
            let now = Timestamp::now();
            let next = now.checked_add(pause).unwrap_or(now);
            let reason = trouble.sentence();
            let since = broken_since.unwrap_or(now);
            self.tell(FeedEvent::Link(Link::Reconnecting { next, since, reason })).await?;
            sleep(pause).await;
        }
    }

    /// One connection: stream, listing, then events until it breaks.
    async fn follow(&mut self) -> Result<std::convert::Infallible, End> {
        let mut events =
            self.source.events(self.last_event.as_deref(), self.pace.silence).await.map_err(End::Trouble)?;
        self.list().await?;
        self.live_since = Some(Instant::now());
        self.tell(FeedEvent::Link(Link::Live)).await?;
        self.agents().await?;
        loop {
            match events.next().await {
                Ok(event) => self.event(event).await?,
                Err(kind) => {
                    if let Kind::Garbled(_) | Kind::TooLarge(_) = kind {
                        // The same bytes would come again after this id. The listing tells what is lost with them.
                        let after = self.last_event.take();
                        let place = after.map_or("an event".into(), |id| format!("the event after {id}"));
                        let reason = self.source.trouble(kind.clone()).sentence();
                        self.tell(FeedEvent::Unreadable { place, reason }).await?;
                    }
                    return Err(End::Trouble(self.source.trouble(kind)));
                }
            }
        }
    }

    async fn list(&mut self) -> Result<(), End> {
        let mut pending = HashSet::new();
        let source = self.source.clone();
        let mut pages = source.pages(ActionState::Pending);
        let asked = Timestamp::now();
        self.allowed = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(End::Trouble)?;
            self.allowed = self.allowed.or(page.allowed_by_rule.map(|count| (count, asked)));
            let entries: Vec<_> = page
                .entries
                .iter()
                .map(|entry| spooled(page.queued(entry).into(), &mut self.spool))
                .collect();
            let waiting = entries.iter().filter(|entry| entry.state == ActionState::Pending);
            pending.extend(waiting.map(|entry| entry.headline.id().to_owned()));
            self.tell(FeedEvent::Entries(entries)).await?;
        }
        self.tell(FeedEvent::Complete { pending }).await?;
        if let Some((count, _)) = self.allowed {
            self.tell(FeedEvent::AllowedByRule(count)).await?;
        }
        Ok(())
    }

    /// The queue is what matters: a server that cannot say how its agents are is no trouble.
    async fn agents(&self) -> Result<(), Gone> {
        match self.source.agents().await {
            Ok(agents) => self.tell(FeedEvent::Agents(agents)).await,
            Err(trouble) => {
                tracing::debug!(%trouble, "the agents are not known");
                Ok(())
            }
        }
    }

    async fn event(&mut self, event: Sse) -> Result<(), Gone> {
        // It goes back in a header, so it is only taken where it can stand in one.
        let fits =
            |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        let id = event.id.filter(fits);
        let place = || id.as_ref().map_or("an event".into(), |id| format!("event {id}"));
        let mut allowed = false;
        // Names that this version does not know are for later ones.
        let told = match (event.event.as_deref(), event.data) {
            (Some(name), Some(data)) if name.starts_with("action.") => {
                Some(match json::parse(data.as_bytes(), EVENT) {
                    Ok(value) => {
                        let queued = page::read(&value);
                        let unreadable = |error| Queued::unreadable(&data, &error, Timestamp::now());
                        let listed: Listed = queued.unwrap_or_else(unreadable).into();
                        allowed = name == "action.decided" && self.is_allowed_since(&listed);
                        Ok(FeedEvent::Changed(spooled(listed, &mut self.spool)))
                    }
                    Err(error) => Err(error.to_string().into()),
                })
            }
            (Some("presence"), Some(data)) => match presence::read(data.as_bytes()) {
                Ok(looking) => Some(Ok(FeedEvent::Looking(looking))),
                // Nothing hangs on it.
                Err(why) => {
                    tracing::debug!(why = %why.visible().plain(), "who looks is not known");
                    None
                }
            },
            (Some("agent.paused" | "agent.resumed"), Some(data)) => {
                Some(agents::read(data.as_bytes()).map(|agent| FeedEvent::Agents(vec![agent])))
            }
            _ => None,
        };
        match told {
            None => {}
            Some(Ok(news)) => self.tell(news).await?,
            Some(Err(reason)) => self.unreadable(place(), reason).await?,
        }
        self.last_event = id.or(self.last_event.take());
        if let (true, Some((count, _))) = (allowed, &mut self.allowed) {
            *count = count.saturating_add(1);
            let count = *count;
            self.tell(FeedEvent::AllowedByRule(count)).await?;
        }
        Ok(())
    }

    /// Whether a rule has allowed it after the listing was asked for: what came before is in the listing's count, also
    /// where the stream tells it once more.
    fn is_allowed_since(&self, entry: &Listed) -> bool {
        let decision = entry.decision.as_ref().filter(|_| entry.state == ActionState::Approved);
        let by_rule = decision.filter(|decision| rule_name(&decision.reviewer).is_some());
        by_rule.zip(self.allowed).is_some_and(|(decision, (_, asked))| decision.decided_at >= asked)
    }

    /// Half of the pause is certain and half by chance, so that consoles do not come back all at once.
    fn pause(&self, trouble: &Trouble, pauses: u32) -> Duration {
        let full = self.pace.first.saturating_mul(1 << pauses.min(16)).min(self.pace.longest);
        let full = if trouble.lasts() { self.pace.longest } else { full };
        let (_, chance) = uuid::Uuid::new_v4().as_u64_pair();
        let chance = f64::from(u32::try_from(chance >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        let wish = trouble.retry_after().unwrap_or_default().min(LONGEST_WISH);
        (full / 2 + (full / 2).mul_f64(chance)).max(wish)
    }

    async fn unreadable(&self, place: String, reason: Untrusted) -> Result<(), Gone> {
        self.tell(FeedEvent::Unreadable { place, reason }).await
    }

    async fn tell(&self, event: FeedEvent) -> Result<(), Gone> {
        self.tx.send(event).await.map_err(|_| Gone)
    }
}
