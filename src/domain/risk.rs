//! How much harm an action could do, as far as anybody says.

use std::fmt;
use std::str::FromStr;

/// The risk of an action. It only ever goes up: by the gateway's rules, by the agent's own claim, by what the
/// console finds. `Ord` is by harm, so `max` combines two opinions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Risk {
    /// May be decided from the list.
    Low,
    /// What is assumed where nothing says.
    #[default]
    Medium,
    /// Asks for more than one key.
    High,
    /// Asks for a reason too.
    Critical,
    /// What is shown is not an action: it can only be rejected. Never on the wire.
    Unreadable,
}

impl Risk {
    /// Every level of the wire, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word of the wire, or `unreadable`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Unreadable => "unreadable",
        }
    }

    /// Four columns for a list: `LOW `, `MED `, `HIGH`, `CRIT`, `?!?!`.
    pub fn badge(self) -> &'static str {
        match self {
            Self::Low => "LOW ",
            Self::Medium => "MED ",
            Self::High => "HIGH",
            Self::Critical => "CRIT",
            Self::Unreadable => "?!?!",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The text named no level of risk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the risk must be one of low, medium, high, critical, not {0:?}")]
pub struct UnknownRisk(pub String);

impl FromStr for Risk {
    type Err = UnknownRisk;

    fn from_str(text: &str) -> Result<Self, UnknownRisk> {
        Self::ALL.into_iter().find(|risk| risk.word() == text).ok_or_else(|| UnknownRisk(text.to_owned()))
    }
}
