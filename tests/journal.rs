//! The journal as its users see it: what it lets happen, what it keeps, and what it does when the disk does not.

#![cfg(feature = "console")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "journal/bounded.rs"]
mod bounded;
#[path = "journal/broken.rs"]
mod broken;
#[path = "journal/disk.rs"]
mod disk;
#[path = "journal/keeping.rs"]
mod keeping;
#[path = "journal/lasting.rs"]
mod lasting;
#[path = "journal/lives.rs"]
mod lives;
#[path = "journal/sharing.rs"]
mod sharing;
#[path = "journal/stages.rs"]
mod stages;
#[path = "journal/support.rs"]
mod support;
