//! Numbers of calls, as the console shows them.

use serde::Serialize;
use tokenward_audit::Tally;

/// Numbers of calls. The time is absent if there was none.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Used {
    pub(super) calls: u64,
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) refused: u64,
    pub(super) last_ms: Option<i64>,
}

impl From<&Tally> for Used {
    fn from(tally: &Tally) -> Self {
        Self {
            calls: tally.all(),
            allowed: tally.allowed,
            denied: tally.denied,
            refused: tally.refused,
            last_ms: (tally.all() > 0).then_some(tally.last_ms),
        }
    }
}
