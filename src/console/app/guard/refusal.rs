//! Why a key was not taken, in words for the status line. The words that matter come first: forty columns must do.

use std::borrow::Cow;

/// Why a key was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The frame that the key answers showed something else, or had not been there for long enough.
    JustChanged,
    /// This console was started to look, and for nothing else.
    ReadOnly,
    /// The cursor is on nothing.
    NothingSelected,
    /// The terminal is too small to show what would be decided.
    TooSmall,
    /// The journal has failed: a decision could not be kept, so none is taken.
    NoJournal,
    /// It cannot be read, so nobody can know what would be approved.
    Unreadable,
    /// It cannot be read so far as to tell what a decision would have to name.
    Nameless,
    /// This reviewer's approval counts already: the rest is another's to say.
    CountsAlready,
    /// Nobody has seen what is gathered under a row.
    Flood,
    /// Its payload is not on the screen.
    NotOpen,
    /// So many lines of its payload have not been on the screen.
    NotSeen(usize),
    /// It has not been read to its end, so it is not approved together with others.
    NotRead,
    /// Everything else has been on the screen, but not what is folded in so many places.
    Folded(usize),
    /// Its risk is too high to be approved together with others.
    OneByOne,
    /// One yes to it covers more than one call, so it is not approved together with others.
    ManyCalls,
    /// The letters that were typed are not those that the bar shows.
    Letters(String),
    /// Approving this asks for a reason.
    Reason,
    /// Nothing of what is marked can be approved together.
    NothingToApprove,
}

impl Refusal {
    /// What the status line says.
    pub fn words(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::JustChanged => "ignored: the screen had just changed",
            Self::ReadOnly => "read-only: nothing is decided, taken back or sent from here",
            Self::NothingSelected => "the cursor is on nothing: move it first",
            Self::NoJournal => {
                "no decision can be taken: the journal has failed, and nothing is sent that is not on disk"
            }
            Self::TooSmall => "terminal too small (needs 40×12): nothing can be decided",
            Self::CountsAlready => "yours counts already: another reviewer must decide",
            Self::NotOpen => "scroll to the end first: Enter opens it",
            Self::Flood => {
                "nothing of this has been seen: Enter lists it, r rejects all of it, p pauses its agent"
            }
            Self::Unreadable => "it cannot be read: it can only be rejected",
            Self::Nameless => "it cannot be read, and says no id or key: nothing can be decided about it",
            Self::NotRead => "not read to its end yet",
            Self::OneByOne => "high risk is approved one by one",
            Self::ManyCalls => "one yes covers many calls: approved one by one",
            Self::Reason => "a reason is needed: what is critical is not approved without one",
            Self::NothingToApprove => "nothing that is marked can be approved in bulk: open them one by one",
            Self::Folded(1) => "scroll to the end first: 1 part is folded (o opens it)",
            Self::Folded(parts) => {
                return format!("scroll to the end first: {parts} parts are folded (o opens them)").into();
            }
            Self::NotSeen(1) => "scroll to the end first: 1 line not seen yet (space pages down)",
            Self::NotSeen(lines) => {
                return format!("scroll to the end first: {lines} lines not seen yet (space pages down)")
                    .into();
            }
            Self::Letters(wanted) => return format!("type the letters {wanted}, then Enter").into(),
        })
    }
}
