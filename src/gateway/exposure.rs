//! Who can reach the gateway, and what that asks of it: beyond this machine no token may cross the network in the clear,
//! and everybody comes in by a token of their own.
//!
//! The two token files stand for whoever can read them, not for a person, so they are for this machine alone. Behind a
//! proxy others reach a gateway that itself listens on loopback: that counts as beyond this machine too.

use super::store::{Store, StoreError};
use super::{Config, GatewayError};
use jiff::Timestamp;

/// Whether others than this machine can reach it.
///
/// # Errors
/// Where they could read or forge what is sent, or decide without a credential.
pub(crate) fn exposed(config: &Config) -> Result<bool, GatewayError> {
    let listens_to_others = !config.listen.ip().is_loopback();
    if listens_to_others && config.tls.is_none() && !config.behind_proxy {
        return Err(GatewayError::InTheClear(config.listen));
    }
    let exposed = listens_to_others || config.behind_proxy;
    if exposed && config.tenant_mode {
        return Err(GatewayError::OpenToAll);
    }
    Ok(exposed)
}

/// Refuses to start where others could reach it and nobody has a token of their own.
pub(crate) async fn has_named_tokens(store: &dyn Store, now: Timestamp) -> Result<(), GatewayError> {
    let store_error = |error: StoreError| GatewayError::Store(error.to_string());
    if store.has_named_tokens(now).await.map_err(store_error)? { Ok(()) } else { Err(GatewayError::NoTokens) }
}
