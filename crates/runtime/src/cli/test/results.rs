//! The results of a run, which each format shows.

use tokenward_pdp::testing::{Case, Coverage, Mutation};

/// The results of a run.
pub(super) struct Results<'r> {
    pub(super) cases: &'r [Case],
    /// Tests that the filter leaves out.
    pub(super) left_out: usize,
    pub(super) coverage: Option<&'r Coverage>,
    pub(super) mutation: Option<&'r Mutation>,
}
