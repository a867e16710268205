//! The type of text that nothing can draw. It must never get a `Display`, a `Deref` or an `AsRef<str>`.

use super::Visible;
use std::fmt;

/// Text from an agent or a server. It can be compared, sent and kept, but not drawn: see [`Untrusted::visible`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(String);

impl Untrusted {
    /// The text as it came, for the wire, for comparison and for the disk. Never for a screen, a log or an error.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What may be drawn of it.
    pub fn visible(&self) -> Visible {
        Visible::of(&self.0)
    }

    /// What may be drawn of its beginning: see [`Visible::head`].
    pub fn head(&self, columns: usize) -> Visible {
        Visible::head(&self.0, columns)
    }

    /// What may be drawn of it among the console's own words: see [`Visible::name`].
    pub fn name(&self) -> Visible {
        Visible::name(&self.0)
    }

    /// What may be drawn of it as somebody else's words among the console's own: see [`Visible::quoted`].
    pub fn quoted(&self) -> Visible {
        Visible::quoted(&self.0)
    }
}

impl<T: Into<String>> From<T> for Untrusted {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Visible::of(&self.0).plain(), f)
    }
}
