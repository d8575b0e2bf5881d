//! The state of the admin listener.

use std::net::SocketAddr;
use std::sync::Arc;

use tokenward_audit::Store;
use tokenward_pdp::config::Throttling;

use super::admission::Admission;
use super::health::Readiness;
use crate::live::Policies;
use crate::metrics::Metrics;
use crate::pep::Gate;
use crate::proxy::Addresses;

/// Everything that the admin listener shows.
pub(crate) struct AdminState {
    pub(super) admission: Admission,
    pub(super) policies: Arc<Policies>,
    pub(super) audit: Store,
    pub(super) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    pub(super) upstream: Arc<Addresses>,
    /// The gate of the calls, to explain its decisions.
    pub(super) gate: Arc<Gate>,
    /// Addresses of all listeners.
    listeners: Vec<SocketAddr>,
}

impl AdminState {
    /// Makes the state of a listener that admits requests with this secret, and slows wrong ones.
    pub(crate) fn new(
        (secret, throttling): (&str, Throttling),
        policies: Arc<Policies>,
        audit: Store,
        readiness: Readiness,
        metrics: Arc<Metrics>,
        upstream: Arc<Addresses>,
        gate: Arc<Gate>,
    ) -> Self {
        Self {
            admission: Admission::new(secret, throttling, Arc::clone(&metrics)),
            policies,
            audit,
            readiness,
            metrics,
            upstream,
            gate,
            listeners: Vec::new(),
        }
    }

    /// Adds the addresses of the listeners.
    pub(crate) fn with_listeners(self, listeners: Vec<SocketAddr>) -> Self {
        Self { listeners, ..self }
    }

    /// The addresses of the listeners, as text.
    pub(super) fn listeners(&self) -> Vec<String> {
        self.listeners.iter().map(ToString::to_string).collect()
    }
}
