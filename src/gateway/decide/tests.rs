//! That the audit log is told the answer that the caller gets.

use super::super::store::Damage;
use super::*;
use jiff::Timestamp;

#[test]
fn what_is_told_of_an_answer_is_what_is_answered() {
    let row = || DecisionRow {
        key: "key".into(),
        action_id: None,
        status: RowStatus::Committed,
        verdict: Verdict::Approve,
        reviewer: "dana".into(),
        reason: None,
        request_id: "request".into(),
        decided_at: Timestamp::UNIX_EPOCH,
        digest: None,
        counted: None,
    };
    let all = [
        Decided::Duplicate(row()),
        Decided::Closed(ActionState::Cancelled),
        Decided::Closed(ActionState::Expired),
        Decided::DigestDiffers,
        Decided::DigestMissing,
        Decided::WrongThread,
        Decided::WrongKey,
        Decided::OwnAction,
        Decided::Damaged("id".into(), Damage("it was changed")),
    ];
    for decided in all {
        let refusal = refusal(&decided);
        assert_eq!((refusal.status.as_u16(), refusal.code()), decided.answer(), "{decided:?}");
    }
    assert_eq!(Decided::Accepted(row()).answer(), (202, "accepted"));
    assert_eq!(Decided::Duplicate(row()).standing(), Some("request"));
}
