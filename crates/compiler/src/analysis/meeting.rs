//! How the paths of one rule meet those of another: all of them, some, or none.

use super::{
    budget::Exhausted,
    clauses::Ruled,
    language::{Goal, LangId, Literal},
    overlap::{Overlap, Paces},
    prefilter,
    prover::Prover,
};
use crate::ir::Matcher;

/// A question may take one of so many shares of the run's steps.
const SHARES: u64 = 64;
/// Steps that a comparison without a search counts for.
const STEPS_A_PAIR: usize = 20;

/// How many of a rule's paths another rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// None.
    Apart,
    /// Some; perhaps all, if the budget did not suffice.
    Some,
    /// All.
    All,
}

impl<'p> Prover<'p> {
    /// How many of the paths of `rule` the URL of `other` matches, and one that it matches if that was found without a search. `known`:
    /// some of the rule's paths; `likely`: one of them that `other` also matches, if there is one; `paces`: the globs of both.
    ///
    /// # Errors
    /// The budget is spent, and whether there are common paths is open.
    pub(crate) fn meeting(
        &mut self,
        rule: Ruled<'p>,
        other: Ruled<'p>,
        (known, likely): (&[String], Option<&str>),
        paces: Option<(&Paces, &Paces)>,
    ) -> Result<(Meeting, Option<String>), Exhausted> {
        self.languages.grant(SHARES);
        self.languages.work.take(STEPS_A_PAIR)?;
        let likely = likely.map(str::to_owned);
        let matched = known.iter().filter(|path| other.matches_path(path)).count();
        if matched > 0 {
            if matched < known.len() {
                return Ok((Meeting::Some, likely));
            }
            return Ok(match self.has_paths_within(rule, other) {
                Ok(true) => (Meeting::All, likely),
                _ => (Meeting::Some, likely),
            });
        }
        if likely.is_some() {
            return Ok((Meeting::Some, likely));
        }
        let (Some(paths), Some(theirs)) = (prefilter::path(rule), prefilter::path(other)) else {
            return Ok((Meeting::Apart, None));
        };
        match paces.map_or(Overlap::Unknown, |(own, their)| own.overlap(their)) {
            Overlap::Nothing => return Ok((Meeting::Apart, None)),
            // Another text may be a path that requests can have.
            Overlap::Text(path) if self.is_path(&path) => return Ok((Meeting::Some, Some(path))),
            Overlap::Text(_) | Overlap::Unknown => {}
        }
        // A forbid line is an automaton, which the paths are led through.
        let is_apart = match theirs {
            Matcher::Automaton(_) => prefilter::misses(paths, theirs, &mut self.languages),
            _ => prefilter::misses(theirs, paths, &mut self.languages),
        };
        if is_apart {
            return Ok((Meeting::Apart, None));
        }
        let goal = vec![
            (self.languages.of(paths)?, true),
            (self.languages.of(theirs)?, true),
        ];
        Ok(match self.path_of(goal)? {
            Some(path) => (Meeting::Some, Some(path)),
            None => (Meeting::Apart, None),
        })
    }

    /// A path of `rule` that the URLs of none of the others match.
    ///
    /// # Errors
    /// The budget is spent.
    pub(crate) fn path_outside(
        &mut self,
        rule: Ruled<'p>,
        others: &[Ruled<'p>],
    ) -> Result<Option<String>, Exhausted> {
        self.languages.grant(SHARES);
        let mut goal = Vec::with_capacity(others.len() + 3);
        for (ruled, wanted) in [(rule, true)]
            .into_iter()
            .chain(others.iter().map(|other| (*other, false)))
        {
            let Some(path) = prefilter::path(ruled) else {
                return Ok(None);
            };
            goal.push((self.languages.of(path)?, wanted));
        }
        self.path_of(goal)
    }

    /// A path that requests can have, in some languages.
    fn path_of(&mut self, mut goal: Vec<Literal>) -> Result<Option<String>, Exhausted> {
        goal.push((LangId::ROOTED, true));
        if self.universe().canonical_paths {
            goal.push((LangId::NO_PATH, false));
        }
        self.languages.text(&Goal::all(goal))
    }
}
