//! What one try yields: the table of wire.md, part 1, as one pure function.

use super::answer::Answer;
use super::error::{TransportClass, TransportError};
use crate::domain::RowStatus;
use std::time::Duration;

/// The longest `Retry-After` that a waiting person is made to wait for.
pub(crate) const LONGEST_HINT: Duration = Duration::from_secs(30);

/// What one try yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Nothing left this machine.
    NotSent,
    /// No whole answer, or one that a proxy may have made up.
    Lost,
    /// 202: the server took it.
    Accepted,
    /// 202, but the answer is about another call's decision under this key.
    Replayed,
    /// The server, or the address, says no. Sending it again changes nothing.
    Refused,
    /// 409: a call under this key is at work now.
    InFlight,
    /// 409: this reviewer's own approval counts already, and another reviewer's is needed.
    Counts,
    /// 409: decided already.
    Duplicate,
    /// 429 with a time that can be waited for.
    Throttled,
    /// 429 otherwise.
    Quota,
    /// 425: the server would not risk it yet.
    Early,
    /// 408: the server, or a proxy after it, gave up waiting.
    RequestTimeout,
    /// 5xx.
    ServerError,
}

impl Class {
    /// Whether a decision may have landed by such a try. Where one try may have, no later refusal undoes it.
    pub(crate) fn may_have_landed(self) -> bool {
        matches!(self, Self::Lost | Self::ServerError | Self::InFlight | Self::RequestTimeout)
    }

    /// Whether the answer was lost on its way, so that the status is looked at before anything is sent again.
    pub(crate) fn is_transport_doubt(self) -> bool {
        matches!(self, Self::Lost | Self::RequestTimeout)
    }

    /// Whether the same bytes may be sent again.
    pub(crate) fn is_retried(self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::Lost
                | Self::ServerError
                | Self::Throttled
                | Self::Early
                | Self::RequestTimeout
        )
    }
}

/// Classifies what a try with that request id yielded.
pub(crate) fn classify(yielded: Result<&Answer, &TransportError>, request_id: &str) -> Class {
    let answer = match yielded {
        Ok(answer) => answer,
        Err(TransportError { class: TransportClass::NotSent, .. }) => return Class::NotSent,
        Err(TransportError { class: TransportClass::Lost, .. }) => return Class::Lost,
    };
    let standing = &answer.facts.standing;
    match answer.status {
        202 => match &standing.request_id {
            Some(id) if !id.eq_ignore_ascii_case(request_id) => Class::Replayed,
            _ => Class::Accepted,
        },
        300..400 => Class::Refused,
        408 => Class::RequestTimeout,
        409 if standing.count.is_some() => Class::Counts,
        409 if standing.status == Some(RowStatus::Pending) || answer.facts.outstanding => Class::InFlight,
        409 if answer.facts.closed => Class::Refused,
        409 => Class::Duplicate,
        425 => Class::Early,
        429 if answer.retry_after.is_some_and(|hint| hint <= LONGEST_HINT) => Class::Throttled,
        429 => Class::Quota,
        400..500 => Class::Refused,
        500..600 => Class::ServerError,
        // Another 2xx may be a proxy's, and 1xx or 6xx is no final answer of anybody's.
        _ => Class::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::answer::Facts;

    const MINE: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    fn class(status: u16, body: &str, retry_after: Option<u64>) -> Class {
        let retry_after = retry_after.map(Duration::from_secs);
        classify(Ok(&Answer { status, facts: Facts::read(body.as_bytes()), retry_after }), MINE)
    }

    #[test]
    fn every_row_of_the_table() {
        use Class::*;
        let mine = format!(r#"{{"request_id":"{}","status":"COMMITTED"}}"#, MINE.to_uppercase());
        let other = r#"{"request_id":"11111111-8b86-4d01-b42d-00cf4fc964ff","status":"COMMITTED"}"#;
        for (status, body, retry_after, expected) in [
            (202, "", None, Accepted),
            (202, "<html>", None, Accepted),
            (202, r#"{"ok":true}"#, None, Accepted),
            (202, mine.as_str(), None, Accepted),
            (202, other, None, Replayed),
            (200, mine.as_str(), None, Lost),
            (200, other, None, Lost),
            (201, "", None, Lost),
            (204, "", None, Lost),
            (101, "", None, Lost),
            (301, "", None, Refused),
            (307, "", None, Refused),
            (304, "", None, Refused),
            (409, r#"{"status":"PENDING"}"#, None, InFlight),
            (409, r#"{"decision":{"status":"PENDING"}}"#, Some(1), InFlight),
            (409, r#"{"decision":{"status":"PENDING"},"detail":"1 of 2"}"#, None, Counts),
            (202, r#"{"status":"PENDING","detail":"1 of 2"}"#, None, Accepted),
            (409, r#"{"title":"A request is outstanding for this key"}"#, None, InFlight),
            (409, "", None, Duplicate),
            (409, "<html>", None, Duplicate),
            (409, r#"{"status":409}"#, None, Duplicate),
            (409, mine.as_str(), None, Duplicate),
            (409, r#"{"type":"urn:aegis-console:expired","decision":null}"#, None, Refused),
            (409, r#"{"type":"about:blank","decision":null}"#, None, Duplicate),
            (429, "", Some(0), Throttled),
            (429, "", Some(30), Throttled),
            (429, "", Some(31), Quota),
            (429, "", None, Quota),
            (408, "", None, RequestTimeout),
            (425, "", None, Early),
            (500, "", None, ServerError),
            (503, "", Some(3600), ServerError),
            (599, "", None, ServerError),
            (400, "", None, Refused),
            (401, "", None, Refused),
            (403, "", None, Refused),
            (404, "", None, Refused),
            (412, "", None, Refused),
            (413, "", None, Refused),
            (422, "", None, Refused),
            (451, "", None, Refused),
            (600, "", None, Lost),
        ] {
            assert_eq!(class(status, body, retry_after), expected, "{status} {body} {retry_after:?}");
        }
        assert_eq!(classify(Err(&TransportError::not_sent("refused")), MINE), NotSent);
        assert_eq!(classify(Err(&TransportError::lost("reset")), MINE), Lost);
    }

    #[test]
    fn what_may_have_landed_and_what_is_sent_again() {
        use Class::*;
        let (yes, no) = (true, false);
        for (class, may_have_landed, looked_first, sent_again) in [
            (NotSent, no, no, yes),
            (Lost, yes, yes, yes),
            (Accepted, no, no, no),
            (Replayed, no, no, no),
            (Refused, no, no, no),
            (InFlight, yes, no, no),
            (Counts, no, no, no),
            (Duplicate, no, no, no),
            (Throttled, no, no, yes),
            (Quota, no, no, no),
            (Early, no, no, yes),
            (RequestTimeout, yes, yes, yes),
            (ServerError, yes, no, yes),
        ] {
            let found = (class.may_have_landed(), class.is_transport_doubt(), class.is_retried());
            assert_eq!(found, (may_have_landed, looked_first, sent_again), "{class:?}");
        }
    }
}
