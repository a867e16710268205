//! The builder: every argument of the published client's constructor with its default, and what is ours.

use super::address::{Address, DEFAULT_BASE, DEFAULT_PREFIX};
use super::authorities::Authorities;
use super::error::ClientError;
use super::http::HttpTransport;
use super::origin::Origin;
use super::prepared::known;
use super::retry::{Jitter, Policy};
use super::transport::Transport;
use super::{AegisClient, Inner};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// Makes an [`AegisClient`]. What is not set has the published client's default.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    base_url: String,
    api_prefix: String,
    api_key: Option<SecretString>,
    tenant_id: Option<String>,
    thread_id: Option<String>,
    policy: Policy,
    authorities: Authorities,
    transport: Option<Arc<dyn Transport>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE.into(),
            api_prefix: DEFAULT_PREFIX.into(),
            api_key: None,
            tenant_id: None,
            thread_id: None,
            policy: Policy {
                timeout: Duration::from_secs(10),
                max_retries: 3,
                deadline: Duration::from_secs(45),
                jitter: Jitter::default(),
            },
            authorities: Authorities::default(),
            transport: None,
        }
    }
}

impl Builder {
    /// Where the server is; default `http://localhost:8000`. `https` unless it is this machine; a `/` at its end is
    /// trimmed; without user name, password, query or fragment.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// The credential, sent as `Authorization: Bearer …`. Without one, the tenant is sent instead.
    pub fn api_key(mut self, api_key: impl Into<SecretString>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// The tenant of calls that name none.
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The thread of calls that name none.
    pub fn thread_id(mut self, thread_id: impl Into<String>) -> Self {
        self.thread_id = Some(thread_id.into());
        self
    }

    /// The time for one try, the whole answer included; default 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// How often a decision is sent again after the first try; default 3.
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.policy.max_retries = max_retries;
        self
    }

    /// The path before `/hitl`; default `/api/v1`.
    pub fn api_prefix(mut self, api_prefix: impl Into<String>) -> Self {
        self.api_prefix = api_prefix.into();
        self
    }

    /// The time for one decision: all tries, waits and looks; default 45 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = deadline;
        self
    }

    /// How the waits between tries are spread; default [`Jitter::Equal`].
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.policy.jitter = jitter;
        self
    }

    /// The authorities that are trusted instead of this machine's own.
    pub fn authorities(mut self, authorities: Authorities) -> Self {
        self.authorities = authorities;
        self
    }

    /// The transport, instead of HTTP over the network. It is used and never closed.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Checks everything and makes the client. Nothing is sent.
    ///
    /// # Errors
    /// What is wrong is named: the base URL, the prefix, the API key, a time of zero, missing certificates.
    pub fn build(self) -> Result<AegisClient, ClientError> {
        for (name, time) in [("timeout", self.policy.timeout), ("deadline", self.policy.deadline)] {
            if time.is_zero() {
                return Err(ClientError::ZeroTime(name));
            }
        }
        let address = Address::new(&self.base_url, &self.api_prefix)?;
        let api_key = self.api_key.filter(|key| !key.expose_secret().is_empty());
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                Arc::new(HttpTransport::trusting(address.base(), &self.authorities, self.policy.timeout)?)
            }
        };
        let inner = Inner {
            authorization: api_key.as_ref().map(authorization).transpose()?,
            address,
            tenant_id: known(self.tenant_id.as_ref()).map(str::to_owned),
            thread_id: known(self.thread_id.as_ref()).map(str::to_owned),
            policy: self.policy,
            transport,
            authorities: self.authorities,
            origin: Origin::new(),
        };
        Ok(AegisClient { inner: Arc::new(inner) })
    }
}

fn authorization(api_key: &SecretString) -> Result<HeaderValue, ClientError> {
    let key = api_key.expose_secret();
    let fits = key.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {key}")).ok().filter(|_| fits);
    let mut value = value.ok_or(ClientError::NotForAHeader("the API key"))?;
    value.set_sensitive(true);
    Ok(value)
}
