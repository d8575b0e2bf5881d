//! Decides which requests a changed policy newly allows or denies, for all requests at once and with a request as proof.
//!
//! # The model
//!
//! A token's policy is a set of requests: the union of its permit lines without those of its forbid lines. A line is
//! also a set: the product of a set of methods, a regular language of paths, and its constraints on query and body.
//! Comparing two policies therefore comes to questions of one form, `cell`: does a request exist that matches all of
//! a few lines and none of some others?
//!
//! * A line matches if all of its parts do, and fails if one of them does: `clauses` says both, for each method and
//!   each kind of body, in atoms over path, query and body. It mirrors [`crate::decide`].
//! * Paths: regular languages. Texts of intersections and differences are found by breadth-first search over tuples of
//!   states of the lines' own automata (`product`, `machine`), within valid UTF-8 and the paths that the proxy accepts
//!   (`fixed`). Only those automata take part that the answer needs (`language::lazy`).
//! * Queries: for each name a bag of values, which all or some satisfy a combination of languages (`parameters`).
//! * JSON bodies: for each place that a line names, the facts that never hold there and those that must hold once (`body`). Members
//!   of an object are independent, so are elements of an array; so there is a body if there is one in which each demand
//!   is met by a member or an element of its own (`body::model`). `[*]`, nested arrays, types, numbers that are not
//!   plain, `only`, absence and the limit of nesting are all covered.
//! * Bodies that the proxy refuses because a name differs only in letter case from one that a line reads: `refusal`.
//! * Upstreams that merge bodies with queries: atoms over families of names (`n`, `n[…]`).
//!
//! # Why it is exact
//!
//! Nothing is approximated: each kind of atom is decided by a procedure that finds a request if there is one, and atoms
//! over different parts do not depend on each other. The automata are those that decide. An answer is one of three: no
//! request (a proof by exhaustion), a request (tried on both programs before it is returned; one that does not hold is a
//! [`Fault`]), or, past a [`Budget`], *inconclusive*, which is never to be taken for "no".
//!
//! # Limits of the model
//!
//! * Bodies with a name twice, or with a name that differs only in letter case from a line's and that no line has: the
//!   proxy refuses them if any line inspects them. No witness is such a body.
//! * Settings of the configuration: size limits, the served endpoints, names refused under a product's preset.
//! * Token attributes other than lines: users, expiry, addresses.

mod body;
mod budget;
mod cell;
mod certificate;
mod clauses;
mod common;
mod comparison;
mod difference;
mod display;
mod emptiness;
mod fault;
mod fixed;
mod identity;
mod language;
mod machine;
mod parameters;
mod paranoid;
mod places;
mod prefilter;
mod product;
mod prover;
mod refusal;
mod sample;
mod served;
mod side;
mod universe;
mod values;
mod witness;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use certificate::{Certificates, Claims, Subject};
pub use comparison::{Analysis, Comparison};
pub use difference::{Cause, Difference, Finding, Inconclusive};
pub use fault::Fault;
pub use paranoid::{Deviation, prove_optimised};
pub use served::Served;
pub use universe::Universe;
pub use witness::{Json, Request, RequestBody};
pub(crate) use {
    budget::Exhausted,
    clauses::Ruled,
    prefilter::{head, literals},
    prover::{Accepted, Prover},
    side::Side,
    witness::{allows, token_allows},
};
