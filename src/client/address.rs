//! Where the server is: base URL and prefix, checked once, and the URIs made of them.

use super::error::ClientError;
use std::fmt;
use url::{Host, Url};

/// The published client's default.
pub(crate) const DEFAULT_BASE: &str = "http://localhost:8000";
/// The published client's default.
pub(crate) const DEFAULT_PREFIX: &str = "/api/v1";

/// A base URL with the prefix of the decision API.
#[derive(Clone)]
pub(crate) struct Address {
    base: Url,
    prefix: String,
}

impl Address {
    /// Checks both; a `/` at the end of either is trimmed.
    pub(crate) fn new(base: &str, prefix: &str) -> Result<Self, ClientError> {
        let base = read_base(base)?;
        let path = prefix.trim_end_matches('/');
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#\\%\"<>^`{|}".contains(&byte);
        if !path.bytes().all(fits) || path.split('/').any(|part| part == "." || part == "..") {
            return Err(ClientError::BadPath(prefix.to_owned()));
        }
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        Ok(Self { base, prefix: format!("{slash}{path}") })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The URI of a call under the prefix; `path` starts with `/`.
    pub(crate) fn uri(&self, path: &str) -> Result<http::Uri, ClientError> {
        let base = self.base.as_str().trim_end_matches('/');
        let text = format!("{base}{}{path}", self.prefix);
        // What the parser would rewrite (`..` above all) is not the path that was meant.
        let same = Url::parse(&text).is_ok_and(|url| url.as_str() == text && url.fragment().is_none());
        let uri = same.then(|| text.parse().ok()).flatten();
        uri.ok_or_else(|| ClientError::BadPath(path.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.base.as_str().trim_end_matches('/'), self.prefix)
    }
}

fn read_base(text: &str) -> Result<Url, ClientError> {
    // Until it is known to hold no password, the URL itself stays out of the message.
    let bad = |url: &str, problem: &str| {
        Err(ClientError::BadBaseUrl { url: url.to_owned(), problem: problem.to_owned() })
    };
    let Ok(url) = Url::parse(text.trim_end_matches('/')) else {
        let shown = if text.contains('@') { "…" } else { text };
        return bad(shown, "it must look like https://gate.example or http://localhost:8000");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad("…", "it must not hold a user name or a password; give the credential in a file");
    }
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return bad(text, "it must start with https:// (or http:// for this machine)");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad(text, "it must not have a query or a fragment");
    }
    if url.scheme() == "http" && !is_this_machine(&url) {
        return bad(
            text,
            "a server that is not this machine needs https://, else all can read the credential",
        );
    }
    Ok(url)
}

/// Whether the URL names this machine: `localhost`, `127.0.0.0/8` or `::1`. Nothing is looked up.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(base: &str, prefix: &str) -> String {
        Address::new(base, prefix).unwrap().uri("/hitl/approve").unwrap().to_string()
    }

    #[test]
    fn slashes_at_the_end_are_trimmed() {
        for (base, prefix, whole) in [
            ("http://localhost:8000", "/api/v1", "http://localhost:8000/api/v1/hitl/approve"),
            ("http://localhost:8000/", "/api/v1/", "http://localhost:8000/api/v1/hitl/approve"),
            ("http://127.0.0.1:1//", "api/v2", "http://127.0.0.1:1/api/v2/hitl/approve"),
            ("https://gate.example/aegis/", "/", "https://gate.example/aegis/hitl/approve"),
            ("http://[::1]:9", "", "http://[::1]:9/hitl/approve"),
        ] {
            assert_eq!(uri(base, prefix), whole);
        }
    }

    #[test]
    fn a_base_url_that_is_unsafe_is_refused_with_what_to_do() {
        for (base, says) in [
            ("http://gate.example", "https://"),
            ("http://127.0.0.1.evil.example", "https://"),
            ("http://localhost.evil.example", "https://"),
            ("https://dana:hunter2@gate.example", "credential in a file"),
            ("http://dana:hunter2@bad host", "must look like"),
            ("https://gate.example/?a=1", "query"),
            ("https://gate.example/#x", "fragment"),
            ("gate.example", "must look like"),
            ("localhost:8000", "https://"),
            ("ftp://localhost", "https://"),
            ("", "must look like"),
        ] {
            let error = Address::new(base, "/api/v1").unwrap_err().to_string();
            assert!(error.contains(says), "{base}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_path_that_would_be_rewritten_is_refused() {
        for prefix in ["/api/../x", "/a?b", "/a#b", "/a b", "/ä", "/%2e%2e"] {
            assert!(Address::new(DEFAULT_BASE, prefix).is_err(), "{prefix}");
        }
        let address = Address::new(DEFAULT_BASE, DEFAULT_PREFIX).unwrap();
        for path in ["/hitl/status/..", "/hitl/status/.", "/hitl/status/a b", "/hitl/status/a#b"] {
            assert!(address.uri(path).is_err(), "{path}");
        }
        assert!(address.uri("/hitl/actions?state=pending&limit=3").is_ok());
    }
}
