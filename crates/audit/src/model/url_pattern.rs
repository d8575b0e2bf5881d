//! Regular expressions in questions.

use regex::{Regex, RegexBuilder, bytes};
use regex_syntax::hir::{Hir, HirKind};

/// Most bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression that a URL has a match of, anywhere in it unless anchored by `^` and `$`.
///
/// The syntax is that of the crate `regex`; matching takes time linear in the text.
#[derive(Debug, Clone)]
pub struct UrlPattern {
    pattern: Regex,
    // The pattern without its assertions on the ends of the text and on words. If a text matches the pattern, then any bytes that
    // contain the text match this one. Absent if it cannot be made.
    within: Option<bytes::Regex>,
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// The pattern is not a regular expression.
    #[error("`{pattern}` is not a regular expression: {why}")]
    Syntax {
        /// The given pattern.
        pattern: String,
        /// Error in the pattern.
        why: String,
    },
    /// Compiled it would be too large.
    #[error("`{pattern}` takes more than {limit} bytes when compiled; use smaller counts in {{}}")]
    TooLarge {
        /// The given pattern.
        pattern: String,
        /// The most, bytes.
        limit: usize,
    },
}

impl UrlPattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let built = RegexBuilder::new(pattern)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build();
        let built = built.map(|regex| Self {
            within: within(pattern),
            pattern: regex,
        });
        built.map_err(|error| {
            let pattern = pattern.to_owned();
            match error {
                regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { pattern, limit },
                other => {
                    // The crate draws the pattern with a caret below; the last line has the reason.
                    let text = other.to_string();
                    let why = text.lines().last().unwrap_or_default();
                    let why = why.strip_prefix("error: ").unwrap_or(why).to_owned();
                    PatternError::Syntax { pattern, why }
                }
            }
        })
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }

    /// Whether `url` matches.
    pub(crate) fn is_in(&self, url: &str) -> bool {
        self.pattern.is_match(url)
    }

    /// Whether any text within `content` may match.
    pub(crate) fn may_be_in(&self, content: &[u8]) -> bool {
        self.within.as_ref().is_none_or(|within| within.is_match(content))
    }
}

/// The pattern without its assertions, which only ever rule matches out.
fn within(pattern: &str) -> Option<bytes::Regex> {
    let without = without_assertions(regex_syntax::parse(pattern).ok()?);
    let built = bytes::RegexBuilder::new(&without.to_string())
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build();
    built.ok()
}

// As deep as the parser lets patterns nest.
fn without_assertions(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Look(_) | HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(mut repetition) => {
            *repetition.sub = without_assertions(*repetition.sub);
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => without_assertions(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(without_assertions).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(without_assertions).collect()),
    }
}

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for UrlPattern {}

#[cfg(test)]
mod tests;
