//! Binding a program to the public URL: the base is consumed here, once, so that a decision reads the path alone.

use std::sync::Arc;

use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::{AutomatonError, Matcher, Program, UrlMatcher};
use crate::{base_url::BaseUrl, regexp::BASE_URL_MARK};

/// Why a program cannot be bound: with this base URL a pattern grows past its limit.
#[derive(Debug, thiserror::Error)]
#[error("the policy cannot be bound to {base}: {source}")]
pub struct BindError {
    /// The base URL.
    pub base: BaseUrl,
    /// What went wrong.
    pub source: AutomatonError,
}

impl Program {
    /// This program, deciding requests below `base`.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(&self, base: &BaseUrl) -> Result<Self, BindError> {
        let bound = self.urls.iter().map(|url| bind(url, base));
        let urls: Result<Vec<_>, _> = bound.collect();
        let urls = urls.map_err(|source| BindError {
            base: base.clone(),
            source,
        })?;
        let bound = Self {
            urls: Arc::new(urls),
            base: Some(base.clone()),
            layout: None,
            ..self.clone()
        };
        Ok(crate::opt::optimise(bound))
    }
}

fn bind(url: &UrlMatcher, base: &BaseUrl) -> Result<UrlMatcher, AutomatonError> {
    match url {
        UrlMatcher::Below(_) => Ok(url.clone()),
        UrlMatcher::Unbound(hir) | UrlMatcher::Bound(hir, _) => {
            let prefix = base.as_str().as_bytes();
            let matcher = if has_mark(hir) {
                Matcher::after(&substitute(hir, base.as_str()), prefix)
            } else {
                Matcher::after(hir, prefix)
            };
            Ok(UrlMatcher::Bound(hir.clone(), matcher?))
        }
    }
}

/// Whether the base URL stands anywhere in the pattern.
fn has_mark(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => marked(&literal.0).is_some(),
        HirKind::Repetition(repetition) => has_mark(&repetition.sub),
        HirKind::Capture(capture) => has_mark(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_mark),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// The literal's text, if the mark is in it.
fn marked(literal: &[u8]) -> Option<&str> {
    std::str::from_utf8(literal)
        .ok()
        .filter(|text| text.contains(BASE_URL_MARK))
}

/// The pattern with the base URL in the place of its mark. Depth is bounded by the nesting that the parser allows.
fn substitute(hir: &Hir, base: &str) -> Hir {
    match hir.kind() {
        HirKind::Literal(literal) => match marked(&literal.0) {
            Some(text) => Hir::literal(text.replace(BASE_URL_MARK, base).into_bytes()),
            None => hir.clone(),
        },
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(substitute(&repetition.sub, base)),
            ..repetition.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| substitute(part, base)).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(|part| substitute(part, base)).collect())
        }
        HirKind::Capture(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}
