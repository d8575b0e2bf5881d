//! Questions to the store.

use crate::model::entry::Sequence;
use crate::model::record::{End, Outcome, Verdict};
use crate::model::url_pattern::UrlPattern;

/// Selects calls. A field that is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Before, milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
    /// Our id of the call.
    pub request_id: Option<[u8; 16]>,
    /// Name of the token, whole.
    pub token: Option<String>,
    /// User, whole.
    pub user: Option<String>,
    /// User acted for, whole.
    pub on_behalf_of: Option<String>,
    /// Address of the client.
    pub client: Option<std::net::IpAddr>,
    /// Method, whole, as sent.
    pub method: Option<String>,
    /// Pattern with a match in the URL.
    pub url: Option<UrlPattern>,
    /// Verdict.
    pub verdict: Option<Verdict>,
    /// Code of the reason, whole.
    pub reason: Option<String>,
    /// File of the line that decided, whole, and its number if that is set.
    pub line: Option<(String, Option<u32>)>,
    /// Status that the client got.
    pub status: Option<u16>,
    /// First digit of the status that the client got.
    pub status_class: Option<u16>,
    /// Why the call ended.
    pub end: Option<End>,
    /// Whether the outcome must be known, or must not.
    pub ended: Option<bool>,
}

/// Selects a part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only entries after this one.
    pub after: Option<Sequence>,
    /// Only entries before this one.
    pub before: Option<Sequence>,
    /// At most so many entries. Default: 100.
    pub limit: usize,
    /// Whether the newest entries come first. Default: newest first.
    pub newest_first: bool,
}

impl Page {
    /// Whether this sequence number is between the edges of the page.
    pub(crate) fn has(&self, sequence: Sequence) -> bool {
        self.after.is_none_or(|after| sequence > after) && self.before.is_none_or(|before| sequence < before)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            before: None,
            limit: 100,
            newest_first: true,
        }
    }
}

impl Filter {
    /// Whether the outcome is needed to match a call.
    pub(crate) fn needs_outcome(&self) -> bool {
        self.status.is_some() || self.status_class.is_some() || self.end.is_some() || self.ended.is_some()
    }

    /// Whether the filter restricts only times and the common properties of a group.
    pub(crate) fn is_of_groups(&self) -> bool {
        let groups_alone = Self {
            since_ms: self.since_ms,
            until_ms: self.until_ms,
            token: self.token.clone(),
            verdict: self.verdict,
            reason: self.reason.clone(),
            line: self.line.clone(),
            ..Self::default()
        };
        *self == groups_alone
    }

    /// Whether a call at this time may match.
    pub(crate) fn is_when(&self, ms: i64) -> bool {
        self.since_ms.is_none_or(|t| ms >= t) && self.until_ms.is_none_or(|t| ms < t)
    }

    /// Whether a call between `first_ms` and `last_ms` may match.
    pub(crate) fn may_be_when(&self, first_ms: i64, last_ms: i64) -> bool {
        self.since_ms.is_none_or(|t| last_ms >= t) && self.until_ms.is_none_or(|t| first_ms < t)
    }

    /// Whether the outcome matches, if the decision does.
    pub(crate) fn wants_outcome(&self, outcome: Option<&Outcome>) -> bool {
        self.status
            .is_none_or(|s| outcome.and_then(|o| o.status) == Some(s))
            && self
                .status_class
                .is_none_or(|class| outcome.and_then(|o| o.status).map(|status| status / 100) == Some(class))
            && self.end.is_none_or(|end| outcome.map(|o| o.end) == Some(end))
            && self.ended.is_none_or(|e| outcome.is_some() == e)
    }
}
