//! The agents' side of the Agent Approval Protocol: ask leave, wait, take the approval once, report how it went
//! (wire.md, part 2).
//!
//! One rule stands over everything here: **when anything fails, the answer is no.** Only [`Answer::Allowed`] means
//! that a tool may run, and it is given only for the very request that was sent, approved by the provider and consumed
//! by this call. Nothing here may decide, keep a queue, or know of the console or of the embedded gateway.
//!
//! ```no_run
//! use aegis_console::agent::{AapClient, Answer, Gate, Status, Submission};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let token = std::fs::read_to_string("agent.token")?;
//! let client = AapClient::new("http://127.0.0.1:8000/aap", token.trim())?;
//! let wish = Submission::new("deploy", r#"{"service": "api", "version": "2.4.1"}"#)?.timeout("10m");
//! match Gate::new(client).check(&wish, "run-7:call-3").await {
//!     Answer::Allowed(approval) => {
//!         // run the tool, once
//!         approval.report(Status::Succeeded, None).await?;
//!     }
//!     no => println!("not run: {}", no.words()),
//! }
//! # Ok(())
//! # }
//! ```

mod client;
pub mod command;
mod context;
mod gate;
pub mod hook;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod opencode;
mod request;
mod run;
mod submission;

pub(crate) use client::is_here;
pub use client::{AapClient, AapError};
pub use context::{Context, Covers, Silence, Source};
pub use gate::{Answer, Approval, Asked, Gate};
pub use request::{Broken, Consumption, Decided, Request, RequestState, Status};
pub use run::{Group, RUN_VARIABLE, Run};
pub use submission::{BadSubmission, Submission};
