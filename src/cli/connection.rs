//! Where the server is and with what credential: what `review`, `decide` and `list` share.
//!
//! A secret comes from a file or from the environment, never from a flag's value, which every process could read.

use crate::client::{AegisClient, Authorities, Builder};
use anyhow::{Context as _, bail};
use secrecy::SecretString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The published client's default.
pub const DEFAULT_SERVER: &str = "http://localhost:8000";
const TOKEN_FILE_VARIABLE: &str = "AEGIS_API_KEY_FILE";
const TOKEN_VARIABLE: &str = "AEGIS_API_KEY";
/// Longer than any token; a file beyond it is the wrong file.
const TOKEN_LIMIT: u64 = 16 * 1024;
/// Longer than all authorities that a machine trusts.
const CA_LIMIT: u64 = 4 * 1024 * 1024;

/// The flags that say which server, and where its credential is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Connection {
    /// The server: https, or http on this machine [default: http://localhost:8000]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,

    /// A file that holds the API key, readable by you alone. Without it: the file that AEGIS_API_KEY_FILE names,
    /// else the key in AEGIS_API_KEY
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// A file in PEM with the authorities that may vouch for the server's certificate, instead of those that this
    /// machine trusts
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Connection {
    /// The server's base URL.
    pub fn url(&self) -> &str {
        self.server.as_deref().unwrap_or(DEFAULT_SERVER)
    }

    /// The credential: from `--token-file`, else from the file that `AEGIS_API_KEY_FILE` names, else from
    /// `AEGIS_API_KEY`. A variable that is empty counts as not set.
    ///
    /// # Errors
    /// A file that cannot be read, that others can read, or that holds no token. The message never holds the token.
    pub fn credential(&self) -> anyhow::Result<Option<SecretString>> {
        credential(self.token_file.as_deref(), TOKEN_FILE_VARIABLE, TOKEN_VARIABLE)
    }

    /// A client of that server with that credential, ready for what else the command wants to set.
    ///
    /// # Errors
    /// As [`credential`](Self::credential), and a `--ca-file` that cannot be read or holds no certificate.
    pub fn client(&self) -> anyhow::Result<Builder> {
        Ok(client(self.url(), self.credential()?).authorities(authorities(self.ca_file.as_deref())?))
    }
}

/// A credential: from the file of the flag, else from the file that the first variable names, else from the second
/// variable. One that is empty counts as not set.
///
/// # Errors
/// A file that cannot be read, that others can read, or that holds no token. The message never holds the token.
pub fn credential(
    file: Option<&Path>,
    file_variable: &str,
    variable: &str,
) -> anyhow::Result<Option<SecretString>> {
    if let Some(path) = file {
        return read_token(path).map(Some);
    }
    if let Some(path) = std::env::var_os(file_variable).filter(|path| !path.is_empty()) {
        let token = read_token(Path::new(&path));
        return token.with_context(|| format!("from {file_variable}")).map(Some);
    }
    match std::env::var(variable) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => check(&text).with_context(|| format!("{variable} holds no usable token")).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{variable} is not text"),
    }
}

/// The authorities of that file, or of this machine where none is named.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn authorities(file: Option<&Path>) -> anyhow::Result<Authorities> {
    file.map_or_else(|| Ok(Authorities::default()), read_authorities)
}

/// A client of that server with that credential; for a gateway in this process, whose credential never leaves it.
pub fn client(url: &str, credential: Option<SecretString>) -> Builder {
    let builder = AegisClient::builder().base_url(url);
    match credential {
        Some(credential) => builder.api_key(credential),
        None => builder,
    }
}

fn read_authorities(path: &Path) -> anyhow::Result<Authorities> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open the file of authorities {name}"))?;
    let mut pem = Vec::new();
    let read = file.take(CA_LIMIT + 1).read_to_end(&mut pem);
    read.with_context(|| format!("cannot read the file of authorities {name}"))?;
    if u64::try_from(pem.len()).is_ok_and(|length| length > CA_LIMIT) {
        bail!("the file of authorities {name} is larger than {CA_LIMIT} bytes: it is another file");
    }
    Authorities::from_pem(&pem).with_context(|| format!("the file of authorities {name}"))
}

/// Reads a token from a file that nobody else can read.
///
/// # Errors
/// The file cannot be read, others can read it, or it holds no token.
pub fn read_token(path: &Path) -> anyhow::Result<SecretString> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| format!("cannot open the token file {name}"))?;
    // Of the file that was opened, not of whatever the name means a moment later.
    let metadata = file.metadata().with_context(|| format!("cannot look at the token file {name}"))?;
    if metadata.is_dir() {
        bail!("the token file {name} is a directory: name the file in it");
    }
    refuse_if_shared(path, &metadata)?;
    let mut text = String::new();
    let read = (&mut file).take(TOKEN_LIMIT + 1).read_to_string(&mut text);
    read.with_context(|| format!("cannot read the token file {name}"))?;
    check(&text).with_context(|| format!("the token file {name} holds no usable token"))
}

#[cfg(unix)]
fn refuse_if_shared(path: &Path, metadata: &std::fs::Metadata) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let name = path.display();
        bail!(
            "others can read the token file {name} (mode {mode:03o}): run `chmod 600 {name}`, and get a new token if it may have been read"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_shared(_path: &Path, _metadata: &std::fs::Metadata) -> anyhow::Result<()> {
    Ok(())
}

/// A token is one line of visible ASCII. What it is instead is said without quoting it.
fn check(text: &str) -> anyhow::Result<SecretString> {
    let token = text.trim();
    if token.is_empty() {
        bail!("it is empty");
    }
    if u64::try_from(text.len()).is_ok_and(|length| length > TOKEN_LIMIT) {
        bail!("it is longer than {TOKEN_LIMIT} bytes");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("a token is one line of visible ASCII");
    }
    Ok(SecretString::from(token.to_owned()))
}
