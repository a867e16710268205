//! What the server knows: every request, every execution, and one row for each key. The truth that a client's word is
//! held against.

use super::script::Act;
use aegis_console::domain::{RowStatus, Verdict};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// A decision, by its first byte.
    pub(crate) is_decision: bool,
    /// The request line and the headers, without the empty line; as much of it as was read.
    pub(crate) head: String,
    /// The body, as much of it as was read.
    pub(crate) body: Vec<u8>,
    /// The whole answer that the client got, if it got one.
    pub(crate) answered: Option<Answered>,
    /// Bytes of the answer that the contract has for it.
    pub(crate) written: usize,
}

/// A whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Where it said whose decision stands: how far that was then.
    pub(crate) told: Option<RowStatus>,
}

impl Asked {
    /// What is decided, by the path.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let path = self.head.split(' ').nth(1).filter(|_| self.is_decision)?;
        path.rsplit('/').next()?.parse().ok()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// An effect in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) key: String,
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
}

/// What is kept for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Whose decision it is.
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
    pub(crate) reviewer: String,
    pub(crate) decided_at: Timestamp,
    pub(crate) status: RowStatus,
}

/// A decision that has come in.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) key: String,
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
    pub(crate) reviewer: String,
}

/// What became of it at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    Taken,
    Duplicate,
    Ignored,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) asked: Vec<Asked>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) rows: BTreeMap<String, Row>,
    /// Which key a request id was seen under.
    pub(crate) seen: HashMap<String, String>,
    /// Connections that were taken.
    pub(crate) connections: usize,
}

impl Ledger {
    /// The decision calls, whole or not, in the order of their coming.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| asked.is_decision)
    }

    /// The status calls.
    pub(crate) fn looks(&self) -> usize {
        self.asked.iter().filter(|asked| !asked.is_decision).count()
    }

    /// The row that a request id was seen under.
    pub(crate) fn row_of(&self, request_id: &str) -> Option<(&str, &Row)> {
        let (key, row) = self.rows.get_key_value(self.seen.get(request_id)?)?;
        Some((key, row))
    }

    pub(crate) fn executed(&self, request_id: &str) -> bool {
        self.executions.iter().any(|one| one.request_id == request_id)
    }

    /// Does with it what the server does with a decision. What comes later is [`Self::commit`] and [`Self::sweep`].
    pub(crate) fn enter(&mut self, decision: &Decision, act: Act) -> Entered {
        if act == Act::Nothing {
            return Entered::Ignored;
        }
        let key = decision.key.clone();
        self.seen.insert(decision.request_id.clone(), key.clone());
        if self.rows.get(&key).is_some_and(|row| row.status != RowStatus::Failed) {
            return Entered::Duplicate;
        }
        let status = match act {
            Act::Decide => RowStatus::Committed,
            Act::Fail => RowStatus::Failed,
            _ => RowStatus::Pending,
        };
        let row = Row {
            request_id: decision.request_id.clone(),
            verdict: decision.verdict,
            reviewer: decision.reviewer.clone(),
            decided_at: Timestamp::now(),
            status,
        };
        self.rows.insert(key, row);
        if matches!(act, Act::Decide | Act::Orphan { effect: true } | Act::Swept { effect: true, .. }) {
            self.execute(decision);
        }
        Entered::Taken
    }

    /// The end of [`Act::Commit`].
    pub(crate) fn commit(&mut self, decision: &Decision) {
        self.execute(decision);
        self.end(decision, RowStatus::Committed);
    }

    /// The janitor.
    pub(crate) fn sweep(&mut self, decision: &Decision) {
        self.end(decision, RowStatus::Failed);
    }

    fn end(&mut self, decision: &Decision, status: RowStatus) {
        let row = self.rows.get_mut(&decision.key).expect("it was entered");
        assert_eq!((row.status, &row.request_id), (RowStatus::Pending, &decision.request_id));
        row.status = status;
    }

    fn execute(&mut self, decision: &Decision) {
        let Decision { key, request_id, verdict, .. } = decision.clone();
        self.executions.push(Execution { key, request_id, verdict });
    }
}
