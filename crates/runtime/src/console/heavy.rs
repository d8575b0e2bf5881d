//! Work that takes long, on threads that may block. Only a few questions are answered at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use tokenward_audit::{Filter, Store, Usage};
use tokio::sync::Semaphore;

use super::range::Range;
use crate::admin::AdminError;

/// Number of questions that are answered at a time.
const AT_ONCE: usize = 2;
/// Time that a question waits for others.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time for which counts are used again. People who reload a page see calls of the last seconds elsewhere.
const FRESH: Duration = Duration::from_secs(2);

/// Counts by range, each with the time at which it was made.
type Known = HashMap<Option<Range>, (Instant, Arc<Usage>)>;

/// The state that the pages share.
pub(super) struct Console {
    slots: Arc<Semaphore>,
    /// Of the verifications of the audit: two of them would hold all slots for as long as they take.
    verifications: Arc<Semaphore>,
    counts: Mutex<Known>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            verifications: Arc::new(Semaphore::new(1)),
            counts: Mutex::default(),
        }
    }
}

impl Console {
    /// Does work on a thread that may block.
    ///
    /// # Errors
    /// Those of the work; too much is asked at one time, or the process ends.
    pub(super) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let slot = Arc::clone(&self.slots).acquire_owned();
        let slot = tokio::time::timeout(PATIENCE, slot).await;
        let slot = slot
            .map_err(|_| AdminError::Busy)?
            .map_err(|_| AdminError::Stopping)?;
        let done = web::block(move || {
            // The work goes on if the client has left, so its slot must stay taken.
            let _slot = slot;
            work()
        });
        done.await.map_err(|_| AdminError::Internal)?
    }

    /// Does the same for a verification of the audit, of which there is one at a time.
    pub(super) async fn verification<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let alone = Arc::clone(&self.verifications).try_acquire_owned();
        let alone = alone.map_err(|_| AdminError::Busy)?;
        let work = move || {
            let _alone = alone;
            work()
        };
        self.heavy(work).await
    }

    /// Counts the calls of a range; `None` for all that the audit has.
    pub(super) async fn counts(
        &self,
        audit: &Store,
        range: Option<Range>,
        now_ms: i64,
    ) -> Result<Arc<Usage>, AdminError> {
        let known = |table: &Known| {
            let (at, counts) = table.get(&range)?;
            (at.elapsed() < FRESH).then(|| Arc::clone(counts))
        };
        if let Some(counts) = known(&self.lock()) {
            return Ok(counts);
        }
        let reader = audit.reader();
        let filter = Filter {
            since_ms: range.map(|range| now_ms - range.length_ms()),
            ..Filter::default()
        };
        let counts = self.heavy(move || Ok(Arc::new(reader.usage(&filter)?))).await?;
        self.lock().insert(range, (Instant::now(), Arc::clone(&counts)));
        Ok(counts)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_one_verification_at_a_time() {
        let console = Console::default();
        let (go, waits) = std::sync::mpsc::channel::<()>();
        let first = console.verification(move || Ok(waits.recv().is_ok()));
        let second = async {
            let second = console.verification(|| Ok(())).await;
            // Pages are still answered.
            let page = console.heavy(|| Ok(())).await;
            go.send(()).unwrap();
            (second, page)
        };
        let (first, (second, page)) = tokio::join!(first, second);
        assert!(first.unwrap());
        assert!(matches!(second, Err(AdminError::Busy)), "{second:?}");
        page.unwrap();
        console.verification(|| Ok(())).await.unwrap();
    }
}
