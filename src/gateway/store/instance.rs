//! Instances of agents and what their receivers are told, as the store takes and gives them. The credential of an instance
//! is kept nowhere, only its hash; the secret that signs must be kept, and is handed out to whoever sends alone.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::sync::Arc;

/// Where an instance's receiver is, once it has been verified.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    /// As it was given.
    pub(crate) url: String,
    /// Host and port of the URL.
    pub(crate) host: String,
    pub(crate) registration_id: String,
    pub(crate) signing_secret: SecretString,
}

/// An instance to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewInstance {
    pub(crate) id: String,
    pub(crate) tenant: Arc<str>,
    /// The name of the credential that makes it.
    pub(crate) provisioner: Arc<str>,
    /// Which token that is, where it is one of the database.
    pub(crate) maker: Option<i64>,
    /// The Idempotency-Key.
    pub(crate) key: String,
    /// Of everything that was asked for.
    pub(crate) digest: String,
    /// The name that it would have, behind that of its maker.
    pub(crate) name: String,
    /// What is added to the name where it is taken.
    pub(crate) distinction: String,
    /// SHA-256 of its credential, in hex.
    pub(crate) hash: String,
    /// Of its credential.
    pub(crate) lifetime: SignedDuration,
    pub(crate) receiver: Option<Receiver>,
}

/// An instance, without what is secret about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceRow {
    pub(crate) id: String,
    /// The name of its credential: `PROVISIONER/NAME`.
    pub(crate) agent: String,
    /// Of everything that was asked for.
    pub(crate) digest: String,
    /// SHA-256 of its credential, in hex.
    pub(crate) hash: String,
    pub(crate) expires_at: Option<Timestamp>,
    /// Whether its credential has been taken back.
    pub(crate) revoked: bool,
    /// URL and registration, where it was made with a receiver.
    pub(crate) receiver: Option<(String, String)>,
    /// Whether the receiver is still told.
    pub(crate) delivers: bool,
}

/// What became of making an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provisioned {
    /// This call made it.
    Fresh(InstanceRow),
    /// An earlier call under the same key did.
    Known(InstanceRow),
    /// The token that makes it was taken back or has expired meanwhile; nothing was made.
    MakerGone,
    /// There are as many as there may be, of this provisioner or in all.
    TooMany,
}

/// One try to tell a receiver that a request has ended, begun.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The message's id, the same in every try.
    pub(crate) id: String,
    /// Which try this is, from 1.
    pub(crate) tries: i64,
    pub(crate) instance_id: String,
    pub(crate) action_id: String,
    /// When the request ended.
    pub(crate) resolved_at: Timestamp,
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) signing_secret: SecretString,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It has been told.
    Delivered,
    /// It is tried again at that time.
    Again(Timestamp),
    /// It is not tried again; why.
    GivenUp(String),
    /// The receiver is gone for good (410): nothing is delivered to this instance any more.
    Gone,
}

/// Deliveries that a gateway takes on.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    /// How many at most.
    pub(crate) most: usize,
    /// How many at most to one host.
    pub(crate) most_to_one: usize,
    /// How many are under way to a host already.
    pub(crate) under_way: Vec<(String, usize)>,
    /// When a try counts as lost.
    pub(crate) lease: SignedDuration,
}
