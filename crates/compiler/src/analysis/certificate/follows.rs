//! Whether the constraints of a rule hold wherever those of some others do: mirrors the checker's rules.

use std::sync::Arc;

use super::{Certificates, Numbered};
use crate::{
    analysis::budget::Exhausted,
    ast::{Effect, Operator},
    ir::MatcherId,
    json::{Kinds, Path},
};

/// A constraint on the values of a parameter or of a node.
type Test = (Result<Arc<str>, Arc<Path>>, Operator, MatcherId, Option<Kinds>);

impl<'p> Certificates<'p> {
    /// The closed sets by which the constraints of `other` follow from those of `must`; `None` if they do not. `bodiless`: of a request
    /// without a body, which `other` does not need.
    pub(super) fn follows(
        &mut self,
        must: &[Numbered<'p>],
        other: Numbered<'p>,
        bodiless: bool,
    ) -> Result<Option<Vec<usize>>, Exhausted> {
        let rule = other.1.rule;
        let is_named = |name: &str| rule.params.iter().any(|test| *test.name == *name);
        let closes = |(_, one): &Numbered<'_>| {
            one.rule.params_only && one.rule.params.iter().all(|test| is_named(&test.name))
        };
        let members = bodiless
            || rule.members.iter().all(|path| {
                must.iter().any(|(_, one)| {
                    let within = || one.paths().all(|own| other.1.paths().any(|their| their == own));
                    one.rule.members.contains(path) && within()
                })
            });
        if !members || rule.params_only && !must.iter().any(closes) {
            return Ok(None);
        }
        let mut cited = Vec::new();
        for their in tests(other)
            .into_iter()
            .filter(|their| their.0.is_ok() || !bodiless)
        {
            let mut found = None;
            'own: for one in must {
                for own in tests(*one) {
                    found = self.implies((*one, &own), (other, &their))?;
                    if found.is_some() {
                        break 'own;
                    }
                }
            }
            match found {
                Some(sets) => cited.extend(sets),
                None => return Ok(None),
            }
        }
        Ok(Some(cited))
    }

    fn implies(
        &mut self,
        (one, own): (Numbered<'p>, &Test),
        (other, their): (Numbered<'p>, &Test),
    ) -> Result<Option<Vec<usize>>, Exhausted> {
        let (wants, their_wants) = (wants_match(one, own.1), wants_match(other, their.1));
        let alike = own.0 == their.0 && own.3 == their.3 && (own.0.is_ok() || wants == their_wants);
        if !alike || !meets(one, own.1, other, their.1) {
            return Ok(None);
        }
        let numbers = (
            self.identity.value(one.1, own.2),
            self.identity.value(other.1, their.2),
        );
        if wants == their_wants && numbers.0.is_some() && numbers.0 == numbers.1 {
            return Ok(Some(Vec::new()));
        }
        let wishes = [
            ((one.0, false, own.2.0), wants),
            ((other.0, false, their.2.0), !their_wants),
        ];
        let found = self.closed.exclude(false, &wishes, &mut self.work)?;
        Ok(found.map(|(sets, _)| sets))
    }
}

fn tests((_, ruled): Numbered<'_>) -> Vec<Test> {
    let params = ruled.rule.params.iter();
    let params = params.map(|test| (Ok(Arc::clone(&test.name)), test.operator, test.value, None));
    let nodes = ruled.rule.nodes.iter();
    let nodes = nodes.map(|test| (Err(Arc::clone(&test.path)), test.operator, test.value, test.kinds));
    params.chain(nodes).collect()
}

/// Whether a value that matches makes the constraint hold, rather than one that does not.
fn wants_match((_, ruled): Numbered<'_>, operator: Operator) -> bool {
    match ruled.rule.effect {
        Effect::Forbid => matches!(operator, Operator::All | Operator::AllOrAbsent),
        Effect::Permit => operator != Operator::None,
    }
}

/// Whether the operators let one constraint follow from the other, if its values are among the other's.
fn meets(one: Numbered<'_>, own: Operator, other: Numbered<'_>, their: Operator) -> bool {
    let absence = |op: Operator| !matches!(op, Operator::All | Operator::Within(_));
    let ranged = |op: Operator| matches!(op, Operator::Within(_) | Operator::WithinOrAbsent(_));
    match (one.1.rule.effect, other.1.rule.effect) {
        (Effect::Permit, Effect::Permit) => !their.needs_value() || own.needs_value(),
        (Effect::Forbid, Effect::Forbid) => (absence(their) || !absence(own)) && ranged(own) == ranged(their),
        (Effect::Permit, Effect::Forbid) => own.needs_value(),
        (Effect::Forbid, Effect::Permit) => false,
    }
}
