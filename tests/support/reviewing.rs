//! A reviewer for tests that are not about reviewing: lists the queue and decides as the console does.

use aegis_console::client::{self, AegisClient};
use aegis_console::dispatch::Order;
use aegis_console::domain::json::{self, Limits};
use aegis_console::domain::{Action, Queued, Resolution, Verdict};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use uuid::Uuid;

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
    pub(crate) async fn decide(&self, action: &Arc<Action>, verdict: Verdict, reason: &str) -> Resolution {
        let order = Order {
            id: Uuid::new_v4(),
            request_id: Uuid::new_v4(),
            action: Arc::clone(action),
            verdict,
            reason: Some(reason.to_owned()),
            reviewer: None,
            decided_at: Timestamp::now(),
        };
        order.call(&self.client).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/api/v1/hitl/actions{path}", self.url);
        let http = client::http::build(&url.parse().unwrap()).unwrap();
        let answer = http.get(url).bearer_auth(self.credential.expose_secret()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }
}
