//! Changes the policy in the ways in which people err, and finds the changes that no test notices.

use tokenward_compiler::analysis::{Budget, Fault, Proxied, Universe};
use tokenward_compiler::ir::Program;
use tokenward_compiler::mutate::{Change, Difference, Mutant, change, mutants};

use super::cases::Case;
use super::expectation::{Expectation, mismatches};
use super::lab::{Lab, Place, Scoped, Unusable};
use crate::explain::{Question, Report};

/// A change that was tried.
pub struct Tried {
    /// The changed line.
    pub place: Place,
    /// The change.
    pub mutant: Mutant,
    /// The result of the tests.
    pub fate: Fate,
}

/// Result of a change.
pub enum Fate {
    /// The test with this index fails.
    Killed(usize),
    /// The changed policy does not compile, so nobody can use it.
    Refused,
    /// The change has no effect on any request that the proxy forwards: proved.
    Same,
    /// No test fails, although the policies differ: for this request.
    Survived(Box<Found>),
    /// Neither was found out.
    Open,
}

/// A request that the policy and a changed one decide differently.
pub struct Found {
    /// How the decision differs.
    pub difference: Difference,
    /// A request that is decided differently.
    pub question: Question,
    /// The decision of the policy.
    pub seen: Report,
}

/// The result for all changes.
#[derive(Default)]
pub struct Mutation {
    /// The changes that were tried.
    pub tried: Vec<Tried>,
    /// Number of changes that were left out because there are too many.
    pub left_out: usize,
}

impl Mutation {
    /// Number of changes that a test notices.
    pub fn killed(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Killed(_)))
    }
    /// Number of changes that no test notices.
    pub fn survived(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Survived(_)))
    }
    /// Number of changes for which the proof was not settled.
    pub fn open(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Open))
    }
    /// Number of changes that do not compile.
    pub fn refused(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Refused))
    }
    /// Number of changes that change no decision.
    pub fn same(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Same))
    }

    /// Killed changes in percent of those that tests can notice; `None` if there are none.
    pub fn score(&self) -> Option<f64> {
        let (killed, all) = (self.killed(), self.killed() + self.survived());
        // Far below the numbers that lose precision.
        #[expect(clippy::cast_precision_loss, reason = "counts of mutants are small")]
        let percent = (all > 0).then(|| 100.0 * killed as f64 / all as f64);
        percent
    }

    fn count(&self, is: impl Fn(&Fate) -> bool) -> usize {
        self.tried.iter().filter(|tried| is(&tried.fate)).count()
    }
}

/// Terms of the proofs.
#[derive(Clone, Copy)]
pub struct Terms<'t> {
    /// The requests that are served.
    pub universe: Universe,
    /// The requests that the proxy forwards.
    pub proxied: &'t Proxied,
    /// The steps that proofs may take.
    pub budget: &'t Budget,
}

/// Tries at most `most` changes, spread evenly over all lines. `told` is given the number of changes done, and of all.
///
/// # Errors
/// The policy cannot be changed, or the analysis failed.
pub fn mutate(
    lab: &Lab<'_>,
    cases: &[Case],
    (terms, most): (Terms<'_>, usize),
    told: impl FnMut(usize, usize),
) -> Result<Mutation, MutateError> {
    mutate_lines(lab, lab.lines(cases), cases, (terms, most), told)
}

/// Like [`mutate`], for some lines.
///
/// # Errors
/// As of [`mutate`].
pub fn mutate_lines(
    lab: &Lab<'_>,
    lines: Vec<Place>,
    cases: &[Case],
    (terms, most): (Terms<'_>, usize),
    mut told: impl FnMut(usize, usize),
) -> Result<Mutation, MutateError> {
    let all: Vec<(Place, Mutant)> = lines
        .into_iter()
        .flat_map(|place| {
            let mutants = mutants(&place.text);
            mutants.into_iter().map(move |mutant| (place.clone(), mutant))
        })
        .collect();
    let step = all.len().div_ceil(most.max(1)).max(1);
    let chosen: Vec<(Place, Mutant)> = all.iter().step_by(step).cloned().collect();
    let mut result = Mutation {
        tried: Vec::with_capacity(chosen.len()),
        left_out: all.len() - chosen.len(),
    };
    let of = chosen.len();
    for (done, (place, mutant)) in chosen.into_iter().enumerate() {
        let scoped = lab.scoped(&place)?;
        let fate = match lab.changed(&scoped, &place, &mutant.line) {
            None => Fate::Refused,
            Some(program) => match killer(lab, &place, cases, &program) {
                Some(at) => Fate::Killed(at),
                None => survivor(lab, &place, (&scoped, &program), terms)?,
            },
        };
        result.tried.push(Tried { place, mutant, fate });
        told(done + 1, of);
    }
    Ok(result)
}

/// Why changes were not tried.
#[derive(Debug, thiserror::Error)]
pub enum MutateError {
    /// A changed policy cannot be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A proof failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The first test that fails with a changed policy.
fn killer(lab: &Lab<'_>, place: &Place, cases: &[Case], program: &Program) -> Option<usize> {
    let mut concerned = cases
        .iter()
        .enumerate()
        .filter(|(_, case)| place.tokens.contains(&case.token));
    let fails = |(_, case): &(usize, &Case)| {
        let seen = lab.bench.judge(program, &case.question);
        // The line's new text is not the expected one, though it is the same line.
        let expected = match &case.expected.line {
            Some(line) if *line == place.text => Expectation {
                line: None,
                ..case.expected.clone()
            },
            _ => case.expected.clone(),
        };
        seen.map_or(true, |seen| {
            let is_elsewhere = case.expected.line.as_ref() == Some(&place.text)
                && seen
                    .line
                    .as_ref()
                    .is_none_or(|line| line.file != place.path || line.number != place.number);
            is_elsewhere || !mismatches(&expected, &seen).is_empty()
        })
    };
    concerned.find(fails).map(|(at, _)| at)
}

/// Whether a change that no test notices matters.
fn survivor(
    lab: &Lab<'_>,
    place: &Place,
    (scoped, program): (&Scoped, &Program),
    terms: Terms<'_>,
) -> Result<Fate, Fault> {
    let pairs: Vec<_> = place
        .tokens
        .iter()
        .filter_map(|token| Some((lab.same(*token, &scoped.program)?, lab.same(*token, program)?)))
        .collect();
    let asked = (terms.universe, terms.proxied, terms.budget);
    Ok(match change((&scoped.program, program), &pairs, asked)? {
        Change::Nothing => Fate::Same,
        Change::Open => Fate::Open,
        Change::Requests(differences) => differences
            .into_iter()
            .find_map(|difference| found(lab, (scoped, program), difference))
            .map_or(Fate::Open, |found| Fate::Survived(Box::new(found))),
    })
}

/// The request of a difference, if both policies decide it as the proof says.
fn found(lab: &Lab<'_>, (scoped, program): (&Scoped, &Program), difference: Difference) -> Option<Found> {
    let token = scoped.program.token(difference.token);
    let question = lab.bench.question(token, &difference.request);
    let seen = lab.bench.judge(&scoped.program, &question).ok()?;
    let after = lab.bench.judge(program, &question).ok()?;
    let is_as_proved = seen.is_allowed() != difference.is_given && after.is_allowed() == difference.is_given;
    is_as_proved.then_some(Found {
        difference,
        question,
        seen,
    })
}
