//! A bug of the analysis, found by itself.

use super::witness::Request;
use crate::ir::AutomatonError;

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
