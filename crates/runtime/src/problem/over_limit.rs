//! Calls over a limit, for responses and the audit.

use std::time::Duration;

/// Reason why a call is over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverLimit {
    pub(crate) limit: Exceeded,
    /// Whether the limit is that of all tokens together.
    pub(crate) together: bool,
    /// Time after which a call may succeed.
    pub(crate) retry_after: Duration,
    /// The token's rate, if it has one.
    pub(crate) level: Option<Level>,
}

/// The limit that a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// The rate, or its burst.
    Rate,
    /// The number of calls in progress.
    Concurrent,
}

/// How much of a rate is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// The calls that are allowed at once, …
    pub(crate) burst: u32,
    /// … the time in which all of them come back, …
    pub(crate) window: Duration,
    /// … how many of them are left, …
    pub(crate) left: u32,
    /// … and the time until the next one comes back.
    pub(crate) next: Duration,
}
