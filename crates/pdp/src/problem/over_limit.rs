//! Calls over a limit, for responses and the audit.

use std::time::Duration;

/// Reason why a call is over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// The limit that the call is over.
    pub limit: Exceeded,
    /// Whether the limit is that of all tokens together.
    pub together: bool,
    /// Time after which a call may succeed.
    pub retry_after: Duration,
    /// The token's rate, if it has one.
    pub level: Option<Level>,
}

/// The limit that a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The rate, or its burst.
    Rate,
    /// The number of calls in progress.
    Concurrent,
}

/// How much of a rate is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The calls that are allowed at once, …
    pub burst: u32,
    /// … the time in which all of them come back, …
    pub window: Duration,
    /// … how many of them are left, …
    pub left: u32,
    /// … and the time until the next one comes back.
    pub next: Duration,
}
