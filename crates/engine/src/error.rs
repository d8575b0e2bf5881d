//! Reasons why the engine cannot be used.

use std::time::Duration;

/// Reason why the engine cannot be used, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The servers of the configuration cannot be used.
    #[error("{0}")]
    Settings(String),
    /// No server can be reached, or none admits this client.
    #[error("cannot connect to NATS at {servers}: {why}")]
    Connect {
        /// The servers of the configuration.
        servers: String,
        /// The reason.
        why: String,
    },
    /// The server is too old.
    #[error(
        "the NATS server has version {found}, and a fleet needs {} or later; install a newer one",
        super::connect::LEAST_SERVER
    )]
    OldServer {
        /// Version of the server.
        found: String,
    },
    /// Nothing came in time.
    #[error("NATS did not answer within {} ms while {doing}", .within.as_millis())]
    Silent {
        /// The operation.
        doing: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// A stream is missing.
    #[error("NATS has no stream `{0}`; create it with `tokenward fleet create`")]
    NoStream(String),
    /// Another writer was first.
    #[error("another writer changed `{0}` at the same time; look at the new state, and try again")]
    Conflict(String),
    /// The stream has no room.
    #[error("NATS refuses to store more in `{subject}`: {why}")]
    Refused {
        /// The subject.
        subject: String,
        /// The server's reason.
        why: String,
    },
    /// The server does not do what was asked.
    #[error("NATS failed while {doing}: {why}")]
    Failed {
        /// The operation.
        doing: &'static str,
        /// The reason.
        why: String,
    },
    /// What the engine holds is not what it should be.
    #[error("{0}")]
    Content(String),
}

impl EngineError {
    /// Makes the error of an operation.
    pub fn failed(doing: &'static str) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |why| Self::Failed {
            doing,
            why: why.to_string(),
        }
    }
}
