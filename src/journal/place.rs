//! Where the journal of a server is, unless told otherwise.

use super::error::JournalError;
use crate::domain::{Digest, Visible};
use etcetera::BaseStrategy as _;
use std::path::PathBuf;
use url::Url;

/// Longer names do not leave room for what SQLite puts beside the file.
const LONGEST: usize = 150;

/// `aegis-console/journal/<scheme>-<host>-<port>.sqlite` in the XDG state directory: one for each server.
///
/// # Errors
///
/// Where the URL is none of a server, or holds a credential, or where there is no home directory.
pub fn default_path(base_url: &str) -> Result<PathBuf, JournalError> {
    let name = slug(base_url).ok_or_else(|| {
        // A URL with a password in it stays out of the message.
        let shown = if base_url.contains('@') { "…".into() } else { Visible::of(base_url).plain() };
        JournalError::BaseUrl(shown)
    })?;
    let state = etcetera::base_strategy::Xdg::new().ok().and_then(|base| base.state_dir());
    let state = state.ok_or(JournalError::NoHome)?;
    Ok(state.join("aegis-console").join("journal").join(format!("{name}.sqlite")))
}

/// The server's origin as part of a file's name; different origins have different ones.
fn slug(base_url: &str) -> Option<String> {
    let url = Url::parse(base_url).ok()?;
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let (host, port) = (url.host_str().filter(|_| plain)?, url.port_or_known_default()?);
    // Only an address in brackets has colons.
    let name = format!("{}-{}-{port}", url.scheme(), host.replace(':', "_"));
    let cut =
        || format!("{}-{}", &name[..LONGEST - 10], Digest::of(name.as_bytes()).short().replace(' ', ""));
    Some(if name.len() > LONGEST { cut() } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_each_origin() {
        for (url, name) in [
            ("http://localhost:8000", "http-localhost-8000"),
            ("http://127.0.0.1:8000/api/", "http-127.0.0.1-8000"),
            ("https://Gate.Example", "https-gate.example-443"),
            ("https://gate.example:443/x", "https-gate.example-443"),
            ("https://gate.example:8443", "https-gate.example-8443"),
            ("http://[::1]:9", "http-[__1]-9"),
            ("https://bücher.example", "https-xn--bcher-kva.example-443"),
        ] {
            assert_eq!(slug(url).as_deref(), Some(name), "{url}");
        }
    }

    #[test]
    fn long_hosts_keep_different_short_names() {
        let host = |last: char| format!("https://{}{last}.example", "a23456789.".repeat(20));
        let (one, other) = (slug(&host('x')).unwrap(), slug(&host('y')).unwrap());
        assert_ne!(one, other);
        assert!(one.len() <= LONGEST, "{one}");
    }

    #[test]
    fn what_names_no_server_is_refused_without_its_password() {
        for url in [
            "",
            "gate.example",
            "ftp://gate.example",
            "http://dana:hunter2@gate.example",
            "http://a@b",
            "file:///x",
        ] {
            let error = default_path(url).unwrap_err().to_string();
            assert!(error.contains("https://gate.example") && !error.contains("hunter2"), "{error}");
        }
    }
}
