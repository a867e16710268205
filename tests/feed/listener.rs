//! A feed that is listened to, its events in short words, and what a scripted server answers it with.

use crate::support::scripted::{Answer, Asked, Scripted};
use aegis_console::client::AegisClient;
use aegis_console::domain::{Action, Listed, Queued};
use aegis_console::feed::gateway::{Pace, run_at};
use aegis_console::feed::{AgentState, FeedEvent, Link, Looking, Source};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Quick, so that a test sees many tries.
pub(crate) const PACE: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    silence: Duration::from_secs(40),
    steady: Duration::from_secs(10),
};

pub(crate) fn entry(id: &str) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"k:{id}","agent":"g","action":"x","payload":{{"n":1.10}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
    );
    Queued::pending(Action::read(sealed).unwrap())
}

pub(crate) fn page(ids: &[&str], next: &str) -> Answer {
    let entries: Vec<_> = ids.iter().map(|id| entry(id).write()).collect();
    Answer::json(&format!(r#"{{"actions":[{}],"next":{next}}}"#, entries.join(",")))
}

pub(crate) fn event(number: u32, id: &str) -> String {
    format!("id: {number}\nevent: action.created\ndata: {}\n\n", entry(id).write())
}

pub(crate) fn is_events(asked: &Asked) -> bool {
    asked.target.starts_with("/api/v1/hitl/events")
}

pub(crate) struct Listener {
    pub(crate) rx: mpsc::Receiver<FeedEvent>,
    pub(crate) feed: tokio::task::JoinHandle<()>,
}

impl Listener {
    pub(crate) fn at(server: &Scripted, pace: Pace) -> Self {
        Self::at_url(server.url(), pace)
    }

    pub(crate) fn at_url(url: &str, pace: Pace) -> Self {
        let (tx, rx) = mpsc::channel(4);
        Self { rx, feed: tokio::spawn(run_at(pace, source(url), tx)) }
    }

    pub(crate) async fn next(&mut self) -> FeedEvent {
        timeout(PATIENCE, self.rx.recv()).await.expect("nothing comes").expect("the feed ended")
    }

    /// The next events in short words.
    pub(crate) async fn told<const N: usize>(&mut self) -> [String; N] {
        let mut told = Vec::new();
        while told.len() < N {
            told.push(short(&self.next().await));
        }
        told.try_into().unwrap()
    }

    /// The next events in short words, but not that nobody looks at anything: when a gateway says so is its own affair.
    pub(crate) async fn told_but_looks<const N: usize>(&mut self) -> [String; N] {
        let mut told = Vec::new();
        while told.len() < N {
            told.push(short(&self.next().await));
            told.retain(|short| short != "looking");
        }
        told.try_into().unwrap()
    }

    /// The reason of the next break.
    pub(crate) async fn reason(&mut self) -> String {
        loop {
            if let FeedEvent::Link(Link::Reconnecting { reason, next, since }) = self.next().await {
                assert!(since <= next);
                return reason.visible().plain();
            }
        }
    }
}

pub(crate) fn short(event: &FeedEvent) -> String {
    let ids = |entries: &[Listed]| {
        let id = |entry: &Listed| match entry.headline.action().as_ref() {
            action if action.unreadable.is_some() => format!("unreadable {}", action.payload()),
            action => action.id.clone(),
        };
        entries.iter().map(id).collect::<Vec<_>>().join(",")
    };
    match event {
        FeedEvent::Link(Link::Reconnecting { .. }) => "reconnecting".into(),
        FeedEvent::Link(link) => format!("{link:?}").to_lowercase(),
        FeedEvent::Entries(entries) => format!("entries {}", ids(entries)),
        FeedEvent::Complete { pending } => format!("complete {}", pending.len()),
        FeedEvent::Changed(entry) => {
            format!("changed {} {}", ids(std::slice::from_ref(entry)), entry.state.word())
        }
        FeedEvent::Replaced(entry) => format!("replaced {}", entry.action.id),
        FeedEvent::Agents(agents) => {
            let short = |agent: &AgentState| {
                format!(" {}{}", if agent.paused { "-" } else { "+" }, agent.name.visible().plain())
            };
            format!("agents{}", agents.iter().map(short).collect::<String>())
        }
        FeedEvent::Looking(looking) => {
            let short = |one: &Looking| format!(" {} at {}", one.reviewer.visible().plain(), one.action_id);
            format!("looking{}", looking.iter().map(short).collect::<String>())
        }
        FeedEvent::AllowedByRule(count) => format!("{count} allowed by rule"),
        FeedEvent::Unreadable { place, .. } => format!("unreadable {place}"),
    }
}

pub(crate) fn source(url: &str) -> Source {
    Source::new(&AegisClient::builder().base_url(url).api_key("s3cret").build().unwrap()).unwrap()
}
