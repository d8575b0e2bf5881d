//! Revoking on all proxies of a fleet.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokenward_fleet::name::Name;
use tokenward_fleet::revocation::Revocation;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::Config;
use tokenward_pdp::secret::SecretHash;

use crate::authoring::keys::FleetKey;
use crate::cli::failure::Failure;
use crate::fleet::engine::{Outcome, Pending, revoke};

/// Reads the longest wait: `10s`, or `500ms`.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 10s or 500ms");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1_000),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_millis(u64::from(number) * unit))
}

/// Signs revocations, and stores them on the servers of the fleet. `None`: the configuration has no servers.
pub(super) fn everywhere(
    config: &Config,
    name: &str,
    hashes: &[SecretHash],
    patience: Duration,
) -> Option<Result<Outcome, Failure>> {
    let fleet = config.fleet.as_ref()?;
    let engine = fleet.engine.as_ref()?;
    let act = || {
        let Some(file) = &engine.revoking_key else {
            return Err(Failure::Usage(
                "the configuration has no `revoking_key` in [fleet] that could sign the revocation"
                    .to_owned(),
            ));
        };
        if hashes.is_empty() {
            return Err(Failure::Usage(format!(
                "the hash of `{name}` is not known; revoke where the policy files have it"
            )));
        }
        let key = FleetKey::read(file).map_err(|error| Failure::Usage(error.to_string()))?;
        if !engine.revoking_keys.contains(&key.public()) {
            return Err(Failure::Usage(format!(
                "`revoking_keys` in [fleet] does not list the public key of `{}`, so the revocation would count for nothing; add \"{}\"",
                file.display(),
                key.public()
            )));
        }
        let fleet_name: Name = fleet
            .name
            .parse()
            .map_err(|error| Failure::Usage(format!("{error}")))?;
        let by: Name = engine
            .node
            .as_deref()
            .unwrap_or("command")
            .parse()
            .map_err(|error| Failure::Usage(format!("{error}")))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let keys = [VerifyingKey(key.public().to_bytes())];
        let pending = Pending::beside(&config.audit.path);
        let mut entries = Vec::new();
        for hash in hashes {
            let entry = Revocation {
                fleet: fleet_name.clone(),
                hash: *hash,
                revoked: now.as_secs(),
                by: by.clone(),
            };
            let bytes = key.sign_revocation(&entry);
            // Kept before it is sent: whatever happens now, it is repeated.
            pending.keep(hash, &bytes).map_err(Failure::trouble)?;
            entries.push((*hash, bytes));
        }
        // Those that an earlier command could not send.
        for bytes in pending.all() {
            if let Ok(entry) = Revocation::read(&bytes, &fleet_name, &keys)
                && !hashes.contains(&entry.hash)
            {
                entries.push((entry.hash, bytes));
            }
        }
        let stored = |hash: &SecretHash| pending.done(hash);
        revoke(fleet, engine, &entries, patience, &stored).map_err(|error| {
            Failure::Trouble(format!(
                "{error}; the revocation is kept, and sent by the running proxy or by the next `tokenward token revoke`"
            ))
        })
    };
    Some(act())
}

/// Describes on how many proxies a revocation is in force.
pub(super) fn shown(outcome: &Outcome) -> String {
    let (applied, missing) = (outcome.applied.len(), outcome.missing.len());
    let all = applied + missing;
    if all == 0 {
        return "Stored for the fleet; none of its proxies has been seen within a day.".to_owned();
    }
    if missing == 0 {
        return match all {
            1 => "In force on the one proxy of the fleet.".to_owned(),
            _ => format!("In force on all {all} proxies of the fleet."),
        };
    }
    let names: Vec<String> = outcome
        .missing
        .iter()
        .map(|(node, age)| format!("{node} (last seen {age} s ago)"))
        .collect();
    format!(
        "In force on {applied} of {all} proxies of the fleet. Stored, but not confirmed by: {}. A proxy that does not learn of it refuses all calls after [fleet] max_staleness.",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_are_named() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let mut outcome = Outcome {
            applied: vec![name("a"), name("b")],
            missing: Vec::new(),
        };
        assert_eq!(shown(&outcome), "In force on all 2 proxies of the fleet.");
        outcome.missing.push((name("c"), 7));
        let text = shown(&outcome);
        assert!(text.starts_with("In force on 2 of 3 proxies of the fleet. Stored, but not confirmed by: c (last seen 7 s ago)."), "{text}");
        assert!(shown(&Outcome::default()).contains("none of its proxies"));
    }

    #[test]
    fn waits_are_read() {
        assert_eq!(wait("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(wait("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "10", "s", "-1s", "1m"] {
            assert!(wait(wrong).is_err(), "{wrong}");
        }
    }
}
