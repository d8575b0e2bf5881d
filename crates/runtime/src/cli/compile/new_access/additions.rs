//! What findings say in addition, after all proofs: what widened, and the operations of the API that are newly allowed.

use tokenward_compiler::analysis::{Analysis, Budget, Cause};
use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::ir::{LineId, Program, TokenId};
use tokenward_pdp::compare::{Bound, Example, Lines, NewOperations, Origin, Proved};
use tokenward_pdp::side::Side;

use super::super::super::descriptions::LazyNames;
use super::super::super::failure::Failure;
use super::super::super::reviews::operations::{self, Review};

/// A request that is newly allowed, and what its operations are compared with.
struct Unnamed {
    caused: (Cause, Origin),
    after: TokenId,
    /// Permit lines that were reviewed.
    reviewed: Vec<LineId>,
}

/// What findings lack, by their places among the diagnostics.
#[derive(Default)]
pub(super) struct Additions {
    /// Findings about lines: the request of each, and the token that allows it.
    unexplained: Vec<(usize, Proved, TokenId)>,
    /// Findings whose operations have no names yet.
    unnamed: Vec<(usize, Unnamed)>,
}

impl Additions {
    /// Remembers a finding about a line, to say in what the line is wider than before.
    pub(super) fn leave_unexplained(&mut self, at: usize, proved: Proved, after: TokenId) {
        self.unexplained.push((at, proved, after));
    }

    /// Remembers a finding, whose operations are named when all proofs are done. `reviewed`: permit lines that were reviewed.
    pub(super) fn leave_unnamed(
        &mut self,
        at: usize,
        after: TokenId,
        (example, reviewed): (&Example, &[LineId]),
    ) {
        let unnamed = Unnamed {
            caused: example.caused(),
            after,
            reviewed: reviewed.to_vec(),
        };
        self.unnamed.push((at, unnamed));
    }

    /// Adds to each finding about a line in what the line is wider than before.
    pub(super) fn explain(&mut self, diagnostics: &mut [Diagnostic], lines: &mut Lines<'_>) {
        let quote = |text: &str| format!("`{text}`");
        for (at, proved, after) in std::mem::take(&mut self.unexplained) {
            let explanation = lines.explanation(&proved, after);
            let words = explanation.and_then(|explanation| explanation.widened_words(&quote));
            if let Some(found) = diagnostics.get_mut(at) {
                found.widened = words;
            }
        }
    }

    /// Adds to each finding about new access the operations of which it newly allows calls.
    pub(super) fn name(
        &mut self,
        diagnostics: &mut [Diagnostic],
        bound: &Bound,
        names: &LazyNames,
    ) -> Result<(), Failure> {
        let unnamed = std::mem::take(&mut self.unnamed);
        if unnamed.is_empty() {
            return Ok(());
        }
        let Some(names) = names.get() else {
            return Ok(());
        };
        // The names take no steps of the proofs.
        let mut operations = NewOperations::new(bound, names, &Budget::new(Analysis::BUDGET))?;
        for (at, unnamed) in unnamed {
            let found = operations.of(unnamed.caused, unnamed.after, &unnamed.reviewed);
            if let Some(diagnostic) = diagnostics.get_mut(at) {
                diagnostic.newly_allowed = found;
            }
        }
        Ok(())
    }
}

/// The reviews of operations that count for nothing, as far as it is known: without a description, those of tokens that do not exist.
pub(super) fn idle<'a>(
    reviews: &[Review<'a>],
    names: &LazyNames,
    (bound, new, budget): (&Program, &Side, &Budget),
) -> Result<Vec<(Review<'a>, String)>, Failure> {
    if reviews.is_empty() {
        return Ok(Vec::new());
    }
    match names.get() {
        Some(names) => operations::idle(reviews, (names.described(), bound), (&new.config, budget)),
        None => {
            let lacking = reviews.iter().copied();
            Ok(lacking
                .filter_map(|review| Some((review, operations::lacks_token(review, bound)?)))
                .collect())
        }
    }
}
