//! A second evaluator, by sets: which requests of a universe a policy allows, by union and difference of what its lines match.
//!
//! It is written from the specification alone, without [`crate::reference`] and the compiler before its eyes, and in another style:
//! a line is not matched with a request. It is a product of sets: of methods, of paths, of queries and of bodies. A policy is what
//! its permit lines match, less what its forbid lines do. Lines are read from the text of the policy files, and languages are taken
//! apart by derivatives, so neither parser nor regexp engine is shared. What is shared is the form of requests.
//!
//! Where the specification leaves a choice in a forbid line, it denies ("forbid lines err on the side of denying").
//!
//! In these places the specification is silent, the first version disagreed with the product, and now reads as the product does:
//!
//! - The URL of a forbid line without regard to case: letters of classes are folded before the class is negated, so that `![^a]` is
//!   met neither by `a` nor by `A`. Every letter is folded, not only those of ASCII.
//! - A forbid line that needs no body decides before an earlier one that does. An ambiguous body is refused only if the decision
//!   reads it, so an earlier permit line without conditions on the body allows the request.
//! - In a forbid line, `==` is met by a number that is not in shortest form, and an array without a value is as good as absent.
//! - `l[*]` of an empty array is absent. An element without the node that `only` names fails. `!=` exempts no `null`.
//! - If the upstream merges bodies into parameters, a line with conditions on parameters inspects the body, too.

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
