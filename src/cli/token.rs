//! `aegis-console token`: who may come in. On the gateway's database itself, whether a gateway runs on it or not.
//!
//! A token is printed once, on standard output and nothing beside it there, so that it can go straight into a file.

use super::output::{json, line, table};
use super::place::Place;
use crate::domain::Visible;
use crate::gateway::{Role, TokenDesk, TokenInfo, TokenOrder};
use anyhow::bail;
use secrecy::ExposeSecret as _;
use std::io::Write as _;
use std::process::ExitCode;

/// The arguments of `token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token and print it, this once
    #[command(
        after_help = "The token alone goes to standard output: `umask 077; aegis-console token create --role reviewer \
        --name alice > alice.token`. A gateway that runs lets it in at once."
    )]
    Create(Create),
    /// List who has a token; never a token
    List(List),
    /// Take a token back: a gateway that runs refuses it within a second
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What it may do: agent asks; reviewer reads and decides; auditor reads; admin reads, pauses agents, makes tokens;
    /// provisioner makes instances of agents
    #[arg(long, value_parser = role)]
    role: Role,
    /// The name that goes on record: 1 to 64 of A-Z a-z 0-9 . _ @ -
    #[arg(long)]
    name: String,
    /// How long it is good: 12h, 90d; without this until it is revoked
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The tenant that it belongs to
    #[arg(long, default_value = DEFAULT_TENANT)]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Those of this tenant only
    #[arg(long)]
    tenant: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// Its number, or the name that it stands for: then all of that name
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// The tenant of that name [default: default]
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    place: Place,
}

const DEFAULT_TENANT: &str = "default";

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "it must be agent, reviewer, auditor, admin or provisioner".into())
}

/// Runs the command.
///
/// # Errors
/// The database cannot be used, or what was asked for is no token.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match args.command {
            Command::Create(args) => create(args).await,
            Command::List(args) => list(args).await,
            Command::Revoke(args) => revoke(args).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `make`: whether a database that is not there is made.
async fn open(place: &Place, make: bool) -> anyhow::Result<TokenDesk> {
    let data = place.data()?;
    if place.store().is_none() && !make && !data.join("gateway.db").exists() {
        bail!(
            "there is no gateway's database in {}: name its directory with --data, or its database with --store",
            data.display()
        );
    }
    Ok(TokenDesk::open(&place.database(), &data).await?)
}

async fn create(args: Create) -> anyhow::Result<()> {
    let desk = open(&args.place, true).await?;
    let order =
        TokenOrder { tenant: args.tenant, name: args.name, role: args.role, expires_in: args.expires };
    let made = desk.create(order, operator()).await;
    desk.close().await;
    let (token, info) = made?;
    writeln!(std::io::stdout(), "{}", token.expose_secret())?;
    let until = info.expires_at.as_deref().map_or_else(String::new, |at| format!(" until {at}"));
    let TokenInfo { id, name, role, tenant, .. } = &info;
    say(&format!(
        "token {id}: {name}, {role} of the tenant {tenant}{until}. It is shown this once; keep it where others cannot read it"
    ));
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let desk = open(&args.place, false).await?;
    let listed = desk.list(args.tenant.as_deref()).await;
    desk.close().await;
    let listed = listed?;
    if args.json {
        listed.iter().for_each(|info| line(&json(info)));
        return Ok(());
    }
    let head = ["id", "name", "role", "tenant", "made", "expires", "revoked"];
    let rows: Vec<_> = listed.iter().map(row).collect();
    table(head, [8, 64, 11, 40, 20, 20, 40], &rows).iter().for_each(|row| line(row));
    Ok(())
}

async fn revoke(args: Revoke) -> anyhow::Result<()> {
    let desk = open(&args.place, false).await?;
    let revoked = desk.revoke(args.tenant.as_deref(), &args.which, operator()).await;
    desk.close().await;
    let revoked = revoked?;
    if revoked.is_empty() {
        let tenant = args.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        bail!(
            "there is no token {} in the tenant {}; `aegis-console token list` has them all",
            Visible::of(&args.which).cut(64).plain(),
            Visible::of(tenant).cut(64).plain()
        );
    }
    for TokenInfo { id, name, role, tenant, .. } in &revoked {
        line(&format!("token {id} is revoked: {name}, {role} of the tenant {tenant}"));
    }
    Ok(())
}

/// Who is at the command line, for the record: no token's name holds a colon.
fn operator() -> String {
    format!("uid:{}", rustix::process::getuid().as_raw())
}

/// To whoever sits there, not to whatever reads the token.
fn say(text: &str) {
    // Standard error may be closed.
    let _ = writeln!(std::io::stderr(), "{}", Visible::of(text).plain());
}

fn row(info: &TokenInfo) -> [Visible; 7] {
    let day = |at: &str| Visible::of(at.get(..16).unwrap_or(at));
    let revoked = match (&info.revoked_at, &info.revoked_by) {
        (Some(at), Some(by)) => Visible::of(&format!("{} by {by}", at.get(..16).unwrap_or(at))),
        _ => Visible::of("-"),
    };
    [
        Visible::of(&info.id.to_string()),
        Visible::of(&info.name),
        Visible::of(info.role),
        Visible::of(&info.tenant),
        day(&info.created_at),
        info.expires_at.as_deref().map_or_else(|| Visible::of("never"), day),
        revoked,
    ]
}
