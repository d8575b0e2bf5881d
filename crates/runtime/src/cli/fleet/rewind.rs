//! `tokenward fleet rewind`.

use rustix::process::geteuid;
use tokenward_audit::{Store, in_use};
use tokenward_fleet::name::Name;

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::settings::ConfigArg;
use crate::fleet::{Files, FleetError, event, last_mark, now_ms, rewound};
use crate::serve::owner_of;

/// Longest reason, in bytes.
const LONGEST_REASON: usize = 1_000;

/// Lower the mark of this proxy, so that it takes lower versions again
///
/// A proxy never takes a version below one that it had. If it took a wrong one, or its mark file is lost, this command
/// sets the mark to N, and the proxy takes versions above N. The audit records the change and the reason. Stop the
/// proxy first. To go back in the whole fleet, publish the old policy under a higher version instead.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward fleet rewind 41 --why 'version 9000 was published by mistake'
  tokenward fleet rewind 0 --why 'the proxy moves to another fleet'")]
pub(super) struct Args {
    /// Version of the new mark; 0 forgets all versions
    #[arg(value_name = "N")]
    version: u64,
    /// Reason for the change, which the audit records
    #[arg(long, value_name = "TEXT")]
    why: String,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.required()?;
    let Some(settings) = &config.fleet else {
        return Err(Failure::Usage("the configuration has no [fleet]".to_owned()));
    };
    let fleet: Name = settings.name.parse().map_err(Failure::trouble)?;
    let reason = args.why.trim();
    if reason.is_empty() || reason.len() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(Failure::Usage(format!(
            "--why needs a text of 1 to {LONGEST_REASON} bytes in one line"
        )));
    }
    let path = &config.audit.path;
    if !path.is_dir() {
        return Err(Failure::Trouble(format!(
            "no audit at `{}`; a proxy that never ran has no mark",
            path.display()
        )));
    }
    if in_use(path) {
        return Err(Failure::Usage(
            "the proxy is running; stop it first, so that nobody else changes its mark".to_owned(),
        ));
    }
    if let Some(owner) = owner_of(path).filter(|owner| *owner != 0 && geteuid().is_root()) {
        return Err(Failure::Usage(format!(
            "the audit store belongs to uid {owner}; run `sudo -u '#{owner}' tokenward fleet rewind ...`"
        )));
    }
    let files = Files::beside(path);
    let store = Store::open(config.audit.clone()).map_err(Failure::trouble)?;
    let chain = last_mark(&store).map_err(Failure::trouble)?.map(|(mark, _)| mark);
    // A damaged file does not keep the mark from being set again.
    let file = match files.mark() {
        Ok(mark) => mark,
        Err(FleetError::Mark { .. }) => None,
        Err(error) => return Err(Failure::trouble(error)),
    };
    let highest = [&chain, &file]
        .into_iter()
        .flatten()
        .map(|mark| mark.version)
        .max();
    let Some(highest) = highest.filter(|highest| args.version <= *highest) else {
        return Err(Failure::Usage(match highest {
            None => "the proxy never took a version, so it has no mark".to_owned(),
            Some(highest) => format!("the mark is version {highest}; a rewind only lowers it"),
        }));
    };
    // The chain first: nobody sets a mark back without a trace.
    let mark = rewound(fleet, args.version);
    store
        .append_event(event(&mark, now_ms(), reason.to_owned()))
        .map_err(Failure::trouble)?;
    files.write_mark(&mark).map_err(Failure::trouble)?;
    store.close().map_err(Failure::trouble)?;
    output::print(&format!(
        "the mark was version {highest} and is now {}; the next start takes versions above it\n",
        args.version
    ))
}
