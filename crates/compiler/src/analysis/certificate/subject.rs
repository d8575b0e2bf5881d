//! The tokens that a certificate is about, with all of their lines or some.

use super::super::clauses::Ruled;
use crate::ir::{Program, RuleId, TokenId};

/// A token of one of the programs that a certificate is about; no token permits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The program, by its position.
    pub(super) side: usize,
    /// The token.
    pub(super) token: Option<TokenId>,
    pub(super) lines: Lines,
}

/// The lines of a token that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    All,
    Only(Vec<RuleId>),
    Without(Vec<RuleId>),
}

/// The rules of a subject.
#[derive(Default)]
pub(super) struct Rules<'p> {
    pub(super) side: usize,
    pub(super) permits: Vec<Ruled<'p>>,
    pub(super) forbids: Vec<Ruled<'p>>,
    pub(super) unrestricted: bool,
}

impl Subject {
    /// A token with all of its lines.
    #[must_use]
    pub fn new(side: usize, token: Option<TokenId>) -> Self {
        Self {
            side,
            token,
            lines: Lines::All,
        }
    }

    /// The token with only some of its lines. One that is unrestricted stays so.
    #[must_use]
    pub fn only(self, lines: Vec<RuleId>) -> Self {
        Self {
            lines: Lines::Only(lines),
            ..self
        }
    }

    /// The token without some of its lines.
    #[must_use]
    pub fn without(self, lines: Vec<RuleId>) -> Self {
        Self {
            lines: Lines::Without(lines),
            ..self
        }
    }

    /// The positions of some rules among the token's, in the order of decision.
    pub(super) fn positions(&self, sides: &[&Program], lines: &[RuleId]) -> Vec<usize> {
        let all = self.ids(sides);
        let mut places: Vec<usize> = lines
            .iter()
            .filter_map(|line| all.iter().position(|id| id == line))
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The rules that count.
    pub(super) fn rules<'p>(&self, sides: &[&'p Program]) -> Rules<'p> {
        let (Some(program), Some(token)) = (sides.get(self.side).copied(), self.token) else {
            return Rules::default();
        };
        let all = self.ids(sides);
        let counts: Box<dyn Fn(usize) -> bool> = match &self.lines {
            Lines::All => Box::new(|_| true),
            Lines::Only(lines) => {
                let places = self.positions(sides, lines);
                Box::new(move |at| places.binary_search(&at).is_ok())
            }
            Lines::Without(lines) => {
                let places = self.positions(sides, lines);
                Box::new(move |at| places.binary_search(&at).is_err())
            }
        };
        let counted = all.into_iter().enumerate().filter(|(at, _)| counts(*at));
        let rules = counted.filter_map(|(_, id)| program.rule(id).map(|rule| Ruled { program, rule }));
        let (forbids, permits) = rules.partition(|ruled| ruled.rule.forbids());
        Rules {
            side: self.side,
            permits,
            forbids,
            unrestricted: program.token(token).unrestricted,
        }
    }

    fn ids(&self, sides: &[&Program]) -> Vec<RuleId> {
        let (Some(program), Some(token)) = (sides.get(self.side), self.token) else {
            return Vec::new();
        };
        let token = program.token(token);
        token.forbids.iter().chain(token.permits.iter()).collect()
    }
}
