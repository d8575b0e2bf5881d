//! Dispositions of request headers.

use super::Reason;

/// Decides whether a request header is forwarded, is dropped, or causes a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// The header is forwarded to the upstream.
    Pass,
    /// The header ends at this proxy (RFC 9110 section 7.6.1).
    HopByHop,
    /// The proxy writes its own value, or reads the header for itself; the client's header is dropped.
    Own,
    /// The header would tell the upstream the caller, the caller's address or the URL. It is dropped, since any client
    /// could write it.
    Claimed,
    /// The header is dropped unless cookies are enabled.
    Cookie,
    /// The request is refused.
    Refused(Reason),
}
