//! Freshness: whether this proxy can prove that it knows all revocations, and what operators see of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use tokenward_fleet::freshness::{Freshness, Nonce, State};
use tokenward_fleet::name::Name;
use tokenward_pdp::config::{FleetEngine, OnStale};

use crate::fleet::clocks::clocks;

/// Freshness of this proxy, and the state of its connection.
pub(crate) struct Fresh {
    node: Name,
    most: Duration,
    on_stale: OnStale,
    freshness: ArcSwap<Freshness>,
    shown: Mutex<Shown>,
    proofs: AtomicU64,
}

#[derive(Default)]
struct Shown {
    trouble: Option<String>,
    ignored: u64,
    last_ignored: Option<String>,
}

/// The state of a proxy in the engine of its fleet.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EngineStatus {
    /// Name of the proxy.
    pub(crate) node: String,
    /// Whether it follows the stream.
    pub(crate) following: bool,
    /// Reason why it does not.
    pub(crate) trouble: Option<String>,
    /// Age of the last proof, seconds; `None` before the first.
    pub(crate) proof_age_s: Option<f64>,
    /// Largest age of a proof, seconds.
    pub(crate) max_staleness_s: f64,
    /// Whether the proof is too old, or missing.
    pub(crate) stale: bool,
    /// Proofs since the start.
    pub(crate) proofs: u64,
    /// Revocations that are known.
    pub(crate) revocations: usize,
    /// Entries of the stream that counted for nothing since the start.
    pub(crate) ignored: u64,
    /// The reason for the last of them.
    pub(crate) last_ignored: Option<String>,
}

impl Fresh {
    pub(crate) fn new(node: Name, settings: &FleetEngine) -> Self {
        let shown = Shown {
            trouble: Some("not connected yet".to_owned()),
            ..Shown::default()
        };
        Self {
            node,
            most: settings.max_staleness,
            on_stale: settings.on_stale,
            freshness: ArcSwap::from_pointee(Freshness::new(settings.max_staleness)),
            shown: Mutex::new(shown),
            proofs: AtomicU64::new(0),
        }
    }

    /// The name of this proxy in its fleet.
    pub(crate) fn node(&self) -> &Name {
        &self.node
    }

    /// Interval of proofs: six fit in the largest age, so that one or two may be lost.
    pub(super) fn interval(&self) -> Duration {
        (self.most / 6).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// Notes that a nonce is about to be sent.
    pub(super) fn sending(&self, nonce: Nonce) {
        let mut freshness = Freshness::clone(&self.freshness.load());
        freshness.sending(nonce, clocks());
        self.freshness.store(freshness.into());
    }

    /// Notes that a nonce was acknowledged, and that all before it is applied. Only one thread calls this.
    pub(super) fn proven(&self, nonce: &Nonce) {
        let mut freshness = Freshness::clone(&self.freshness.load());
        if freshness.proven(nonce) {
            self.freshness.store(freshness.into());
            self.proofs.fetch_add(1, Ordering::Relaxed);
            self.shown().trouble = None;
        }
    }

    /// Whether the last proof is too old, or missing.
    pub(crate) fn is_stale(&self) -> bool {
        !matches!(self.freshness.load().state(&clocks()), State::Fresh { .. })
    }

    /// Whether calls are refused because of it.
    pub(crate) fn refuses(&self) -> bool {
        self.on_stale == OnStale::Refuse && self.is_stale()
    }

    /// Notes why the stream is not followed. Returns whether that is news.
    pub(super) fn fail(&self, why: &str) -> bool {
        let mut shown = self.shown();
        let is_news = shown.trouble.as_deref() != Some(why);
        shown.trouble = Some(why.to_owned());
        is_news
    }

    /// Notes that an entry of the stream counts for nothing. Returns whether the reason is news.
    pub(super) fn ignore(&self, why: &str) -> bool {
        let mut shown = self.shown();
        shown.ignored += 1;
        let is_news = shown.last_ignored.as_deref() != Some(why);
        shown.last_ignored = Some(why.to_owned());
        is_news
    }

    /// Describes it to operators.
    pub(crate) fn status(&self, revocations: usize) -> EngineStatus {
        let state = self.freshness.load().state(&clocks());
        let age = match state {
            State::Unproven => None,
            State::Fresh { age } | State::Stale { age } => Some(age.as_secs_f64()),
        };
        let shown = self.shown();
        EngineStatus {
            node: self.node.to_string(),
            following: shown.trouble.is_none(),
            trouble: shown.trouble.clone(),
            proof_age_s: age,
            max_staleness_s: self.most.as_secs_f64(),
            stale: !matches!(state, State::Fresh { .. }),
            proofs: self.proofs.load(Ordering::Relaxed),
            revocations,
            ignored: shown.ignored,
            last_ignored: shown.last_ignored.clone(),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(most: Duration, on_stale: OnStale) -> Fresh {
        let settings = FleetEngine {
            servers: Vec::new(),
            node: None,
            client_certificate: None,
            revoking_keys: Vec::new(),
            revoking_key: None,
            max_staleness: most,
            on_stale,
        };
        Fresh::new("p-1".parse().unwrap(), &settings)
    }

    #[test]
    fn without_a_proof_nothing_is_served_and_a_strangers_nonce_is_none() {
        let day = Duration::from_secs(86_400);
        let fresh = fresh(day, OnStale::Refuse);
        assert!(fresh.refuses(), "before the first proof");
        fresh.proven(&[1; 16]);
        assert!(fresh.refuses(), "a nonce that was never sent");
        fresh.sending([2; 16]);
        assert!(fresh.refuses(), "sent only");
        fresh.proven(&[2; 16]);
        assert!(!fresh.refuses());
        let status = fresh.status(3);
        assert!(
            status.following && !status.stale && status.proofs == 1,
            "{status:?}"
        );
    }

    #[test]
    fn an_old_proof_refuses_calls_unless_the_setting_says_otherwise() {
        for (on_stale, refuses) in [(OnStale::Refuse, true), (OnStale::Serve, false)] {
            let fresh = fresh(Duration::ZERO, on_stale);
            fresh.sending([1; 16]);
            fresh.proven(&[1; 16]);
            while !fresh.is_stale() {
                std::thread::yield_now();
            }
            assert_eq!(fresh.refuses(), refuses);
        }
    }

    #[test]
    fn proofs_are_sent_six_times_within_the_largest_age() {
        let every = |most| fresh(most, OnStale::Refuse).interval();
        assert_eq!(every(Duration::from_secs(30)), Duration::from_secs(5));
        assert_eq!(every(Duration::from_secs(3)), Duration::from_millis(500));
        assert_eq!(every(Duration::from_secs(3600)), Duration::from_secs(5));
    }
}
