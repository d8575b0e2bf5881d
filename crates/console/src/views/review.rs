//! The comparison of two policies.

use super::parts::{Diagnostic, Line, Place, Tone};

/// The page that compares two policies.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// The policy before: `live`, a revision, a directory or an artifact.
    pub before: String,
    /// The policy after.
    pub after: String,
    /// Choices for both fields: value and name.
    pub choices: Vec<(String, String)>,
    /// Problems of fields: name (`before`, `after`) and text.
    pub errors: Vec<(String, String)>,
    /// Errors of a policy that does not compile.
    pub diagnostics: Vec<Diagnostic>,
    /// The comparison, if one was made.
    pub compared: Option<Compared>,
    /// The invariants of the policy after, worst first; without a comparison those of the live policy.
    pub invariants: Vec<Invariant>,
    /// Explanation shown if there is nothing to compare, such as why revisions cannot be chosen.
    pub note: Option<String>,
}

/// The comparison.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// The result.
    pub result: Outcome,
    /// The result in a sentence: "1 token may make calls that the live policy denies".
    pub summary: String,
    /// Further sentences.
    pub details: String,
    /// Changed settings of the configuration.
    pub settings: Vec<KeyChange>,
    /// Tokens that differ, those that allow more first.
    pub tokens: Vec<TokenChange>,
    /// Number of tokens that allow exactly the same.
    pub unchanged: u64,
    /// The entries for `reviewed.toml`, if something is newly allowed.
    pub reviewed: Option<String>,
    /// The same comparison in a terminal.
    pub command: String,
}

/// Result of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Something is newly allowed.
    More,
    /// Nothing is newly allowed, something is newly denied.
    Less,
    /// No request tells the two apart.
    #[default]
    Same,
    /// Not settled within the budget; counts as more.
    Open,
}

impl Outcome {
    /// Words of the stamp.
    #[must_use]
    pub fn stamp(self) -> &'static str {
        match self {
            Self::More => "Allows more",
            Self::Less => "Allows less",
            Self::Same => "The same",
            Self::Open => "Not settled",
        }
    }

    /// Words of the mark.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::More => "allows more",
            Self::Less => "allows less",
            Self::Same => "allows the same",
            Self::Open => "not settled",
        }
    }

    /// Class of mark and band.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::More | Self::Open => "warn",
            Self::Less | Self::Same => "plain",
        }
    }

    /// Shape of mark and band.
    #[must_use]
    pub fn shape(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Same => "same",
            Self::Open => "warn",
        }
    }
}

/// A changed setting.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// Name of the key.
    pub key: String,
    /// Value before.
    pub before: String,
    /// Value after.
    pub after: String,
    /// What it means if it gives more; empty if it does not.
    pub wider: String,
}

/// A token that differs.
#[derive(Clone, Debug, Default)]
pub struct TokenChange {
    /// Name of the token.
    pub name: String,
    /// "new", "removed", or empty.
    pub standing: String,
    /// The result for this token.
    pub result: Outcome,
    /// Owner, users and use, in a few words.
    pub about: String,
    /// Changed keys.
    pub keys: Vec<KeyChange>,
    /// Operations newly reached.
    pub operations: Vec<String>,
    /// Example requests, newly allowed ones first.
    pub witnesses: Vec<Witness>,
    /// Questions that were not settled, one sentence each.
    pub open: Vec<String>,
}

/// An example request that only one of the policies allows.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    /// Whether it is newly allowed; otherwise it is newly denied.
    pub is_allowed: bool,
    /// Method.
    pub method: String,
    /// URL.
    pub url: String,
    /// Body; may be empty.
    pub body: String,
    /// Operation of the API, if it is known.
    pub operation: Option<String>,
    /// The line that allows it.
    pub allowed_by: Option<(Place, Line)>,
    /// The nearest line of the other policy.
    pub nearest: Option<(Place, Line)>,
    /// Remark.
    pub note: String,
    /// A curl command for it; may be empty.
    pub curl: String,
}

/// An invariant and its state.
#[derive(Clone, Debug, Default)]
pub struct Invariant {
    /// Name.
    pub name: String,
    /// What it says.
    pub says: String,
    /// Its reason, as its author wrote it; may be empty.
    pub why: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// State: good (proved), warn (not settled), bad (does not hold).
    pub tone: Tone,
    /// State in words: `proved`, `not settled`, `does not hold`.
    pub state: String,
    /// Details: how many tokens break it; may be empty.
    pub detail: String,
    /// Number of tokens that it selects, if known.
    pub tokens: Option<u64>,
    /// Requests that break it, one for each of the first tokens.
    pub breaches: Vec<Breach>,
    /// Tokens for which it was not settled, and why.
    pub open: Vec<(String, String)>,
}

/// A request by which a token breaks an invariant.
#[derive(Clone, Debug, Default)]
pub struct Breach {
    /// Name of the token.
    pub token: String,
    /// The request.
    pub request: Witness,
}

/// Longest request that a link has.
const LONGEST_LINK: usize = 4_000;

impl Witness {
    /// The request for a link to the page that tries it; `None` if it is too long for one.
    #[must_use]
    pub fn to_try(&self) -> Option<String> {
        Some(self.request_text()).filter(|text| text.len() <= LONGEST_LINK)
    }

    /// The request for the page that tries it.
    #[must_use]
    pub fn request_text(&self) -> String {
        if !self.curl.is_empty() {
            return self.curl.clone();
        }
        let head = format!("{} {}", self.method, self.url);
        match self.body.is_empty() {
            true => head,
            false => format!("{head}\n\n{}", self.body),
        }
    }
}
