//! Whether two tokens of one policy allow the same requests.

use crate::{
    analysis::{Analysis, Budget, Comparison, Fault, Proxied, Universe},
    ir::{Program, TokenId},
};

/// Compares the lines of two tokens of a bound program. In the result, `newly_allowed` has the requests that only the second token
/// allows, and `newly_denied` those that only the first does. The requests
/// are ones that the proxy `proxied` forwards, as far as there are any; each other request comes with what keeps the proxy from it.
///
/// # Errors
/// A [`Fault`].
pub fn equal(
    program: &Program,
    (first, second): (TokenId, TokenId),
    (universe, proxied, budget): (Universe, Option<&Proxied>, &Budget),
) -> Result<Comparison, Fault> {
    let mut analysis = Analysis::new(program, program, universe, budget)?;
    if let Some(proxied) = proxied {
        analysis = analysis.behind(proxied, proxied);
    }
    analysis.compare(Some(first), Some(second))
}
