//! `aegis-console review`, and the bare `aegis-console`: the reviewer's screen, wired to a queue and to where decisions
//! go. What can go wrong before the screen comes up is said before the screen comes up.

mod effects;
mod look;
mod presence;

pub use look::Look;

use self::effects::Doers;
use super::config::Chosen;
use super::connection::Connection;
use super::{place, serve};
use crate::client::AegisClient;
use crate::clock;
use crate::console::app::{Message, Model, Settings};
use crate::console::plain::{self, Plain};
use crate::console::runtime::{self, Keyboard};
use crate::console::shell::Console;
use crate::dispatch::{Check, DispatchEvent, Dispatcher, Entry, NoCheck, Order, Pace, QueueCheck};
use crate::domain::{ActionState, Listed};
use crate::feed::{self, FeedEvent, jsonl};
use crate::gateway::{Config, Gateway};
use crate::journal::{self, Journal};
use anyhow::{Context as _, anyhow};
use std::io::{IsTerminal as _, Write as _, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// News that may wait for the screen; a flood waits at its source.
const NEWS: usize = 1_024;
/// How long it may take to say that nothing is looked at any more.
const LEAVING: Duration = Duration::from_millis(400);
/// Decisions of earlier sessions that the outcomes begin with.
const REMEMBERED: usize = 1_000;
/// How many of them the screen takes in between two frames.
const AT_ONCE: usize = 50;

/// The arguments of `review`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "With neither --server nor --queue the console embeds a gateway of its own, as `serve` would run it.\n\
    Exit codes: 0 quit; 1 could not start; 129 the terminal went away; 143 asked to end (SIGTERM)."
)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,

    /// Review the actions of a file, or with `-` of standard input, one sealed action a line; decisions go to --server
    /// as AEGIS calls, or nowhere without it
    #[arg(long, value_name = "FILE")]
    queue: Option<PathBuf>,

    /// Where the embedded gateway listens: a loopback address and a port [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["server", "queue"])]
    listen: Option<SocketAddr>,

    /// Where the embedded gateway keeps its data [default: aegis-console in the XDG state directory]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "queue"])]
    data: Option<PathBuf>,

    /// Where decisions are kept until they are at an end [default: one file a server in the XDG state directory]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    look: Look,
}

/// Where the queue comes from.
pub(super) enum Feed {
    /// A gateway.
    Gateway(feed::Source),
    /// JSON Lines.
    Lines(jsonl::Source),
}

/// Where decisions go.
pub(super) struct WayOut {
    /// The client that sends them.
    pub(super) client: AegisClient,
    /// What keeps them.
    pub(super) journal: Journal,
}

impl WayOut {
    /// By this client, kept in this file, else in the one that belongs to its server. `None` where nothing is to be
    /// decided: then no journal is opened either, and what it holds is left for a console that may.
    pub(super) fn new(
        client: AegisClient,
        journal: Option<&Path>,
        chosen: &Chosen,
    ) -> anyhow::Result<Option<Self>> {
        if chosen.is_read_only() {
            return Ok(None);
        }
        let path = match journal {
            Some(path) => path.to_owned(),
            None => journal::default_path(client.base_url().as_str())?,
        };
        Ok(Some(Self { client, journal: Journal::open(&path)? }))
    }
}

/// Everything that a screen is wired to.
pub(super) struct Session {
    /// Who decides and where, for the top line.
    pub(super) identity: String,
    /// The name to send as the reviewer's.
    pub(super) reviewer: Option<String>,
    /// Where decisions go, and where they are kept until they are at an end; `None` is nowhere.
    pub(super) way_out: Option<WayOut>,
    /// Where the queue comes from.
    pub(super) feed: Feed,
    /// What makes something wait.
    pub(super) how_to_ask: Vec<String>,
    /// What the demo simulates.
    pub(super) simulated: Option<String>,
}

/// Runs the command.
pub fn run(mut args: Args) -> anyhow::Result<ExitCode> {
    let chosen = args.look.choose()?;
    // A gateway of one's own was asked for.
    let own_gateway = args.listen.is_some() || args.data.is_some();
    let config = chosen.config();
    if !own_gateway {
        args.connection.server = args.connection.server.or_else(|| config.server.0.clone());
        args.connection.token_file = args.connection.token_file.or_else(|| config.token_file.clone());
        args.connection.ca_file = args.connection.ca_file.or_else(|| config.ca_file.clone());
    }
    args.journal = args.journal.or_else(|| config.journal.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match (&args.queue, &args.connection.server) {
            (Some(queue), _) => of_lines(queue, &args, &chosen).await,
            (None, Some(_)) => of_server(&args, &chosen).await,
            (None, None) => of_own_gateway(args, &chosen).await,
        }
    })
}

async fn of_lines(queue: &Path, args: &Args, chosen: &Chosen) -> anyhow::Result<ExitCode> {
    let standard_input = queue.as_os_str() == "-";
    let way_out = match args.connection.server {
        Some(_) => WayOut::new(args.connection.client()?.build()?, args.journal.as_deref(), chosen)?,
        None => None,
    };
    let source =
        if standard_input { jsonl::Source::StandardInput } else { jsonl::Source::File(jsonl::open(queue)?) };
    let name = if standard_input { "standard input".into() } else { queue.to_string_lossy() };
    let session = Session {
        // Where decisions go nowhere, the words beside the link say so.
        identity: way_out.as_ref().map_or_else(
            || name.clone().into_owned(),
            |_| format!("{name}, decisions to {}", args.connection.url()),
        ),
        reviewer: reviewer(),
        way_out,
        feed: Feed::Lines(source),
        how_to_ask: vec!["The queue has nothing left that waits.".into()],
        simulated: None,
    };
    show(session, chosen).await
}

async fn of_server(args: &Args, chosen: &Chosen) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?.build()?;
    let source = feed::Source::new(&client)?;
    // Said now, on a plain screen, rather than later in a corner of a full one.
    if let Some(Err(trouble)) = source.pages(ActionState::Pending).next().await {
        return Err(anyhow!("{trouble}"));
    }
    let url = source.address().to_owned();
    let session = Session {
        identity: url.clone(),
        reviewer: reviewer(),
        way_out: WayOut::new(client, args.journal.as_deref(), chosen)?,
        feed: Feed::Gateway(source),
        how_to_ask: vec![
            format!("Agents ask at {url}/aap, each with an agent's token."),
            format!("aegis-console ask --server {url} --token-file AGENT.TOKEN --action hello"),
        ],
        simulated: None,
    };
    show(session, chosen).await
}

async fn of_own_gateway(args: Args, chosen: &Chosen) -> anyhow::Result<ExitCode> {
    // Before a gateway is started that nobody could look at.
    chosen.check(Keyboard::StandardInput)?;
    let listen = match args.listen {
        Some(listen) => listen,
        None => serve::DEFAULT_LISTEN.parse().context("the default address")?,
    };
    let data = args.data.map_or_else(place::default_data, Ok)?;
    // Beside the gateway's own data: whoever moves or removes that takes its decisions along.
    let journal = args.journal.unwrap_or_else(|| data.join("journal.sqlite"));
    let gateway = Gateway::start(Config::new(listen, data)).await?;
    let url = gateway.url();
    let name = reviewer().unwrap_or_else(|| "reviewer".into());
    let client = AegisClient::builder().base_url(url.as_str()).api_key(gateway.reviewer(&name)).build()?;
    let session = Session {
        identity: format!("{name} · {url}"),
        reviewer: Some(name),
        feed: Feed::Gateway(feed::Source::new(&client)?),
        way_out: WayOut::new(client, Some(&journal), chosen)?,
        how_to_ask: {
            let token = gateway.agent_token_file().display().to_string();
            let quoted = shlex::try_quote(&token).unwrap_or_default();
            vec![
                format!("Agents ask at {url}/aap with the token in {token}"),
                format!("aegis-console ask --server {url} --token-file {quoted} --action hello"),
            ]
        },
        simulated: None,
    };
    let shown = show(session, chosen).await;
    gateway.shutdown().await;
    shown
}

/// The name that the reviewer's session bears on this machine.
fn reviewer() -> Option<String> {
    let named = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    ["USER", "LOGNAME"].into_iter().find_map(named)
}

/// Shows the screen until the reviewer leaves it.
pub(super) async fn show(session: Session, chosen: &Chosen) -> anyhow::Result<ExitCode> {
    let keyboard = match session.feed {
        Feed::Lines(jsonl::Source::StandardInput) => Keyboard::ControllingTerminal,
        _ => Keyboard::StandardInput,
    };
    chosen.check(keyboard)?;
    let is_plain = chosen.is_plain();
    let deciding = is_plain && plain::is_person(keyboard);
    let settings = Settings {
        identity: session.identity,
        reviewer: session.reviewer,
        decisions_go_out: session.way_out.is_some(),
        expires_here: matches!(session.feed, Feed::Lines(_)),
        // Line by line there is no cursor that rests on anything.
        presence: matches!(session.feed, Feed::Gateway(_)) && !is_plain,
        how_to_ask: session.how_to_ask,
        simulated: session.simulated,
        time_zone: clock::zone(),
        line_by_line: is_plain,
        // Nothing but the letters shows that what goes into a pipe is read by the person who answers it.
        always_letters: is_plain && !stdout().is_terminal(),
        ..chosen.settings()
    };
    // A demo leaves nothing behind, its journal neither.
    let simulated = settings.simulated.is_some();
    let (tell, news) = mpsc::channel(NEWS);
    let check: Arc<dyn Check> = match (&session.feed, &session.way_out) {
        (Feed::Gateway(_), Some(way_out)) => Arc::new(QueueCheck::new(way_out.client.clone())?),
        _ => Arc::new(NoCheck),
    };
    let dispatcher = session.way_out.map(|WayOut { client, journal }| {
        let (dispatcher, events) = Dispatcher::start(client, journal.clone(), check, Pace::default());
        if !is_plain {
            remember(journal, dispatcher.base_url().to_owned(), tell.clone());
        }
        tokio::spawn(hear(dispatcher.clone(), events, tell.clone()));
        dispatcher
    });
    let source = match &session.feed {
        Feed::Gateway(source) => Some(source.clone()),
        Feed::Lines(_) => None,
    };
    tokio::spawn(follow(session.feed, dispatcher.clone(), tell.clone()));
    let (looks, looked) = watch::channel(None);
    let looking = source.clone().map(|source| tokio::spawn(presence::tell(source, looked, tell.clone())));
    let doers = Doers { dispatcher, source, grace: chosen.config().grace, looks, tell };
    let exit = if is_plain {
        if chosen.is_dumb() {
            // Standard error may be closed; the mode says for itself what it is.
            let _ = writeln!(
                std::io::stderr(),
                "aegis-console: TERM is dumb, so this is the plain mode (--plain)"
            );
        }
        let model = Model::new(settings, plain::size());
        let mut session = Plain::new(model, deciding);
        plain::run(&mut session, keyboard, news, |effect| doers.carry_out(effect)).await?
    } else {
        let size = crossterm::terminal::size().unwrap_or((80, 24));
        let mut console = Console::new(Model::new(settings, size));
        runtime::run(&mut console, keyboard, news, |effect| doers.carry_out(effect)).await?
    };
    let Doers { dispatcher, looks, .. } = doers;
    // With its sender gone it is said that nothing is looked at any more, while what is on its way ends.
    drop(looks);
    let left = async {
        if let Some(looking) = looking {
            let _ = tokio::time::timeout(LEAVING, looking).await;
        }
    };
    let shut = async {
        if let Some(dispatcher) = &dispatcher {
            dispatcher.shutdown().await;
        }
    };
    tokio::join!(left, shut);
    if let Some(dispatcher) = dispatcher {
        let open = dispatcher.open();
        if open > 0 && !simulated {
            // Standard error may be closed; the journal knows all the same.
            let _ = writeln!(std::io::stderr(), "aegis-console: {}", left_behind(open));
        }
    }
    Ok(ExitCode::from(exit.code()))
}

/// Tells the screen what becomes of decisions, and who carries them out, as it changes.
async fn hear(
    dispatcher: Dispatcher,
    mut events: mpsc::Receiver<DispatchEvent>,
    tell: mpsc::Sender<Message>,
) {
    let mut elsewhere = false;
    loop {
        let now = !dispatcher.carries();
        if now != elsewhere && tell.send(Message::CarriedElsewhere(now)).await.is_err() {
            return;
        }
        elsewhere = now;
        let Some(event) = events.recv().await else { return };
        if tell.send(Message::Dispatch(event)).await.is_err() {
            return;
        }
    }
}

/// Tells the screen of the decisions for this server that had come to an end before, in a thread of its own: there may be
/// many, and the first frame does not wait for them.
fn remember(journal: Journal, server: String, tell: mpsc::Sender<Message>) {
    tokio::task::spawn_blocking(move || {
        let entries = match journal.recent(REMEMBERED) {
            Ok(entries) => entries,
            // The dispatcher says what is wrong with the journal.
            Err(error) => return tracing::warn!(%error, "earlier decisions cannot be read"),
        };
        let ours = |entry: &Entry| entry.intent.base_url.trim_end_matches('/') == server;
        let ended = entries.into_iter().filter(|entry| ours(entry) && !entry.stage.is_open());
        let mut ended = ended.filter_map(|entry| Some((Order::of(&entry)?, entry)));
        loop {
            let some: Vec<_> = ended.by_ref().take(AT_ONCE).collect();
            if some.is_empty() || tell.blocking_send(Message::Remembered(some)).is_err() {
                return;
            }
        }
    });
}

/// What is said, on the plain screen, about decisions that were not at an end when the console was left.
fn left_behind(open: usize) -> String {
    let (what, goes) = if open == 1 { ("decision is", "it goes") } else { ("decisions are", "they go") };
    format!(
        "{open} {what} not at an end: on disk, {goes} on at the next start or with `aegis-console resume`"
    )
}

/// Tells the screen what comes, and the dispatcher whose calls it speaks of.
async fn follow(feed: Feed, dispatcher: Option<Dispatcher>, tell: mpsc::Sender<Message>) {
    let (sender, mut events) = mpsc::channel::<FeedEvent>(NEWS);
    let source = async {
        match feed {
            Feed::Gateway(source) => feed::gateway::run(source, sender).await,
            Feed::Lines(source) => jsonl::run(source, sender).await,
        }
    };
    let forward = async {
        while let Some(event) = events.recv().await {
            if let (FeedEvent::Changed(entry), Some(dispatcher)) = (&event, &dispatcher) {
                heard(dispatcher, entry);
            }
            if tell.send(Message::Feed(event)).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(source, forward);
}

/// The dispatcher is told whose call the server spoke of, and on which action something may have changed for an approval
/// that waits for another reviewer.
fn heard(dispatcher: &Dispatcher, entry: &Listed) {
    if let Some(decision) = &entry.decision {
        dispatcher.heard(&decision.request_id);
    }
    if entry.review.is_some() || entry.state != ActionState::Pending {
        dispatcher.heard_of(&entry.headline.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::left_behind;

    #[test]
    fn what_is_left_behind_is_said_in_good_grammar() {
        assert!(left_behind(1).starts_with("1 decision is not at an end: on disk, it goes on"));
        assert!(left_behind(2).starts_with("2 decisions are not at an end: on disk, they go on"));
    }
}
