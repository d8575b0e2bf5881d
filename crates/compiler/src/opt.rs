//! What is done to a bound program so that it decides fast. Each pass says what it rewrites, why decisions are kept, and
//! what it costs; [`optimise`] is the chain.

mod index;
mod lay_out;

use crate::ir::Program;

/// The program, laid out for decisions. The plain form stays beside it: listings, the analysis and tests use it.
#[must_use]
pub(crate) fn optimise(program: Program) -> Program {
    index::index(lay_out::lay_out(program))
}

#[cfg(test)]
mod tests;
