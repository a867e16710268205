//! A wire between a gateway and its PostgreSQL server that a test can cut where it hurts most: at a COMMIT, before it has
//! arrived, or after it was carried out and before its answer is back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where the next COMMIT is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Nowhere,
    /// The server never sees it.
    Before,
    /// The server has carried it out, and nobody hears of it.
    After,
}

#[derive(Default)]
struct Plan {
    /// Where, and a word of the transaction that it is about: a gateway commits things of its own too.
    next: Mutex<Option<(Cut, String)>>,
    made: AtomicUsize,
}

/// The wire.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Arc<Plan>,
}

impl Proxy {
    /// A wire to that server.
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, plan) = (listener.local_addr().unwrap().port(), Arc::<Plan>::default());
        let planned = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&planned)));
            }
        });
        Self { port, plan }
    }

    /// Cuts the next COMMIT of a transaction with that word in it, once.
    pub(crate) fn cut(&self, cut: Cut, word: &str) {
        *self.plan.next.lock().unwrap() = Some((cut, word.to_owned())).filter(|_| cut != Cut::Nowhere);
    }

    /// How many cuts were made.
    pub(crate) fn made(&self) -> usize {
        self.plan.made.load(Ordering::SeqCst)
    }
}

impl Plan {
    /// Where this transaction is cut.
    fn due(&self, transaction: &[u8]) -> Cut {
        let mut next = self.next.lock().unwrap();
        match next.take_if(|(_, word)| has(transaction, word.as_bytes())) {
            Some((cut, _)) => {
                self.made.fetch_add(1, Ordering::SeqCst);
                cut
            }
            None => Cut::Nowhere,
        }
    }
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Carries bytes both ways until one end closes, or it is cut. Both ends are closed then.
async fn carry(mut client: TcpStream, mut server: TcpStream, plan: Arc<Plan>) {
    let (mut up, mut down, mut transaction) = (vec![0; 64 * 1024], vec![0; 64 * 1024], Vec::new());
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(bytes @ 1..) = read else { return };
                transaction.extend_from_slice(&up[..bytes]);
                let mut cut = Cut::Nowhere;
                if has(&transaction, b"COMMIT\0") {
                    cut = plan.due(&transaction);
                    transaction.clear();
                }
                if cut == Cut::Before || server.write_all(&up[..bytes]).await.is_err() {
                    return;
                }
                if cut == Cut::After {
                    swallow(&mut server).await;
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(bytes @ 1..) = read else { return };
                if client.write_all(&down[..bytes]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads the server's answer to its end: it says then that it is idle.
async fn swallow(server: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"Z\0\0\0\x05I") && server.read_buf(&mut answer).await.unwrap() > 0 {}
}
