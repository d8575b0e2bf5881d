//! `tokenward fleet create`.

use tokenward_engine::streams::Kind;

use super::engine::{of_engine, with_engine};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::settings::ConfigArg;
use crate::fleet::engine::{block_on, connect};

/// Create the streams of the fleet on its NATS servers
///
/// A stream that exists is left as it is; `tokenward fleet check` compares it with what is needed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward fleet create                  on a cluster of three servers
  tokenward fleet create --replicas 1     on a single server")]
pub(super) struct Args {
    /// Servers that store each message; 3 survive the loss of one server
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.required()?;
    let (fleet, engine) = with_engine(&config)?;
    let created = block_on(async {
        let engine = connect(fleet, engine).await?;
        let mut created = Vec::new();
        for kind in Kind::ALL {
            let found = engine.look_at(kind).await?;
            if !found.exists {
                engine.create(kind, usize::from(args.replicas)).await?;
                created.push(found.stream);
            }
        }
        Ok(created)
    });
    let created = created.map_err(of_engine)?;
    let text = match created.as_slice() {
        [] => "All streams exist already; `tokenward fleet check` compares their settings\n".to_owned(),
        created => format!("Created: {}\n", created.join(", ")),
    };
    output::print(&text)
}
