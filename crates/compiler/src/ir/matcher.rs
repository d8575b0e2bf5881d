//! What holds a text against a pattern: the simplest thing that can.

use regex_syntax::hir::Hir;

use super::{
    Atom, Automaton, AutomatonError, Glob,
    code::{self, Code},
    whole::Whole,
};
use crate::regexp;

pub use super::automaton::AUTOMATON_LIMIT as PATTERN_LIMIT;

/// A whole-match test of a text.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Nothing matches.
    Nothing,
    /// Everything matches.
    Everything,
    /// Most patterns: globs.
    Glob(Code),
    /// All other patterns.
    Automaton(Automaton),
}

impl Matcher {
    /// The matcher of a pattern.
    ///
    /// # Errors
    /// A pattern whose automaton would pass the limit.
    pub fn new(hir: &Hir) -> Result<Self, AutomatonError> {
        if regexp::matches_nothing(hir) {
            return Ok(Self::Nothing);
        }
        match Glob::from_hir(hir).and_then(|globs| Self::from_globs(&globs)) {
            Some(matcher) => Ok(matcher),
            None => Automaton::new(hir).map(Self::Automaton),
        }
    }

    fn from_globs(globs: &[Glob]) -> Option<Self> {
        if globs.iter().any(|glob| *glob.atoms() == [Atom::Any]) {
            Some(Self::Everything)
        } else {
            Code::new(globs).map(Self::Glob)
        }
    }

    /// The matcher of what may follow `prefix` in a match of `hir`.
    pub(crate) fn after(hir: &Hir, prefix: &[u8]) -> Result<Self, AutomatonError> {
        let globs = Glob::from_hir(hir).unwrap_or_default();
        Self::globs_after(&globs, prefix).map_or_else(|| Self::automaton_after(hir, prefix), Ok)
    }

    /// Like `after`, for a pattern that is stored as code.
    pub(crate) fn code_after(code: &Code, prefix: &[u8]) -> Result<Self, AutomatonError> {
        if let Some(code) = code.after(prefix) {
            return Ok(Self::Glob(code));
        }
        let globs = code.globs().unwrap_or_default();
        Self::globs_after(&globs, prefix).map_or_else(
            || {
                Self::automaton_after(
                    &Hir::alternation(globs.iter().map(Glob::to_hir).collect()),
                    prefix,
                )
            },
            Ok,
        )
    }

    fn globs_after(globs: &[Glob], prefix: &[u8]) -> Option<Self> {
        let globs: Option<Vec<_>> = globs.iter().map(|glob| glob.after(prefix)).collect();
        Self::from_globs(&globs?)
    }

    fn automaton_after(hir: &Hir, prefix: &[u8]) -> Result<Self, AutomatonError> {
        let automaton = Automaton::new(hir)?.after(prefix);
        Ok(if automaton.is_dead() {
            Self::Nothing
        } else {
            Self::Automaton(automaton)
        })
    }

    /// Whether the whole of `text` matches. Never allocates, never gives up.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Glob(glob) => code::matches(glob.as_bytes(), text.as_bytes()),
            Self::Automaton(automaton) => automaton.matches(text.as_bytes()),
        }
    }
}

/// A test of the value of a parameter or of a node.
#[derive(Clone, Debug)]
pub enum ValueMatcher {
    /// The pattern does not name the base URL.
    Fixed(Matcher),
    /// The pattern names the base URL and waits to be bound to it; until then it matches nothing.
    Unbound(Box<Hir>),
    /// A pattern that names the base URL, bound.
    Bound(Box<Hir>, Matcher),
}

impl ValueMatcher {
    /// The matcher; `None` if it is not known yet.
    #[must_use]
    pub fn known(&self) -> Option<&Matcher> {
        match self {
            Self::Fixed(matcher) | Self::Bound(_, matcher) => Some(matcher),
            Self::Unbound(_) => None,
        }
    }
}

/// A test of a URL, held against the path below the base URL.
#[derive(Clone, Debug)]
pub enum UrlMatcher {
    /// The pattern speaks of that path.
    Below(Matcher),
    /// The pattern speaks of the whole URL and waits to be bound to a base; until then it matches nothing.
    Unbound(Whole),
    /// A pattern of the whole URL, bound: the matcher applies after the part that the base URL matched.
    Bound(Whole, Matcher),
}

impl UrlMatcher {
    /// No URL matches.
    pub(crate) const NOTHING: Self = Self::Below(Matcher::Nothing);

    /// Whether the path below the base URL matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Below(matcher) | Self::Bound(_, matcher) => matcher.matches(path),
            Self::Unbound(_) => false,
        }
    }
}
