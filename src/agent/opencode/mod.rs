//! OpenCode's permissions as actions here: what its server waits for leave to do is asked at the gateway, and the
//! reviewer's answer goes back to it.
//!
//! | file | what it owns |
//! |---|---|
//! | `permission` | what OpenCode lists, and what is asked of it |
//! | `server` | the calls to OpenCode's server |
//! | `asking` | one permission, from the list to its answer |
//!
//! The list says what is so; events only say when to look. Nothing is kept here: a bridge that was killed and is started
//! again finds the same permissions in OpenCode and the same requests at the gateway. Nothing here may answer `always`, or
//! answer yes to what the gateway has not handed out.

mod asking;
mod permission;
mod server;

pub use server::{Login, Server, Trouble};

use self::asking::{Asking, Bridge, DELAYS, Seen};
use self::permission::Permission;
use crate::agent::Gate;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The list is read at least so often, whatever the events say.
const EVERY: Duration = Duration::from_secs(15);
/// Events that come together are one reason to look.
const TOGETHER: Duration = Duration::from_millis(100);
/// How long what is under way may take to end when the bridge is to end.
const ENDING: Duration = Duration::from_secs(5);

/// Is told each thing that happens, in one line that is safe to print.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What is answered where no reviewer decides in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExpiry {
    /// No.
    Reject,
    /// Nothing: OpenCode goes on asking whoever sits before it.
    Leave,
}

/// The bridge between an OpenCode server and a gateway.
pub struct OpenCode {
    bridge: Arc<Bridge>,
    asking: JoinSet<()>,
    /// Each permission of the list, by its id; one that is done stays until the list no longer has it.
    known: HashMap<String, watch::Sender<Seen>>,
    /// What was told last of the server.
    told: String,
    odd: usize,
}

impl OpenCode {
    /// A bridge; `timeout` is how long a reviewer has, as the gateway reads it: `30m`.
    pub fn new(server: Server, gate: Gate, on_expiry: OnExpiry, timeout: &str, tell: Tell) -> Self {
        let bridge = Bridge { server, gate, on_expiry, timeout: timeout.to_owned(), tell };
        Self {
            bridge: Arc::new(bridge),
            asking: JoinSet::new(),
            known: HashMap::new(),
            told: String::new(),
            odd: 0,
        }
    }

    /// Runs until `stop` is done; what still waits then is withdrawn at the gateway, and goes on waiting in OpenCode.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = stop => {}
            () = self.follow() => {}
        }
        for seen in self.known.values() {
            let _ = seen.send(Seen::Stop);
        }
        let ended = async { while self.asking.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(ENDING, ended).await;
    }

    async fn follow(&mut self) {
        let mut delay = DELAYS.0;
        loop {
            if let Err(trouble) = self.connected(&mut delay).await {
                self.told(&format!("OpenCode: {trouble}"));
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(DELAYS.1);
        }
    }

    /// One connection, from its start to its end.
    async fn connected(&mut self, delay: &mut Duration) -> Result<(), Trouble> {
        let mut events = self.bridge.server.events().await?;
        // Read once the events flow, so that nothing is missed in between.
        self.look().await?;
        self.told("OpenCode: connected");
        *delay = DELAYS.0;
        let mut next = tokio::time::Instant::now() + EVERY;
        loop {
            let about = tokio::select! {
                about = events.next() => about?,
                () = tokio::time::sleep_until(next) => true,
            };
            if about {
                tokio::time::sleep(TOGETHER).await;
                self.look().await?;
                next = tokio::time::Instant::now() + EVERY;
            }
        }
    }

    /// Reads the list and takes it in. Where it cannot be read, nothing is known to have changed.
    async fn look(&mut self) -> Result<(), Trouble> {
        let (permissions, odd) = self.bridge.server.list().await?;
        if odd != self.odd {
            self.odd = odd;
            if odd > 0 {
                let words = format!(
                    "OpenCode: {odd} of its permissions cannot be read, or are too many: they are not asked here"
                );
                (self.bridge.tell)(&words);
            }
        }
        self.known.retain(|id, seen| {
            let stands = permissions.iter().any(|permission| permission.id == *id);
            if !stands {
                let _ = seen.send(Seen::Gone);
            }
            stands
        });
        for permission in permissions {
            self.take(permission);
        }
        while self.asking.try_join_next().is_some() {}
        Ok(())
    }

    fn take(&mut self, permission: Permission) {
        let Entry::Vacant(entry) = self.known.entry(permission.id.clone()) else { return };
        let (seen, watched) = watch::channel(Seen::Pending);
        entry.insert(seen);
        let bridge = Arc::clone(&self.bridge);
        self.asking.spawn(async move { Asking::new(&bridge, permission, watched).run().await });
    }

    fn told(&mut self, words: &str) {
        if self.told != words {
            self.told = words.to_owned();
            (self.bridge.tell)(words);
        }
    }
}
