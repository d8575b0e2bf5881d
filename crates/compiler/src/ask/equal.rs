//! Whether two tokens of one policy allow the same requests.

use crate::{
    analysis::{Analysis, Budget, Comparison, Fault, Universe},
    ir::{Program, TokenId},
};

/// Compares the lines of two tokens of a bound program. In the result, `newly_allowed` has the requests that only the second token
/// allows, and `newly_denied` those that only the first does.
///
/// # Errors
/// A [`Fault`].
pub fn equal(
    program: &Program,
    (first, second): (TokenId, TokenId),
    (universe, budget): (Universe, &Budget),
) -> Result<Comparison, Fault> {
    Analysis::new(program, program, universe, budget)?.compare(Some(first), Some(second))
}
