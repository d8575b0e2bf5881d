//! Binds a program to the public URL. The base is consumed here, once, so that a decision reads only the path.

use std::sync::Arc;

use regex_syntax::hir::{Hir, HirKind, Repetition};

use crate::{
    base_url::BaseUrl,
    ir::{AutomatonError, Matcher, Program, Tables, UrlMatcher, ValueMatcher, Whole, has_mark, marked},
    opt::optimise,
    regexp::BASE_URL_MARK,
};

/// Why a program cannot be bound: with this base URL a pattern grows past its limit.
#[derive(Debug, thiserror::Error)]
#[error("the policy cannot be bound to {base}: {source}")]
pub struct BindError {
    /// The base URL.
    pub base: BaseUrl,
    /// The pattern's error.
    pub source: AutomatonError,
}

impl Program {
    /// Binds the program, so that it decides requests below `base`.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(&self, base: &BaseUrl) -> Result<Self, BindError> {
        let bound = self.urls.iter().map(|url| bind_url(url, base));
        let urls: Result<Vec<_>, _> = bound.collect();
        let unbound = |source| BindError {
            base: base.clone(),
            source,
        };
        let urls = urls.map_err(unbound)?;
        let values = self.values.iter().map(|value| bind_value(value, base));
        let values: Result<Vec<_>, _> = values.collect();
        let values = values.map_err(unbound)?;
        let bound = Self {
            tables: Tables {
                urls: Arc::new(urls),
                values: Arc::new(values),
                ..self.tables.clone()
            },
            base: Some(base.clone()),
            layout: None,
            ..self.clone()
        };
        Ok(optimise(bound))
    }
}

/// The matcher of a value under a base URL.
pub(crate) fn bind_value(value: &ValueMatcher, base: &BaseUrl) -> Result<ValueMatcher, AutomatonError> {
    match value {
        ValueMatcher::Fixed(_) => Ok(value.clone()),
        ValueMatcher::Unbound(hir) | ValueMatcher::Bound(hir, _) => {
            let matcher = Matcher::new(&substitute(hir, base.as_str()))?;
            Ok(ValueMatcher::Bound(hir.clone(), matcher))
        }
    }
}

/// The matcher of a URL under a base URL.
pub(crate) fn bind_url(url: &UrlMatcher, base: &BaseUrl) -> Result<UrlMatcher, AutomatonError> {
    match url {
        UrlMatcher::Below(_) => Ok(url.clone()),
        UrlMatcher::Unbound(whole) | UrlMatcher::Bound(whole, _) => {
            let prefix = base.as_str().as_bytes();
            let matcher = match whole {
                Whole::Glob(code) => Matcher::code_after(code, prefix),
                Whole::Tree(hir) if has_mark(hir) => Matcher::after(&substitute(hir, base.as_str()), prefix),
                Whole::Tree(hir) => Matcher::after(hir, prefix),
            };
            Ok(UrlMatcher::Bound(whole.clone(), matcher?))
        }
    }
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

#[cfg(test)]
mod tests;
