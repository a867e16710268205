//! One permission, from the list of OpenCode's server to its answer there.
//!
//! A yes goes back only for the very permission that the reviewer saw, still pending and unchanged, and only once its
//! approval has been taken from the gateway: taken first, told afterwards. Where that cannot be known the answer is no.

use super::permission::Permission;
use super::server::{Reply, Server, Told, Trouble};
use super::{OnExpiry, Tell};
use crate::agent::{AapError, Answer, Approval, Asked, Gate, RequestState, Status, Submission};
use crate::domain::{Untrusted, Visible};
use crate::failpoint;
use std::time::Duration;
use tokio::sync::watch;

/// The delays between tries, first and longest.
pub(super) const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// So often a permission is asked, anew where it was withdrawn: by an earlier run of the bridge, or by somebody at the gateway.
const MOST_RUNS: u32 = 100;
/// The delay before it is asked anew, where it had been withdrawn before.
const ANEW: Duration = Duration::from_millis(25);
/// Columns of a name in a line.
const NAME: usize = 40;

/// What the list last said of the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It waits.
    Pending,
    /// It is no longer there: answered in OpenCode itself, or its session is over.
    Gone,
    /// The bridge is to end.
    Stop,
}

/// What every permission is asked with.
pub(super) struct Bridge {
    pub(super) server: Server,
    pub(super) gate: Gate,
    pub(super) on_expiry: OnExpiry,
    pub(super) timeout: String,
    pub(super) tell: Tell,
}

/// What asking has come to.
enum Decision {
    /// It is settled: the request, not yet taken, and whether it had been before this run.
    Settled(Box<Asked>, bool),
    /// It will never be asked: why.
    Unaskable(String),
    /// There is nobody left to answer.
    Over,
}

/// A permission on its way.
pub(super) struct Asking<'b> {
    bridge: &'b Bridge,
    permission: Permission,
    seen: watch::Receiver<Seen>,
    /// What was told last, so that the same trouble is told once.
    told: String,
    delay: Duration,
}

impl<'b> Asking<'b> {
    pub(super) fn new(bridge: &'b Bridge, permission: Permission, seen: watch::Receiver<Seen>) -> Self {
        Self { bridge, permission, seen, told: String::new(), delay: DELAYS.0 }
    }

    /// Asks until there is an answer, and hands it on.
    pub(super) async fn run(mut self) {
        let submission = self.permission.submission(&self.bridge.timeout);
        let submission = match submission {
            Ok(submission) => submission,
            Err(error) => return self.nobody_said(&format!("it cannot be asked: {error}")).await,
        };
        // The request of an earlier run may have been withdrawn when that run ended; then it is asked anew.
        for run in 1..=MOST_RUNS {
            let (asked, before) = match self.decision(&submission, run).await {
                Decision::Settled(asked, before) => (asked, before),
                Decision::Unaskable(why) => return self.nobody_said(&why).await,
                Decision::Over => return,
            };
            if let RequestState::Approved { .. } = asked.request().state
                && !self.still_stands().await
            {
                return;
            }
            match asked.answer().await {
                Answer::Allowed(approval) => return self.allowed(&approval).await,
                Answer::Denied { reason, .. } => return self.denied(reason).await,
                Answer::Expired { .. } => return self.nobody_said("nobody decided in time").await,
                Answer::AlreadyConsumed { .. } => {
                    // The run that took it may have passed it on or not: who cannot know says no.
                    let why = "this approval had been taken before, and it is not known whether it was used";
                    return self.reject(Some(why.into()), why).await;
                }
                Answer::Cancelled { .. } => {
                    let rested = if before { self.rest(ANEW).await } else { self.pause().await };
                    if rested.is_err() {
                        return;
                    }
                }
                Answer::Error { error, .. } => {
                    self.trouble(&format!("the gateway: {error}"));
                    if self.pause().await.is_err() {
                        return;
                    }
                }
            }
        }
        self.nobody_said("every time that it was asked it was withdrawn").await;
    }

    /// Asks and waits for the decision, for as long as OpenCode waits.
    async fn decision(&mut self, submission: &Submission, run: u32) -> Decision {
        let key = format!("opencode:{}:{run}", self.permission.id);
        loop {
            let error = match self.bridge.gate.ask(submission, &key).await {
                Ok(mut asked) => {
                    let before = asked.request().state != RequestState::Pending;
                    if !before {
                        self.say(if run == 1 { "asked" } else { "asked anew" });
                    }
                    let mut seen = self.seen.clone();
                    let decided = tokio::select! {
                        biased;
                        how = seen.wait_for(|seen| *seen != Seen::Pending) => Err(how.map_or(Seen::Stop, |how| *how)),
                        decided = asked.decided() => Ok(decided),
                    };
                    match decided {
                        Ok(Ok(())) => return Decision::Settled(Box::new(asked), before),
                        Ok(Err(error)) => error,
                        Err(how) => {
                            let withdrawn = asked.withdraw().await.is_ok();
                            if how == Seen::Gone {
                                let more = if withdrawn { ", withdrawn here" } else { "" };
                                self.say(&format!("no longer asked in OpenCode{more}"));
                            }
                            return Decision::Over;
                        }
                    }
                }
                Err(error) => error,
            };
            if let AapError::Refused { status: 400..=499, .. } | AapError::Conflict { .. } = error {
                return Decision::Unaskable(format!("the gateway does not ask it: {error}"));
            }
            self.trouble(&format!("the gateway: {error}"));
            if self.pause().await.is_err() {
                return Decision::Over;
            }
        }
    }

    /// Whether what was approved is what OpenCode still waits for. Where it is another thing by now it is refused.
    async fn still_stands(&mut self) -> bool {
        loop {
            match self.bridge.server.list().await {
                Ok((permissions, _)) => {
                    match permissions.iter().find(|one| one.id == self.permission.id) {
                        Some(one) if *one == self.permission => return true,
                        Some(_) => {
                            let why = "what is asked is no longer what was approved";
                            self.reject(Some(why.into()), why).await;
                        }
                        None => self.say("approved, but no longer asked in OpenCode: nothing was passed on"),
                    }
                    return false;
                }
                Err(trouble) => self.trouble(&format!("OpenCode: {trouble}")),
            }
            if self.pause().await.is_err() {
                return false;
            }
        }
    }

    /// The approval is taken: passes it on, and says how that went.
    async fn allowed(&mut self, approval: &Approval) {
        failpoint::reached("after", "opencode taken");
        let told = self.reply(&Reply::Once).await;
        failpoint::reached("after", "opencode told");
        match told {
            // How the call ends nobody says here, so no outcome is claimed.
            Some((Told::Taken, _)) => self.say("approved, passed on"),
            Some((Told::Gone, false)) => {
                let note = "OpenCode no longer waited for it: not passed on";
                if let Err(error) = approval.report(Status::Failed, Some(note)).await {
                    self.trouble(&format!("the gateway was not told the outcome: {error}"));
                }
                self.say("approved, but no longer asked in OpenCode");
            }
            // An earlier try may have been the one that OpenCode took.
            Some((Told::Gone, true)) | None => self.say("approved; whether OpenCode heard it is not known"),
        }
    }

    async fn denied(&mut self, reason: Option<Untrusted>) {
        self.reject(reason, "denied").await;
    }

    /// There is no reviewer's answer, and will be none.
    async fn nobody_said(&mut self, why: &str) {
        match self.bridge.on_expiry {
            OnExpiry::Reject => self.reject(Some(why.into()), why).await,
            OnExpiry::Leave => self.say(&format!("{why}: left to OpenCode's own question")),
        }
    }

    async fn reject(&mut self, reason: Option<Untrusted>, words: &str) {
        let reason = reason.filter(|reason| !reason.is_empty());
        match self.reply(&Reply::Reject(reason)).await {
            Some((Told::Taken, _)) => self.say(&format!("{words}: rejected in OpenCode")),
            Some((Told::Gone, _)) => self.say(&format!("{words}; no longer asked in OpenCode")),
            None => {}
        }
    }

    /// Answers until OpenCode has heard it, and whether a try may have been heard whose answer was lost; `None` where the
    /// bridge ends before.
    async fn reply(&mut self, reply: &Reply) -> Option<(Told, bool)> {
        let mut lost = false;
        loop {
            match self.bridge.server.reply(&self.permission.id, reply).await {
                Ok(told) => return Some((told, lost)),
                Err(trouble) => {
                    lost |= !matches!(trouble, Trouble::Password | Trouble::Status(400..=499));
                    self.trouble(&format!("OpenCode: {trouble}"));
                }
            }
            match self.pause().await {
                Ok(()) => {}
                Err(Seen::Gone) => return Some((Told::Gone, lost)),
                Err(_) => return None,
            }
        }
    }

    /// Waits a while before the next try; the error is why there is to be none.
    async fn pause(&mut self) -> Result<(), Seen> {
        let delay = self.delay;
        self.delay = (delay * 2).min(DELAYS.1);
        self.rest(delay).await
    }

    async fn rest(&mut self, time: Duration) -> Result<(), Seen> {
        let over = self.seen.wait_for(|seen| *seen != Seen::Pending);
        match tokio::time::timeout(time, over).await {
            Err(_) => Ok(()),
            Ok(seen) => Err(seen.map_or(Seen::Stop, |seen| *seen)),
        }
    }

    fn trouble(&mut self, words: &str) {
        if self.told != words {
            self.told = words.to_owned();
            self.say(words);
        }
    }

    fn say(&self, words: &str) {
        let name = Visible::name(&self.permission.name).cut(NAME).plain();
        (self.bridge.tell)(&format!("{name} ({}): {}", self.permission.id, Visible::of(words).plain()));
    }
}
