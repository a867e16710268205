//! How far an action is that needs several reviewers, as facts: one line above the payload, and each approval below it.

use super::facts::field;
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::{Approval, Review};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The facts of a review, where times of day are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) struct Reviewed {
    /// In one line.
    pub(super) line: RoleLine,
    /// Each approval, in full.
    pub(super) approvals: Vec<RoleLine>,
}

impl Reviewed {
    pub(in crate::console) fn of(review: &Review, zone: &TimeZone) -> Self {
        let mut line = RoleLine::of(Role::Quiet, format!(" {:<9}", "review")).followed_by(Some(sum(review)));
        if let Some(until) = review.until {
            line.push(Role::Text, format!(", counts until {}", time(until, zone)));
        }
        let approvals = review.approvals.iter().map(|approval| one(approval, zone)).collect();
        Self { line, approvals }
    }
}

/// `1 of 2: alice`, `0 of 2: nobody has approved yet`.
pub(in crate::console) fn sum(review: &Review) -> RoleLine {
    let mut line = RoleLine::of(Role::Notice, format!("{} of {}", review.count(), review.needed));
    line.push(Role::Text, ": ");
    if review.approvals.is_empty() {
        line.push(Role::Text, "nobody has approved yet");
    }
    for (number, approval) in review.approvals.iter().enumerate() {
        line.push(Role::Text, if number == 0 { "" } else { ", " });
        line.push_foreign(Role::Foreign, &approval.reviewer.name().cut(24));
    }
    line
}

/// ` approved alice at 12:03:11: "…"`: what the first has written is not told before the last has decided, so that
/// everybody judges for themselves.
fn one(approval: &Approval, zone: &TimeZone) -> RoleLine {
    let line = field("approved", &approval.reviewer.name());
    let line = line.with(Role::Text, format!(" at {}", time(approval.decided_at, zone)));
    reason(approval, line)
}

/// The line with what the reviewer wrote, or with why that does not stand there.
pub(in crate::console) fn reason(approval: &Approval, line: RoleLine) -> RoleLine {
    match &approval.reason {
        Some(reason) => line.with(Role::Text, ": ").foreign(&reason.quoted()),
        None => line.with(Role::Quiet, ", reason hidden until it is decided"),
    }
}

/// The time of day.
pub(in crate::console) fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string()
}
