//! The line between a console and the server: it loses, delays, doubles and overtakes, is cut in either direction or in
//! both, and carries what is on it to its end although whoever sent it has died.

use crate::server::Server;
use aegis_console::client::http::{Request, Response};
use aegis_console::client::{Bytes, Transport, TransportError};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// What does not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nobody can be reached, and that is known at once.
    Refused,
    /// Nothing gets through, and nobody says so.
    Silent,
    /// Half open: requests arrive, answers do not.
    AnswersOnly,
}

/// How the line is, in per cent of what goes over it.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    cut: Option<Cut>,
    lost_request: u8,
    lost_answer: u8,
    /// A lost one ends in a reset, not in silence.
    reset: u8,
    twice: u8,
    late: u8,
}

impl Weather {
    pub(crate) const CALM: Self =
        Self { cut: None, lost_request: 0, lost_answer: 0, reset: 0, twice: 0, late: 0 };

    pub(crate) fn cut(self, cut: Cut) -> Self {
        Self { cut: Some(cut), ..self }
    }

    pub(crate) fn of(chance: &mut fastrand::Rng) -> Self {
        let mut often = |most: u8| if chance.bool() { chance.u8(0..=most) } else { 0 };
        Self {
            cut: None,
            lost_request: often(40),
            lost_answer: often(60),
            reset: often(100),
            twice: often(30),
            late: often(40),
        }
    }
}

/// A decision call as a console sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) console: usize,
    pub(crate) action: String,
    pub(crate) key: String,
    pub(crate) request_id: String,
    /// Everything of it, to the byte.
    pub(crate) bytes: String,
}

impl Sent {
    fn of(console: usize, request: &Request<Bytes>) -> Self {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let (key, request_id) = (header("idempotency-key"), header("x-request-id"));
        let action = body["action"].as_str().unwrap().to_owned();
        Self { console, action, key, request_id, bytes: format!("{request:?}") }
    }
}

pub(crate) struct Network {
    server: Arc<Server>,
    state: Mutex<(Weather, fastrand::Rng)>,
    sent: Mutex<Vec<Sent>>,
}

/// One request's way, drawn when it is sent.
struct Way {
    there: Duration,
    back: Duration,
    again: Option<Duration>,
    request_lost: bool,
    answer_lost: bool,
    reset: Option<Duration>,
    cut: Option<Cut>,
}

impl Network {
    pub(crate) fn new(server: Arc<Server>, chance: fastrand::Rng) -> Arc<Self> {
        Arc::new(Self { server, state: Mutex::new((Weather::CALM, chance)), sent: Mutex::default() })
    }

    pub(crate) fn weather(&self, weather: Weather) {
        self.state.lock().unwrap().0 = weather;
    }

    /// Every decision call that a console has begun to send.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn cut(&self) -> Option<Cut> {
        self.state.lock().unwrap().0.cut
    }

    fn way(&self) -> Way {
        let (weather, chance) = &mut *self.state.lock().unwrap();
        let mut rolls = |per_cent: u8| chance.u8(0..100) < per_cent;
        let (request_lost, answer_lost) = (rolls(weather.lost_request), rolls(weather.lost_answer));
        let (reset, again) = (rolls(weather.reset), rolls(weather.twice));
        let (late, back_late) = (rolls(weather.late), rolls(weather.late));
        // A try is given ten seconds: what is later than that has no one waiting for it.
        let mut lasts = |late| Duration::from_micros(chance.u64(0..if late { 14_000_000 } else { 30_000 }));
        Way {
            there: lasts(late),
            back: lasts(back_late),
            again: again.then(|| lasts(true)),
            request_lost,
            answer_lost,
            reset: reset.then(|| lasts(false)),
            cut: weather.cut,
        }
    }

    /// What the line does with one request. `None`: nothing ever comes back.
    async fn carry(
        self: &Arc<Self>,
        console: usize,
        request: Request<Bytes>,
    ) -> Option<Result<Response<Bytes>, TransportError>> {
        let way = self.way();
        if way.cut == Some(Cut::Refused) || !self.server.is_up() {
            return Some(Err(TransportError::not_sent("connection refused")));
        }
        if way.cut == Some(Cut::Silent) {
            sleep(Duration::from_secs(3)).await;
            return Some(Err(TransportError::not_sent("timed out while connecting")));
        }
        let (back, came_back) = oneshot::channel();
        if let Some(there) = way.again {
            tokio::spawn(Arc::clone(self).deliver((console, true), request.clone(), there, None));
        }
        let back = Some((back, way.back)).filter(|_| !way.answer_lost && !way.request_lost);
        let lost = back.is_none();
        if !way.request_lost {
            tokio::spawn(Arc::clone(self).deliver((console, false), request, way.there, back));
        }
        match (lost, way.reset) {
            (true, Some(after)) => {
                sleep(way.there + after).await;
                Some(Err(TransportError::lost("the connection was reset")))
            }
            (true, None) => None,
            // Its sender goes without a word where the server died, or where the line was cut meanwhile.
            (false, reset) => match came_back.await {
                Ok(answer) => Some(Ok(answer)),
                Err(_) => reset.map(|_| Err(TransportError::lost("the connection was closed"))),
            },
        }
    }

    /// On its way, whoever sent it.
    async fn deliver(
        self: Arc<Self>,
        (console, copy): (usize, bool),
        request: Request<Bytes>,
        there: Duration,
        back: Option<(oneshot::Sender<Response<Bytes>>, Duration)>,
    ) {
        sleep(there).await;
        if matches!(self.cut(), Some(Cut::Refused | Cut::Silent)) {
            return;
        }
        let Ok(answer) = self.server.take(console, copy, request).await else { return };
        let Some((back, lasts)) = back else { return };
        sleep(lasts).await;
        if self.cut().is_none() {
            // Nobody waits for it any more.
            let _ = back.send(answer);
        }
    }
}

/// A console's end of the line.
pub(crate) struct Line {
    network: Arc<Network>,
    console: usize,
    /// Called with each decision call before it leaves.
    witness: Box<dyn Fn(&Sent) + Send + Sync>,
}

impl Line {
    pub(crate) fn new(
        network: &Arc<Network>,
        console: usize,
        witness: impl Fn(&Sent) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { network: Arc::clone(network), console, witness: Box::new(witness) })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.method() == "POST" {
            let sent = Sent::of(self.console, &request);
            self.network.sent.lock().unwrap().push(sent.clone());
            (self.witness)(&sent);
        }
        match self.network.carry(self.console, request).await {
            Some(end) => end,
            None => std::future::pending().await,
        }
    }
}

impl Transport for Line {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}
