//! Regular expressions in questions.

use regex::{Regex, RegexBuilder};

/// Most bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression that a URL has a match of, anywhere in it unless anchored by `^` and `$`.
///
/// The syntax is that of the crate `regex`; matching takes time linear in the text.
#[derive(Debug, Clone)]
pub struct UrlPattern(Regex);

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("`{pattern}` is no regular expression: {why}")]
    Syntax {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Compiled it would be too large.
    #[error("`{pattern}` takes more than {limit} bytes once compiled; use smaller counts in {{}}")]
    TooLarge {
        /// What was given.
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
        built.map(Self).map_err(|error| {
            let pattern = pattern.to_owned();
            match error {
                regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { pattern, limit },
                other => {
                    // The crate draws the pattern with a caret below; the last line says what it is.
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
        self.0.as_str()
    }

    /// Whether `url` has a match.
    pub(crate) fn is_in(&self, url: &str) -> bool {
        self.0.is_match(url)
    }
}

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for UrlPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_bounded_and_errors_say_what_is_wrong() {
        let digits = UrlPattern::new(r"/issue/[A-Z]+-\d+$").unwrap();
        assert!(digits.is_in("https://x/issue/AB-12") && !digits.is_in("https://x/issue/AB-12/comment"));
        let error = UrlPattern::new("a(b").unwrap_err().to_string();
        assert_eq!(error, "`a(b` is no regular expression: unclosed group");
        assert!(matches!(
            UrlPattern::new(r"(\w{1000}){1000}"),
            Err(PatternError::TooLarge {
                limit: SIZE_LIMIT,
                ..
            })
        ));
    }
}
