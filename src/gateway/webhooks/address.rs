//! Where a webhook may go: pure. The URL is a program's word, so it could name a machine that only this one can reach. A
//! name is looked up for every try, each address that it stands for must pass, and the call goes to the very one that did.
//!
//! `https` and public addresses; loopback, and `http` there, where the gateway itself is for this machine alone. What the
//! gateway's owner names beside that (`--webhooks-to`) may be anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest URL.
const LONGEST: usize = 2_048;

/// What is allowed beyond public addresses.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    loopback: bool,
    /// In lower case; with a port that very port, without one any.
    named: Vec<String>,
}

/// A URL that a webhook may go to, where its addresses pass.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(super) url: Url,
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Target {
    /// Host and port, as calls to one are bounded together.
    pub(crate) fn host(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl Policy {
    /// `loopback`: this machine itself, too. `named`: these hosts, wherever they are.
    pub(crate) fn new(loopback: bool, named: &[String]) -> Self {
        Self { loopback, named: named.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    fn is_named(&self, host: &Host<String>, port: u16) -> bool {
        let name = host.to_string();
        self.named.iter().any(|named| *named == name || *named == format!("{name}:{port}"))
    }

    /// Reads a URL; else says what it must be.
    pub(crate) fn target(&self, text: &str) -> Result<Target, &'static str> {
        if text.len() > LONGEST {
            return Err("is longer than 2048 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must be of visible ASCII characters");
        }
        // What a browser would mend, `https:///a` say, is not mended here: everybody must read the same host.
        let plain = text.split_once("://").is_some_and(|(_, rest)| !rest.starts_with('/'));
        if !plain || text.contains('\\') {
            return Err("is no URL");
        }
        let url = Url::parse(text).map_err(|_| "is no URL")?;
        if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
            return Err("must not hold a user name, a password or an @");
        }
        if url.fragment().is_some() {
            return Err("must not hold a fragment");
        }
        let host = url.host().ok_or("names no host")?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or("names no port")?;
        let is_here = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let here = is_here && (self.loopback || self.is_named(&host, port));
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            _ => {
                return Err(
                    "must be https; http only to this very machine, where the gateway listens there alone",
                );
            }
        }
        let target = Target { url, host, port };
        match &target.host {
            Host::Ipv4(address) if !self.admits(&target, (*address).into()) => Err(BARRED),
            Host::Ipv6(address) if !self.admits(&target, (*address).into()) => Err(BARRED),
            _ => Ok(target),
        }
    }

    /// Whether a call to that target may go to this address.
    pub(super) fn admits(&self, target: &Target, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if !target.is_tls() && !address.is_loopback() {
            return false;
        }
        self.is_named(&target.host, target.port)
            || (self.loopback && address.is_loopback())
            || is_public(address)
    }
}

/// What is said of an address that no webhook may go to.
pub(super) const BARRED: &str = "leads to an address that is not public; the gateway's owner can allow the host with `serve --webhooks-to`";

/// Whether it is an address of the public internet, by IANA's special-purpose registries: what is not plainly one is none.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, private, carrier's, loopback, link-local with the cloud's metadata, private.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => {
            true
        }
        // Protocols, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            true
        }
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Teredo and other protocols, documentation, and 6to4, which holds an IPv4 address.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Nothing else has been given out as global unicast.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plainly_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for not in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "3fff::1",
            "::10.0.0.1",
            "4000::1",
        ] {
            assert!(!is_public(not.parse().unwrap()), "{not}");
        }
    }

    fn open(policy: &Policy, url: &str, address: &str) -> bool {
        policy.target(url).is_ok_and(|target| policy.admits(&target, address.parse().unwrap()))
    }

    #[test]
    fn https_to_public_addresses_and_what_the_owner_names() {
        let policy = Policy::new(false, &["Hooks.Internal".into(), "10.0.0.9:8443".into()]);
        assert!(open(&policy, "https://a.example/aap?x=1", "1.1.1.1"));
        for inside in
            ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "fe80::1"]
        {
            assert!(!open(&policy, "https://a.example/", inside), "{inside}");
            assert!(open(&policy, "https://hooks.internal:9000/", inside), "{inside}");
        }
        assert!(!open(&policy, "https://x.hooks.internal/", "10.0.0.1"));
        assert!(policy.target("https://10.0.0.9:8443/").is_ok());
        assert!(policy.target("https://10.0.0.9/").is_err());
        assert!(policy.target("http://hooks.internal/").is_err(), "in the clear only to this machine");
    }

    #[test]
    fn this_machine_where_the_gateway_is_for_it_alone() {
        let (here, exposed) = (Policy::new(true, &[]), Policy::new(false, &[]));
        for url in [
            "http://127.0.0.1:9/",
            "http://localhost:9/",
            "http://[::1]:9/",
            "https://localhost/",
            "http://2130706433:9/",
        ] {
            assert!(open(&here, url, "127.0.0.1"), "{url}");
            assert!(!open(&exposed, url, "127.0.0.1"), "{url}");
        }
        assert!(!open(&here, "http://localhost:9/", "10.0.0.1"), "a name that has become another machine's");
        assert!(!open(&here, "http://localhost:9/", "1.1.1.1"), "nothing in the clear beyond this machine");
        assert!(!open(&here, "https://a.example/", "192.168.0.1"));
    }

    #[test]
    fn what_is_no_plain_https_url_is_refused() {
        let policy = Policy::new(true, &[]);
        for url in [
            "",
            "a",
            "/x",
            "ftp://a.example/",
            "file:///etc/passwd",
            "http://a.example/",
            "https://",
            "https:///x",
            "https:a.example",
            r"https://a.example\@10.0.0.1/",
            "https://u@a.example/",
            "https://u:p@a.example/",
            "https://a.example/@x",
            "https://a.example/#f",
            "https://a.example:0/",
            "https://10.0.0.1/",
            "https://0x7f.1.1.1.1.1/",
            "https://169.254.169.254/latest/",
            "https://a.example/\u{e9}",
            "https://a.example/ b",
            "https://[fe80::1]/",
            "https://0xa000001/",
            &format!("https://a.example/{}", "a".repeat(2_048)),
        ] {
            assert!(policy.target(url).is_err(), "{url}");
        }
    }
}
