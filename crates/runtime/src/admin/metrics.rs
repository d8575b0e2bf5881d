//! Counters, and their text form for Prometheus (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokenward_audit::{End, StoreStats, Verdict};

use crate::live::ReloadStatus;
use crate::serve::wire::Violation;

/// What the proxy counts since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    decided: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    ended: Mutex<BTreeMap<&'static str, u64>>,
    violations: Mutex<BTreeMap<&'static str, u64>>,
    in_flight: AtomicI64,
    panics: AtomicU64,
}

type Counts<K> = Mutex<BTreeMap<K, u64>>;

fn count<K: Ord>(counts: &Counts<K>, key: K) {
    *counts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(key)
        .or_insert(0) += 1;
}

fn counted<K: Ord + Clone>(counts: &Counts<K>) -> BTreeMap<K, u64> {
    counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Metrics {
    /// A call was decided.
    pub(crate) fn decided(&self, verdict: Verdict, reason: &'static str) {
        count(&self.decided, (verdict.as_str(), reason));
    }

    /// A call ended.
    pub(crate) fn ended(&self, end: End) {
        count(&self.ended, end.as_str());
    }

    /// Bytes came that are no request.
    pub(crate) fn violated(&self, violation: Violation) {
        count(&self.violations, violation.code());
    }

    /// A call began (1) or ended (-1).
    pub(crate) fn in_flight(&self, change: i64) {
        self.in_flight.fetch_add(change, Ordering::Relaxed);
    }

    /// A request panicked, and was answered.
    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// The text form, with the policy's and the audit's figures.
    pub(crate) fn render(&self, policy: &str, reloads: &ReloadStatus, audit: &StoreStats) -> String {
        let mut text = Text::default();
        text.family(
            "tokenward_decisions_total",
            "counter",
            "Calls by verdict and reason.",
        );
        for ((verdict, reason), value) in counted(&self.decided) {
            text.sample(
                "tokenward_decisions_total",
                &[("verdict", verdict), ("reason", reason)],
                value,
            );
        }
        text.family(
            "tokenward_calls_ended_total",
            "counter",
            "Calls by how they ended.",
        );
        for (end, value) in counted(&self.ended) {
            text.sample("tokenward_calls_ended_total", &[("end", end)], value);
        }
        let violations = counted(&self.violations);
        text.family(
            "tokenward_bad_framing_total",
            "counter",
            "Bytes that are no HTTP/1 request, by reason.",
        );
        for violation in Violation::ALL {
            let value = violations.get(violation.code()).copied().unwrap_or_default();
            text.sample(
                "tokenward_bad_framing_total",
                &[("reason", violation.code())],
                value,
            );
        }
        let in_flight = u64::try_from(self.in_flight.load(Ordering::Relaxed)).unwrap_or_default();
        text.single(
            "tokenward_calls_in_flight",
            "gauge",
            "Calls under way.",
            in_flight,
        );
        let panics = self.panics.load(Ordering::Relaxed);
        text.single(
            "tokenward_panics_total",
            "counter",
            "Requests that met a fault of the proxy.",
            panics,
        );

        text.family("tokenward_policy_info", "gauge", "The policy in force.");
        text.sample("tokenward_policy_info", &[("digest", policy)], 1);
        text.family(
            "tokenward_policy_loads_total",
            "counter",
            "Loads of the policy by result.",
        );
        text.sample(
            "tokenward_policy_loads_total",
            &[("result", "succeeded")],
            reloads.succeeded,
        );
        text.sample(
            "tokenward_policy_loads_total",
            &[("result", "failed")],
            reloads.failed,
        );
        let broken = u64::from(reloads.failure.is_some());
        text.single(
            "tokenward_policy_broken",
            "gauge",
            "1 while the policy's files do not compile.",
            broken,
        );

        text.single(
            "tokenward_audit_appended_total",
            "counter",
            "Records taken.",
            audit.appended,
        );
        text.single(
            "tokenward_audit_durable_total",
            "counter",
            "Entries on disk.",
            audit.durable,
        );
        text.single(
            "tokenward_audit_queue_bytes",
            "gauge",
            "Bytes that wait for the disk.",
            audit.queue_bytes,
        );
        text.single(
            "tokenward_audit_failures_total",
            "counter",
            "Failed commits.",
            audit.failures,
        );
        let failing = u64::from(audit.failing.is_some());
        text.single(
            "tokenward_audit_failing",
            "gauge",
            "1 while the audit cannot be written.",
            failing,
        );
        text.single(
            "tokenward_audit_lost_outcomes_total",
            "counter",
            "Outcomes not kept.",
            audit.lost_outcomes,
        );
        text.single(
            "tokenward_audit_lost_records_total",
            "counter",
            "Buffered records not kept.",
            audit.lost_records,
        );
        text.single(
            "tokenward_audit_unrecorded_total",
            "counter",
            "Calls let pass unrecorded.",
            audit.unrecorded,
        );
        let outsiders = audit.counted_outsiders;
        text.single(
            "tokenward_audit_outsiders_total",
            "counter",
            "Refusals counted, not recorded.",
            outsiders,
        );
        text.0
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    // Writing to a string cannot fail.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Labels' values are codes, digests and the like: nothing in them needs escaping.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_count() {
        let metrics = Metrics::default();
        metrics.decided(Verdict::Deny, "no-line");
        metrics.decided(Verdict::Deny, "no-line");
        metrics.violated(Violation::BareLf);
        metrics.in_flight(1);
        let text = metrics.render("abc", &ReloadStatus::default(), &StoreStats::default());
        for line in [
            "tokenward_decisions_total{verdict=\"deny\",reason=\"no-line\"} 2",
            "tokenward_bad_framing_total{reason=\"bare-lf\"} 1",
            "tokenward_bad_framing_total{reason=\"chunk-size\"} 0",
            "tokenward_calls_in_flight 1",
            "tokenward_policy_info{digest=\"abc\"} 1",
            "tokenward_policy_broken 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
