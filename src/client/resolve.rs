//! Whose decision stands: the 409 resolver, a pure function of what a body says and of what we sent.
//!
//! It must never say more than is known. Where two things could be true it gives the weaker one, and the caller asks
//! on.

use crate::domain::{Outcome, RowStatus, Standing, Verdict};

/// What we sent, and whether an earlier try of it may have landed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) request_id: &'a str,
    pub(crate) maybe: bool,
}

/// What a body says of the decision that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// Whose it is.
    Settled(Outcome),
    /// It is being carried out: watch on.
    Pending,
    /// Something under this key was carried out; whose it is the body does not say.
    Processed,
    /// Nothing.
    Nothing,
}

/// Reads the standing decision as seen from our call.
pub(crate) fn resolve(ours: Ours<'_>, standing: &Standing) -> View {
    match standing.status {
        Some(RowStatus::Pending) => return pending(ours, standing),
        Some(RowStatus::Failed) => return View::Settled(Outcome::Failed),
        Some(RowStatus::Committed) | None => {}
    }
    let mine = standing.request_id.as_ref().map(|id| id.eq_ignore_ascii_case(ours.request_id));
    match (mine, standing.verdict) {
        // Even under our own request id: then somebody sent the id with the other verdict before.
        (_, Some(verdict)) if verdict != ours.verdict => View::Settled(Outcome::Conflict),
        (Some(true), _) => View::Settled(Outcome::Mine),
        (Some(false), Some(_)) => View::Settled(Outcome::Same),
        (None, Some(_)) if !ours.maybe => View::Settled(Outcome::Same),
        (None, Some(_)) | (Some(false), None) => View::Processed,
        (None, None) if standing.status.is_some() => View::Processed,
        (None, None) => View::Nothing,
    }
}

/// It is being carried out; or it counts, and waits for another reviewer: said of no call but ours.
fn pending(ours: Ours<'_>, standing: &Standing) -> View {
    let others = standing.request_id.as_ref().is_some_and(|id| !id.eq_ignore_ascii_case(ours.request_id));
    let opposite = standing.verdict.is_some_and(|verdict| verdict != ours.verdict);
    match standing.count {
        Some(count) if !others && !opposite => View::Settled(Outcome::Counted(count)),
        _ => View::Pending,
    }
}

/// How the processing of a call ended that the server had accepted, from an answer to its own request id. What speaks of
/// another call says nothing about this one.
pub(crate) fn ended(standing: &Standing, request_id: &str) -> Option<Outcome> {
    let others = standing.request_id.as_ref().is_some_and(|id| !id.eq_ignore_ascii_case(request_id));
    match standing.status.filter(|_| !others)? {
        RowStatus::Pending => None,
        RowStatus::Committed => Some(Outcome::Committed),
        RowStatus::Failed => Some(Outcome::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    #[test]
    fn whose_decision_stands() {
        use Verdict::{Approve, Reject};
        let (mine, other) = (Some(MINE.to_uppercase()), Some("other".to_owned()));
        let committed = Some(RowStatus::Committed);
        let settled = |outcome| View::Settled(outcome);
        // request id, verdict, row, (not maybe, maybe)
        let same = settled(Outcome::Same);
        let conflict = settled(Outcome::Conflict);
        let ours = settled(Outcome::Mine);
        for (id, verdict, row, sure, doubt) in [
            (&mine, Some(Approve), committed, &ours, &ours),
            (&mine, None, committed, &ours, &ours),
            (&mine, Some(Approve), None, &ours, &ours),
            (&mine, Some(Reject), committed, &conflict, &conflict),
            (&other, Some(Approve), committed, &same, &same),
            (&other, Some(Approve), None, &same, &same),
            (&other, Some(Reject), None, &conflict, &conflict),
            (&other, None, committed, &View::Processed, &View::Processed),
            (&None, Some(Approve), committed, &same, &View::Processed),
            (&None, Some(Reject), None, &conflict, &conflict),
            (&None, None, committed, &View::Processed, &View::Processed),
            (&None, None, None, &View::Nothing, &View::Nothing),
        ] {
            let standing = Standing { request_id: id.clone(), verdict, status: row, ..Standing::default() };
            for (maybe, expected) in [(false, sure), (true, doubt)] {
                let ours = Ours { verdict: Approve, request_id: MINE, maybe };
                assert_eq!(&resolve(ours, &standing), expected, "{standing:?} maybe: {maybe}");
            }
        }
    }

    #[test]
    fn a_row_that_is_not_at_its_end_is_attributed_to_nobody() {
        for (id, verdict) in
            [(None, None), (Some("other"), Some(Verdict::Reject)), (Some(MINE), Some(Verdict::Approve))]
        {
            let standing = |status| Standing {
                request_id: id.map(str::to_owned),
                verdict,
                status: Some(status),
                ..Standing::default()
            };
            let ours = Ours { verdict: Verdict::Approve, request_id: MINE, maybe: true };
            assert_eq!(resolve(ours, &standing(RowStatus::Pending)), View::Pending);
            assert_eq!(resolve(ours, &standing(RowStatus::Failed)), View::Settled(Outcome::Failed));
        }
    }

    #[test]
    fn what_counts_is_said_of_our_own_call_alone() {
        let count = crate::domain::Count { approvals: 1, needed: 2 };
        let counted = View::Settled(Outcome::Counted(count));
        for (id, verdict, expected) in [
            (None, None, &counted),
            (Some(MINE), Some(Verdict::Approve), &counted),
            (Some("other"), Some(Verdict::Approve), &View::Pending),
            (Some(MINE), Some(Verdict::Reject), &View::Pending),
        ] {
            let standing = Standing {
                request_id: id.map(str::to_owned),
                verdict,
                status: Some(RowStatus::Pending),
                count: Some(count),
                ..Standing::default()
            };
            for maybe in [false, true] {
                let ours = Ours { verdict: Verdict::Approve, request_id: MINE, maybe };
                assert_eq!(&resolve(ours, &standing), expected, "{standing:?}");
            }
        }
    }

    #[test]
    fn how_an_accepted_call_ended() {
        for (id, status, expected) in [
            (None, Some(RowStatus::Committed), Some(Outcome::Committed)),
            (Some(MINE), Some(RowStatus::Committed), Some(Outcome::Committed)),
            (Some(MINE), Some(RowStatus::Failed), Some(Outcome::Failed)),
            (Some(MINE), Some(RowStatus::Pending), None),
            (Some("other"), Some(RowStatus::Committed), None),
            (Some(MINE), None, None),
        ] {
            let request_id = id.map(str::to_uppercase);
            let standing = Standing { request_id, status, ..Standing::default() };
            assert_eq!(ended(&standing, MINE), expected, "{standing:?}");
        }
    }
}
