//! What a change of policy newly allows, and newly denies: decided for all requests at once, with a request as proof.
//!
//! # The model
//!
//! A token's policy is a set of requests: the union of its permit lines without those of its forbid lines. A line is a
//! set too, the product of a set of methods, a regular language of paths, and what it says of query and body. So
//! whether a new policy allows what the old one did not comes to questions of one form, `cell`: is there a request
//! that matches all of a few lines and none of some others?
//!
//! * A line matches if all of its parts do, and fails if one of them does: `clauses` says both, for each method and
//!   each kind of body, in atoms over path, query and body. It mirrors [`crate::decide`].
//! * Paths: regular languages. Texts of intersections and differences are found by breadth-first search over tuples of
//!   states of the lines' own automata (`product`), within valid UTF-8 and what the proxy accepts as a path
//!   (`fixed`).
//! * Queries: for each name a bag of values, which all or some satisfy a combination of languages (`parameters`).
//! * JSON bodies: for each place that a line speaks of, what never stands there and what must once (`body`). Members
//!   of an object are independent, so are elements of an array; so there is a body if there is one in which each demand
//!   is met by a member or an element of its own (`body::model`). `[*]`, nested arrays, types, numbers that are not
//!   plain, `only` and absence are all covered.
//! * Upstreams that merge bodies with queries: atoms over families of names (`n`, `n[…]`).
//!
//! # Why it is exact
//!
//! Nothing is approximated: each kind of atom is decided by a procedure that finds a request if there is one, and atoms
//! over different parts do not depend on each other. The automata are those that decide. An answer is one of three: no
//! request (a proof by exhaustion), a request (tried on both programs before it is returned; one that does not hold is a
//! [`Fault`]), or, past a budget of visited states, *inconclusive*, which is never to be taken for "no".
//!
//! # What is outside of it
//!
//! * Bodies without a single reading (a name twice, or in another case than a line has it): the proxy refuses them
//!   wherever a line looks into them, whatever the line says. A witness that would be refused counts as inconclusive.
//! * What depends on the configuration alone: size limits, the served endpoints, names refused under a product's preset.
//! * What is not lines: users, expiry, addresses.

mod body;
mod cell;
mod clauses;
mod common;
mod comparison;
mod difference;
mod display;
mod fixed;
mod identity;
mod language;
mod parameters;
mod paranoid;
mod places;
mod prefilter;
mod product;
mod prover;
mod sample;
mod side;
mod values;
mod witness;

#[cfg(test)]
mod tests;

use crate::ir::AutomatonError;
pub use comparison::{Analysis, Comparison};
pub use difference::{Cause, Difference, Finding, Inconclusive};
pub use paranoid::{Deviation, prove_optimised};
pub use witness::{Json, Request, RequestBody};
pub(crate) use {
    clauses::Ruled,
    prefilter::{head, literal},
    prover::{Accepted, Prover},
    side::Side,
    witness::{allows, token_allows},
};

/// Which requests there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Universe {
    /// Paths are those that the proxy accepts with nothing relaxed. Otherwise every text that begins with `/` is one:
    /// more than any relaxation admits, so that "no request" still holds.
    pub canonical_paths: bool,
    /// GET and HEAD may have bodies.
    pub get_body: bool,
}

impl Default for Universe {
    /// Nothing is relaxed.
    fn default() -> Self {
        Self {
            canonical_paths: true,
            get_body: false,
        }
    }
}

/// A bug in this module: its model and the programs disagree.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A request that was to prove a difference does not.
    #[error("internal error: the analysis expected `{request}` to be allowed by one policy alone")]
    FalseWitness {
        /// The request.
        request: Box<Request>,
    },
    /// An automaton of our own does not build.
    #[error("internal error: {0}")]
    Automaton(#[from] AutomatonError),
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;
