//! What is next for a decision: pure functions of where it stands, the link and the time. Nothing here waits, sends or
//! writes; `life` does what they say.

use super::Pace;
use crate::domain::Outcome;
use crate::journal::Stage;
use std::time::Duration;

/// Where a decision stands, as far as it matters for what is next.
#[derive(Debug, Clone)]
pub(super) struct Situation<'a> {
    pub(super) stage: Stage,
    /// Whether it may have landed.
    pub(super) maybe: bool,
    /// How it ended so far.
    pub(super) outcome: Option<&'a Outcome>,
    /// How often it was sent beyond the tries that the reviewer waited for.
    pub(super) redelivered: u32,
    /// It may have landed so long ago that its key may be open again.
    pub(super) too_late: bool,
    /// The queue has just said that nothing of it has landed.
    pub(super) undecided: bool,
    /// Since the decision.
    pub(super) age: Duration,
    /// What is left of its grace, or of the pause before it goes on.
    pub(super) wait: Duration,
    /// Since it ended.
    pub(super) followed: Duration,
    pub(super) link_up: bool,
    /// Time went by since it was decided on: whether its action still stands must be seen first.
    pub(super) unchecked: bool,
    /// The reviewer has just asked for it to be sent again.
    pub(super) insisted: bool,
}

/// What is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing, until the time has passed.
    Wait,
    /// Nothing, until the link is up.
    AwaitLink,
    /// Its grace is over.
    Release,
    /// Does its action still stand?
    Check,
    /// All the tries of a call.
    Send,
    /// A look, and one try.
    Redeliver,
    /// A look.
    Look,
    /// A look, and then the reviewer.
    LastLook,
    /// The reviewer.
    GiveUp,
    /// How does its processing end?
    Follow,
    /// Nothing, ever.
    Nothing,
}

/// What is next for a decision.
pub(super) fn next(now: &Situation<'_>, pace: &Pace) -> Next {
    let waits = !now.wait.is_zero();
    match now.stage {
        Stage::Held => {
            if waits {
                Next::Wait
            } else {
                Next::Release
            }
        }
        Stage::Queued | Stage::Sending | Stage::Doubtful => {
            let over = now.maybe && !now.insisted && now.age >= pace.redeliver_for;
            match now.link_up {
                false if over => Next::GiveUp,
                false => Next::AwaitLink,
                true if over => Next::LastLook,
                true if waits => Next::Wait,
                // Sending it again could carry it out twice: only the reviewer may, or who knows that nothing has landed.
                true if now.too_late && !now.insisted => {
                    if now.undecided {
                        Next::Redeliver
                    } else {
                        Next::Look
                    }
                }
                true if now.stage == Stage::Doubtful && !now.insisted => {
                    if now.redelivered < pace.redeliveries { Next::Redeliver } else { Next::Look }
                }
                // What may have landed is looked for by the call itself, and its key is the fence.
                true if now.unchecked && !now.maybe => Next::Check,
                true => Next::Send,
            }
        }
        Stage::Ended => match now.outcome {
            Some(outcome) if now.followed < pace.watched_for(outcome) => match now.link_up {
                false => Next::AwaitLink,
                true if waits => Next::Wait,
                true => Next::Follow,
            },
            _ => Next::Nothing,
        },
        Stage::Dropped | Stage::Returned => Next::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Count;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn at(stage: Stage) -> Situation<'static> {
        Situation {
            stage,
            maybe: false,
            outcome: None,
            redelivered: 0,
            too_late: false,
            undecided: false,
            age: s(1),
            wait: s(0),
            followed: s(0),
            link_up: true,
            unchecked: false,
            insisted: false,
        }
    }

    fn of(situation: &Situation<'_>) -> Next {
        next(situation, &Pace::default())
    }

    #[test]
    fn what_has_not_been_sent() {
        use Stage::{Held, Queued};
        for (situation, expected) in [
            (Situation { wait: s(3), ..at(Held) }, Next::Wait),
            (at(Held), Next::Release),
            (Situation { link_up: false, ..at(Held) }, Next::Release),
            (at(Queued), Next::Send),
            (Situation { wait: s(1), ..at(Queued) }, Next::Wait),
            (Situation { link_up: false, wait: s(1), ..at(Queued) }, Next::AwaitLink),
            (Situation { unchecked: true, ..at(Queued) }, Next::Check),
            // What is known not to have been sent does not grow stale: it is checked.
            (Situation { unchecked: true, age: s(99_999), ..at(Queued) }, Next::Check),
        ] {
            assert_eq!(of(&situation), expected, "{situation:?}");
        }
    }

    #[test]
    fn what_may_have_landed() {
        use Stage::{Doubtful, Queued, Sending};
        let (old, maybe, too_late) = (s(30 * 60), true, true);
        for (situation, expected) in [
            (Situation { maybe, ..at(Sending) }, Next::Send),
            (Situation { maybe, unchecked: true, ..at(Sending) }, Next::Send),
            (Situation { maybe, ..at(Queued) }, Next::Send),
            (Situation { maybe, ..at(Doubtful) }, Next::Redeliver),
            (Situation { maybe, redelivered: 7, ..at(Doubtful) }, Next::Redeliver),
            (Situation { maybe, redelivered: 8, ..at(Doubtful) }, Next::Look),
            (Situation { maybe, too_late, ..at(Doubtful) }, Next::Look),
            (Situation { maybe, too_late, ..at(Sending) }, Next::Look),
            (Situation { maybe, too_late, ..at(Queued) }, Next::Look),
            (Situation { maybe, too_late, undecided: true, redelivered: 8, ..at(Doubtful) }, Next::Redeliver),
            (Situation { maybe, too_late, insisted: true, ..at(Queued) }, Next::Send),
            (Situation { maybe, too_late, wait: s(9), ..at(Doubtful) }, Next::Wait),
            (Situation { maybe, too_late, age: old, ..at(Doubtful) }, Next::LastLook),
            (Situation { maybe, wait: s(9), ..at(Doubtful) }, Next::Wait),
            (Situation { maybe, link_up: false, ..at(Doubtful) }, Next::AwaitLink),
            (Situation { maybe, age: old, ..at(Doubtful) }, Next::LastLook),
            (Situation { maybe, age: old, ..at(Sending) }, Next::LastLook),
            (Situation { maybe, age: old, wait: s(9), ..at(Doubtful) }, Next::LastLook),
            (Situation { maybe, age: old, link_up: false, ..at(Doubtful) }, Next::GiveUp),
            (Situation { maybe, age: old, insisted: true, ..at(Queued) }, Next::Send),
            (Situation { maybe, insisted: true, ..at(Doubtful) }, Next::Send),
        ] {
            assert_eq!(of(&situation), expected, "{situation:?}");
        }
    }

    #[test]
    fn what_has_ended() {
        fn ended(outcome: &Outcome) -> Situation<'_> {
            Situation { outcome: Some(outcome), ..at(Stage::Ended) }
        }
        for followed in [Outcome::Accepted, Outcome::InProgress] {
            assert_eq!(of(&ended(&followed)), Next::Follow);
            assert_eq!(of(&Situation { wait: s(1), ..ended(&followed) }), Next::Wait);
            assert_eq!(of(&Situation { link_up: false, ..ended(&followed) }), Next::AwaitLink);
            assert_eq!(of(&Situation { followed: s(600), ..ended(&followed) }), Next::Nothing);
        }
        let counted = Outcome::Counted(Count { approvals: 1, needed: 2 });
        for (followed, next) in [(600, Next::Follow), (24 * 60 * 60, Next::Nothing)] {
            assert_eq!(of(&Situation { followed: s(followed), ..ended(&counted) }), next, "{followed} s");
        }
        assert_eq!(of(&Situation { link_up: false, ..ended(&counted) }), Next::AwaitLink);
        for outcome in [
            Outcome::Committed,
            Outcome::Failed,
            Outcome::Lapsed,
            Outcome::Mine,
            Outcome::Same,
            Outcome::Conflict,
            Outcome::Unknown,
            Outcome::Refused,
            Outcome::Unconfirmed,
            Outcome::NotSent,
            Outcome::Quota { until: None },
        ] {
            assert_eq!(of(&ended(&outcome)), Next::Nothing, "{outcome:?}");
        }
        assert_eq!([of(&at(Stage::Dropped)), of(&at(Stage::Returned))], [Next::Nothing; 2]);
    }
}
