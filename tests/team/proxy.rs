//! A wire between a gateway and its PostgreSQL server that a test can cut where it hurts most: at a COMMIT, before it has
//! arrived, or after it was carried out and before its answer is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where the next COMMIT is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    Nowhere,
    /// The server never sees it.
    Before,
    /// The server has carried it out, and nobody hears of it.
    After,
}

#[derive(Default)]
struct Plan {
    next: AtomicU8,
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

    /// Cuts the next COMMIT, once.
    pub(crate) fn cut(&self, cut: Cut) {
        self.plan.next.store(cut as u8, Ordering::SeqCst);
    }

    /// How many cuts were made.
    pub(crate) fn made(&self) -> usize {
        self.plan.made.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways until one end closes, or it is cut. Both ends are closed then.
async fn carry(mut client: TcpStream, mut server: TcpStream, plan: Arc<Plan>) {
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(bytes @ 1..) = read else { return };
                let commit = up[..bytes].windows(7).any(|window| window == b"COMMIT\0");
                let cut = if commit { plan.next.swap(0, Ordering::SeqCst) } else { 0 };
                plan.made.fetch_add(usize::from(cut != 0), Ordering::SeqCst);
                if cut == Cut::Before as u8 || server.write_all(&up[..bytes]).await.is_err() {
                    return;
                }
                if cut == Cut::After as u8 {
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
