//! The alternatives at the top of a permit line's regexps.

use regex_syntax::hir::Hir;

use crate::{
    ast::{self, Effect},
    policy::Limit,
    regexp::{self, Anchor, Case},
    source::Span,
};

/// Stands for the token's user.
const USER: &str = "user";

/// The alternatives at the top of a URL, each with what it is compared with; fewer than two: none.
pub(super) fn branches(syntax: &ast::Limit, url: &str) -> Vec<(Span, Hir, Anchor)> {
    if syntax.effect == Effect::Forbid {
        return Vec::new();
    }
    let Ok(parsed) = regexp::parse(&syntax.url, url) else {
        return Vec::new();
    };
    let branches = regexp::branches(&parsed, Case::AsWritten, Some(USER)).unwrap_or_default();
    let anchored = |(span, hir)| match Limit::below_base(&hir) {
        Some(below) => (span, below, Anchor::Below),
        None => (span, hir, parsed.anchor),
    };
    branches.into_iter().map(anchored).collect()
}

/// The places of the alternatives at the top of a value; fewer than two: none.
pub(super) fn of_value(pattern: &ast::Pattern, text: &str) -> Vec<Span> {
    let parsed = regexp::parse(pattern, text).ok();
    let branches = parsed.and_then(|parsed| regexp::branches(&parsed, Case::AsWritten, Some(USER)).ok());
    let spans = branches.unwrap_or_default().into_iter().map(|(span, _)| span);
    spans.collect()
}
