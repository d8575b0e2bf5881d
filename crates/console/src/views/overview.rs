//! The first page: how calls go, and what needs a person.

use super::parts::{Diagnostic, Line, Listed, Place, State, Tally, Verdict};

/// The first page.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The last reload, if it failed.
    pub failed_reload: Option<FailedReload>,
    /// The period of the numbers.
    pub range: Range,
    /// Calls within the period.
    pub calls: Tally,
    /// Time within which 99 of 100 calls ended, in microseconds, if it is known.
    pub p99_us: Option<u64>,
    /// Number of tokens of the policy.
    pub tokens: u64,
    /// Number of lines of the policy.
    pub lines: u64,
    /// Security mode: `standard` or `secure`.
    pub mode: String,
    /// Health of the upstream.
    pub upstream: State,
    /// Health of the audit.
    pub audit: State,
    /// Calls over the period; `None` if there was none.
    pub plot: Option<Plot>,
    /// Reasons for which calls did not pass, most frequent first.
    pub reasons: Listed<Reason>,
    /// Tokens with the most calls.
    pub busiest: Listed<Busy>,
    /// Tokens that end within 30 days, soonest first.
    pub ending: Listed<Ending>,
    /// Tokens that were never used.
    pub unused_tokens: Listed<UnusedToken>,
    /// Lines that no call used.
    pub unused_lines: Listed<UnusedLine>,
    /// Addresses that used a token for the first time within the period; `None` if that is not known.
    pub new_addresses: Option<Listed<NewAddress>>,
    /// Begin of the audit.
    pub audit_since_ms: Option<i64>,
}

/// A period of the overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last 30 days.
    Month,
}

impl Range {
    /// All periods.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// Value of the parameter `range`, which is also the value of `since` in searches.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Month => "30d",
        }
    }

    /// Name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "1 h",
            Self::Day => "24 h",
            Self::Month => "30 d",
        }
    }

    /// The period with this parameter.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == word)
    }

    /// Length in milliseconds.
    #[must_use]
    pub fn length_ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
            Self::Month => 30 * 86_400_000,
        }
    }
}

/// A reload that failed: the policy before it is still live.
#[derive(Clone, Debug, Default)]
pub struct FailedReload {
    /// When it failed.
    pub at_ms: i64,
    /// Number of errors.
    pub errors: u64,
    /// Number of warnings.
    pub warnings: u64,
    /// The first errors.
    pub diagnostics: Vec<Diagnostic>,
    /// A reason that is not an error of the policy's text, such as an unreadable file.
    pub reason: Option<String>,
}

/// Calls over time.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// Begin of the first step.
    pub begin_ms: i64,
    /// Length of a step, in milliseconds.
    pub step_ms: i64,
    /// Calls of each step, without gaps.
    pub steps: Vec<Tally>,
    /// Times of events, such as failed reloads.
    pub failed_reloads_ms: Vec<i64>,
}

/// Calls that did not pass for one reason.
#[derive(Clone, Debug)]
pub struct Reason {
    /// Code of the reason, as in the audit.
    pub code: String,
    /// The code in words: "no line permits the call".
    pub words: String,
    /// Deny or refuse.
    pub verdict: Verdict,
    /// Number of calls.
    pub calls: u64,
}

/// A token with many calls.
#[derive(Clone, Debug)]
pub struct Busy {
    /// Name of the token.
    pub token: String,
    /// Owner; may be empty.
    pub owner: String,
    /// Calls within the period.
    pub calls: Tally,
    /// Last call.
    pub last_ms: i64,
}

/// A token that ends soon.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Name of the token.
    pub token: String,
    /// Owner; may be empty.
    pub owner: String,
    /// Time of the end.
    pub ends_ms: i64,
    /// All its calls in the audit.
    pub calls: u64,
}

/// A token that was never used.
#[derive(Clone, Debug)]
pub struct UnusedToken {
    /// Name of the token.
    pub token: String,
    /// Owner; may be empty.
    pub owner: String,
    /// Where it is defined.
    pub place: Option<Place>,
}

/// A line that no call used.
#[derive(Clone, Debug)]
pub struct UnusedLine {
    /// Where the line is.
    pub place: Place,
    /// The line.
    pub line: Line,
    /// The token that has the line.
    pub token: String,
    /// Whether no call used the token either.
    pub token_is_unused: bool,
}

/// An address that used a token for the first time.
#[derive(Clone, Debug)]
pub struct NewAddress {
    /// The address.
    pub address: String,
    /// The token.
    pub token: String,
    /// Calls.
    pub calls: Tally,
    /// First call.
    pub first_ms: i64,
}

impl Ending {
    /// Whether the token ends within two days.
    #[must_use]
    pub fn is_soon(&self, now_ms: &i64) -> bool {
        self.ends_ms.saturating_sub(*now_ms) < 2 * 86_400_000
    }
}
