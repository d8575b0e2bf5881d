//! What a policy is compiled for.

use crate::{
    BaseUrl,
    analysis::{Served, Universe},
    ceiling::Ceiling,
    seal::Mode,
};

/// What a policy is compiled for. An [`Assembler`](super::Assembler) must always be given the same, except for the time.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The public URL.
    pub base: &'a BaseUrl,
    /// Whether the upstream merges members of JSON bodies into the query's parameters.
    pub merges: bool,
    /// The mode, with the keys that it accepts.
    pub mode: &'a Mode,
    /// What every token may have at most.
    pub ceiling: &'a Ceiling,
    /// The requests that the proxy accepts.
    pub universe: Universe,
    /// The paths that it serves.
    pub served: &'a Served,
    /// The present time, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}
