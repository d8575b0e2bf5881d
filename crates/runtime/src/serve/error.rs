//! Reasons why the proxy does not start. Each message gives the fault and its remedy in one sentence.

use std::io;
use std::net::SocketAddr;

use tokenward_audit::{AppendError, OpenError};
use tokenward_pdp::request::RulesError;

use super::access::AccessError;
use crate::admin_secret::AdminSecretError;
use crate::fleet::FleetError;
use crate::hardening::HardeningError;
use crate::identity::IdentityError;
use crate::live::{PolicyError, RevocationError};
use crate::proxy::UpstreamError;
use crate::telemetry::TelemetryError;
use crate::tls::TlsError;
use crate::value_key::ValuesError;

/// Reason why the proxy does not start, or did not end successfully.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process listens on the address.
    #[error(
        "{address} is in use by another process; stop that process, or set [{section}] listen to another address"
    )]
    PortInUse {
        /// The section of the configuration that names the address.
        section: &'static str,
        /// Address of the listener.
        address: SocketAddr,
    },
    /// The proxy cannot listen on the address.
    #[error(
        "cannot listen on {address}: {source}; set [{section}] listen to an address of this machine that this user can listen on"
    )]
    Listen {
        /// The section of the configuration that names the address.
        section: &'static str,
        /// Address of the listener.
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The file of revocations cannot be read.
    #[error(transparent)]
    Revocations(#[from] RevocationError),
    /// The proxy cannot belong to its fleet.
    #[error("[fleet]: {0}")]
    Fleet(#[from] FleetError),
    /// The configuration of requests makes no rules.
    #[error("the configuration cannot be used: {0}")]
    Rules(#[from] RulesError),
    /// The client for the upstream cannot be set up.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// TLS for clients cannot be set up.
    #[error("TLS for clients ([server.tls]): {0}")]
    Tls(#[source] TlsError),
    /// TLS for operators cannot be set up.
    #[error("TLS for operators ([admin.tls]): {0}")]
    AdminTls(#[source] TlsError),
    /// The export of spans cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The identity at the upstream cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key of the audit's hashes cannot be used.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// The admin secret is not available.
    #[error(transparent)]
    AdminSecret(#[from] AdminSecretError),
    /// The process cannot use the files of the audit store.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are several errors.
    #[error("the proxy cannot start, for {} reasons\n{}", .0.len(), lines(.0))]
    Several(Vec<ServeError>),
    /// The audit store cannot be opened.
    #[error(transparent)]
    Audit(#[from] OpenError),
    /// The audit store did not write all entries at the end.
    #[error("the last audit entries may not be on disk: {0}")]
    AuditClose(#[from] AppendError),
    /// The process is not restricted as the configuration demands.
    #[error(transparent)]
    Hardening(#[from] HardeningError),
    /// The system gives no threads, or no signals.
    #[error("cannot start the proxy, a request to the operating system failed: {0}")]
    System(#[from] io::Error),
    /// The server stopped because of an internal error.
    #[error("the server stopped unexpectedly; see its log; it can be started again safely")]
    Stopped,
}

fn lines(errors: &[ServeError]) -> String {
    let lines: Vec<String> = errors.iter().map(|error| format!("- {error}")).collect();
    lines.join("\n")
}
