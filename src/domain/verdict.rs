//! A reviewer's answer: approve or reject. There is no third.

use std::fmt;
use std::str::FromStr;

/// A reviewer's answer to one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The action may run.
    Approve,
    /// The action must not run.
    Reject,
}

impl Verdict {
    /// The word of the wire and of the screen: `approve` or `reject`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    /// What has been done, for sentences: `approved` or `rejected`.
    pub fn past(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }

    /// The same thing as a noun: `approval` or `rejection`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Approve => "approval",
            Self::Reject => "rejection",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The text was neither `approve` nor `reject`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the decision must be 'approve' or 'reject', not {0:?}")]
pub struct UnknownVerdict(pub String);

impl FromStr for Verdict {
    type Err = UnknownVerdict;

    /// Takes the two words of the wire, and the participles that some servers answer with.
    fn from_str(text: &str) -> Result<Self, UnknownVerdict> {
        match text {
            "approve" | "approved" => Ok(Self::Approve),
            "reject" | "rejected" => Ok(Self::Reject),
            other => Err(UnknownVerdict(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_else_is_an_error_that_names_both_words() {
        let error = "delete".parse::<Verdict>().unwrap_err().to_string();
        assert!(error.contains("approve") && error.contains("reject") && error.contains("delete"), "{error}");
        assert_eq!("approve".parse(), Ok(Verdict::Approve));
        assert_eq!("rejected".parse(), Ok(Verdict::Reject));
    }
}
