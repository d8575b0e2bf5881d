//! The page of one token, and the page that revokes it.

use super::parts::{Finding, Line, Listed, Place, Snippet, State, Tally, Verdict};

/// One token.
#[derive(Clone, Debug, Default)]
pub struct Token {
    /// Name.
    pub name: String,
    /// State: `active`, `expired`, `revoked`.
    pub state: State,
    /// Purpose; may be empty.
    pub purpose: String,
    /// Owner; may be empty.
    pub owner: String,
    /// Users in words: `svc-ci`, `any user`.
    pub users: String,
    /// Users for whom it may act, in words; empty for nobody.
    pub on_behalf_of: String,
    /// Addresses from which it works, in words; empty for all.
    pub allowed_from: String,
    /// Limits of its calls, in words; empty for none.
    pub limits: String,
    /// Whether it is unrestricted.
    pub is_unrestricted: bool,
    /// Last call, if there was one.
    pub last_ms: Option<i64>,
    /// Address of the last call.
    pub last_client: Option<String>,
    /// Calls within the period, if known.
    pub calls: Option<Tally>,
    /// Period of the numbers, such as `30 d`; value of `since` in searches is `30d`.
    pub period: String,
    /// Value of `since` in links.
    pub since: String,
    /// Time of the end, if there is one.
    pub ends_ms: Option<i64>,
    /// Where the token is defined.
    pub place: Option<Place>,
    /// When it was made, if that is known, and by whom or what commit.
    pub made: Option<(i64, String)>,
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// Lines in the order of the policy.
    pub lines: Vec<TokenLine>,
    /// What it reaches in a description of the API, in a sentence, if one is configured.
    pub reach: Option<String>,
    /// Operations that it reaches.
    pub operations: Listed<Operation>,
    /// Last denials, newest first, alike ones folded.
    pub denials: Listed<Denial>,
    /// Addresses that used it; `None` if that is not known.
    pub addresses: Option<Listed<Address>>,
    /// Calls to copy.
    pub snippets: Vec<Snippet>,
    /// Remark on the snippets, such as why the secret is not shown.
    pub snippet_note: String,
    /// Facts for the question whether to revoke.
    pub revocation: Revocation,
}

/// Whether and how a token can be revoked.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// The reason why it cannot be revoked here, if it cannot: it is revoked, or the role may not.
    pub impossible: Option<String>,
    /// What follows, one sentence each, with live facts.
    pub consequences: Vec<String>,
    /// The reason that was given, after a failed attempt.
    pub reason: String,
    /// What is wrong with the reason.
    pub reason_error: Option<String>,
}

/// The page that revokes a token, without script.
#[derive(Clone, Debug, Default)]
pub struct Revoke {
    /// Name of the token.
    pub name: String,
    /// Whether and how.
    pub revocation: Revocation,
}

/// A line of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenLine {
    /// Where the line is.
    pub place: Place,
    /// The line.
    pub line: Line,
    /// Whether the line forbids.
    pub forbids: bool,
    /// The line in words; may be empty.
    pub words: String,
    /// What it reaches: "1 of 412 operations"; may be empty.
    pub reach: String,
    /// Calls that it decided within the period, if known.
    pub calls: Option<u64>,
    /// Whether a search by its place finds these calls and no others.
    pub is_searchable: bool,
    /// Last call that it decided.
    pub last_ms: Option<i64>,
}

/// An operation of the API that a token reaches.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Name: "Get issue worklog".
    pub name: String,
    /// Call: `GET /rest/api/2/issue/{key}/worklog`.
    pub call: String,
    /// How far: "all", "in part".
    pub extent: String,
}

/// A denied or refused call.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Number of the record.
    pub sequence: u64,
    /// When.
    pub at_ms: i64,
    /// Deny or refuse.
    pub verdict: Verdict,
    /// Code of the reason.
    pub reason: String,
    /// Method.
    pub method: String,
    /// Path, as recorded.
    pub path: String,
    /// Address.
    pub client: String,
    /// Number of further calls like it.
    pub alike: u64,
    /// The part that missed: "Method", "Path"; may be empty.
    pub part: String,
    /// The story in a sentence.
    pub story: String,
}

/// An address that used a token.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The address.
    pub address: String,
    /// Whether it is new.
    pub is_new: bool,
    /// Calls.
    pub calls: Tally,
    /// First call.
    pub first_ms: i64,
    /// Last call.
    pub last_ms: i64,
}
