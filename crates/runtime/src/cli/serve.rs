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
        // The panic's message may quote client data, for example a secret, so it is not logged.
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
        // Fields are at the top level, as in the text form, because queries expect them there.
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
}

/// A level without a target applies to Tokenward; its libraries then log only warnings.
fn filter(level: &str) -> String {
    match level {
        "info" | "debug" | "trace" => format!("warn,tokenward={level}"),
        filter => filter.to_owned(),
    }
}
