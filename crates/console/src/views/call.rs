//! One recorded call with its whole story.

use super::audit::{CallRow, Timing};
use super::parts::{JudgedLine, Place, Verdict};

/// One recorded call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Number of the record.
    pub sequence: u64,
    /// When.
    pub at_ms: i64,
    /// Decision.
    pub verdict: Verdict,
    /// Code of the reason, as in the audit.
    pub reason: String,
    /// The reason in one sentence.
    pub why: String,
    /// Method.
    pub method: String,
    /// URL, as recorded.
    pub url: String,
    /// Token, if one was recognised.
    pub token: Option<String>,
    /// User, if known.
    pub user: Option<String>,
    /// User acted for.
    pub on_behalf_of: Option<String>,
    /// Address.
    pub client: String,
    /// Status that the client got, if known.
    pub status: Option<u16>,
    /// The line that decided, or that came nearest.
    pub line: Option<Place>,
    /// Digest of the policy that decided.
    pub policy: String,
    /// Whether that policy is the live one.
    pub policy_is_live: bool,
    /// Comparison with each line, in the order of decision.
    pub lines: Vec<JudgedLine>,
    /// Source of the comparison: what was recorded, and what was judged again.
    pub lines_note: String,
    /// The request as the proxy read it: name and value.
    pub request: Vec<(String, String)>,
    /// How it ended: name and value.
    pub outcome: Vec<(String, String)>,
    /// Where the time went, if the call ended.
    pub timing: Option<Timing>,
    /// Whether the response went to the client in full, in words.
    pub end: String,
    /// Id of the request.
    pub request_id: String,
    /// The story of the call, one sentence a step, as `tokenward audit show` tells it.
    pub story: Vec<String>,
    /// Calls just before and after, of the same token and address.
    pub around: Vec<CallRow>,
}
