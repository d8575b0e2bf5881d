//! Matching a filter with stored forms: a decision, or a block that may have one.

use crate::format::block::{Header, token_mask};
use crate::format::decode::RecordView;
use crate::index::counts::GroupKey;
use crate::model::filter::Filter;

impl Filter {
    /// Whether the decision matches.
    pub(crate) fn wants(&self, r: &RecordView<'_>) -> bool {
        fn is<T: PartialEq + ?Sized>(wanted: Option<&T>, given: Option<&T>) -> bool {
            wanted.is_none_or(|w| given == Some(w))
        }
        self.is_when(r.time_ms)
            && self.request_id.is_none_or(|id| r.request_id == id)
            && self.wants_group(&GroupKey::from(r))
            && is(self.user.as_deref(), r.user)
            && is(self.on_behalf_of.as_deref(), r.on_behalf_of)
            && self.client.is_none_or(|a| r.client == a)
            && is(self.method.as_deref(), Some(r.method))
            && self.url.as_ref().is_none_or(|pattern| pattern.is_in(r.url))
    }

    /// Whether the content of a block may have a match. Most blocks can be skipped without reading their entries.
    pub(crate) fn may_be_among(&self, content: &[u8]) -> bool {
        self.url.as_ref().is_none_or(|pattern| pattern.may_be_in(content))
    }

    /// Whether a block may have a match, by its header.
    pub(crate) fn may_be_in(&self, header: &Header) -> bool {
        let mask = self.token.as_deref().map_or(0, token_mask);
        header.tokens & mask == mask && self.may_be_when(header.earliest_ms, header.latest_ms)
    }
}
