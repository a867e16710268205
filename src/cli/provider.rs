//! Where the gateway is that agents ask, and with what credential: what every command of the agents' side shares.
//!
//! An agent's credential is never a reviewer's: it has flags' words in common with [`Connection`](super::connection) and
//! no variable.

use crate::agent::{self, AapClient, Gate};
use crate::cli::connection::{DEFAULT_SERVER, authorities, credential, read_token};
use crate::cli::place::default_data;
use anyhow::Context as _;
use secrecy::SecretString;
use std::path::PathBuf;

/// Names the server, for agents.
pub const SERVER_VARIABLE: &str = "AEGIS_AGENT_SERVER";
/// Names the file that holds an agent's token.
pub const TOKEN_FILE_VARIABLE: &str = "AEGIS_AGENT_TOKEN_FILE";
/// Holds an agent's token.
pub const TOKEN_VARIABLE: &str = "AEGIS_AGENT_TOKEN";

/// The flags that say which gateway is asked, and as whom.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Provider {
    /// The gateway to ask: https, or http on this machine [default: http://localhost:8000]
    #[arg(long, value_name = "URL", env = SERVER_VARIABLE)]
    pub server: Option<String>,

    /// A file that holds an agent's token, readable by you alone. Without it: the file that AEGIS_AGENT_TOKEN_FILE names,
    /// else the token in AEGIS_AGENT_TOKEN, else agent.token of a gateway that keeps its data in the usual place, where the
    /// server is on this machine
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// A file in PEM with the authorities that may vouch for the gateway's certificate, instead of those that this
    /// machine trusts
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// A credential, and where it came from.
#[derive(Debug)]
pub struct Found {
    /// The token.
    pub token: SecretString,
    /// The file or the variable, to be told.
    pub from: String,
}

impl Provider {
    /// The gateway's address, as it was given.
    pub fn url(&self) -> &str {
        self.server.as_deref().filter(|url| !url.is_empty()).unwrap_or(DEFAULT_SERVER)
    }

    /// Where its agents' side is: below `/aap`, which may be part of the address already.
    pub fn base(&self) -> String {
        let url = self.url().trim_end_matches('/');
        if url.ends_with("/aap") { url.to_owned() } else { format!("{url}/aap") }
    }

    /// Whether the server is on this machine.
    ///
    /// # Errors
    /// The address cannot be used. The message does not hold it, because there may be a password in it.
    pub fn is_here(&self) -> anyhow::Result<bool> {
        agent::is_here(&self.base()).with_context(|| "the gateway of --server cannot be asked")
    }

    /// The agent's token. The one that this machine's own gateway keeps goes to no other machine.
    ///
    /// # Errors
    /// None is there, or it cannot be used. The message never holds the token.
    pub fn found(&self) -> anyhow::Result<Found> {
        let file = self.token_file.as_deref();
        if let Some(token) = credential(file, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE)? {
            let from = match (file, std::env::var_os(TOKEN_FILE_VARIABLE).filter(|path| !path.is_empty())) {
                (Some(path), _) => path.display().to_string(),
                (None, Some(path)) => format!("{} ({TOKEN_FILE_VARIABLE})", PathBuf::from(path).display()),
                (None, None) => TOKEN_VARIABLE.to_owned(),
            };
            return Ok(Found { token, from });
        }
        if !self.is_here()? {
            anyhow::bail!(
                "there is no agent's token for a gateway on another machine: name its file with --token-file or \
                 {TOKEN_FILE_VARIABLE}; the one of this machine's own gateway is not sent there"
            );
        }
        let usual = default_data()?.join("agent.token");
        if !usual.exists() {
            anyhow::bail!(
                "there is no agent's token: name its file with --token-file or {TOKEN_FILE_VARIABLE}; `aegis-console \
                 token create NAME --role agent` makes one, and a gateway on this machine keeps one in {}",
                usual.display()
            );
        }
        Ok(Found { token: read_token(&usual)?, from: usual.display().to_string() })
    }

    /// A client of that gateway with that credential.
    ///
    /// # Errors
    /// As [`found`](Self::found), and an address or a `--ca-file` that cannot be used.
    pub fn client(&self) -> anyhow::Result<AapClient> {
        let authorities = authorities(self.ca_file.as_deref())?;
        AapClient::trusting(&self.base(), self.found()?.token, &authorities)
            .with_context(|| "the gateway of --server cannot be asked")
    }

    /// A gate that asks it.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn gate(&self) -> anyhow::Result<Gate> {
        self.client().map(Gate::new)
    }
}
