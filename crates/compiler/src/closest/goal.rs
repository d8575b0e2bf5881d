//! The texts that match some patterns and none of some others.

use regex_syntax::hir::Hir;

use crate::ir::{Automaton, Glob, Matcher};

/// Maximum number of patterns of a goal.
const MOST: usize = 24;

/// The texts that match some patterns and none of some others.
#[derive(Clone, Debug, Default)]
pub(super) struct Goal {
    /// Each automaton, and whether it must accept.
    parts: Vec<(Automaton, bool)>,
    /// No text is in the goal.
    is_empty: bool,
}

impl Goal {
    /// Adds a pattern that must match (`wanted`) or must not.
    ///
    /// `None` if the pattern is too large for the search.
    pub(super) fn add(&mut self, matcher: &Matcher, wanted: bool) -> Option<()> {
        let automaton = match matcher {
            Matcher::Everything | Matcher::Nothing => {
                self.is_empty |= matches!(matcher, Matcher::Everything) != wanted;
                return Some(());
            }
            Matcher::Automaton(automaton) => automaton.clone(),
            Matcher::Glob(code) => {
                let globs = code.globs()?;
                Automaton::new(&Hir::alternation(globs.iter().map(Glob::to_hir).collect())).ok()?
            }
        };
        if self.parts.len() == MOST {
            return None;
        }
        self.parts.push((automaton, wanted));
        Some(())
    }

    /// The automata, each with whether it must accept; `None` if no text is in the goal.
    pub(super) fn parts(&self) -> Option<&[(Automaton, bool)]> {
        (!self.is_empty).then_some(&self.parts)
    }

    /// Whether the text is in the goal.
    pub(super) fn has(&self, text: &str) -> bool {
        let mut parts = self.parts.iter();
        !self.is_empty && parts.all(|(automaton, wanted)| automaton.matches(text.as_bytes()) == *wanted)
    }
}
