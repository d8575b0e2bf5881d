//! `tokenward serve`: the proxy.

use std::sync::Arc;

use actix_web::web::ServiceConfig;
use tokenward_compiler::visible;
use tokenward_pdp::config::{Log, LogFormat};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{FormatFields, debug_fn};

use super::descriptions::Names;
use super::failure::Failure;
use super::settings::ConfigArg;
use crate::console;

/// Run the proxy
///
/// Forwards the calls that the policy allows, until it receives SIGTERM or SIGINT (Ctrl-C). Changed policy files take effect
/// within a second. SIGHUP reloads the policy and the certificate. A changed configuration needs a restart.
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
                "panic in the audit database, caught; the audit reports the consequences"
            );
            return;
        }
        tracing::error!(place, "internal error of tokenward; report it to its developers");
    }));
    Ok(crate::serve::run(config, routes)?)
}

/// Registers the routes of the console.
pub(super) fn routes(config: &mut ServiceConfig) {
    console::routes(config, |config| {
        let names = Names::quietly(config)?;
        Some(Arc::new(names))
    });
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
        LogFormat::Text => builder.fmt_fields(one_line()).try_init(),
        // Fields are at the top level, as in the text form, because queries expect them there.
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
}

/// Writes the fields of an event in one line: line ends and other control characters of a value are escaped.
fn one_line() -> impl for<'writer> FormatFields<'writer> + 'static {
    debug_fn(|out, field, value| {
        let text = visible(&format!("{value:?}"));
        match field.name() {
            "message" => write!(out, "{text}"),
            // Added by the bridge from the `log` crate.
            name if name.starts_with("log.") => Ok(()),
            name => write!(out, "{name}={text}"),
        }
    })
    .delimited(" ")
}

/// A level without a target applies to Tokenward; its libraries then log only warnings.
fn filter(level: &str) -> String {
    match level {
        "info" | "debug" | "trace" => format!("warn,tokenward={level}"),
        filter => filter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_its_values() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .fmt_fields(one_line())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let text = "a\nb\u{1b}[31m";
            tracing::warn!(%text, quoted = text, number = 1, "message\nof two {text}");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let fields = r#"message\nof two a\nb\u{1b}[31m text=a\nb\u{1b}[31m quoted="a\nb\u{1b}[31m" number=1"#;
        assert!(text.trim_end().ends_with(fields), "{text}");
    }
}
