//! What the user has chosen, and the commands that tell about it.

mod chosen;

pub(super) use chosen::Chosen;
