//! Hearing of what other gateways have written: LISTEN is the wake-up, the rows of the outbox are the truth. After a
//! connection that broke the rows since the last one heard of are read, so that nothing is missed.

use super::super::record::{Change, EventKind};
use super::connection::CHANNEL;
use super::{Connector, text};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio_postgres::{AsyncMessage, Client, Config};

/// Between two tries to connect again.
const AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];
/// Rows read at once.
const BATCH: i64 = 512;
/// The rows are looked at this often without a wake-up too: a connection can be dead without saying so.
const LOOK: Duration = Duration::from_secs(15);

/// Tells `news` what is committed after `last`, until it is aborted.
pub(super) async fn run(config: Config, tls: Connector, mut last: i64, news: broadcast::Sender<Change>) {
    let mut wait = AGAIN[0];
    loop {
        match listen(&config, &tls, &mut last, &news).await {
            Ok(()) => wait = AGAIN[0],
            Err(error) => {
                let error = text::words(&error);
                tracing::warn!(error, "cannot hear of other gateways' changes; trying again");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN[1]);
    }
}

/// One connection's life; `Ok` where it once listened.
async fn listen(
    config: &Config,
    tls: &Connector,
    last: &mut i64,
    news: &broadcast::Sender<Change>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls.clone()).await?;
    let (wake, mut woken) = mpsc::channel::<()>(1);
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let looks = news.clone();
    let pump = async move {
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(told)) if told.payload().is_empty() => {
                    // Where one waits already, that one is for this too.
                    let _ = wake.try_send(());
                }
                Ok(AsyncMessage::Notification(told)) => {
                    let tenant = told.payload().into();
                    // An error says that nobody listens.
                    let _ = looks.send(Change::look(tenant));
                }
                Ok(_) => {}
                // Of a connection that was cut nothing comes any more, and it does not always say that it has ended.
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let hear = async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        loop {
            while read(&client, last, news).await? == BATCH {}
            // Closed, where the connection is.
            if let Ok(None) = tokio::time::timeout(LOOK, woken.recv()).await {
                return Ok::<_, tokio_postgres::Error>(());
            }
        }
    };
    // Neither goes on without the other.
    let heard = tokio::select! {
        pumped = pump => pumped,
        heard = hear => heard,
    };
    if let Err(error) = heard {
        let error = text::words(&error);
        tracing::warn!(error, "the connection that hears of other gateways' changes broke");
    }
    Ok(())
}

/// Announces the rows after `last`; how many there were, up to [`BATCH`].
async fn read(
    client: &Client,
    last: &mut i64,
    news: &broadcast::Sender<Change>,
) -> Result<i64, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT o.seq, o.tenant, o.action_id, o.pause_id IS NOT NULL, o.kind, a.expires_at FROM outbox o
             LEFT JOIN action a ON a.id = o.action_id WHERE o.seq > $1 ORDER BY o.seq LIMIT $2",
            &[&*last, &BATCH],
        )
        .await?;
    for row in &rows {
        let (seq, tenant, action_id): (i64, String, Option<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (about_agent, kind, expires_at): (bool, String, Option<i64>) =
            (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
        let created = kind == EventKind::Created.stored();
        let deadline = expires_at.filter(|_| created).and_then(|at| Timestamp::from_microsecond(at).ok());
        let told = action_id.is_some() || about_agent;
        *last = seq;
        let (tenant, action_id) = (tenant.into(), action_id.map(Into::into));
        let change = Change { seq, tenant, action_id, kind: EventKind::parse(&kind), told, deadline };
        // An error says that nobody listens.
        let _ = news.send(change);
    }
    Ok(i64::try_from(rows.len()).unwrap_or(BATCH))
}
