//! The state of the admin listener.

use std::net::SocketAddr;
use std::sync::Arc;

use tokenward_audit::Store;
use tokenward_pdp::config::Config;

use super::admission::Admission;
use super::failed_logins::FailedLogins;
use super::health::Readiness;
use super::names::Names;
use super::sessions::Sessions;
use super::turns::Turns;
use crate::live::Policies;
use crate::metrics::Metrics;
use crate::pep::Gate;
use crate::proxy::Addresses;

/// Everything that the admin listener shows.
pub(crate) struct AdminState {
    pub(super) admission: Admission,
    pub(super) sessions: Sessions,
    pub(super) names: Names,
    pub(super) failed_logins: FailedLogins,
    pub(super) turns: Turns,
    /// The configuration that the proxy was started with.
    pub(crate) config: Config,
    pub(crate) policies: Arc<Policies>,
    pub(crate) audit: Store,
    pub(crate) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    pub(crate) upstream: Arc<Addresses>,
    /// The gate of the calls, to explain its decisions.
    pub(crate) gate: Arc<Gate>,
    /// Addresses of all listeners.
    listeners: Vec<SocketAddr>,
}

/// The parts of the proxy that the listener shows.
pub(crate) struct Shown {
    pub(crate) policies: Arc<Policies>,
    pub(crate) audit: Store,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) upstream: Arc<Addresses>,
    pub(crate) gate: Arc<Gate>,
}

impl AdminState {
    /// Makes the state of a listener at `address` that admits requests with this secret, and slows wrong ones.
    ///
    /// # Errors
    /// The system provides no random bytes.
    pub(crate) fn new(
        secret: &str,
        config: Config,
        address: SocketAddr,
        shown: Shown,
    ) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let Shown {
            policies,
            audit,
            readiness,
            metrics,
            upstream,
            gate,
        } = shown;
        Ok(Self {
            admission: Admission::new(secret, config.auth.throttling, Arc::clone(&metrics)),
            sessions: Sessions::new(address.port(), config.admin.tls.is_some(), &key),
            names: Names::new(address.ip(), config.admin.names.clone()),
            failed_logins: FailedLogins::default(),
            turns: Turns::default(),
            config,
            policies,
            audit,
            readiness,
            metrics,
            upstream,
            gate,
            listeners: Vec::new(),
        })
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
