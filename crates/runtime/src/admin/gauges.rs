//! The current state as metrics: policy, revocations, audit, upstream.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokenward_audit::StoreStats;

use crate::fleet::FleetStatus;
use crate::fleet::engine::EngineStatus;
use crate::live::Policies;
use crate::proxy::Addresses;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    address: String,
}

/// Gives the current figures.
pub(super) fn state(
    policies: &Policies,
    audit: &StoreStats,
    upstream: &Addresses,
    fleet: Option<&FleetStatus>,
) -> Registry {
    let mut registry = Registry::with_prefix("tokenward");
    let all = &mut registry;
    // The policy.
    let live = policies.current();
    let digest = vec![("digest", live.program().digest().to_owned())];
    all.register("policy", "The active policy", Info::new(digest));
    gauge(
        all,
        "policy_tokens",
        "Tokens of the active policy",
        count(live.program().tokens().count()),
    );
    // Its loads: a broken policy stays visible until one succeeds.
    let reloads = policies.status();
    counter(
        all,
        "policy_loads",
        "Successful loads of the policy",
        reloads.succeeded,
    );
    counter(
        all,
        "policy_loads_failed",
        "Failed loads of the policy",
        reloads.failed,
    );
    gauge(
        all,
        "policy_broken",
        "1 while the policy's files do not compile",
        u64::from(reloads.failure.is_some()),
    );
    gauge(
        all,
        "policy_tokens_refused",
        "Tokens whose calls are refused because one of their lines has an error",
        count(live.refused().len()),
    );
    gauge(
        all,
        "policy_dead_forbid_lines",
        "Forbid lines without effect under this configuration",
        count(reloads.dead.len()),
    );
    // Revocations: unsaved ones would be lost by a restart, so they are shown.
    let revocations = policies.revocations();
    gauge(
        all,
        "revoked_secrets",
        "Secrets that were ever revoked",
        count(revocations.count()),
    );
    gauge(
        all,
        "revocations_unsaved",
        "Active revocations that could not be written",
        count(revocations.unsaved()),
    );
    gauge(
        all,
        "suspended_tokens",
        "Tokens that an invalid policy file seems to revoke",
        count(policies.suspended().len()),
    );
    of_audit(all, audit);
    of_upstream(all, upstream);
    if let Some(fleet) = fleet {
        of_fleet(all, fleet);
    }
    registry
}

fn of_fleet(all: &mut Registry, fleet: &FleetStatus) {
    gauge(
        all,
        "fleet_version",
        "Version of the fleet's manifest in force",
        fleet.version,
    );
    gauge(
        all,
        "fleet_expires_timestamp_seconds",
        "Time at which the manifest in force expires, seconds since 1970 UTC",
        fleet.expires_s,
    );
    gauge(
        all,
        "fleet_expired",
        "1 while the manifest in force has expired",
        u64::from(fleet.expired),
    );
    gauge(
        all,
        "fleet_not_taken",
        "1 while the source has a manifest that is not in force, or cannot be read",
        u64::from(fleet.not_taken.is_some()),
    );
    counter(all, "fleet_refused", "Manifests that were refused", fleet.refused);
    if let Some(engine) = &fleet.engine {
        of_engine(all, engine);
    }
}

fn of_engine(all: &mut Registry, engine: &EngineStatus) {
    gauge(
        all,
        "fleet_following",
        "1 while the proxy follows the fleet's stream",
        u64::from(engine.following),
    );
    gauge(
        all,
        "fleet_stale",
        "1 while no proof is young enough that all revocations are known",
        u64::from(engine.stale),
    );
    gauge(
        all,
        "fleet_revocations",
        "Revocations of the fleet that are in force",
        u64::try_from(engine.revocations).unwrap_or(u64::MAX),
    );
    counter(all, "fleet_proofs", "Proofs of freshness", engine.proofs);
    counter(
        all,
        "fleet_ignored",
        "Entries of the fleet's stream that counted for nothing",
        engine.ignored,
    );
    let age: Gauge<f64, AtomicU64> = Gauge::default();
    // Without a proof, the age is that of the longest that could count.
    age.set(engine.proof_age_s.unwrap_or(f64::INFINITY));
    all.register(
        "fleet_proof_age_seconds",
        "Age of the last proof of freshness",
        age,
    );
}

fn of_upstream(all: &mut Registry, upstream: &Addresses) {
    let up: Family<Place, Gauge> = Family::default();
    let failures: Family<Place, Counter> = Family::default();
    let now = Instant::now();
    for address in upstream.all() {
        let place = Place {
            address: address.authority().to_owned(),
        };
        up.get_or_create(&place).set(i64::from(address.is_open(now)));
        failures.get_or_create(&place).inc_by(address.failures());
    }
    all.register(
        "upstream_up",
        "1 while calls go to this address; 0 while it is skipped, because it accepts no connections or is unhealthy",
        up,
    );
    all.register(
        "upstream_connect_failures",
        "Connections to this address that failed",
        failures,
    );
}

fn of_audit(all: &mut Registry, audit: &StoreStats) {
    gauge(
        all,
        "audit_queue_bytes",
        "Bytes waiting to be written to the disk",
        audit.queue_bytes,
    );
    gauge(
        all,
        "audit_failing",
        "1 while the audit cannot be written",
        u64::from(audit.failing.is_some()),
    );
    for (name, help, value) in [
        ("audit_appended", "Records taken", audit.appended),
        ("audit_durable", "Entries on disk", audit.durable),
        ("audit_failures", "Failed commits", audit.failures),
        ("audit_lost_outcomes", "Outcomes not kept", audit.lost_outcomes),
        (
            "audit_lost_records",
            "Buffered records not kept",
            audit.lost_records,
        ),
        ("audit_unrecorded", "Calls forwarded unrecorded", audit.unrecorded),
        (
            "audit_outsiders",
            "Refusals counted, not recorded",
            audit.counted_outsiders,
        ),
        (
            "audit_refused_tokens",
            "Refusals of known tokens counted, not recorded",
            audit.counted_refused_tokens,
        ),
        (
            "audit_over_limit",
            "Refusals by a limit counted, not recorded",
            audit.counted_over_limit,
        ),
    ] {
        counter(all, name, help, value);
    }
}

fn counter(all: &mut Registry, name: &str, help: &str, value: u64) {
    let counter: Counter = Counter::default();
    counter.inc_by(value);
    all.register(name, help, counter);
}

fn gauge(all: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    all.register(name, help, gauge);
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
