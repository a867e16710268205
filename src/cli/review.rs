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
use crate::dispatch::Dispatcher;
use crate::domain::ActionState;
use crate::feed::{self, FeedEvent, jsonl};
use crate::gateway::{Config, Gateway};
use anyhow::{Context as _, anyhow};
use jiff::tz::TimeZone;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
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

    #[command(flatten)]
    look: Look,
}

/// The flags that say how the screen looks; the demo has them too.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Look {
    /// Colour: `auto` obeys NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Color,

    /// Draw with ASCII alone; by itself where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
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

/// Everything that a screen is wired to.
pub(super) struct Session {
    /// Who decides and where, for the top line.
    pub(super) identity: String,
    /// The name to send as the reviewer's.
    pub(super) reviewer: Option<String>,
    /// Where decisions go; `None` is nowhere.
    pub(super) client: Option<AegisClient>,
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
    let client = match args.connection.server {
        Some(_) => Some(args.connection.client()?.build()?),
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
        identity: client.as_ref().map_or_else(
            || name.clone().into_owned(),
            |_| format!("{name}, decisions to {}", args.connection.url()),
        ),
        reviewer: reviewer(),
        client,
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
        client: Some(client),
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
    let gateway = Gateway::start(Config::new(listen, data)).await?;
    let url = gateway.url();
    let name = reviewer().unwrap_or_else(|| "reviewer".into());
    let client = AegisClient::builder().base_url(url.as_str()).api_key(gateway.reviewer(&name)).build()?;
    let session = Session {
        identity: format!("{name} · {url}"),
        reviewer: Some(name),
        feed: Feed::Gateway(feed::Source::new(&client)?),
        client: Some(client),
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
        decisions_go_out: session.client.is_some(),
        expires_here: matches!(session.feed, Feed::Lines(_)),
        how_to_ask: session.how_to_ask,
        simulated: session.simulated,
        time_zone: TimeZone::system(),
        theme: look.theme(),
        keymap: Keymap::shipped().context("the keymap that this program ships")?,
    };
    let (tell, news) = mpsc::channel(NEWS);
    tokio::spawn(follow(session.feed, tell.clone()));
    let dispatcher = session.client.map(|client| {
        let (dispatcher, mut events) = Dispatcher::new(client);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if tell.send(Message::Dispatch(event)).await.is_err() {
                    return;
                }
            }
        });
        dispatcher
    });
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let mut console = Console::new(Model::new(settings, size));
    let exit = runtime::run(&mut console, keyboard, news, |effect| match (effect, &dispatcher) {
        (Effect::Dispatch(order), Some(dispatcher)) => dispatcher.submit(order),
        // The model sends nothing where decisions go nowhere, and the shell repaints by itself.
        (Effect::Dispatch(_), None) | (Effect::Repaint, _) => {}
        (Effect::Bell, _) => {
            let mut out = std::io::stdout();
            // A terminal that cannot be written to ends the loop by itself.
            let _ = out.write_all(b"\x07").and_then(|()| out.flush());
        }
    })
    .await?;
    let sending = console.model().outcomes.sending();
    if sending > 0 {
        let _ = writeln!(std::io::stderr(), "aegis-console: {}", left_behind(sending));
    }
    Ok(ExitCode::from(exit.code()))
}

/// What is said, on the plain screen, about decisions that were being sent when the console was left.
fn left_behind(sending: usize) -> String {
    let (what, they) = if sending == 1 { ("decision was", "it") } else { ("decisions were", "each of them") };
    format!(
        "{sending} {what} still being sent: whether {they} landed is not known here; the queue shows what stands"
    )
}

async fn follow(feed: Feed, tell: mpsc::Sender<Message>) {
    let (sender, mut events) = mpsc::channel::<FeedEvent>(NEWS);
    let source = async {
        match feed {
            Feed::Gateway(source) => feed::gateway::run(source, sender).await,
            Feed::Lines(source) => jsonl::run(source, sender).await,
        }
    };
    let forward = async {
        while let Some(event) = events.recv().await {
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
        assert!(left_behind(1).starts_with("1 decision was still being sent: whether it landed"));
        assert!(left_behind(2).starts_with("2 decisions were still being sent: whether each of them landed"));
    }
}
