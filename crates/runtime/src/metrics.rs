//! Counters and timers of the proxy since its start.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokenward_audit::{End, Verdict};
use tokenward_pdp::wire::Violation;

/// Maximum number of tokens that are counted by name; later ones are counted together. Tokens come and go with the
/// policy, but counters stay.
const TOKENS: usize = 1000;
/// Name under which later tokens are counted.
const OTHERS: &str = "(others)";

/// Upper bounds of the buckets for decisions: 1 µs to 65 ms.
const DECISION: [f64; 9] = [
    0.000_001, 0.000_004, 0.000_016, 0.000_064, 0.000_256, 0.001, 0.004, 0.016, 0.065,
];
/// Upper bounds of the buckets for the time until a record is on disk: 100 µs to 5 s.
const AUDIT: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0,
];
/// Upper bounds of the buckets for the upstream's response: 1 ms to a minute.
const UPSTREAM: [f64; 14] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    verdict: &'static str,
    reason: &'static str,
    token: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    end: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Because {
    reason: &'static str,
}

/// The counters. Every label has a bounded set of values.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    tokens: RwLock<BTreeSet<Arc<str>>>,
    /// The label of calls without a token.
    no_token: Arc<str>,
    decisions: Family<Decided, Counter>,
    ended: Family<Ended, Counter>,
    violations: Family<Because, Counter>,
    in_flight: Gauge,
    connections: Gauge,
    bodies: Gauge,
    answers: Gauge,
    accepted: Counter,
    panics: Counter,
    slowed: Counter,
    gave_way: Counter,
    slow_readers: Counter,
    wrong_admin_secrets: Counter,
    upstream_shown: Counter,
    deciding: Histogram,
    recording: Histogram,
    upstream: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tokenward"),
            tokens: RwLock::default(),
            no_token: Arc::from(""),
            decisions: Family::default(),
            ended: Family::default(),
            violations: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            bodies: Gauge::default(),
            answers: Gauge::default(),
            accepted: Counter::default(),
            panics: Counter::default(),
            slowed: Counter::default(),
            gave_way: Counter::default(),
            slow_readers: Counter::default(),
            wrong_admin_secrets: Counter::default(),
            upstream_shown: Counter::default(),
            deciding: Histogram::new(DECISION),
            recording: Histogram::new(AUDIT),
            upstream: Histogram::new(UPSTREAM),
        };
        // Create all series before their first event, because an alert on a rate would miss the first one.
        for violation in Violation::ALL {
            let reason = violation.code();
            let _ = metrics.violations.get_or_create(&Because { reason });
        }
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        // Counters and gauges. The names are documented, so they do not change.
        let all = &mut self.registry;
        all.register(
            "decisions",
            "Calls by verdict, reason, and token (empty if none was recognised)",
            self.decisions.clone(),
        );
        all.register("calls_ended", "Calls by how they ended", self.ended.clone());
        all.register(
            "bad_framing",
            "Messages that are not valid requests, by reason",
            self.violations.clone(),
        );
        all.register("calls_in_flight", "Calls in progress", self.in_flight.clone());
        all.register(
            "connections",
            "Open connections of clients",
            self.connections.clone(),
        );
        all.register(
            "bodies_held_bytes",
            "Request bodies in memory, of limits.inspected_total",
            self.bodies.clone(),
        );
        all.register(
            "answers_held_bytes",
            "HTTP/2 responses in memory that their clients have not taken yet",
            self.answers.clone(),
        );
        all.register(
            "connections_accepted",
            "Connections that clients opened",
            self.accepted.clone(),
        );
        all.register(
            "panics",
            "Requests that caused an internal error",
            self.panics.clone(),
        );
        all.register(
            "failed_credentials_slowed",
            "Failed credentials with a delayed response or 429, because their address had too many",
            self.slowed.clone(),
        );
        all.register(
            "connections_gave_way",
            "Idle connections that the proxy closed to make room for new ones",
            self.gave_way.clone(),
        );
        all.register(
            "slow_readers",
            "Responses that the proxy aborted because the client read them too slowly",
            self.slow_readers.clone(),
        );
        all.register(
            "wrong_admin_secrets",
            "Requests to the admin listener with a wrong secret",
            self.wrong_admin_secrets.clone(),
        );
        all.register(
            "upstream_address_shown",
            "Responses with the upstream's own address in their body or in a header",
            self.upstream_shown.clone(),
        );
        // Histograms, in seconds.
        for (name, help, histogram) in [
            (
                "decision",
                "Time to evaluate the policy for a call",
                &self.deciding,
            ),
            (
                "audit_wait",
                "Time that a call waited for its record",
                &self.recording,
            ),
            (
                "upstream",
                "Time until the head of the upstream's response",
                &self.upstream,
            ),
        ] {
            all.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
    }

    /// Counts a decision, and its time.
    pub(crate) fn decided(
        &self,
        verdict: Verdict,
        reason: &'static str,
        token: Option<&str>,
        took: Duration,
    ) {
        let label = Decided {
            verdict: verdict.as_str(),
            reason,
            token: token.map_or_else(|| Arc::clone(&self.no_token), |token| self.counted_as(token)),
        };
        self.decisions.get_or_create(&label).inc();
        self.deciding.observe(took.as_secs_f64());
    }

    fn counted_as(&self, token: &str) -> Arc<str> {
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(token) {
            return Arc::clone(known);
        }
        drop(known);
        let mut known = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < TOKENS {
            let token = Arc::<str>::from(token);
            known.insert(Arc::clone(&token));
            token
        } else {
            Arc::from(OTHERS)
        }
    }

    /// Adds the time that a call waited for its record.
    pub(crate) fn recorded(&self, took: Duration) {
        self.recording.observe(took.as_secs_f64());
    }

    /// Adds the time until the head of the upstream's response.
    pub(crate) fn answered(&self, took: Duration) {
        self.upstream.observe(took.as_secs_f64());
    }

    /// Counts a call that ended.
    pub(crate) fn ended(&self, end: End) {
        self.ended.get_or_create(&Ended { end: end.as_str() }).inc();
    }

    /// Counts bytes that are not a request.
    pub(crate) fn violated(&self, violation: Violation) {
        let reason = violation.code();
        self.violations.get_or_create(&Because { reason }).inc();
    }

    /// Sets the number of bytes of request bodies that are kept in memory.
    pub(crate) fn bodies_held(&self, bytes: usize) {
        self.bodies.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Adds bytes of responses that are kept in memory, or removes them.
    pub(crate) fn hold_answers(&self, change: i64) {
        self.answers.inc_by(change);
    }

    /// Gives the number of bytes of responses that are kept in memory.
    pub(crate) fn answers_held(&self) -> u64 {
        u64::try_from(self.answers.get()).unwrap_or_default()
    }

    /// Counts calls in progress: 1 for a begin, -1 for an end.
    pub(crate) fn in_flight(&self, change: i64) {
        self.in_flight.inc_by(change);
    }

    /// Whether no call is in progress.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.get() <= 0
    }

    /// Counts a request that panicked and got a response.
    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a delayed response to failed credentials.
    pub(crate) fn slowed(&self) {
        self.slowed.inc();
    }

    /// Counts an idle connection that was closed to make room for another one.
    pub(crate) fn gave_way(&self) {
        self.gave_way.inc();
    }

    /// Counts an answer that its client read too slowly.
    pub(crate) fn slow_reader(&self) {
        self.slow_readers.inc();
    }

    /// Counts a request to the admin listener with a wrong secret.
    pub(crate) fn wrong_admin_secret(&self) {
        self.wrong_admin_secrets.inc();
    }

    /// Counts a response that shows the upstream's own address.
    pub(crate) fn shown_upstream(&self) {
        self.upstream_shown.inc();
    }

    /// Counts a connection of a client, which is open until the value is dropped.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.accepted.inc();
        self.connections.inc();
        Connected(Arc::clone(self))
    }

    /// Formats the text form (OpenMetrics 1.0), together with another registry.
    pub(crate) fn render(&self, more: &Registry) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, more);
        let _ = encode_eof(&mut text);
        text
    }
}

/// An open connection of a client.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Metrics>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = metrics.render(&Registry::default());
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }

    #[test]
    fn the_text_has_every_count() {
        let metrics = Arc::new(Metrics::default());
        for _ in 0..2 {
            metrics.decided(Verdict::Deny, "no-line", Some("t"), Duration::from_micros(3));
        }
        metrics.decided(Verdict::Refuse, "unknown-token", None, Duration::ZERO);
        metrics.violated(Violation::BareLf);
        metrics.in_flight(1);
        metrics.recorded(Duration::from_millis(2));
        let open = metrics.connected();
        drop(metrics.connected());
        for line in [
            "tokenward_decisions_total{verdict=\"deny\",reason=\"no-line\",token=\"t\"} 2",
            "tokenward_decisions_total{verdict=\"refuse\",reason=\"unknown-token\",token=\"\"} 1",
            "tokenward_bad_framing_total{reason=\"bare-lf\"} 1",
            "tokenward_bad_framing_total{reason=\"chunk-size\"} 0",
            "tokenward_calls_in_flight 1",
            "tokenward_connections 1",
            "tokenward_connections_accepted_total 2",
            "tokenward_decision_seconds_bucket{le=\"0.000004\"} 3",
            "tokenward_decision_seconds_count 3",
            "tokenward_audit_wait_seconds_bucket{le=\"0.001\"} 0",
            "tokenward_audit_wait_seconds_bucket{le=\"0.0025\"} 1",
            "# EOF",
        ] {
            has(&metrics, line);
        }
        drop(open);
        has(&metrics, "tokenward_connections 0");
    }

    #[test]
    fn names_of_tokens_do_not_pile_up() {
        let metrics = Metrics::default();
        for n in 0..TOKENS + 500 {
            metrics.decided(Verdict::Allow, "allowed", Some(&format!("t{n}")), Duration::ZERO);
        }
        metrics.decided(Verdict::Allow, "allowed", Some("t0"), Duration::ZERO);
        has(
            &metrics,
            "tokenward_decisions_total{verdict=\"allow\",reason=\"allowed\",token=\"(others)\"} 500",
        );
        has(
            &metrics,
            "tokenward_decisions_total{verdict=\"allow\",reason=\"allowed\",token=\"t0\"} 2",
        );
        let text = metrics.render(&Registry::default());
        assert_eq!(text.matches("\ntokenward_decisions_total{").count(), TOKENS + 1);
    }
}
