//! What must have happened to a decision between two looks at the journal: a pure function, for whoever reads what another
//! process carries out.

use super::{News, news_of};
use crate::client::AttemptEvent;
use crate::domain::Try;
use crate::journal::{Entry, Stage};

/// What has happened since a decision was last seen, when so many of its tries were known to be answered, in the order in
/// which it must have happened.
pub(super) fn news_since(
    was: &Entry,
    known: usize,
    now: &Entry,
    tries: &[Try],
    first_tries: u32,
) -> Vec<News> {
    let mut news = Vec::new();
    if was.stage == Stage::Held && !matches!(now.stage, Stage::Held | Stage::Dropped | Stage::Returned) {
        news.push(News::Queued);
    }
    if !was.stage.is_open() && now.stage == Stage::Queued {
        news.push(News::Queued);
    }
    let of = |number: u32| number.max(first_tries);
    for one in tries.iter().skip(known) {
        if one.number > was.tries || was.stage != Stage::Sending {
            let started = AttemptEvent::Started { number: one.number, of: of(one.number), at: one.started };
            news.push(News::Attempt(started));
        }
        news.push(News::Attempt(AttemptEvent::Answered {
            number: one.number,
            http_status: one.http_status,
            error: one.error.clone(),
            took: one.took,
        }));
    }
    let answered = u32::try_from(tries.len().max(known)).unwrap_or(u32::MAX);
    let stage_changed = (was.stage, was.tries, was.next_at) != (now.stage, now.tries, now.next_at);
    match now.stage {
        Stage::Sending if now.tries > was.tries && now.tries > answered => {
            let (number, of) = (now.tries, of(now.tries));
            news.push(News::Attempt(AttemptEvent::Started { number, of, at: now.updated_at }));
        }
        Stage::Queued if stage_changed => {
            if let Some(until) = now.next_at {
                let (next_number, of) = (now.tries + 1, of(now.tries + 1));
                news.push(News::Attempt(AttemptEvent::Waiting { next_number, of, until }));
            }
        }
        Stage::Doubtful if stage_changed => news.push(news_of(now)),
        Stage::Ended if was.stage != Stage::Ended || was.resolution != now.resolution => {
            news.push(news_of(now));
        }
        Stage::Dropped | Stage::Returned if was.stage != now.stage => news.push(news_of(now)),
        _ => {}
    }
    news
}

#[cfg(test)]
mod tests {
    use super::super::Order;
    use super::*;
    use crate::domain::{Action, Outcome, Resolution, Verdict};
    use jiff::Timestamp;
    use std::sync::Arc;
    use std::time::Duration;
    use uuid::Uuid;

    fn entry(stage: Stage, tries: u32) -> Entry {
        let sealed = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
        let order = Order {
            id: Uuid::from_u128(1),
            request_id: Uuid::from_u128(2),
            action: Arc::new(Action::read(sealed).unwrap()),
            verdict: Verdict::Approve,
            reason: None,
            reviewer: None,
            decided_at: Timestamp::UNIX_EPOCH,
        };
        let outcome = (stage == Stage::Ended).then_some(Outcome::Committed);
        Entry {
            intent: order.intent("http://localhost", None),
            stage,
            maybe: false,
            reached_at: None,
            tries,
            next_at: matches!(stage, Stage::Doubtful).then_some(Timestamp::UNIX_EPOCH),
            resolution: outcome.map(|outcome| Resolution {
                outcome,
                http_status: Some(202),
                standing: None,
                detail: None,
                tries: Vec::new(),
                request_id: "r".into(),
                idempotency_key: "k".into(),
            }),
            acknowledged: false,
            returned: (stage == Stage::Returned).then(|| "it has expired".into()),
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn tries(count: u32) -> Vec<Try> {
        let one = |number| Try {
            number,
            http_status: Some(503),
            error: None,
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            waited: Duration::ZERO,
        };
        (1..=count).map(one).collect()
    }

    fn words(was: (Stage, u32, usize), now: (Stage, u32, u32)) -> String {
        let news = news_since(&entry(was.0, was.1), was.2, &entry(now.0, now.1), &tries(now.2), 4);
        let word = |news: &News| match news {
            News::Queued => "queued".to_owned(),
            News::Attempt(AttemptEvent::Started { number, of, .. }) => format!("try {number} of {of}"),
            News::Attempt(AttemptEvent::Answered { number, .. }) => format!("answer {number}"),
            News::Resolved(_) => "resolved".into(),
            News::Doubtful { .. } => "doubtful".into(),
            News::Dropped => "dropped".into(),
            News::Returned { .. } => "returned".into(),
            other => format!("{other:?}"),
        };
        news.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_was_missed_between_two_looks_is_told_in_order() {
        use Stage::{Doubtful, Dropped, Ended, Held, Queued, Returned, Sending};
        for (was, now, expected) in [
            ((Held, 0, 0), (Held, 0, 0), ""),
            ((Held, 0, 0), (Queued, 0, 0), "queued"),
            ((Held, 0, 0), (Dropped, 0, 0), "dropped"),
            ((Queued, 0, 0), (Returned, 0, 0), "returned"),
            ((Queued, 0, 0), (Sending, 1, 0), "try 1 of 4"),
            ((Sending, 1, 0), (Sending, 1, 1), "answer 1"),
            ((Sending, 1, 1), (Sending, 2, 1), "try 2 of 4"),
            ((Sending, 1, 0), (Sending, 3, 2), "answer 1, try 2 of 4, answer 2, try 3 of 4"),
            ((Sending, 1, 0), (Ended, 1, 1), "answer 1, resolved"),
            ((Held, 0, 0), (Ended, 2, 2), "queued, try 1 of 4, answer 1, try 2 of 4, answer 2, resolved"),
            ((Sending, 4, 3), (Doubtful, 4, 4), "answer 4, doubtful"),
            ((Doubtful, 4, 4), (Doubtful, 5, 5), "try 5 of 5, answer 5, doubtful"),
            ((Doubtful, 4, 4), (Doubtful, 4, 4), ""),
            ((Ended, 4, 4), (Ended, 4, 4), ""),
            ((Ended, 4, 4), (Queued, 4, 4), "queued"),
        ] {
            assert_eq!(words(was, now), expected, "{was:?} {now:?}");
        }
    }
}
