//! Passes over a bound program that make decisions fast. Each pass documents its rewrite, why decisions are kept, and its
//! cost; [`optimise`] is the chain.

mod index;
mod lay_out;

use crate::ir::Program;

/// Lays the program out for decisions. The plain form is kept as well: listings, the analysis and tests use it.
#[must_use]
pub(crate) fn optimise(program: Program) -> Program {
    index::index(lay_out::lay_out(program))
}

#[cfg(test)]
mod tests;
