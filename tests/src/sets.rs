//! A second evaluator, by sets: which requests of a universe a policy allows, by union and difference of what its lines match.
//!
//! It is written from the specification alone, without [`crate::reference`] and the compiler before its eyes, and in another style:
//! a line is not matched with a request. It is a product of sets: of methods, of paths, of queries and of bodies. A policy is what
//! its permit lines match, less what its forbid lines do. Lines are read from the text of the policy files, and languages are taken
//! apart by derivatives ([`language`]), so neither parser nor regexp engine is shared. What is shared is the form of requests.
//!
//! Where the specification leaves a choice in a forbid line, it denies ("forbid lines err on the side of denying").

mod chars;
mod language;
mod line;
mod nodes;
mod pattern;
mod policy;
mod ranges;
mod region;
mod test;

#[cfg(test)]
mod tests;

pub use policy::{Mismatch, Policy, Verdicts, Written};
pub use region::{Point, Region, Universe};
