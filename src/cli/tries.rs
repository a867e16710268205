//! How long one try may take, how often a decision is sent again, and how long all of it may take: what every command
//! that sends decisions shares.

use crate::client::Builder;
use crate::dispatch::RESEND_FOR;
use std::time::Duration;

/// The flags that bound one decision.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Tries {
    /// Seconds for one try, fractions allowed
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,

    /// How often a decision is sent again after the first try
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub max_retries: u32,

    /// Seconds for all tries, waits and questions of one decision, fractions allowed; what may have landed is not sent
    /// again by itself after 270
    #[arg(long, value_name = "SECONDS", default_value = "45", value_parser = seconds)]
    pub deadline: Duration,
}

impl Tries {
    /// The client that is being made, with these bounds.
    pub fn of(&self, builder: Builder) -> Builder {
        // A call by itself knows nothing of janitors; with a journal, each try is asked about.
        let deadline = self.deadline.min(RESEND_FOR);
        builder.timeout(self.timeout).max_retries(self.max_retries).deadline(deadline)
    }
}

/// Seconds with fractions, more than none.
///
/// # Errors
/// A sentence for clap where the text is anything else, or more than a year.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A year is for ever, and far from what a clock cannot add.
    let fits = |time: &Duration| !time.is_zero() && *time <= Duration::from_secs(366 * 86_400);
    seconds.filter(fits).ok_or_else(|| "give seconds, more than 0, such as 10 or 0.5".into())
}
