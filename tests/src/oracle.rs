//! Pairs of policies, judged by all that can judge: the two evaluators of this crate, the compiled program, the comparison of both
//! policies, what is found in each, and an invariant.
//!
//! What the analysis says of all requests is held against all requests of a universe at once, as sets ([`crate::sets`]).

mod compared;
mod demanded;
mod found;
mod judged;
mod names;
mod pair;

pub use names::{NamePair, judge_names, name_pair};
pub use pair::{Pair, Written, pair};

/// What was asked, and how much of it stayed open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pairs of policies.
    pub pairs: usize,
    /// Requests of all universes.
    pub requests: usize,
    /// Requests that each evaluator and the program decided one by one.
    pub decisions: usize,
    /// Questions to the analysis.
    pub questions: usize,
    /// Of these, those without an answer.
    pub inconclusive: usize,
    /// Requests that were shown as proof.
    pub witnesses: usize,
    /// Findings in one policy.
    pub findings: usize,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            pairs: self.pairs + other.pairs,
            requests: self.requests + other.requests,
            decisions: self.decisions + other.decisions,
            questions: self.questions + other.questions,
            inconclusive: self.inconclusive + other.inconclusive,
            witnesses: self.witnesses + other.witnesses,
            findings: self.findings + other.findings,
        }
    }
}

/// Judges a pair in every way.
///
/// # Panics
/// Two of them disagree.
pub fn judge(pair: &Pair) -> Tally {
    let mut tally = Tally {
        pairs: 1,
        requests: pair.universe.len(),
        ..Tally::default()
    };
    let (old, new) = (
        judged::Judged::new(pair, &pair.old),
        judged::Judged::new(pair, &pair.new),
    );
    for policy in [&old, &new] {
        tally.decisions += policy.decides_alike(pair);
        tally = tally.and(found::hold(pair, policy));
    }
    tally = tally.and(compared::hold(pair, &old, &new));
    tally.and(demanded::hold(pair, &old, &new))
}
