//! What a long-running command writes to standard error: how much of it, and in which form.
//!
//! Only this program's own lines are made louder: what libraries say of the bytes that pass through them stays at
//! warnings, whatever is asked for. So no level writes a payload or a token.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The flags about the log.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Logs {
    /// How the log is written to standard error: for people, or as one JSON object a line
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// How much is written; from info on one line for each call: its route, status, time, caller and request id
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Warn)]
    log_level: Level,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn filter(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "warn,aegis_console=info",
            Self::Debug => "warn,aegis_console=debug",
        }
    }
}

impl Logs {
    /// Warnings and errors in text, for a command that has no flags about it.
    pub fn warnings() {
        Self { log_format: Format::Text, log_level: Level::Warn }.start();
    }

    /// Writes from now on. Where something else of this process has set it up, that counts.
    pub fn start(self) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(self.log_level.filter()))
            .with_writer(std::io::stderr);
        let _ = match self.log_format {
            Format::Text => builder.with_ansi(false).try_init(),
            Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        };
    }
}
