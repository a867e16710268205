//! A receiver of webhooks that does as it is told and remembers what it got.

use aegis_console::gateway::Role;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Answer, Call, Fixture, call};

pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const REGISTRATION: &str = "8246931c-4ce0-4c15-a94a-e9c078ad06e2";
/// How long something that must happen may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(90);

/// What a receiver answers to the next call.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// What is asked of it: the challenge, or 204.
    Yes,
    /// That status, with that header where there is one.
    Status(u16, Option<(&'static str, String)>),
    /// 200 with that body.
    Body(String),
    /// Nothing, until the caller has had enough.
    Nothing,
}

/// One call that came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) body: Value,
    /// Whether the signature is that of the secret.
    pub(crate) signed: bool,
}

#[derive(Default)]
struct Shared {
    came: Mutex<Vec<Came>>,
    says: Mutex<VecDeque<Says>>,
}

/// A receiver on a free port of this machine.
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    pub(crate) addr: SocketAddr,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, addr }
    }

    /// One that speaks TLS with that certificate and key, in PEM.
    pub(crate) async fn over_tls((certificate, key): (String, String)) -> Self {
        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(Tls { listener, acceptor }, router).await.unwrap() });
        Self { shared, addr }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/aap/events?run=1", self.addr)
    }

    /// What it answers next, one after the other; then what is asked of it.
    pub(crate) fn says(&self, says: impl IntoIterator<Item = Says>) {
        self.shared.says.lock().unwrap().extend(says);
    }

    /// What came, but for challenges.
    pub(crate) fn came(&self) -> Vec<Came> {
        let came = self.shared.came.lock().unwrap();
        came.iter().filter(|came| came.body["type"] == "request.resolved").cloned().collect()
    }

    /// Every challenge that came.
    pub(crate) fn challenges(&self) -> Vec<Came> {
        let came = self.shared.came.lock().unwrap();
        came.iter().filter(|came| came.body["type"] == "webhook.verification").cloned().collect()
    }

    /// Waits until so many have come.
    pub(crate) async fn until(&self, count: usize) -> Vec<Came> {
        let begun = Instant::now();
        while self.came().len() < count {
            assert!(begun.elapsed() < SOON, "{} of {count} came", self.came().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.came()
    }
}

/// Connections once they have shaken hands.
struct Tls {
    listener: tokio::net::TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, addr) = self.listener.accept().await.unwrap();
            // Who does not trust the certificate hangs up.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let (id, at) = (text("webhook-id"), text("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(&SECRET[6..]).unwrap()).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&bytes);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert!(!headers.contains_key(header::AUTHORIZATION), "no credential goes to a receiver");
    assert_eq!(text("content-type"), "application/json");
    let came = Came {
        signed: signature == text("webhook-signature") && body["id"] == id.as_str(),
        id,
        at: at.parse().unwrap_or_default(),
        body: body.clone(),
    };
    shared.came.lock().unwrap().push(came);
    let says = shared.says.lock().unwrap().pop_front().unwrap_or(Says::Yes);
    match says {
        Says::Yes if body["type"] == "webhook.verification" => {
            json!({"challenge": body["challenge"]}).to_string().into_response()
        }
        Says::Yes => StatusCode::NO_CONTENT.into_response(),
        Says::Status(status, extra) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some((name, value)) = extra {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Says::Body(body) => body.into_response(),
        Says::Nothing => std::future::pending().await,
    }
}

/// An instance as its maker got it.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Instance {
    pub(crate) fn of(answer: &Answer) -> Self {
        let json = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            id: text(&json["instance"]["id"]),
            name: text(&json["instance"]["name"]),
            token: text(&json["credential"]["token"]),
        }
    }
}

/// A call to make an instance.
pub(crate) fn making(token: &str, key: &str, body: &Value) -> Call {
    let call = call("POST", "/aap/v1/instances").bearer(token).header("Idempotency-Key", key);
    call.body(body.to_string())
}

pub(crate) fn order(name: &str, url: &str) -> Value {
    json!({"instance_name": name, "delivery": {"type": "webhook", "url": url, "registration_id": REGISTRATION,
        "signing_secret": SECRET}})
}

impl Fixture {
    /// A provisioner's credential.
    pub(crate) fn provisioner(&self) -> String {
        self.gateway.credential(Role::Provisioner, "fleet").expose_secret().to_owned()
    }

    /// An instance with that receiver.
    pub(crate) async fn instance(&self, name: &str, receiver: &Receiver) -> Instance {
        let made = self.send(making(&self.provisioner(), name, &order(name, &receiver.url()))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        Instance::of(&made)
    }

    /// What that instance asks for; the id of the request.
    pub(crate) async fn asked_by(&self, token: &str, key: &str, timeout: &str) -> String {
        let body = json!({"tool": "deploy", "arguments": {"to": "production"}, "timeout": timeout});
        let ask = call("POST", "/aap/v1/requests").bearer(token).header("Idempotency-Key", key);
        let asked = self.send(ask.body(body.to_string())).await;
        assert_eq!(asked.status, 201, "{}", asked.text);
        asked.json()["id"].as_str().unwrap().to_owned()
    }
}
