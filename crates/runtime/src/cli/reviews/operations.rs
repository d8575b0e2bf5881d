//! Reviews of operations of the API that count for nothing: a name is wrong, or the token does not reach the operation.

use std::collections::{BTreeMap, BTreeSet};

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::reach::{Cell, Extent, survey};
use tokenward_openapi::Operation;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;

use super::super::descriptions::{Described, catalogue};
use super::super::failure::Failure;

/// A review of an operation: the names of the token and of the operation.
pub(in super::super) type Review<'a> = (&'a str, &'a str);

/// Why a review names no token of a policy; `None` if it does.
pub(in super::super) fn lacks_token((token, _): Review<'_>, program: &Program) -> Option<String> {
    let names = || program.tokens().map(|(_, token)| token.name.as_str());
    let is_known = names().any(|name| name == token);
    (!is_known).then(|| {
        let near = did_you_mean(nearest(token, names()).map(str::to_owned));
        format!("the policy has no token `{token}`{near}")
    })
}

/// Why a review names no operation of a description; `None` if it does, or if the description was not read as a whole.
pub(in super::super) fn lacks_operation((_, name): Review<'_>, described: &Described) -> Option<String> {
    let is_known = described.all.by_name(name).is_some();
    (!is_known && described.lost(None).is_none()).then(|| {
        let near = did_you_mean(described.all.nearest(name));
        format!("the description has no operation `{name}`{near}")
    })
}

/// Explains a name that is nearly right.
pub(in super::super) fn did_you_mean(near: Option<String>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Which reviews count for nothing under a bound policy, each with the reason. What is not settled within the budget is not among
/// them.
pub(in super::super) fn idle<'a>(
    reviews: &[Review<'a>],
    (described, program): (&Described, &Program),
    (config, budget): (&Config, &Budget),
) -> Result<Vec<(Review<'a>, String)>, Failure> {
    let mut found = Vec::new();
    let mut asked: Vec<(Review<'a>, &Operation)> = Vec::new();
    for review in reviews.iter().copied() {
        let operation = described.all.by_name(review.1);
        match (lacks_token(review, program), operation) {
            (Some(why), _) => found.push((review, why)),
            (None, Some(operation)) => asked.push((review, operation)),
            (None, None) => found.extend(lacks_operation(review, described).map(|why| (review, why))),
        }
    }
    // Each operation and each token once.
    let places: BTreeSet<*const Operation> = asked
        .iter()
        .map(|(_, operation)| std::ptr::from_ref(*operation))
        .collect();
    let operations = described.all.operations.iter();
    let operations: Vec<&Operation> = operations
        .filter(|operation| places.contains(&std::ptr::from_ref(*operation)))
        .collect();
    let names: BTreeSet<&str> = asked.iter().map(|((token, _), _)| *token).collect();
    let tokens: Vec<TokenId> = program
        .tokens()
        .filter(|(_, token)| names.contains(token.name.as_str()))
        .map(|(id, _)| id)
        .collect();
    if asked.is_empty() {
        return Ok(found);
    }
    let catalogue = catalogue(operations.iter().copied(), config)?;
    let settings = (universe(config), None, budget);
    let survey = survey(&catalogue, (program, &tokens), settings, |_, _| {}).map_err(Failure::trouble)?;
    let mut reached: BTreeMap<&str, Vec<(usize, &Cell)>> = BTreeMap::new();
    for own in &survey.tokens {
        let name = program.token(own.token).name.as_str();
        reached.entry(name).or_default().extend(survey.cells(own));
    }
    for (review, operation) in asked {
        let is_it = |at: usize| {
            operations
                .get(at)
                .is_some_and(|other| std::ptr::eq(*other, operation))
        };
        let cells = reached.get(review.0).into_iter().flatten();
        let mut cells = cells.filter(|(at, _)| is_it(*at));
        let may = cells.any(|(_, cell)| cell.extent != Extent::Forbidden || !cell.is_settled());
        if !may {
            let (token, name) = review;
            found.push((review, format!("`{token}` does not reach `{name}`")));
        }
    }
    Ok(found)
}
