//! Reasons why a manifest is not taken, or a proxy cannot belong to its fleet.

use std::io;
use std::path::PathBuf;

use tokenward_audit::{AppendError, Exposed, QueryError};
use tokenward_fleet::accept::Refused;
use tokenward_fleet::mark::{Malformed, MarksError};
use tokenward_fleet::name::NotAName;

use crate::live::PolicyError;
use crate::tls::TlsError;

/// Reason why a manifest is not taken, or a proxy cannot belong to its fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A file cannot be read or written.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    File {
        /// The operation that failed.
        doing: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A server does not send a file.
    #[error("cannot read `{url}`: {why}")]
    Remote {
        /// URL of the file.
        url: String,
        /// The reason.
        why: String,
    },
    /// TLS to the server cannot be set up.
    #[error("TLS to the server of the fleet: {0}")]
    Tls(#[from] TlsError),
    /// The token for the server cannot be used.
    #[error("cannot use the token for the server of the fleet in `{}`: {why}", path.display())]
    Token {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The rules refuse the manifest.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The compiled policy is not the one that the manifest names.
    #[error("`{}` is not the compiled policy that the manifest names: {why}", path.display())]
    Artifact {
        /// Path of the file.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// This configuration does not admit the compiled policy.
    #[error("version {version} cannot be used here: {source}")]
    Policy {
        /// Version of the manifest.
        version: u64,
        /// The reason.
        source: Box<PolicyError>,
    },
    /// The mark file has other content.
    #[error("`{}` is not a fleet mark: {source}; if the file is lost, run `tokenward fleet rewind`", path.display())]
    Mark {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        source: Malformed,
    },
    /// Other users can change the mark file.
    #[error("cannot use the fleet mark `{}`: {exposed}", path.display())]
    Exposed {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// The marks contradict each other.
    #[error(transparent)]
    Marks(#[from] MarksError),
    /// Another process wrote the files during this start.
    #[error(
        "another process changed the fleet mark during this start; make sure that no other proxy has the same `[audit] path`"
    )]
    Shared,
    /// The mark cannot be written to the audit.
    #[error("the fleet mark is not in the audit: {0}")]
    Append(#[from] AppendError),
    /// The marks of the audit cannot be read.
    #[error("cannot read the fleet marks in the audit: {0}")]
    Query(#[from] QueryError),
    /// The engine cannot be used.
    #[error(transparent)]
    Engine(#[from] tokenward_engine::EngineError),
    /// The engine has published nothing that could be taken.
    #[error("NATS has no {0} of this fleet that the proxy has read")]
    NotHeld(&'static str),
    /// A name has another form.
    #[error("{0}")]
    Name(#[from] NotAName),
}

impl FleetError {
    /// Whether the manifest or its policy is refused; otherwise something failed that may work the next time.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Artifact { .. } | Self::Policy { .. }
        )
    }

    /// Makes the error of a file from that of the system.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}
