//! The search in the audit.

use super::parts::Verdict;

/// The search in the audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The form, as it was filled in.
    pub search: Search,
    /// What is wrong with a field: its name in [`Search`] (such as `since`) and the problem.
    pub errors: Vec<(String, String)>,
    /// Reason codes to select.
    pub reasons: Vec<String>,
    /// Calls, in the order of the search.
    pub calls: Vec<CallRow>,
    /// Number of the record after which the next page begins, if there is one.
    pub next_before: Option<u64>,
    /// Whether this is the first page, with the newest calls.
    pub is_first: bool,
    /// Number of all calls of the audit, and its begin.
    pub recorded: Option<(u64, i64)>,
    /// The reason why nothing matched, if nothing did.
    pub nothing: Option<Nothing>,
    /// The same search in a terminal.
    pub command: String,
    /// A problem of the whole search: the audit cannot be read.
    pub failure: Option<String>,
    /// Remark on the result, such as "searched 2,000,000 records within 5 s; older ones were not searched".
    pub remark: Option<String>,
    /// Result of a verification, if one was asked for.
    pub verified: Option<Verified>,
}

/// The fields of a search, named like the options of `tokenward audit list`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Begin: `30d`, `24h`, or a time.
    pub since: String,
    /// End.
    pub until: String,
    /// Name of the token.
    pub token: String,
    /// User.
    pub user: String,
    /// User acted for.
    pub on_behalf_of: String,
    /// Address of the client.
    pub client: String,
    /// Method.
    pub method: String,
    /// Regular expression for the URL.
    pub url: String,
    /// `allow`, `deny` or `refuse`.
    pub decision: String,
    /// Code of the reason.
    pub reason: String,
    /// Line: `ci.toml:15`, or a file.
    pub line: String,
    /// Status: `403` or `4xx`.
    pub status: String,
    /// How the call ended.
    pub end: String,
    /// Id of the request.
    pub request_id: String,
}

/// A call of a list.
#[derive(Clone, Debug)]
pub struct CallRow {
    /// Number of the record.
    pub sequence: u64,
    /// When.
    pub at_ms: i64,
    /// Decision.
    pub verdict: Verdict,
    /// Code of the reason.
    pub reason: String,
    /// Status that the client got, if known.
    pub status: Option<u16>,
    /// Method.
    pub method: String,
    /// URL or path, as recorded.
    pub path: String,
    /// Token, if one was recognised.
    pub token: Option<String>,
    /// User, if known.
    pub user: Option<String>,
    /// Address.
    pub client: String,
    /// Line that decided.
    pub line: Option<String>,
    /// Where the time went, if the call ended.
    pub timing: Option<Timing>,
}

/// Where the time of a call went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Whole time.
    pub total_us: u64,
    /// Time of the decision.
    pub decide_us: u64,
    /// Time of the upstream; `None` if it was not asked.
    pub upstream_us: Option<u64>,
}

/// Why nothing matches, and what would.
#[derive(Clone, Debug, Default)]
pub struct Nothing {
    /// Title: "No call matches, and none can".
    pub title: String,
    /// The reason.
    pub why: String,
    /// Searches with a field left out: its name for people, the search, and how many calls it has, if known.
    pub nearby: Vec<Nearby>,
    /// A command that would make a first call, if there are none at all.
    pub first_call: Option<String>,
}

/// A search with a field left out.
#[derive(Clone, Debug, Default)]
pub struct Nearby {
    /// Name: "without the status".
    pub name: String,
    /// The search.
    pub search: Search,
    /// How many calls it has, if known.
    pub calls: Option<u64>,
}

/// Result of a verification of the audit.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Whether everything holds.
    pub holds: bool,
    /// The result in a sentence.
    pub text: String,
    /// Details, one sentence each.
    pub details: Vec<String>,
}

impl Timing {
    /// Times of the decision, of the upstream, and of all else: together the whole.
    #[must_use]
    pub fn parts(&self) -> (u64, u64, u64) {
        let decide = self.decide_us.min(self.total_us);
        let upstream = self.upstream_us.unwrap_or(0).min(self.total_us - decide);
        (decide, upstream, self.total_us - decide - upstream)
    }
}
