//! The one task that looks whether tokens were made or revoked elsewhere: by another gateway, or by the command line.

use super::super::Shared;
use super::super::server::Stop;
use super::super::store::StoreError;
use std::sync::Arc;
use std::time::Duration;

/// A revoked token is good for this long at most, and for as long as the database takes to answer.
const LOOK: Duration = Duration::from_millis(250);

/// Looks until the gateway stops.
pub(crate) async fn keep(shared: Arc<Shared>, stop: Stop) {
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        match shared.credentials.refresh(&*shared.store).await {
            Ok(()) => failing = false,
            Err(StoreError::Closed) => return,
            Err(error) => {
                if !failing {
                    tracing::error!(%error, "the tokens cannot be read; what was known of them last is gone by");
                }
                failing = true;
            }
        }
    }
}
