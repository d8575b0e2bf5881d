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
//! * Bodies that the proxy refuses because a name differs only in letter case from one that a line reads, or occurs twice: `refusal`.
//! * Upstreams that merge bodies with queries: atoms over families of names (`n`, `n[…]`).
//!
//! # Why it is exact
//!
//! Nothing is approximated: each kind of atom is decided by a procedure that finds a request if there is one, and atoms
//! over different parts do not depend on each other. The automata are those that decide. An answer is one of three: no
//! request (a proof by exhaustion), a request (tried on both programs before it is returned; one that does not hold is a
//! [`Fault`]), or, past a [`Budget`], *inconclusive*, which is never to be taken for "no".
//!
//! # What is proved, and what is shown
//!
//! A proof covers every request that some endpoint, key or setting of names could admit: the answer "no difference" holds
//! whatever they are. A request that is shown should be one that the proxy forwards as configured ([`Proxied`]). If the request that was
//! found is not, a second search leaves out the paths that are not served (`refused_paths`), those of calls that the token may not make
//! (`call_paths`) and refused parameters, and asks the proxy's own code about each request that it finds. If there is none, the
//! finding stays, with the key or the setting that keeps its requests out ([`Obstacle`]). So a mistake in these languages can
//! change the words of a finding, and never hides one.
//!
//! # Limits of the model
//!
//! * Size limits of the configuration.
//! * Token attributes other than lines: users, expiry, addresses.

mod ambiguous;
mod body;
mod budget;
mod call_paths;
mod cell;
mod certificate;
mod clauses;
mod common;
mod comparison;
mod difference;
mod display;
mod emptiness;
mod explain;
mod explanation;
mod fault;
mod fixed;
mod forwarding;
mod identity;
mod language;
mod lifted_names;
mod machine;
mod meeting;
mod names;
mod obstacle;
mod overlap;
mod parameters;
mod paranoid;
mod places;
mod prefilter;
mod product;
mod prover;
mod proxied;
mod refusal;
mod refused_paths;
mod sample;
mod served;
mod side;
mod universe;
mod values;
mod vocabulary;
mod within;
mod witness;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use certificate::{Certificates, Claims, Subject};
pub use comparison::{Analysis, Comparison};
pub use difference::{Cause, Difference, Finding, Inconclusive};
pub use explanation::{Constrained, Explanation, Miss, Nearest, QuotedLine, Widened};
pub use fault::Fault;
pub use names::{NameClass, NameRefusals, Site, Spelling, are_refused};
pub use obstacle::Obstacle;
pub use paranoid::{Deviation, prove_optimised};
pub use proxied::{Asked, Proxied, Proxy, Serving};
pub use refused_paths::LiftedRefusals;
pub use served::Served;
pub use universe::Universe;
pub use vocabulary::{Operation, Vocabulary};
pub use witness::{Json, Request, RequestBody};
pub(crate) use {
    budget::Exhausted,
    clauses::Ruled,
    common::Shared,
    forwarding::Forwarding,
    meeting::Meeting,
    overlap::Paces,
    prefilter::{are_apart, beginning, head, literals, path as path_of_rule},
    prover::{Accepted, Prover},
    side::Side,
    witness::{allows, token_allows},
};
