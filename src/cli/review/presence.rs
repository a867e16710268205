//! Tells the gateway what the reviewer looks at: one call after the other, the newest alone, so that none overtakes
//! another. Failures are no news: nothing hangs on it.

use crate::console::app::Message;
use crate::console::app::guard::Selection;
use crate::feed::{FeedEvent, Source};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long leaving may take to say so.
const LEAVING: Duration = Duration::from_millis(300);

/// Says what is looked at, as it changes and as often as it is asked to, until the console is left. A source that keeps
/// no such thing, or lets this credential not say it, is asked once.
pub(super) async fn tell(
    source: Source,
    mut looks: watch::Receiver<Option<Selection>>,
    tell: mpsc::Sender<Message>,
) {
    let (mut said, mut answered) = (false, false);
    while looks.changed().await.is_ok() {
        let at = looks.borrow_and_update().clone();
        let news = match source.look(at.as_ref().map(|(id, digest)| (id.as_str(), digest))).await {
            Ok(looking) => {
                (said, answered) = (at.is_some(), true);
                Message::Feed(FeedEvent::Looking(looking))
            }
            // That an action is not there any more says nothing of the rest.
            Err(trouble) if trouble.lasts() && !answered && source.look(None).await.is_err() => {
                tracing::debug!(%trouble, "nothing is said any more of who looks");
                // Nobody listens any more once the console was left.
                let _ = tell.send(Message::PresenceRefused).await;
                return;
            }
            Err(trouble) => {
                tracing::debug!(%trouble, "it was not said what the reviewer looks at");
                // It may have arrived all the same.
                said = true;
                continue;
            }
        };
        if tell.send(news).await.is_err() {
            break;
        }
    }
    if said {
        let left = tokio::time::timeout(LEAVING, source.look(None)).await;
        tracing::debug!(told = matches!(left, Ok(Ok(_))), "nothing is looked at any more");
    }
}
