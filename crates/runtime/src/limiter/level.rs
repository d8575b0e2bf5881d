//! The state of a rate, for responses.

use std::time::Duration;

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
