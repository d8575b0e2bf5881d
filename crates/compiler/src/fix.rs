//! Proves the fixes of findings: each by itself for the findings that are shown, and together before they are written.
//!
//! A fix is a list of edits of texts. The tokens that an edit may concern are compiled twice, with and without the edits, and both
//! readings are compared over all requests, as [`crate::ask::equal`] does. A line with an error has no meaning, so it is missing in the
//! reading before: a corrected permit line then gives access, and a corrected forbid line takes some.
//!
//! Nothing is proved about texts that a person, a seal or a review has fixed: see [`Unproved`].

mod compare;
mod concern;
mod edited;
mod fitted;
mod guard;
mod policy;
mod rounds;

pub use edited::{edited, overlap};
pub use policy::Policy;

use self::{compare::Comparer, concern::Concern, fitted::fitted, guard::Guard};
use crate::{
    analysis::Fault,
    diagnostic::{Diagnostic, Fix, Proof, Unproved},
    source::SourceSet,
    tokens,
};

/// Adds the proofs to the fixes of some findings, one or many. Fixes that concern different tokens are compiled together.
///
/// Cost: the compilation of the tokens that the fixes concern, and a comparison of each.
///
/// # Errors
/// A [`Fault`].
pub fn prove(policy: &Policy<'_>, findings: &mut [Diagnostic]) -> Result<(), Fault> {
    if findings.iter().all(|finding| finding.fixes.is_empty()) {
        return Ok(());
    }
    let mut errors = Vec::new();
    let definitions = tokens::read_all(policy.sources, &mut errors);
    let concern = Concern::new(&definitions, policy.sources);
    let guard = Guard::new(policy.sources);
    // What cannot be tried is settled at once.
    let mut tried = Vec::new();
    for (at, finding) in findings.iter_mut().enumerate() {
        for (number, fix) in finding.fixes.iter_mut().enumerate() {
            for edit in &mut fix.edits {
                *edit = fitted(policy.sources, edit);
            }
            let tokens = concern.of(&fix.edits);
            match guard.refuses(&fix.edits, &tokens, &definitions) {
                Some(why) => fix.proof = Proof::Unproved(why),
                None if tokens.is_empty() => fix.proof = without_token(policy.sources, fix),
                None => tried.push(rounds::Trial {
                    of: (at, number),
                    tokens,
                }),
            }
        }
    }
    let concerned = tried.iter().flat_map(|one| &one.tokens);
    let comparer = Comparer::new(policy, (&definitions, errors), concerned);
    for round in rounds::rounds(tried) {
        rounds::settle(&round, &comparer, findings)?;
    }
    Ok(())
}

/// The joint effect of several fixes, whose edits do not overlap, for all tokens of the policy: each may be proved by itself and still
/// need a line that another one removes.
///
/// # Errors
/// A [`Fault`].
pub fn together(policy: &Policy<'_>, fixes: &[&Fix]) -> Result<Proof, Fault> {
    let edits = fixes
        .iter()
        .flat_map(|fix| &fix.edits)
        .cloned()
        .collect::<Vec<_>>();
    between(policy, &edited(policy.sources, &edits))
}

/// The effect of a change from the policy to other texts of the same files, for all tokens.
///
/// # Errors
/// A [`Fault`].
pub fn between(policy: &Policy<'_>, after: &SourceSet) -> Result<Proof, Fault> {
    let mut errors = Vec::new();
    let definitions = tokens::read_all(policy.sources, &mut errors);
    let all: Vec<usize> = (0..definitions.len()).collect();
    let comparer = Comparer::new(policy, (&definitions, errors), all.iter());
    comparer.effect(after, &all)
}

/// A fix that concerns no token: of a comment, or of a line that no token has.
fn without_token(sources: &SourceSet, fix: &Fix) -> Proof {
    let changes_only_comments = fix
        .edits
        .iter()
        .all(|edit| edit.text.is_empty() && sources.text(edit.span).trim_start().starts_with('#'));
    if changes_only_comments {
        Proof::Equivalent
    } else {
        Proof::Unproved(Unproved::NoToken)
    }
}
