//! The limits of HTTP/1 connections.

use std::time::Duration;

use tokenward_pdp::wire::parse::HeadLimits;

use crate::serve::reader_pace::ReaderLimits;

/// The limits of HTTP/1 connections.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Http1Settings {
    /// Maximum size of a head.
    pub(in crate::serve) head: HeadLimits,
    /// Time from the connection's opening to the first head's first byte, and from any head's first byte to its last.
    pub(in crate::serve) head_timeout: Duration,
    /// Time from the end of a request to the next one's first byte.
    pub(in crate::serve) idle_timeout: Duration,
    /// The slowest pace at which the client may read a response.
    pub(in crate::serve) reading: ReaderLimits,
}
