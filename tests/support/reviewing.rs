//! A reviewer for tests that are not about reviewing: lists the queue and decides as the console does.

use aegis_console::client::{self, AegisClient};
use aegis_console::domain::json::{self, Limits, quote};
use aegis_console::domain::{Action, Queued, Resolution, Verdict};
use secrecy::{ExposeSecret as _, SecretString};

/// A reviewer at one gateway.
pub(crate) struct Reviewer {
    url: String,
    credential: SecretString,
    client: AegisClient,
}

impl Reviewer {
    /// One who decides through `client`, which must have the same credential.
    pub(crate) fn new(url: String, credential: SecretString, client: AegisClient) -> Self {
        Self { url, credential, client }
    }

    /// What waits.
    #[allow(dead_code, reason = "not every test lists")]
    pub(crate) async fn pending(&self) -> Vec<Queued> {
        let page = Queued::read_page(&self.get("?state=pending&limit=100").await).unwrap();
        page.actions.into_iter().map(Result::unwrap).collect()
    }

    /// One action.
    pub(crate) async fn entry(&self, id: &str) -> Queued {
        let entry = self.get(&format!("/{id}")).await;
        Queued::read(&json::parse_unique(&entry, Limits::PAGE).unwrap()).unwrap()
    }

    /// Decides it, on its digest.
    pub(crate) async fn decide(&self, action: &Action, verdict: Verdict, reason: &str) -> Resolution {
        let body = format!(
            r#"{{"tenant_id":{},"thread_id":{},"action":{},"payload":{},"review":{{"action_id":{},"reason":{},"digest":"{}"}}}}"#,
            quote(action.tenant_id.raw()),
            quote(action.thread_id.raw()),
            quote(action.name.raw()),
            action.payload(),
            quote(&action.id),
            quote(reason),
            action.digest,
        );
        let call = self.client.decide(verdict, &action.idempotency_key).tenant_id(action.tenant_id.raw());
        call.thread_id(action.thread_id.raw()).body(body).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/api/v1/hitl/actions{path}", self.url);
        let http = client::http::build(&url.parse().unwrap()).unwrap();
        let answer = http.get(url).bearer_auth(self.credential.expose_secret()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }
}
