//! The tables of a program, which its tokens and its layout refer to by number.

use std::sync::Arc;

use super::{
    id::{MatcherId, RuleId, UrlId},
    lines::Lines,
    matcher::{Matcher, UrlMatcher, ValueMatcher},
    questions::Questions,
    rule::Rule,
};

/// The lines, rules and matchers of a program. Equal ones are in it once.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(crate) lines: Arc<Lines>,
    pub(crate) rules: Arc<Vec<Rule>>,
    pub(crate) values: Arc<Vec<ValueMatcher>>,
    pub(crate) urls: Arc<Vec<UrlMatcher>>,
    /// The questions about bodies that the layout refers to; empty without a layout.
    pub(crate) questions: Arc<Vec<Questions>>,
    /// Whether the upstream merges members of JSON bodies into the query's parameters.
    pub(crate) merges_body: bool,
}

impl Tables {
    pub(crate) fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0 as usize)
    }

    pub(crate) fn value(&self, id: MatcherId) -> &Matcher {
        self.known_value(id).unwrap_or(&Matcher::Nothing)
    }

    /// The matcher of a value; `None` if it waits for the base URL, so that nothing can be said of it.
    pub(crate) fn known_value(&self, id: MatcherId) -> Option<&Matcher> {
        self.values.get(id.0 as usize)?.known()
    }

    pub(crate) fn url(&self, id: UrlId) -> &UrlMatcher {
        self.urls.get(id.0 as usize).unwrap_or(&UrlMatcher::NOTHING)
    }
}
