//! The request of a difference that tells most: of the most harmful method, at a path or with a value that readers know.
//!
//! Each candidate is a set of requests, and the search finds one that is also in the difference. So a candidate is never shown
//! because it looks right.

use super::{
    super::{
        clauses::Ruled,
        explanation::{Constrained, Widened},
        forwarding::Forwarding,
        prover::Prover,
        vocabulary::{BY_HARM, Vocabulary, values},
        witness::Request,
    },
    part::{Draft, Part},
};
use crate::{
    ir::Matcher,
    method::{Method, MethodSet},
};

/// Questions for one finding.
const QUESTIONS: usize = 96;
/// The share of the run's steps that a question may take: one of so many.
const SHARES: u64 = 256;

/// The difference in which to search.
pub(super) struct Search<'a, 'q> {
    /// The rules that must match, in several ways; each way may have requests of the difference.
    pub(super) sources: Vec<Vec<Ruled<'q>>>,
    /// The rules that must not match.
    pub(super) must_not: Vec<Ruled<'q>>,
    /// The widened constraints of this rule are to have telling values.
    pub(super) old: Option<Ruled<'q>>,
    pub(super) widened: &'a [Widened],
    /// Whether the upstream merges bodies into queries.
    pub(super) merges: bool,
    /// The proxy that must forward the request; `None`: any.
    pub(super) forwarding: Option<Forwarding<'q>>,
}

impl Search<'_, '_> {
    /// The most telling request that `is_new` confirms.
    pub(super) fn request(
        &self,
        prover: &mut Prover<'_>,
        vocabulary: &mut Vocabulary,
        is_new: impl Fn(&Request) -> bool,
    ) -> Option<Request> {
        let mut left = QUESTIONS;
        for method in BY_HARM {
            let has =
                |source: &&Vec<Ruled<'_>>| source.iter().all(|ruled| ruled.rule.methods.contains(method));
            let sources: Vec<&Vec<Ruled<'_>>> = self.sources.iter().filter(has).collect();
            if sources.is_empty() {
                continue;
            }
            for part in self.candidates(method, vocabulary) {
                for source in &sources {
                    left = left.checked_sub(1)?;
                    let must: Vec<Ruled<'_>> = source.iter().copied().chain([part.ruled()]).collect();
                    let found = prover.request_of(&must, &self.must_not, (SHARES, self.forwarding));
                    if let Some(request) = found.ok().flatten().filter(&is_new) {
                        return Some(request);
                    }
                }
            }
        }
        None
    }

    /// Sets of requests of a method, the most telling first.
    fn candidates(&self, method: Method, vocabulary: &mut Vocabulary) -> Vec<Part> {
        let methods = MethodSet::EMPTY.with(method);
        let part = |path, draft| Part::of(methods, path, self.merges, draft);
        let mut candidates: Vec<Part> = Vec::new();
        for way in self.widened {
            if let Widened::Values { subject, old, .. } | Widened::Removed { subject, old } = way {
                let values = values(subject, old).into_iter();
                let drafts = values.filter_map(|value| self.draft(subject, vocabulary.matcher(value)?));
                candidates.extend(drafts.map(|draft| part(Matcher::Everything, draft)));
            }
        }
        for path in vocabulary.paths(method) {
            candidates.extend(vocabulary.matcher(path).map(|path| part(path, Draft::default())));
        }
        candidates.push(part(Matcher::Everything, Draft::default()));
        candidates
    }

    /// The constraint that this part of a request has such a value, of a type that the old line asked for.
    fn draft(&self, subject: &Constrained, value: Matcher) -> Option<Draft> {
        let rule = self.old?.rule;
        match subject {
            Constrained::Parameter(name) => {
                let test = rule.params.iter().find(|test| *test.name == **name)?;
                Some(Draft::parameter_is(&test.name, value))
            }
            Constrained::Node(path) => {
                let test = rule.nodes.iter().find(|test| test.path.to_string() == *path)?;
                Some(Draft::node_is(&test.path, test.kinds, value))
            }
        }
    }
}
