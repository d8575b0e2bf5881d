//! `tokenward serve`: the proxy.

use super::failure::Failure;
use super::settings::ConfigArg;
use crate::config::{Log, LogFormat};

/// Run the proxy
///
/// Listens as tokenward.toml says, until it is told to stop (Ctrl-C, SIGTERM). Changed policy files take effect at
/// once; a change to the configuration needs a restart.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward serve
  tokenward serve --config /etc/tokenward/tokenward.toml")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.required()?;
    log_as(&config.log);
    std::panic::set_hook(Box::new(|fault| {
        // Its message may quote what a client sent: a secret, for all one knows.
        let place = fault.location().map(ToString::to_string);
        if tokenward_audit::is_panic_caught() {
            tracing::warn!(
                place,
                "the audit's database failed within; what follows from it is told by the audit"
            );
            return;
        }
        tracing::error!(place, "a fault of tokenward itself, please report it");
    }));
    Ok(crate::serve::run(config)?)
}

/// Sends the process's log to standard error. A second call changes nothing.
pub(crate) fn log_as(log: &Log) {
    let filter = tracing_subscriber::EnvFilter::try_new(filter(&log.level)).unwrap_or_default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(super::output::colours())
        .with_writer(std::io::stderr);
    // Fails only if a log is there already, which then serves.
    let _ = match log.format {
        LogFormat::Text => builder.try_init(),
        // Fields stand at the top, as in the text form, where searches expect them.
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
}

/// A bare level is meant for Tokenward: the libraries below it then tell their warnings alone.
fn filter(level: &str) -> String {
    match level {
        "info" | "debug" | "trace" => format!("warn,tokenward={level}"),
        filter => filter.to_owned(),
    }
}
