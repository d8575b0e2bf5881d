//! Whether one rule's URL matches every path that another's does.

use super::{
    budget::Exhausted,
    clauses::Ruled,
    language::{Goal, LangId},
    prefilter,
    prover::Prover,
};

/// A question may take one of so many shares of the run's steps.
const SHARES: u64 = 16;

impl<'p> Prover<'p> {
    /// Whether every path that the URL of `rule` matches is one that the URL of `other` matches.
    ///
    /// # Errors
    /// The budget is spent.
    pub(crate) fn has_paths_within(&mut self, rule: Ruled<'p>, other: Ruled<'p>) -> Result<bool, Exhausted> {
        let (Some(within), Some(around)) = (prefilter::path(rule), prefilter::path(other)) else {
            return Ok(false);
        };
        self.languages.grant(SHARES);
        let mut goal = vec![(LangId::ROOTED, true)];
        if self.universe().canonical_paths {
            goal.push((LangId::NO_PATH, false));
        }
        goal.push((self.languages.of(within)?, true));
        goal.push((self.languages.of(around)?, false));
        Ok(self.languages.text(&Goal::all(goal))?.is_none())
    }
}
