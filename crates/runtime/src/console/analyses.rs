//! The analyses of tokens that were made last: data that pages and the API show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::operations::Looks;

/// What the analysis says of a token.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Judged {
    /// Whether it is still being computed: ask again.
    pub(super) is_computed: bool,
    /// The operations that the token reaches; `None` without a description of the API.
    pub(super) reach: Option<Reach>,
    /// The findings of its lines.
    pub(super) findings: Vec<LineFinding>,
    /// Why a part is missing; empty for no reason.
    pub(super) missing: Vec<String>,
}

/// The operations that a token reaches.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Reach {
    /// Number of operations of the descriptions.
    pub(super) described: usize,
    /// Number of those of which it may make all calls.
    pub(super) full: usize,
    /// Number of those of which it may make some calls.
    pub(super) part: usize,
    /// Number of reached operations that are neither GET nor HEAD.
    pub(super) writes: usize,
    /// Whether everything was settled.
    pub(super) is_settled: bool,
    /// Reached operations; those that write first. At most 1,000.
    pub(super) operations: Vec<ReachedOperation>,
    /// Numbers of operations that each permit line reaches wholly and in part, by file and number of the line.
    #[serde(skip)]
    pub(super) of_lines: HashMap<(String, u32), (usize, usize)>,
}

/// An operation that a token reaches.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReachedOperation {
    /// Name of the description; may be empty.
    pub(super) name: String,
    /// Method and path.
    pub(super) call: String,
    /// Whether all calls are allowed.
    pub(super) is_full: bool,
}

/// A finding of a line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LineFinding {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) help: String,
    pub(super) file: String,
    pub(super) number: u32,
}

/// The analyses of one policy, with one version of the descriptions.
#[derive(Default)]
pub(super) struct Analyses(Mutex<Known>);

#[derive(Default)]
pub(super) struct Known {
    /// Digest of the policy, and how the descriptions look.
    pub(super) of: (String, Looks),
    pub(super) tokens: HashMap<String, watch::Receiver<Option<Arc<Judged>>>>,
}

impl Analyses {
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
