//! What happens to a request header.

use super::Reason;

/// What becomes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// It goes upstream.
    Pass,
    /// It ends at this proxy (RFC 9110 section 7.6.1).
    HopByHop,
    /// The proxy writes its own or reads it for itself; the client's copy is dropped.
    Own,
    /// It would tell the upstream who calls, from where, or by which URL; dropped, as every client could write it.
    Claimed,
    /// Dropped unless cookies are switched on.
    Cookie,
    /// The request is refused.
    Refused(Reason),
}
