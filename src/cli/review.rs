//! `aegis-console review`, and the bare `aegis-console`: the reviewer's screen, wired to a queue and to where decisions
//! go. What can go wrong before the screen comes up is said before the screen comes up.

use super::connection::Connection;
use super::serve;
use crate::client::AegisClient;
use crate::console::app::{Effect, Message, Model, Settings};
use crate::console::keymap::Keymap;
use crate::console::runtime::{self, Keyboard};
use crate::console::shell::Console;
use crate::console::theme::Theme;
use crate::dispatch::{Check, DispatchEvent, Dispatcher, Link as DispatchLink, NoCheck, Pace, QueueCheck};
use crate::domain::{ActionState, Queued, Verdict};
use crate::feed::{self, FeedEvent, jsonl};
use crate::gateway::{Config, Gateway};
use crate::journal::{self, Journal};
use anyhow::{Context as _, anyhow};
use jiff::tz::TimeZone;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// News that may wait for the screen; a flood waits at its source.
const NEWS: usize = 1_024;

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

/// The flags that say how the screen looks and feels; the demo has them too.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Look {
    /// Colour: `auto` obeys NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Color,

    /// Draw with ASCII alone; by itself where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Seconds for which an approval can be taken back before it is sent; 0 sends at once
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = grace)]
    grace: Grace,
}

/// How long an approval is held; three seconds unless told otherwise.
#[derive(Debug, Clone, Copy)]
struct Grace(Duration);

impl Default for Grace {
    fn default() -> Self {
        Self(Duration::from_secs(3))
    }
}

fn grace(text: &str) -> Result<Grace, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
    seconds
        .map(|seconds| Grace(Duration::from_secs_f64(seconds)))
        .ok_or_else(|| "a number from 0 to 600".into())
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    /// Unless NO_COLOR is set to something
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Look {
    fn theme(self) -> Theme {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = match self.color {
            Color::Auto => !set("NO_COLOR"),
            Color::Always => true,
            Color::Never => false,
        };
        Theme::new(colour, self.ascii || !utf8_locale())
    }
}

/// Whether the terminal can be expected to draw more than ASCII: the first of LC_ALL, LC_CTYPE and LANG that is set
/// decides, and the Linux console has too few characters.
fn utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && set("TERM").as_deref() != Some("linux")
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
    /// By this client, kept in this file, else in the one that belongs to its server.
    pub(super) fn new(client: AegisClient, journal: Option<&Path>) -> anyhow::Result<Self> {
        let path = match journal {
            Some(path) => path.to_owned(),
            None => journal::default_path(client.base_url().as_str())?,
        };
        Ok(Self { client, journal: Journal::open(&path)? })
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
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match (&args.queue, &args.connection.server) {
            (Some(queue), _) => of_lines(queue, &args).await,
            (None, Some(_)) => of_server(&args).await,
            (None, None) => of_own_gateway(args).await,
        }
    })
}

async fn of_lines(queue: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let standard_input = queue.as_os_str() == "-";
    let way_out = match args.connection.server {
        Some(_) => Some(WayOut::new(args.connection.client()?.build()?, args.journal.as_deref())?),
        None => None,
    };
    let source = if standard_input {
        jsonl::Source::StandardInput
    } else {
        jsonl::Source::Entries(jsonl::read_all(queue)?)
    };
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
    show(session, args.look).await
}

async fn of_server(args: &Args) -> anyhow::Result<ExitCode> {
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
        way_out: Some(WayOut::new(client, args.journal.as_deref())?),
        feed: Feed::Gateway(source),
        how_to_ask: vec![format!("Agents ask at {url}/aap, each with an agent's token.")],
        simulated: None,
    };
    show(session, args.look).await
}

async fn of_own_gateway(args: Args) -> anyhow::Result<ExitCode> {
    // Before a gateway is started that nobody could look at.
    runtime::check(Keyboard::StandardInput)?;
    let listen = match args.listen {
        Some(listen) => listen,
        None => serve::DEFAULT_LISTEN.parse().context("the default address")?,
    };
    let data = args.data.map_or_else(serve::default_data, Ok)?;
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
        way_out: Some(WayOut::new(client, Some(&journal))?),
        how_to_ask: vec![
            format!("Agents ask at {url}/aap"),
            format!("with the token in {}", gateway.agent_token_file().display()),
        ],
        simulated: None,
    };
    let shown = show(session, args.look).await;
    gateway.shutdown().await;
    shown
}

/// The name that the reviewer's session bears on this machine.
fn reviewer() -> Option<String> {
    let named = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    ["USER", "LOGNAME"].into_iter().find_map(named)
}

/// Shows the screen until the reviewer leaves it.
pub(super) async fn show(session: Session, look: Look) -> anyhow::Result<ExitCode> {
    let keyboard = match session.feed {
        Feed::Lines(jsonl::Source::StandardInput) => Keyboard::ControllingTerminal,
        _ => Keyboard::StandardInput,
    };
    runtime::check(keyboard)?;
    let settings = Settings {
        identity: session.identity,
        reviewer: session.reviewer,
        decisions_go_out: session.way_out.is_some(),
        grace: look.grace.0,

        expires_here: matches!(session.feed, Feed::Lines(_)),
        how_to_ask: session.how_to_ask,
        simulated: session.simulated,
        time_zone: TimeZone::system(),
        theme: look.theme(),
        keymap: Keymap::shipped().context("the keymap that this program ships")?,
    };
    // A demo leaves nothing behind, its journal neither.
    let simulated = settings.simulated.is_some();
    let (tell, news) = mpsc::channel(NEWS);
    let check: Arc<dyn Check> = match (&session.feed, &session.way_out) {
        (Feed::Gateway(_), Some(way_out)) => Arc::new(QueueCheck::new(way_out.client.clone())?),
        _ => Arc::new(NoCheck),
    };
    let dispatcher = session.way_out.map(|WayOut { client, journal }| {
        let (dispatcher, events) = Dispatcher::start(client, journal, check, Pace::default());
        tokio::spawn(hear(dispatcher.clone(), events, tell.clone()));
        dispatcher
    });
    tokio::spawn(follow(session.feed, dispatcher.clone(), tell));
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let mut console = Console::new(Model::new(settings, size));
    let exit = runtime::run(&mut console, keyboard, news, |effect| match (effect, &dispatcher) {
        (Effect::Bell, _) => {
            let mut out = std::io::stdout();
            // A terminal that cannot be written to ends the loop by itself.
            let _ = out.write_all(b"\x07").and_then(|()| out.flush());
        }
        (effect, Some(dispatcher)) => dispatch(dispatcher, effect, look.grace.0),
        // Where decisions go nowhere the model asks for nothing else.
        (_, None) => {}
    })
    .await?;
    if let Some(dispatcher) = dispatcher {
        dispatcher.shutdown().await;
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

fn dispatch(dispatcher: &Dispatcher, effect: Effect, grace: Duration) {
    match effect {
        Effect::Decide(orders) => {
            // Only approvals are held: a rejection that is late can do harm, one that is early cannot.
            let approves = orders.iter().all(|order| order.verdict == Verdict::Approve);
            dispatcher.decide(orders, if approves { grace } else { Duration::ZERO });
        }
        Effect::Undo(ids) => ids.into_iter().for_each(|id| dispatcher.undo(id)),
        Effect::Release(ids) => dispatcher.release(&ids),
        Effect::DropHeld(ids) => dispatcher.drop_held(&ids),
        Effect::TryAgain(id) => dispatcher.try_again(id),
        Effect::Acknowledge(id) => dispatcher.acknowledge(id),
        Effect::Link(up) => dispatcher.link(if up { DispatchLink::Up } else { DispatchLink::Down }),
        // The shell of the console does these by itself.
        Effect::Bell | Effect::Repaint | Effect::FlushInput => {}
    }
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
            if let (FeedEvent::Changed(Queued { decision: Some(decision), .. }), Some(dispatcher)) =
                (&event, &dispatcher)
            {
                dispatcher.heard(&decision.request_id);
            }
            if tell.send(Message::Feed(event)).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(source, forward);
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
