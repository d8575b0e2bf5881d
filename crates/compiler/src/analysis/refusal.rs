//! Bodies that a policy refuses: a name in them differs from one that a line reads only in its letter case, or a name occurs twice.
//!
//! The proxy answers 400 to such a request, whatever else its lines say. So a request that a policy allows has no such name at a
//! place that one of its *open* lines reads: a line whose method, URL and query match, and that no permit line before it makes
//! needless. If a policy has an open line, it allows no body with a name twice, or with a control character in a name: the same
//! requests, so only the first are spelt.

use std::{cell::Cell, collections::HashSet};

use super::{
    body::{BodyAtom, Says},
    budget::{Exhausted, Work},
    clauses::{Alternatives, Atom, BodyKind, Matched, Ruled},
    language::Languages,
    places::Places,
    side::Side,
    witness::{Request, Said, ask},
};
use crate::{
    ast::Effect,
    json::{Path, Step},
    method::Method,
};

/// Steps that a rule counts for when a request is tried on it.
const STEPS_A_RULE: usize = 200;

/// The policies that may not refuse a request.
#[derive(Default)]
pub(super) struct Refusals<'p> {
    sides: Vec<Side<'p>>,
    /// Whether one of them refused a request.
    met: Cell<bool>,
}

impl<'p> Refusals<'p> {
    pub(super) fn by(sides: impl IntoIterator<Item = Side<'p>>) -> Self {
        Self {
            sides: sides.into_iter().collect(),
            met: Cell::new(false),
        }
    }

    /// Whether one of the policies has refused a request.
    pub(super) fn were_met(&self) -> bool {
        self.met.get()
    }

    /// The rules that may make a policy refuse a request.
    pub(super) fn readers(&self) -> impl Iterator<Item = Ruled<'p>> {
        let rules = self.sides.iter().flat_map(|side| rules(*side));
        rules.filter(|ruled| ruled.reads_body())
    }

    /// The rule that makes a policy refuse the request, by the numbers of the policy and of the rule; not one of `settled`.
    pub(super) fn reader(
        &self,
        request: &Request,
        settled: &HashSet<(usize, usize)>,
        work: &mut Work,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        for (at, side) in self.sides.iter().enumerate() {
            if ask(side.program, side.token, request) != Said::Refuse {
                continue;
            }
            self.met.set(true);
            let rules = rules(*side);
            work.take(rules.len() * STEPS_A_RULE)?;
            let reader = (0..).zip(&rules).find(|(number, ruled)| {
                !settled.contains(&(at, *number)) && ruled.matches(request) == Matched::Refused
            });
            if let Some((number, _)) = reader {
                return Ok(Some((at, number)));
            }
        }
        Ok(None)
    }

    /// When the policy does not refuse a body for this rule.
    pub(super) fn clause(
        &self,
        (side, rule): (usize, usize),
        (method, kind): (Method, BodyKind),
        places: &mut Places,
        languages: &mut Languages,
    ) -> Result<Alternatives, Exhausted> {
        let rules = self.sides.get(side).map(|side| rules(*side)).unwrap_or_default();
        let Some(reader) = rules.get(rule) else {
            return Ok(Vec::new());
        };
        let mut clause = Vec::new();
        // The body has no such name, or the rule does not look at the body.
        if kind == BodyKind::Json {
            clause.push(
                reader
                    .paths()
                    .flat_map(|path| no_variants(path, places))
                    .collect(),
            );
        }
        let (url, is) = reader.url(languages)?;
        clause.push(vec![Atom::Url((url, !is))]);
        clause.extend(reader.query_fails(languages)?);
        // Or a permit line before it decides without the body.
        for permit in rules.iter().take(rule) {
            if permit.rule.effect == Effect::Permit
                && permit.rule.methods.contains(method)
                && let Some(query) = permit.query_holds(languages)?
            {
                let url = Atom::Url(permit.url(languages)?);
                clause.push(std::iter::once(url).chain(query).collect());
            }
        }
        Ok(clause)
    }
}

/// The rules in the order of decision.
fn rules(side: Side<'_>) -> Vec<Ruled<'_>> {
    [side.forbids(), side.permits()].concat()
}

/// No member on the path is a variant of the path's own.
fn no_variants(path: &Path, places: &mut Places) -> Vec<Atom> {
    of_members(path, places, Says::NoVariant)
}

/// When a body has a name that differs from one of the rule's only in letter case: one of these.
pub(super) fn variants(rule: Ruled<'_>, places: &mut Places) -> Alternatives {
    let members = rule
        .paths()
        .flat_map(|path| of_members(path, places, Says::Variant));
    members.map(|atom| vec![atom]).collect()
}

/// An atom for each member on the path.
fn of_members(path: &Path, places: &mut Places, says: impl Fn(String) -> Says) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for (at, step) in path.0.iter().enumerate() {
        if let Step::Name(name) = step {
            let before = Path(path.0.iter().take(at).cloned().collect());
            atoms.push(Atom::Body(BodyAtom {
                place: places.at(&before),
                says: says(name.clone()),
            }));
        }
    }
    atoms
}
