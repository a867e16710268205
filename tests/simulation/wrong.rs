//! Consoles that are wrong on purpose: a simulation that finds nothing wrong with them is blind.

use crate::audit::Wrong;
use crate::network::Line;
use crate::world::run;
use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{Bytes, Transport, TransportError};
use aegis_console::dispatch::{Check, Checked, NoCheck};
use aegis_console::journal::Intent;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Nothing.
    Right,
    /// Each try has a key of its own.
    OtherKey,
    /// Each try has a request id of its own.
    OtherRequestId,
    /// The bytes are made anew for each try.
    OtherBytes,
    /// Keeps what was lost and sends it again by itself when the server's janitor has been.
    Stubborn,
    /// Takes an answer that was lost for a 202.
    Hopeful,
    /// Takes an answer that was lost for nothing having been sent.
    Careless,
    /// Has no journal after a restart.
    Forgetful,
    /// Waits for ever to hear whether an action still stands.
    Patient,
}

impl Variant {
    pub(crate) fn transport(self, line: Arc<Line>) -> Arc<dyn Transport> {
        match self {
            Self::Right | Self::Forgetful | Self::Patient => line,
            _ => Arc::new(Bad { how: self, line, tries: Mutex::default() }),
        }
    }

    pub(crate) fn check(self) -> Arc<dyn Check> {
        if self == Self::Patient { Arc::new(Never) } else { Arc::new(NoCheck) }
    }

    pub(crate) fn forgets(self) -> bool {
        self == Self::Forgetful
    }
}

struct Never;

impl Check for Never {
    fn still_stands<'a>(&'a self, _: &'a Intent) -> BoxFuture<'a, Checked> {
        Box::pin(std::future::pending())
    }
}

struct Bad {
    how: Variant,
    line: Arc<Line>,
    tries: Mutex<BTreeMap<Bytes, u32>>,
}

impl Bad {
    async fn exchange(
        &self,
        mut request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        if request.method() != "POST" {
            return self.line.send(request, timeout).await;
        }
        let count = {
            let mut tries = self.tries.lock().unwrap();
            let count = tries.entry(request.body().clone()).or_default();
            *count += 1;
            *count
        };
        let text = format!("again-{count}");
        match self.how {
            Variant::OtherKey => drop(request.headers_mut().insert("idempotency-key", text.parse().unwrap())),
            Variant::OtherRequestId => {
                let id = format!("00000000-0000-4000-8000-{count:012}");
                request.headers_mut().insert("x-request-id", id.parse().unwrap());
            }
            Variant::OtherBytes if count > 1 => {
                let body = [request.body(), " ".repeat(count as usize).as_bytes()].concat();
                *request.body_mut() = body.into();
            }
            _ => {}
        }
        // What the client is about to give up.
        let almost = timeout.saturating_sub(Duration::from_millis(1));
        let end = match tokio::time::timeout(almost, self.line.send(request.clone(), timeout)).await {
            Ok(end) => end,
            Err(_) => Err(TransportError::lost("nothing came")),
        };
        match (self.how, end) {
            (Variant::Stubborn, Err(lost)) => {
                let line = Arc::clone(&self.line);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(400)).await;
                    let _ = line.send(request, timeout).await;
                });
                Err(lost)
            }
            (Variant::Hopeful, Err(_)) => {
                let mut answer = Response::new(Bytes::from_static(br#"{"status":"COMMITTED"}"#));
                *answer.status_mut() = StatusCode::ACCEPTED;
                Ok(answer)
            }
            (Variant::Careless, Err(_)) => Err(TransportError::not_sent("it cannot have been")),
            (_, end) => end,
        }
    }
}

impl Transport for Bad {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, timeout))
    }
}

/// Each within a few dozen seeds, and by what is wrong with it.
#[test]
fn each_is_caught() {
    const SEEDS: u64 = 60;
    for (variant, wrong) in [
        (Variant::OtherKey, Wrong::OtherKey),
        (Variant::OtherKey, Wrong::Twice),
        (Variant::OtherRequestId, Wrong::OtherRequestId),
        (Variant::OtherBytes, Wrong::OtherBytes),
        (Variant::Stubborn, Wrong::Twice),
        (Variant::Stubborn, Wrong::NotOnDisk),
        (Variant::Hopeful, Wrong::Untrue),
        (Variant::Careless, Wrong::Untrue),
        (Variant::Forgetful, Wrong::Unsaid),
        (Variant::Patient, Wrong::NeverEnds),
    ] {
        let caught = (1..=SEEDS).find(|seed| run(*seed, variant).found().contains(&wrong));
        assert!(caught.is_some(), "{variant:?} is never caught by {wrong:?} in {SEEDS} seeds");
        println!("{variant:?}: {wrong:?} in seed {}", caught.unwrap());
    }
}
