//! What the gateway keeps, behind one trait, so that SQLite and PostgreSQL answer the same questions.
//!
//! Every method that changes something is one transaction: it has been synced to the disk when the answer is there, and
//! its events are rows of the same transaction. The store decides nothing about HTTP, roles or JSON.

mod instance;
mod intact;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod record;
pub(crate) mod sql;
pub(crate) mod sqlite;
mod token;

use super::audit::entry::{Facts, Kind};
use super::metrics::Commits;
use crate::domain::{ActionState, Verdict};
use futures_util::future::BoxFuture;
pub(crate) use instance::{Delivery, InstanceRow, NewInstance, Provisioned, Receiver, Taking, Tried};
pub(crate) use intact::Damage;
use jiff::Timestamp;
pub(crate) use record::{AgentRow, Change, DecisionRow, EventKind, Looking, Record, Report};
use std::sync::Arc;
use std::time::Duration;
pub(crate) use token::{Made, NewToken, TokenRow, TokensVersion, Which};
use tokio::sync::{broadcast, watch};

/// Where times come from; a test brings its own.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a method of the store gives.
pub(crate) type Answer<'s, T> = BoxFuture<'s, Result<T, StoreError>>;

/// Why the store could not do what it was asked. Nothing was changed, except where `Broken` says that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The database said no: a full disk, an unreadable page.
    #[error("the database failed: {0}")]
    Database(String),
    /// A commit failed in a way that leaves open what is on the disk; nothing is written any more.
    #[error(
        "the database could not sync its last commit and takes no more writes; look at the disk and start the gateway again"
    )]
    Broken,
    /// The connection broke during a commit, and nobody knows whether it took effect.
    #[error("the database's answer to a commit was lost, so nobody knows whether it took effect")]
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "PostgreSQL's alone"))]
    Unknown,
    /// PostgreSQL cannot store U+0000 in a text, so neither does SQLite.
    #[error("a text holds the character U+0000, which cannot be stored")]
    Nul,
    /// The database belongs to a newer program. Nothing in it was changed.
    #[error(
        "the database was written by a newer aegis-console (schema {found}, this one knows {known}); use that one"
    )]
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "PostgreSQL's alone"))]
    Newer { found: i64, known: usize },
    /// A stored row is not what was stored.
    #[error("the stored action {0} cannot be read; the database is damaged")]
    Damaged(String),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Closed,
}

/// A new action, sealed.
#[derive(Debug, Clone)]
pub(crate) struct NewAction {
    pub(crate) id: String,
    pub(crate) tenant: Arc<str>,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) agent: Arc<str>,
    pub(crate) ask_key: String,
    pub(crate) submission: String,
    pub(crate) sealed: Arc<str>,
    pub(crate) digest: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// As sealed.
    pub(crate) reviewers_needed: u32,
    /// Within how long of the first approval the others must come.
    pub(crate) review_window: Duration,
    /// The rule that lets it run without a person: then it is approved as soon as it is there.
    pub(crate) rule: Option<ByRule>,
}

/// A rule's approval.
#[derive(Debug, Clone)]
pub(crate) struct ByRule {
    /// The name of the rule.
    pub(crate) name: String,
    /// What the decision is asked for by.
    pub(crate) request_id: String,
}

/// What became of an asking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// This call put it into the queue.
    Fresh(Box<Record>),
    /// An earlier call under the same key did.
    Known(Box<Record>),
    /// The agent is paused; nothing was asked.
    Paused,
    /// As much waits as the agent may have waiting; nothing was asked.
    TooMany,
    /// The instance was taken away while its call was on its way; nothing was asked.
    Gone,
}

/// A reviewer pauses or resumes an agent.
#[derive(Debug, Clone)]
pub(crate) struct PauseCall {
    pub(crate) tenant: Arc<str>,
    pub(crate) agent: String,
    /// Whether a credential of that name is known; an agent that has asked before is known without one.
    pub(crate) has_credential: bool,
    pub(crate) paused: bool,
    /// The name on record.
    pub(crate) reviewer: Arc<str>,
}

/// One call to approve or reject.
#[derive(Debug, Clone)]
pub(crate) struct DecisionCall {
    pub(crate) tenant: Arc<str>,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
    /// The name on record.
    pub(crate) reviewer: String,
    /// The digest of the call's body, for the audit log.
    pub(crate) body: String,
    /// What the body's `review` says; `None` for a bare payload.
    pub(crate) review: Option<Review>,
}

/// What the console adds to a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Review {
    pub(crate) action_id: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) reason: Option<String>,
}

/// What became of a call to approve or reject. All but `Accepted` decided nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decided {
    /// This call decided.
    Accepted(DecisionRow),
    /// This call's approval counts; the action needs more of them, and is not decided.
    Counted { row: DecisionRow, count: i64, needed: i64 },
    /// Another decision stands, under this key or on this action; or this reviewer's own approval waits for another's.
    Duplicate(DecisionRow),
    /// The action is expired or cancelled; no decision stands.
    Closed(ActionState),
    /// The digest is not the action's.
    DigestDiffers,
    /// The review names no digest, and the action is in the queue.
    DigestMissing,
    /// The key is an action's, and that action belongs to another thread.
    WrongThread,
    /// The key is not that of the action that the review names.
    WrongKey,
    /// The reviewer asked for this action.
    OwnAction,
    /// The stored action of that id is not what was stored.
    Damaged(String, Damage),
}

/// A reviewer says what they look at.
#[derive(Debug, Clone)]
pub(crate) struct LookCall {
    pub(crate) tenant: Arc<str>,
    pub(crate) reviewer: Arc<str>,
    /// The action and the digest of what is seen of it; `None`: nothing any more.
    pub(crate) at: Option<(String, String)>,
    /// For how long.
    pub(crate) holds: Duration,
}

impl Decided {
    /// The status code and the word of the answer.
    pub(crate) fn answer(&self) -> (u16, &'static str) {
        match self {
            Self::Accepted(_) => (202, "accepted"),
            Self::Counted { .. } => (202, "counted"),
            Self::Duplicate(_) => (409, "duplicate"),
            Self::Closed(ActionState::Cancelled) => (409, "cancelled"),
            Self::Closed(_) => (409, "expired"),
            Self::DigestDiffers => (412, "digest_differs"),
            Self::Damaged(..) => (412, "damaged"),
            Self::DigestMissing => (422, "digest_missing"),
            Self::WrongThread => (422, "wrong_thread"),
            Self::WrongKey => (422, "wrong_key"),
            Self::OwnAction => (403, "own_action"),
        }
    }

    /// The request id of the decision that stands, where the call was told of one.
    pub(crate) fn standing(&self) -> Option<&str> {
        match self {
            Self::Accepted(row) | Self::Counted { row, .. } | Self::Duplicate(row) => Some(&row.request_id),
            _ => None,
        }
    }
}

/// Something for the audit log that is told by itself.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) tenant: Arc<str>,
    pub(crate) by: String,
    pub(crate) action_id: Option<String>,
    pub(crate) facts: Facts,
}

/// The rules of a gateway, for the audit log.
#[derive(Debug, Clone)]
pub(crate) struct RulesText {
    /// Their file.
    pub(crate) file: String,
    /// What it holds, byte for byte; empty where it is not there.
    pub(crate) text: Arc<str>,
    /// How many they are.
    pub(crate) count: usize,
}

/// A signed checkpoint over the first rows of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) size: u64,
    pub(crate) note: String,
}

/// Whose actions a call may touch.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) tenant: Arc<str>,
    pub(crate) agent: Arc<str>,
}

/// What became of an agent's call about its own action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Own {
    /// Done, now or before.
    Done(Box<Record>),
    /// The agent has no such action.
    NotFound,
    /// The action is in no state for it.
    Conflict(Conflict),
    /// The agent is paused.
    Paused,
    /// The action is not what was stored.
    Damaged(Damage),
}

/// Why an agent's call does not fit its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    AlreadyTerminal,
    NotApproved,
    ApprovalExpired,
    AlreadyConsumed,
    NotConsumed,
    OtherOutcome,
}

/// A page of the queue, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Where the next page starts; `None` on the last.
    pub(crate) next: Option<i64>,
}

/// An event with what it is about, as that is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) seq: i64,
    pub(crate) kind: EventKind,
    pub(crate) subject: Subject,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Action(Box<Record>),
    Agent(AgentRow),
}

/// Everything that the gateway keeps.
pub(crate) trait Store: Send + Sync {
    /// Puts an action into the queue, once for each (tenant, agent, asking's key), unless the agent is paused or has
    /// `most` pending already.
    fn ask(&self, action: NewAction, most: usize) -> Answer<'_, Asked>;
    /// The action that was asked for under that key.
    fn asked(&self, owner: Owner, ask_key: String) -> Answer<'_, Option<Record>>;
    /// How many actions of the tenant rules have let run since then.
    fn allowed_by_rule(&self, tenant: Arc<str>, since: Timestamp) -> Answer<'_, i64>;
    /// Reserves the key and records the decision in one transaction.
    fn decide(&self, call: DecisionCall) -> Answer<'_, Decided>;
    /// The agent withdraws its action.
    fn withdraw(&self, owner: Owner, id: String) -> Answer<'_, Own>;
    /// The agent takes its approval, once; the same key again is the same answer.
    fn consume(&self, owner: Owner, id: String, key: String) -> Answer<'_, Own>;
    /// The agent says how it went, once; the same report again is the same answer.
    fn report(&self, owner: Owner, id: String, report: Report) -> Answer<'_, Own>;
    /// Pauses or resumes an agent, once; `None` where there is none of that name.
    fn pause(&self, call: PauseCall) -> Answer<'_, Option<AgentRow>>;
    /// One agent; one that was never paused is not.
    fn agent(&self, tenant: Arc<str>, name: Arc<str>) -> Answer<'_, AgentRow>;
    /// Every agent that has asked or was paused, and those of `names`, in the order of their names.
    fn agents(&self, tenant: Arc<str>, names: Vec<String>) -> Answer<'_, Vec<AgentRow>>;
    /// Notes what a reviewer looks at, and gives everybody of the tenant who looks at something; `None` where there is no
    /// such action with that digest.
    fn look(&self, call: LookCall) -> Answer<'_, Option<Vec<Looking>>>;
    /// Everybody of the tenant who looks at something at that time.
    fn looking(&self, tenant: Arc<str>, now: Timestamp) -> Answer<'_, Vec<Looking>>;
    /// Stores a token.
    fn create_token(&self, new: NewToken) -> Answer<'_, Made>;
    /// Revokes tokens and gives them as they are now; what was revoked before stays so.
    fn revoke_tokens(&self, which: Which, by: String) -> Answer<'_, Vec<TokenRow>>;
    /// Every token with its hash, of one tenant or of all, in the order of making.
    fn tokens(&self, tenant: Option<Arc<str>>) -> Answer<'_, Vec<(String, TokenRow)>>;
    /// Changes whenever a token is made or revoked.
    fn tokens_version(&self) -> Answer<'_, TokensVersion>;
    /// Makes an instance of an agent with its credential, once for each (tenant, provisioner, key).
    fn provision(&self, new: NewInstance) -> Answer<'_, Provisioned>;
    /// The instance that was made under that key.
    fn instance(
        &self,
        tenant: Arc<str>,
        provisioner: Arc<str>,
        key: String,
    ) -> Answer<'_, Option<InstanceRow>>;
    /// That instance of that provisioner.
    fn instance_of(
        &self,
        tenant: Arc<str>,
        provisioner: Arc<str>,
        id: String,
    ) -> Answer<'_, Option<InstanceRow>>;
    /// Takes an instance's credential back, ends its deliveries and withdraws what it has pending, which nobody is told;
    /// whether there is such an instance of that provisioner. Again is the same answer.
    fn delete_instance(&self, tenant: Arc<str>, provisioner: Arc<str>, id: String) -> Answer<'_, bool>;
    /// When a receiver is to be told something next, those aside to whom there is no room, as of now.
    fn delivery_due(&self, full: Vec<String>, now: Timestamp) -> Answer<'_, Option<Timestamp>>;
    /// Begins tries to tell receivers what is due; nobody else begins the same ones until the lease is over.
    fn take_deliveries(&self, taking: Taking) -> Answer<'_, Vec<Delivery>>;
    /// That try of that delivery has ended so.
    fn settle_delivery(&self, id: String, tries: i64, tried: Tried) -> Answer<'_, ()>;
    /// Expires whatever is past its deadline, gives up decisions that a dead server has begun, and says when it is time
    /// again.
    fn expire(&self) -> Answer<'_, Option<Timestamp>>;
    /// One action.
    fn record(&self, tenant: Arc<str>, id: String) -> Answer<'_, Option<Record>>;
    /// A page of at most `limit` actions after the cursor; fewer where they are large.
    fn page(
        &self,
        tenant: Arc<str>,
        state: Option<ActionState>,
        after: i64,
        limit: usize,
    ) -> Answer<'_, Page>;
    /// The decision that stands where a call with this request id was made, or what became of the approval that it gave,
    /// with why where it has no effect; in all tenants where none is named.
    fn standing(
        &self,
        tenant: Option<Arc<str>>,
        request_id: String,
    ) -> Answer<'_, Option<(DecisionRow, Option<&'static str>)>>;
    /// At most `limit` events after that one; fewer where they are large, none only when there are none.
    fn events(&self, tenant: Arc<str>, after: i64, limit: usize) -> Answer<'_, Vec<Event>>;
    /// The id of the last event; 0 before the first.
    fn last_event(&self) -> Answer<'_, i64>;
    /// Forgets at most `limit` actions that ended before then, with all that belongs to them, and as many decisions that
    /// nobody had asked for; gives how many.
    fn forget(&self, before: Timestamp, limit: i64) -> Answer<'_, u64>;
    /// How many actions wait for a decision, of all tenants.
    fn pending(&self) -> Answer<'_, i64>;
    /// Whether a token that was made for somebody can be used now: none that is revoked or past its time.
    fn has_named_tokens(&self, now: Timestamp) -> Answer<'_, bool>;
    /// What its commits are counted by.
    fn commits(&self) -> &Commits;
    /// Adds a row to the audit log by itself; what is done in a method above is told by that method.
    fn tell(&self, told: Told) -> Answer<'_, ()>;
    /// Tells the audit log what rules are in force from now on, where they are not those that it was told of last.
    fn rules_changed(&self, rules: RulesText) -> Answer<'_, ()>;
    /// Signs the audit log as it ends now, where nobody has.
    fn checkpoint(&self) -> Answer<'_, ()>;
    /// The checkpoint over the most rows, but not over more than `most`.
    fn last_checkpoint(&self, most: u64) -> Answer<'_, Option<Checkpoint>>;
    /// How many rows the audit log has.
    fn log_size(&self) -> Answer<'_, u64>;
    /// How many rows the audit log has, after each commit of this gateway that added some.
    fn log_grew(&self) -> watch::Receiver<u64>;
    /// Whether it can read and write.
    fn ready(&self) -> Answer<'_, ()>;
    /// News of every change, after its commit. Who reads too slowly is told so and reads the rows.
    fn changes(&self) -> broadcast::Receiver<Change>;
    /// Ends what has been taken, and closes the database.
    fn close(&self) -> BoxFuture<'_, ()>;
}
