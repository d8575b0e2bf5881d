//! Two versions of a token's policy, held against each other.

use std::collections::HashSet;

use super::{
    Exhausted, Universe,
    cell::Cell,
    clauses::Ruled,
    identity::Identity,
    language::Languages,
    witness::{Request, Said, ask},
};
use crate::{
    decide::root_name,
    ir::{AutomatonError, LineId, Program, TokenId},
    json::{Step, fold},
};

/// Compares tokens of two bound programs. What it learns of their patterns serves for all tokens.
pub struct Analysis<'p> {
    old: &'p Program,
    new: &'p Program,
    universe: Universe,
    budget: u64,
    languages: Languages,
    identity: Identity,
}

/// How two versions of a policy differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What the new one allows and the old one does not.
    pub newly_allowed: Difference,
    /// What the old one allows and the new one does not.
    pub newly_denied: Difference,
}

impl Comparison {
    /// Whether both allow the same requests, for certain.
    #[must_use]
    pub fn is_equivalent(&self) -> bool {
        self.newly_allowed.is_none() && self.newly_denied.is_none()
    }
}

/// What one policy allows beyond another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Requests that prove it, at most one for each permit line of the one and forbid line of the other.
    pub findings: Vec<Finding>,
    /// Why there may be more than was found.
    pub inconclusive: Option<Inconclusive>,
}

impl Difference {
    /// Whether there is no such request, for certain.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.findings.is_empty() && self.inconclusive.is_none()
    }
}

/// A request that one policy allows and the other denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The request.
    pub witness: Request,
    /// The line that allows it; `None`: an unrestricted token.
    pub allowed_by: Option<LineId>,
    /// The forbid line that denies it in the other; `None`: no line permits it.
    pub denied_by: Option<LineId>,
}

/// Why an answer is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// The patterns would take more than the budget to tell apart.
    Budget,
    /// The difference that was found lies in bodies that the proxy refuses, since lines constrain names that differ in
    /// case alone.
    CaseVariants,
}

impl std::fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Budget => "the lines' patterns take more than the budget to tell apart",
            Self::CaseVariants => "lines constrain members whose names differ in case alone",
        })
    }
}

/// A bug in this module: its model and the programs disagree.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A request that was to prove a difference does not.
    #[error("internal error: the analysis expected `{request}` to be allowed by one policy alone")]
    FalseWitness {
        /// The request.
        request: Box<Request>,
    },
    /// An automaton of our own does not build.
    #[error("internal error: {0}")]
    Automaton(#[from] AutomatonError),
}

/// One of the two sides: a program, and a token of it or nobody's.
#[derive(Clone, Copy)]
struct Side<'p> {
    program: &'p Program,
    token: Option<TokenId>,
}

impl<'p> Side<'p> {
    fn permits(self) -> Vec<Ruled<'p>> {
        let rules = self.token.map(|token| self.program.token(token).permits.iter());
        rules
            .into_iter()
            .flatten()
            .filter_map(|id| self.rule(id))
            .collect()
    }

    fn forbids(self) -> Vec<Ruled<'p>> {
        let rules = self.token.map(|token| self.program.token(token).forbids.iter());
        rules
            .into_iter()
            .flatten()
            .filter_map(|id| self.rule(id))
            .collect()
    }

    fn rule(self, id: crate::ir::RuleId) -> Option<Ruled<'p>> {
        let program = self.program;
        program.rule(id).map(|rule| Ruled { program, rule })
    }

    fn is_unrestricted(self) -> bool {
        self.token
            .is_some_and(|token| self.program.token(token).unrestricted)
    }
}

impl<'p> Analysis<'p> {
    /// Product states that the comparison of two tokens may visit, unless it is told otherwise: about a second.
    pub const BUDGET: u64 = 200_000;

    /// Two programs, both bound.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn new(old: &'p Program, new: &'p Program, universe: Universe, budget: u64) -> Result<Self, Fault> {
        Ok(Self {
            old,
            new,
            universe,
            budget,
            languages: Languages::new()?,
            identity: Identity::default(),
        })
    }

    /// Compares a token of the old program with one of the new; no token permits nothing.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn compare(&mut self, old: Option<TokenId>, new: Option<TokenId>) -> Result<Comparison, Fault> {
        let old = Side {
            program: self.old,
            token: old,
        };
        let new = Side {
            program: self.new,
            token: new,
        };
        let permits = self.pairs(&old.permits(), &new.permits());
        let forbids = self.pairs(&old.forbids(), &new.forbids());
        Ok(Comparison {
            newly_allowed: self.beyond(new, old, &permits.new_in_old, &forbids.old_in_new)?,
            newly_denied: self.beyond(old, new, &permits.old_in_new, &forbids.new_in_old)?,
        })
    }

    fn pairs(&mut self, old: &[Ruled<'p>], new: &[Ruled<'p>]) -> Pairs {
        let mut pairs = Pairs {
            old_in_new: vec![false; old.len()],
            new_in_old: vec![false; new.len()],
        };
        let (mut from, same_length) = (0, old.len() == new.len());
        for (index, rule) in new.iter().enumerate() {
            // Mostly it stands where it stood.
            let here = same_length
                && old
                    .get(index)
                    .is_some_and(|other| self.identity.same(*other, *rule));
            let found = if here {
                Some(index)
            } else {
                let order = (from..old.len()).chain(0..from);
                order.into_iter().find(|at| {
                    old.get(*at)
                        .is_some_and(|other| self.identity.same(*other, *rule))
                })
            };
            if let Some(at) = found {
                from = at + 1;
                let marks = [pairs.old_in_new.get_mut(at), pairs.new_in_old.get_mut(index)];
                marks.into_iter().flatten().for_each(|mark| *mark = true);
            }
        }
        pairs
    }

    /// What `more` allows and `less` denies. `known`: the permit lines of `more` that `less` has too. `kept`: the forbid
    /// lines of `less` that `more` has too.
    fn beyond(
        &mut self,
        more: Side<'p>,
        less: Side<'p>,
        known: &[bool],
        kept: &[bool],
    ) -> Result<Difference, Fault> {
        let (permits, forbids) = (more.permits(), more.forbids());
        let lifted = || {
            less.forbids()
                .into_iter()
                .zip(kept)
                .filter(|(_, kept)| !**kept)
                .map(|(rule, _)| rule)
        };
        // No permit line says more than an unrestricted token does.
        let sources: Vec<(Option<Ruled<'p>>, bool)> = if more.is_unrestricted() {
            vec![(None, false)]
        } else {
            permits.into_iter().map(Some).zip(known.iter().copied()).collect()
        };
        if sources.iter().all(|(_, known)| *known) && lifted().next().is_none() {
            return Ok(Difference::default());
        }
        self.languages.budget = self.budget;
        let names = names(&[more, less]);
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let mut difference = Difference::default();
        for (permit, known) in &sources {
            if !known && !less.is_unrestricted() {
                let must_not = forbids.iter().copied().chain(less.permits()).collect();
                let cell = Cell {
                    must: permit.iter().copied().collect(),
                    must_not,
                };
                self.look(&cell, more, less, &avoid, &mut difference)?;
            }
        }
        for forbid in lifted() {
            for (permit, _) in &sources {
                let cell = Cell {
                    must: permit.iter().copied().chain([forbid]).collect(),
                    must_not: forbids.clone(),
                };
                if self.look(&cell, more, less, &avoid, &mut difference)? {
                    break;
                }
            }
        }
        Ok(difference)
    }

    /// Whether there is a request in the cell; it goes to the findings.
    fn look(
        &mut self,
        cell: &Cell<'p>,
        more: Side<'p>,
        less: Side<'p>,
        avoid: &dyn Fn(&str) -> bool,
        difference: &mut Difference,
    ) -> Result<bool, Fault> {
        let witness = match cell.request(self.universe, avoid, &mut self.languages) {
            Ok(None) => return Ok(false),
            Ok(Some(witness)) => witness,
            Err(Exhausted) => {
                difference.inconclusive = Some(Inconclusive::Budget);
                return Ok(false);
            }
        };
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        let (allowed_by, denied_by) = match said {
            (Said::Allow(allowed_by), Said::Deny(denied_by)) => (allowed_by, denied_by),
            (Said::Refuse, _) | (_, Said::Refuse) => {
                difference.inconclusive.get_or_insert(Inconclusive::CaseVariants);
                return Ok(false);
            }
            _ => {
                return Err(Fault::FalseWitness {
                    request: Box::new(witness),
                });
            }
        };
        let finding = Finding {
            witness,
            allowed_by,
            denied_by,
        };
        let said_already = |other: &Finding| (other.allowed_by, other.denied_by) == (allowed_by, denied_by);
        if !difference.findings.iter().any(said_already) {
            difference.findings.push(finding);
        }
        Ok(true)
    }
}

/// Which rules of one side the other has too.
struct Pairs {
    old_in_new: Vec<bool>,
    new_in_old: Vec<bool>,
}

/// Every name that means something in a body to one of the tokens, folded: a witness should not have it by chance.
fn names(sides: &[Side<'_>]) -> HashSet<String> {
    let mut names = HashSet::new();
    for ruled in sides
        .iter()
        .flat_map(|side| [side.permits(), side.forbids()].concat())
    {
        let steps = ruled.paths().flat_map(|path| &path.0);
        let members = steps.filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Each => None,
        });
        let parameters = ruled.rule.params.iter().map(|test| test.name.as_str());
        names.extend(
            members
                .chain(parameters)
                .flat_map(|name| [name, root_name(name)])
                .map(fold::key),
        );
    }
    names
}
