//! What every face of the program speaks of: actions, digests, verdicts, outcomes, text that nobody can trust.
//!
//! Pure data and pure functions. Nothing here may do I/O, read a clock, draw a random number, or know of tokio,
//! HTTP or the terminal; `tests/layers.rs` sees to that.

pub mod action;
pub mod difference;
pub mod digest;
pub mod findings;
pub mod headline;
pub mod json;
pub mod lookalike;
pub mod outcome;
pub mod queued;
pub mod risk;
pub mod shape;
pub mod timestamp;
pub mod verdict;
pub mod visible;

pub use action::Action;
pub use digest::Digest;
pub use findings::{Finding, FindingKind};
pub use headline::{Field, Headline, Kept, Listed, Texts};
pub use outcome::{Count, Outcome, Resolution, RowStatus, Standing, Try};
pub use queued::{ActionState, Approval, Decision, Execution, ExecutionState, Queued, Review, rule_name};
pub use risk::Risk;
pub use verdict::Verdict;
pub use visible::{Untrusted, Visible};
