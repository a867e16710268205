//! The kinds of rows, and their words. What a row says besides is in `entry`.

/// What can happen. Intents stand before what they allow, outcomes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An agent asked; the sealed text is in it.
    Asked,
    /// A rule refused what an agent asked.
    Refused,
    /// A rule allowed it without a person.
    AllowedByRule,
    /// A reviewer had it on the screen.
    Seen,
    /// And went on to another, after so long.
    Left,
    /// A reviewer's call to approve or reject, as it came.
    Sent,
    /// One of several reviewers approved.
    ApprovedByOne,
    /// Approvals of one of several came to nothing: the time for the others had passed.
    Lapsed,
    /// The decision that stands.
    Decided,
    /// What the reviewer's call was answered.
    Answered,
    /// The agent took the approval, to do it now.
    Consumed,
    /// How it went, as the agent says.
    Outcome,
    /// Nobody decided in time.
    Expired,
    /// The agent took it back.
    Withdrawn,
    /// An agent was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// A credential was made.
    TokenCreated,
    /// It was taken back.
    TokenRevoked,
    /// An instance of an agent was made; its credential is told by a row of its own.
    InstanceCreated,
    /// A webhook was not delivered, and is tried no more.
    WebhookGivenUp,
    /// The rules are others now.
    RulesChanged,
    /// A gateway started.
    Started,
    /// It stopped.
    Stopped,
    /// At its start the database was older than a checkpoint that had been written elsewhere.
    RolledBack,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Asked,
        Self::Refused,
        Self::AllowedByRule,
        Self::Seen,
        Self::Left,
        Self::Sent,
        Self::ApprovedByOne,
        Self::Lapsed,
        Self::Decided,
        Self::Answered,
        Self::Consumed,
        Self::Outcome,
        Self::Expired,
        Self::Withdrawn,
        Self::Paused,
        Self::Resumed,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::InstanceCreated,
        Self::WebhookGivenUp,
        Self::RulesChanged,
        Self::Started,
        Self::Stopped,
        Self::RolledBack,
    ];

    /// The word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::AllowedByRule => "allowed_by_rule",
            Self::Seen => "seen",
            Self::Left => "left",
            Self::Sent => "sent",
            Self::ApprovedByOne => "approved_by_one",
            Self::Lapsed => "lapsed",
            Self::Decided => "decided",
            Self::Answered => "answered",
            Self::Consumed => "consumed",
            Self::Outcome => "outcome",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::TokenCreated => "token.created",
            Self::TokenRevoked => "token.revoked",
            Self::InstanceCreated => "instance.created",
            Self::WebhookGivenUp => "webhook.given_up",
            Self::RulesChanged => "rules.changed",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::RolledBack => "audit.rolled_back",
        }
    }

    /// Reads the word; `None` where a newer version wrote it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        let words: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| Kind::parse(kind.word()) == Some(*kind)));
        assert_eq!(Kind::parse("else"), None);
    }
}
