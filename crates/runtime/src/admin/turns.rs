//! Turns at reading the audit. People who may not export it can still ask questions that take long, and only a few of these are
//! answered at a time. Those of operators are not held up: the command line asks as one.

use std::sync::Arc;
use std::time::Duration;

use tokenward_pdp::config::Role;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;

/// Number of questions that are answered at a time.
const AT_ONCE: usize = 2;
/// Time that a question waits for others.
const PATIENCE: Duration = Duration::from_secs(20);

/// The questions that are answered now.
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A turn, until it is dropped. Operators need none.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl AdminState {
    /// Waits for a turn at reading the audit.
    pub(super) async fn turn(&self, caller: &Caller) -> Result<Turn, AdminError> {
        if caller.may(Role::Operator).is_ok() {
            return Ok(None);
        }
        let turn = Arc::clone(&self.turns.0).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        turn.map_err(|_| AdminError::Busy)?
            .map(Some)
            .map_err(|_| AdminError::Stopping)
    }
}
