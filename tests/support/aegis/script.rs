//! What the server does: with each decision call in turn, and with the calls that are not scripted.

use aegis_console::domain::Verdict;
use std::time::Duration;

/// What the server does with a decision that it has read. Where the key is decided or at work, all of them but
/// [`Act::Nothing`] do no more than find that out; a row that is `FAILED` is opened again, as the real server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is not processed: something before the server answers, or the server dies first.
    Nothing,
    /// Executes it and commits.
    Decide,
    /// `PENDING` now; executes and commits after that time.
    Commit(Duration),
    /// Processing fails without an effect: `FAILED`.
    Fail,
    /// Reserves the key and dies: `PENDING` for ever, with or without the effect.
    Orphan { effect: bool },
    /// As [`Act::Orphan`]; after that time the janitor sets it to `FAILED`.
    Swept { effect: bool, after: Duration },
}

/// A decision of the other reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Other(pub(crate) Verdict, pub(crate) Act);

/// What the server sends back.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// What the contract says: 202, 409, 500; nothing at all where the server died.
    Natural,
    /// The contract's body with another status and these header lines, each with its `\r\n`.
    As(u16, String),
    /// A whole answer: status, header lines, body.
    Whole(u16, String, Vec<u8>),
    /// 202 with the standing decision, whoever's it is.
    Replayed,
    /// A redirect to another server.
    Redirect(u16),
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// So many bytes of the natural answer, then the connection is closed or reset.
    Cut(usize, Ending),
    /// The whole natural answer byte by byte, with that time between.
    Slowly(Duration),
    /// The first, then the second over and over.
    Endless(Vec<u8>, Vec<u8>),
    /// The first, then the second every 20 ms.
    Drip(Vec<u8>, Vec<u8>),
    Reset,
    Close,
    Hang,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Closed,
    Reset,
}

/// What happens to one decision call.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) reply: Reply,
    /// So long the server is silent between reading and acting.
    pub(crate) late: Duration,
    /// No more than so many bytes are read, then the connection is reset.
    pub(crate) cut_request: Option<usize>,
    /// The other reviewer decides right after the answer.
    pub(crate) then: Option<Other>,
    /// Afterwards nobody listens any more.
    pub(crate) gone: bool,
}

impl Step {
    pub(crate) fn new(act: Act, reply: Reply) -> Self {
        Self { act, reply, late: Duration::ZERO, cut_request: None, then: None, gone: false }
    }

    /// As the contract says.
    pub(crate) fn natural() -> Self {
        Self::new(Act::Decide, Reply::Natural)
    }

    /// The connection is reset after that many bytes of the request.
    pub(crate) fn cut_request(bytes: usize) -> Self {
        Self { cut_request: Some(bytes), ..Self::new(Act::Nothing, Reply::Reset) }
    }

    pub(crate) fn late(mut self, millis: u64) -> Self {
        self.late = Duration::from_millis(millis);
        self
    }

    pub(crate) fn then(mut self, other: Other) -> Self {
        self.then = Some(other);
        self
    }

    pub(crate) fn gone(mut self) -> Self {
        self.gone = true;
        self
    }
}

/// What `GET status` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum StatusCall {
    /// The decision that stands, for every request id that was seen under its key.
    Full,
    /// There is no such call: 404.
    Missing,
    /// `{"status"}` and nothing else.
    Minimal,
    /// 500.
    Failing,
    /// Never an answer.
    Hanging,
    /// So many bytes of the full answer.
    Cut(usize),
}

impl StatusCall {
    /// The settings of the table.
    pub(crate) const ALL: [Self; 5] =
        [Self::Full, Self::Missing, Self::Minimal, Self::Failing, Self::Hanging];
}

/// The body of a 409.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Conflicts {
    /// With the decision that stands, as our gateway says it.
    Ours,
    /// Nothing.
    Bare,
    /// A web page.
    Html,
    /// A problem document without the decision.
    Problem,
}

impl Conflicts {
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::Bare, Self::Html, Self::Problem];
}

/// A whole script.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// What the other reviewer has decided before the first call.
    pub(crate) before: Option<Other>,
    /// One step for each decision call.
    pub(crate) steps: Vec<Step>,
    /// What happens to those after the last step.
    pub(crate) rest: Step,
    /// Nobody listens.
    pub(crate) absent: bool,
    pub(crate) status: StatusCall,
    pub(crate) conflicts: Conflicts,
}

impl Script {
    /// These steps, then as the contract says; every status is told, every 409 says whose decision stands.
    pub(crate) fn new(steps: impl Into<Vec<Step>>) -> Self {
        let (status, conflicts) = (StatusCall::Full, Conflicts::Ours);
        Self { before: None, steps: steps.into(), rest: Step::natural(), absent: false, status, conflicts }
    }

    /// The same step for ever.
    pub(crate) fn always(step: Step) -> Self {
        Self { rest: step, ..Self::new([]) }
    }

    /// There is no server.
    pub(crate) fn absent() -> Self {
        Self { absent: true, ..Self::new([]) }
    }

    pub(crate) fn before(mut self, verdict: Verdict, act: Act) -> Self {
        self.before = Some(Other(verdict, act));
        self
    }

    /// The status call and the 409s tell that much.
    pub(crate) fn telling(mut self, status: StatusCall, conflicts: Conflicts) -> Self {
        (self.status, self.conflicts) = (status, conflicts);
        self
    }

    /// In that setting of the table. Where the status call does not tell how far a row is, the janitor stays away: the
    /// real one comes after five minutes, when nothing is sent again by itself any more, and these come in the middle of
    /// a call. `recorded` has one that keeps its distance.
    pub(crate) fn setting(self, status: StatusCall, conflicts: Conflicts) -> Self {
        let mut this = self.telling(status, conflicts);
        if !matches!(status, StatusCall::Full | StatusCall::Minimal) {
            let acts = this.steps.iter_mut().map(|step| &mut step.act);
            for act in acts.chain(this.before.iter_mut().map(|Other(_, act)| act)) {
                if let Act::Swept { effect: true, .. } = *act {
                    *act = Act::Orphan { effect: true };
                }
            }
        }
        this
    }

    /// Whether a janitor opens a key again whose effect has happened.
    pub(crate) fn sweeps_after_the_effect(&self) -> bool {
        let swept = |act| matches!(act, Act::Swept { effect: true, .. });
        self.before.is_some_and(|Other(_, act)| swept(act)) || self.steps.iter().any(|step| swept(step.act))
    }

    pub(crate) fn redirects(&self) -> bool {
        self.steps.iter().chain([&self.rest]).any(|step| matches!(step.reply, Reply::Redirect(_)))
    }
}
