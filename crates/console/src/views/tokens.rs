//! The list of tokens.

use super::audit::Search;
use super::parts::{State, Tally};

/// The list of tokens.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Text of the filter: a part of name, owner, user or purpose.
    pub query: String,
    /// Selected state; empty for all.
    pub state: String,
    /// States to select: value and name, without "all".
    pub states: Vec<(String, String)>,
    /// The order.
    pub sort: Sort,
    /// Tokens on this page.
    pub rows: Vec<TokenRow>,
    /// Number of tokens that match.
    pub matching: u64,
    /// Number of tokens in the policy.
    pub total: u64,
    /// Number of the page, from 1, and how many there are.
    pub page: (u64, u64),
    /// Period of the numbers of calls, such as `30 d`.
    pub period: String,
    /// Value of `since` in links to searches, such as `30d`.
    pub since: String,
    /// The reason why numbers of calls are not known, if they are not.
    pub usage_unknown: Option<String>,
    /// Whether "new token" is possible; `None` if it is, otherwise the reason why not.
    pub no_new_token: Option<String>,
}

/// Order of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name.
    #[default]
    Name,
    /// Most calls first.
    Calls,
    /// Most denied calls first.
    Denied,
    /// Last used first.
    LastUse,
    /// Soonest end first.
    Ends,
    /// By owner.
    Owner,
}

impl Sort {
    /// All orders.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::Calls,
        Self::Denied,
        Self::LastUse,
        Self::Ends,
        Self::Owner,
    ];

    /// Value of the parameter `sort`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Calls => "calls",
            Self::Denied => "denied",
            Self::LastUse => "last-use",
            Self::Ends => "ends",
            Self::Owner => "owner",
        }
    }

    /// Name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Calls => "most calls",
            Self::Denied => "most denied",
            Self::LastUse => "last use",
            Self::Ends => "soonest end",
            Self::Owner => "owner",
        }
    }

    /// The order with this parameter.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }
}

/// A token of the list.
#[derive(Clone, Debug, Default)]
pub struct TokenRow {
    /// Name.
    pub name: String,
    /// Purpose; may be empty.
    pub purpose: String,
    /// Owner; may be empty.
    pub owner: String,
    /// State: `active`, `expired`, `revoked`.
    pub state: State,
    /// Users in a few words: `svc-ci`, `any user`.
    pub users: String,
    /// Calls within the period, if known.
    pub calls: Option<Tally>,
    /// Last call, if there was one.
    pub last_ms: Option<i64>,
    /// Time of the end, if there is one.
    pub ends_ms: Option<i64>,
    /// Number of findings.
    pub findings: u64,
}

impl Tokens {
    /// A search within the period of the page.
    #[must_use]
    pub fn search(&self) -> Search {
        Search::since(&self.since)
    }
}
