//! `tokenward publish`: compiles the policy, and publishes it to a fleet with a signed manifest.

mod changes;
mod lock;
mod nats;
mod version;

use tokenward_fleet::revocation::Revocations;

use super::failure::Failure;
use super::output;
pub(super) use version::Args;
use version::{Target, publish};

/// The `--to` that stands for the servers of the configuration.
const NATS: &str = "nats";

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.to.to_string_lossy().contains("://") {
        return Err(Failure::Usage(format!(
            "--to is `{}`, but it must be a directory or `nats`; publish to a directory, and copy its files to the server",
            args.to.display()
        )));
    }
    let config = args.config.or_default()?;
    let text = if args.to.as_os_str() == NATS {
        nats::publish(args, &config)?
    } else {
        let target = Target {
            directory: &args.to,
            shown: &args.to.display().to_string(),
            revocations: Revocations::first(),
        };
        publish(args, &config, &target)?
    };
    output::print(&text)
}
