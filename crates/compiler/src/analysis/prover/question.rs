//! A question about two sides, and the request that answers it.

use std::cell::Cell as Flag;

use super::{
    super::{
        Cause, Exhausted, Fault, Finding, Inconclusive, Obstacle,
        ambiguous::Ambiguous,
        cell::Cell,
        clauses::Ruled,
        difference::Difference,
        refusal::Refusals,
        side::Side,
        witness::{Request, Said, ask},
    },
    Prover,
};

/// A question about two sides.
pub(in super::super) struct Question<'p, 'q> {
    pub(in super::super) must: Vec<Ruled<'p>>,
    pub(in super::super) must_not: Vec<&'q [Ruled<'p>]>,
    /// A rule of the side that allows less, for which that side refuses the request; with all rules.
    pub(in super::super) refused_for: Option<(Ruled<'p>, &'q [Ruled<'p>])>,
    /// A rule of the side that allows less, for whose names that side refuses the request.
    pub(in super::super) ambiguous: Option<&'q Ambiguous<'p, 'q>>,
    pub(in super::super) cause: Cause,
}

/// What all questions about two sides have in common.
pub(in super::super) struct Asked<'a, 'p> {
    /// The side that allows more, and the one that allows less.
    pub(in super::super) sides: (Side<'p>, Side<'p>),
    /// Names that a body should not have by chance.
    pub(in super::super) avoid: &'a dyn Fn(&str) -> bool,
    pub(in super::super) difference: &'a mut Difference,
}

/// The result of a question.
pub(super) enum Looked {
    /// A request was found.
    Found(Finding),
    /// There is no request.
    None,
    /// The question took more than its share of the steps.
    Open,
}

impl Asked<'_, '_> {
    /// Notes that a question could not be answered.
    pub(super) fn leave_open(&mut self) {
        self.difference.inconclusive = Some(Inconclusive::Budget);
    }
}

impl<'p> Prover<'p> {
    /// Looks for a request that answers the question, one that the proxy forwards if there is any.
    pub(super) fn look(
        &mut self,
        question: &Question<'p, '_>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<Looked, Fault> {
        let (more, less) = asked.sides;
        // A request that one side refuses is looked for last, and only of the side that allows less.
        let proxied = [more, less].into_iter().filter(|side| !side.is_demand);
        let allowing = [more].into_iter().filter(|side| !side.is_demand);
        let mut tries = vec![Refusals::by(allowing)];
        if question.refused_for.is_none() {
            tries.insert(0, Refusals::by(proxied));
        }
        let mut witness = None;
        for refusals in tries {
            let cell = question.cell(refusals, asked.avoid);
            witness = match cell.request(self.universe, &mut self.languages) {
                Ok(witness) => witness,
                Err(Exhausted) => return Ok(Looked::Open),
            };
            if witness.is_some() || !cell.refusals.were_met() {
                break;
            }
        }
        let Some(witness) = witness else {
            return Ok(Looked::None);
        };
        let Some(found) = question.finding(witness, asked.sides)? else {
            asked
                .difference
                .inconclusive
                .get_or_insert(Inconclusive::CaseVariants);
            return Ok(Looked::None);
        };
        self.forwarded(found, question, asked).map(Looked::Found)
    }

    /// The finding with a request that the proxy forwards, if there is one; otherwise with what keeps it from that.
    pub(in super::super) fn forwarded(
        &mut self,
        mut found: Finding,
        question: &Question<'p, '_>,
        asked: &Asked<'_, 'p>,
    ) -> Result<Finding, Fault> {
        let (more, less) = asked.sides;
        let Some(forwarding) = more.forwarding() else {
            return Ok(found);
        };
        found.obstacles = forwarding.obstacles(&found.witness);
        if found.obstacles.is_empty() {
            return Ok(found);
        }
        let allowing = [more].into_iter().filter(|side| !side.is_demand);
        let cell = Cell {
            forwarding: Some(forwarding),
            ..question.cell(Refusals::by(allowing), asked.avoid)
        };
        let other = cell.request(self.universe, &mut self.languages);
        let is_open = !matches!(other, Ok(None)) || cell.passed_over.get();
        if let Ok(Some(witness)) = other
            && let Some(other) = question.finding(witness, (more, less))?
        {
            return Ok(other);
        }
        if is_open {
            found.obstacles.push(Obstacle::Open);
        }
        Ok(found)
    }
}

impl<'p> Question<'p, '_> {
    pub(in super::super) fn cell<'c>(
        &'c self,
        refusals: Refusals<'p>,
        avoid: &'c dyn Fn(&str) -> bool,
    ) -> Cell<'p, 'c> {
        Cell {
            must: self.must.clone(),
            must_not: self.must_not.clone(),
            refused_for: self.refused_for,
            ambiguous: self.ambiguous,
            refusals,
            avoid,
            forwarding: None,
            passed_over: Flag::default(),
        }
    }

    /// Whether the side that allows less refuses the request because of its names, and the other does not.
    fn is_ambiguous(&self, witness: &Request) -> bool {
        self.ambiguous
            .is_some_and(|ambiguous| ambiguous.is_proved_by(witness))
    }

    /// The finding that a request proves, which is tried on both programs; `None` if the side that allows more refuses it, since
    /// names differ in letter case.
    pub(in super::super) fn finding(
        &self,
        witness: Request,
        (more, less): (Side<'p>, Side<'p>),
    ) -> Result<Option<Finding>, Fault> {
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        // An invariant refuses nothing: its line matches.
        let line = self.must.first().map(|ruled| ruled.rule.line);
        let (allowed_by, denied_by) = match said {
            // The lines of the other side need not deny it.
            (Said::Allow(allowed_by), _) if self.is_ambiguous(&witness) => (
                allowed_by,
                self.ambiguous.map(|ambiguous| ambiguous.reader.rule.line),
            ),
            // The names of a request are the proxy's own matter: what it does not confirm stays open.
            _ if self.ambiguous.is_some() => return Ok(None),
            (Said::Allow(allowed_by), Said::Deny(denied_by)) => (allowed_by, denied_by),
            (Said::Allow(allowed_by), Said::Refuse) => (allowed_by, None),
            (Said::Refuse, Said::Deny(denied_by)) if more.is_demand => (line, denied_by),
            (Said::Refuse, Said::Refuse) if more.is_demand => (line, None),
            (Said::Refuse, _) => return Ok(None),
            _ => {
                return Err(Fault::FalseWitness {
                    request: Box::new(witness),
                });
            }
        };
        Ok(Some(Finding {
            witness,
            allowed_by,
            denied_by,
            is_refused: said.1 == Said::Refuse,
            cause: self.cause,
            obstacles: Vec::new(),
        }))
    }
}
