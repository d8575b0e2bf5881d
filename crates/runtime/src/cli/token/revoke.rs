//! `tokenward token revoke`.

mod fleet;

use std::time::Duration;

use serde_json::json;
use tokenward_fleet::name::Name;
use tokenward_pdp::config::Config;
use tokenward_pdp::secret::{SecretHash, shown_hash};

use super::change::hash_of;
use super::{Failure, output, print_json};
use crate::authoring::edit::{Change, Edit};
use crate::cli::operator::{self, RevocationStatus};
use crate::cli::settings::ConfigArg;
use crate::live::{Revocations, beside};
use fleet::{everywhere, shown, wait};

/// Revoke a token immediately and permanently
///
/// The running proxy refuses the token and ends its calls in progress. The command also writes `revoked = true` to
/// the policy file. A revoked secret can never be used again. Until the file and git contain the revocation,
/// `tokenward token list` shows the difference.
///
/// In a fleet with `servers`, the command signs the revocation with [fleet] revoking_key, stores it on the servers, and waits until
/// all proxies have applied it. The exit code is 1 if one has not. If the servers are down, the revocation is kept, and sent
/// by the running proxy or by the next `token revoke`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token revoke ci-comments")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// In a fleet: longest wait for the other proxies
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = wait)]
    fleet_wait: Duration,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let name = &args.name;
    // Read the file's hashes first, and inform the proxy before the file is written: only the proxy ends calls.
    let (hashes, edit) = match Edit::of_token(&config.policies, name) {
        Ok(edit) => {
            let prepared = edit.unchanged();
            let section = prepared.section(name)?;
            let keys = ["secret_hash", "previous_secret_hash"];
            let hashes = keys.iter().filter_map(|key| hash_of(&section, key)).collect();
            (hashes, Ok(prepared))
        }
        Err(error) => (Vec::new(), Err(error)),
    };
    let proxy = tell(&config, name, &hashes);
    // A fleet's other proxies learn of it by the fleet's stream.
    let fleet = everywhere(&config, name, &hashes, args.fleet_wait);
    let written = edit.map_err(Failure::from).and_then(|prepared| {
        let path = prepared.path().to_owned();
        // The policy is not checked here: a revocation takes effect even if the rest of the policy has errors.
        prepared.with(name, &[Change::Revoked])?.commit()?;
        Ok(path)
    });
    // Report both results.
    let in_proxy = match &proxy {
        Ok(RevocationStatus::Revoked) => "The running proxy refuses it from now on.",
        Ok(RevocationStatus::Kept) => "No proxy is running here; the next one to start refuses it.",
        Ok(RevocationStatus::Nobody) => {
            "No proxy is running here; one elsewhere refuses it within a second after it has received the file."
        }
        Err(_) => "",
    };
    if let Ok(path) = &written {
        if args.json {
            print_json(&json!({
                "token": name,
                "file": path.to_string_lossy(),
                "proxy": proxy.as_ref().ok().map(|told| told.name()),
                "fleet": fleet.as_ref().and_then(|fleet| fleet.as_ref().ok()).map(|fleet| json!({
                    "applied": fleet.applied.iter().map(Name::as_str).collect::<Vec<_>>(),
                    "missing": fleet.missing.iter().map(|(node, _)| node.as_str()).collect::<Vec<_>>(),
                })),
            }))?;
        } else {
            output::note(&format!(
                "Token `{name}` revoked in {}; commit this change. {in_proxy}",
                path.display()
            ));
        }
    }
    if let Some(Ok(outcome)) = &fleet
        && !args.json
    {
        output::note(&shown(outcome));
    }
    // A failure of either part is a failure, but the message names the part that succeeded.
    match (proxy, written) {
        (Ok(_), Ok(_)) => match fleet {
            None => Ok(()),
            Some(Ok(outcome)) if outcome.missing.is_empty() => Ok(()),
            Some(Ok(_)) => Err(Failure::Findings(String::new())),
            Some(Err(failure)) => Err(failure.after(&format!(
                "`{name}` is revoked here, but not on the other proxies of the fleet: "
            ))),
        },
        (Err(failure), Ok(_)) => Err(failure),
        (Ok(RevocationStatus::Revoked), Err(failure)) => Err(failure.after(&format!(
            "the running proxy refuses `{name}` from now on, but the file was not changed: "
        ))),
        (_, Err(failure)) => Err(failure),
    }
}

/// Makes the running proxy refuse the secrets, or the next one to start.
fn tell(config: &Config, name: &str, hashes: &[SecretHash]) -> Result<RevocationStatus, Failure> {
    let audit = &config.audit.path;
    if tokenward_audit::in_use(audit) {
        let orders = hashes.iter().map(|hash| json!({ "hash": shown_hash(hash) }));
        let mut orders: Vec<_> = orders.collect();
        if orders.is_empty() {
            orders.push(json!({ "token": name }));
        }
        for order in orders {
            operator::post(config, "/v1/revoke", &order)?;
        }
        return Ok(RevocationStatus::Revoked);
    }
    if !audit.exists() || hashes.is_empty() {
        return Ok(RevocationStatus::Nobody);
    }
    let book = Revocations::open(&beside(audit)).map_err(Failure::trouble)?;
    book.add(hashes.iter().copied()).map_err(|error| {
        Failure::Trouble(format!("cannot store the revocation next to the audit: {error}"))
    })?;
    Ok(RevocationStatus::Kept)
}
