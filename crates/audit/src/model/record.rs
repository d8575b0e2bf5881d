//! The record of one call: its decision and its outcome.

use std::net::IpAddr;

use crate::model::evidence::{Lacking, LineRef, LineText, NodeValue, Tried};

/// Most bytes of one record's texts.
pub(crate) const TEXT_LIMIT: usize = 32 << 10;

/// The decision on one call. It is written durably before the call goes upstream.
///
/// The store keeps texts as given: the caller must mask secrets first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When the decision was made, milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// Our id of the call; the outcome carries the same.
    pub request_id: [u8; 16],
    /// The id that the client sent, if any; never used in place of `request_id`.
    pub client_request_id: Option<String>,
    /// Name of the token; absent if no token was recognised.
    pub token: Option<String>,
    /// User whom the call is made as.
    pub user: Option<String>,
    /// User for whom the caller acts (`contextUser`), if the token allows it.
    pub on_behalf_of: Option<String>,
    /// Address of the client.
    pub client: IpAddr,
    /// Method, as sent.
    pub method: String,
    /// Canonical URL, credentials in it already masked.
    pub url: String,
    /// The policy line that decided, if one did.
    pub line: Option<LineRef>,
    /// The decision.
    pub verdict: Verdict,
    /// Stable code of the reason, such as `no-line`.
    pub reason: String,
    /// Digest of the policy that decided, hex.
    pub policy: String,
    /// Announced length of the request body, bytes; absent if chunked.
    pub request_bytes: Option<u64>,
    /// Time that the decision took, nanoseconds.
    pub decision_ns: u64,
    /// Whether the token works for the caller. Otherwise a quota applies: that of recognised tokens if `token` is given,
    /// else that of unauthenticated callers.
    pub authenticated: bool,
    /// Values of the body that constraints looked at, as far as they are kept.
    pub nodes: Vec<NodeValue>,
    /// The lines with constraints that were tried, in the order of decision, up to the one that decided.
    pub tried: Vec<Tried>,
    /// What a denied call lacks, if a line came near.
    pub lacking: Option<Lacking>,
    /// Why the body of a denied call could not be read, if a line looks into it.
    pub unread: Option<String>,
}

/// A [`Record`] whose texts are borrowed: see there for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Record`")]
pub struct RecordRef<'r> {
    pub time_ms: i64,
    pub request_id: [u8; 16],
    pub client_request_id: Option<&'r str>,
    pub token: Option<&'r str>,
    pub user: Option<&'r str>,
    pub on_behalf_of: Option<&'r str>,
    pub client: IpAddr,
    pub method: &'r str,
    pub url: &'r str,
    pub line: Option<LineText<'r>>,
    pub verdict: Verdict,
    pub reason: &'r str,
    pub policy: &'r str,
    pub request_bytes: Option<u64>,
    pub decision_ns: u64,
    pub authenticated: bool,
    pub nodes: &'r [NodeValue],
    pub tried: &'r [Tried],
    pub lacking: Option<&'r Lacking>,
    pub unread: Option<&'r str>,
}

impl<'r> From<&'r Record> for RecordRef<'r> {
    fn from(r: &'r Record) -> Self {
        Self {
            time_ms: r.time_ms,
            request_id: r.request_id,
            client_request_id: r.client_request_id.as_deref(),
            token: r.token.as_deref(),
            user: r.user.as_deref(),
            on_behalf_of: r.on_behalf_of.as_deref(),
            client: r.client,
            method: &r.method,
            url: &r.url,
            line: r.line.as_ref().map(LineText::from),
            verdict: r.verdict,
            reason: &r.reason,
            policy: &r.policy,
            request_bytes: r.request_bytes,
            decision_ns: r.decision_ns,
            authenticated: r.authenticated,
            nodes: &r.nodes,
            tried: &r.tried,
            lacking: r.lacking.as_ref(),
            unread: r.unread.as_deref(),
        }
    }
}

/// The decision on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The call may go upstream.
    Allow,
    /// The policy denies it.
    Deny,
    /// The call was refused before the policy was evaluated: ambiguous request, no valid token, wrong address.
    Refuse,
}

/// How one call ended. Written after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The id of the call's record.
    pub request_id: [u8; 16],
    /// Status that the client got; absent if it was gone before one was sent.
    pub status: Option<u16>,
    /// Status that the upstream gave, if it gave one.
    pub upstream_status: Option<u16>,
    /// Request body sent upstream, bytes.
    pub sent_bytes: u64,
    /// Response body received, bytes.
    pub received_bytes: u64,
    /// Whole duration, microseconds.
    pub total_us: u64,
    /// Part of the duration spent waiting for the upstream, microseconds.
    pub upstream_us: Option<u64>,
    /// Why it ended.
    pub end: End,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The whole answer was sent.
    Complete,
    /// The client went away first.
    ClientGone,
    /// The upstream could not be reached, or broke off.
    UpstreamFailed,
    /// A time limit passed.
    Timeout,
    /// An error of our own.
    Internal,
    /// The token, or another basis of the call, was revoked.
    Revoked,
}

impl Verdict {
    /// Stable lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Refuse => "refuse",
        }
    }
}

impl End {
    /// All ends.
    pub const ALL: [Self; 6] = [
        Self::Complete,
        Self::ClientGone,
        Self::UpstreamFailed,
        Self::Timeout,
        Self::Internal,
        Self::Revoked,
    ];

    /// Stable lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientGone => "client-gone",
            Self::UpstreamFailed => "upstream-failed",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Revoked => "revoked",
        }
    }
}
