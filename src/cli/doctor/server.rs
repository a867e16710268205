//! A gateway, asked what nobody else will see: whether it is there, whether it is ready, what time it has, and who a
//! credential is to it. Only `GET`, and nothing is tried again.

use crate::client::http::{Http, words};
use crate::client::{AegisClient, Authorities};
use crate::domain::Visible;
use crate::domain::json::{self, Kind, Limits, Value};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, DATE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// What one question may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer than any of the answers; the metrics are the longest.
const LONGEST: usize = 1024 * 1024;

/// One gateway.
pub(super) struct Server {
    http: Http,
    base: String,
}

/// An answer.
pub(super) struct Got {
    /// The HTTP status.
    pub(super) status: u16,
    /// How much later this machine's clock is than the server's, to about a second.
    pub(super) ahead: Option<SignedDuration>,
    body: Vec<u8>,
}

/// Who a credential is. The words are visible.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) tenant: String,
    pub(super) paused: bool,
}

impl Server {
    /// The gateway at that address; its agents' side may be part of it.
    ///
    /// # Errors
    /// The address cannot be used, in words.
    pub(super) fn new(url: &str, authorities: &Authorities) -> Result<Self, String> {
        let base = url.trim_end_matches('/').trim_end_matches("/aap");
        // What is an address, and that a token goes over TLS or stays on this machine, the client knows.
        let client = AegisClient::builder().base_url(base).build().map_err(|error| visible(&error))?;
        let http = Http::new(client.base_url(), authorities).map_err(|error| visible(&error))?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// Asks once.
    ///
    /// # Errors
    /// No whole answer came, in words.
    pub(super) async fn get(&self, path: &str, token: Option<&SecretString>) -> Result<Got, String> {
        let mut call = self.http.request(Method::GET, &format!("{}{path}", self.base));
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
            let mut value = value.map_err(|_| "the token cannot be sent".to_owned())?;
            value.set_sensitive(true);
            call = call.header(AUTHORIZATION, value);
        }
        let call = call.build().map_err(|error| visible(&words(&error)))?;
        let answer = tokio::time::timeout(PATIENCE, self.answer(call)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
    }

    async fn answer(&self, call: reqwest::Request) -> Result<Got, String> {
        let mut response = self.http.execute(call).await.map_err(|error| visible(&error))?;
        let date =
            response.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let date = date.and_then(|date| Timestamp::try_from(date).ok());
        let ahead = date.map(|date| Timestamp::now().duration_since(date));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| visible(&words(&error)))? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err("its answer is too long".into());
            }
        }
        Ok(Got { status, ahead, body })
    }

    /// Who that credential is.
    ///
    /// # Errors
    /// The status, where it was refused or not understood; the words, where no answer came.
    pub(super) async fn who(&self, token: &SecretString) -> Result<Result<Who, u16>, String> {
        let got = self.get("/api/v1/whoami", Some(token)).await?;
        Ok(got.who().ok_or(got.status))
    }

    /// How many streams of events are open: each console holds one. `None` where it is not told.
    pub(super) async fn listeners(&self, token: Option<&SecretString>) -> Option<u64> {
        let got = self.get("/metrics", token).await.ok().filter(|got| got.status == 200)?;
        let text = String::from_utf8(got.body).ok()?;
        text.lines().find_map(|line| line.strip_prefix("aegis_gateway_listeners ")?.trim().parse().ok())
    }
}

impl Got {
    fn who(&self) -> Option<Who> {
        let value = json::parse_unique(&self.body, Limits::ANSWER).ok().filter(|_| self.status == 200)?;
        let text = |name: &str| Some(cut(value.get(name)?.as_str()?));
        let paused = value.get("paused").map(|value| &value.kind) == Some(&Kind::Bool(true));
        Some(Who { name: text("name")?, role: text("role")?, tenant: text("tenant")?, paused })
    }

    /// What a refusal says of itself.
    pub(super) fn detail(&self) -> Option<String> {
        let value = json::parse_unique(&self.body, Limits::ANSWER).ok()?;
        Some(cut(value.get("detail").and_then(Value::as_str)?))
    }
}

fn cut(text: &str) -> String {
    Visible::of(text).cut(120).plain()
}

fn visible(words: &impl ToString) -> String {
    Visible::of(&words.to_string()).plain()
}
