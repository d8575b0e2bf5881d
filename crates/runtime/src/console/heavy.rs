//! Work that takes long, on threads that may block. Only a few questions are answered at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use tokenward_audit::{Filter, Store, Usage};
use tokenward_console::views::review::Invariant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::analyses::Analyses;
use super::operations::{Operations, ReadOperations};
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

/// The digest of policy files, and the state of their invariants.
type Proved = ([u8; 32], Arc<Vec<Invariant>>);

/// What a proof is made with.
pub(super) struct Means {
    /// Set once the proof is to end.
    pub(super) stop: Arc<AtomicBool>,
    /// The names of operations.
    pub(super) operations: Arc<Operations>,
}

/// The state that the pages share.
pub(super) struct Console {
    slots: Arc<Semaphore>,
    /// Of the verifications of the audit: two of them would hold all slots for as long as they take.
    verifications: Arc<Semaphore>,
    counts: Mutex<Known>,
    operations: Arc<Operations>,
    analyses: Analyses,
    /// The state of the invariants, with the digest of the policy files that it was computed from.
    proofs: Mutex<Option<Proved>>,
}

impl Console {
    /// `read`: how operations are read.
    pub(super) fn new(read: ReadOperations) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            verifications: Arc::new(Semaphore::new(1)),
            counts: Mutex::default(),
            operations: Arc::new(Operations::new(read)),
            analyses: Analyses::default(),
            proofs: Mutex::default(),
        }
    }

    /// Does work on a thread that may block.
    ///
    /// # Errors
    /// Those of the work; too much is asked at one time, or the process ends.
    pub(super) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        run(self.slot().await?, work).await
    }

    /// Does the same for proofs: `work` is told to stop once `longest` is over, or once nobody waits for the answer. People who type ask
    /// again at each keystroke, and nobody reads the earlier answers.
    pub(super) async fn proof<T: Send + 'static>(
        &self,
        longest: Duration,
        work: impl FnOnce(Means) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let slot = self.slot().await?;
        let stop = Stop::default();
        let means = Means {
            stop: Arc::clone(&stop.0),
            operations: Arc::clone(&self.operations),
        };
        let mut done = std::pin::pin!(run(slot, move || work(means)));
        tokio::select! {
            result = &mut done => return result,
            () = tokio::time::sleep(longest) => stop.0.store(true, Ordering::Relaxed),
        }
        done.await
    }

    /// What the analysis says of tokens in force.
    pub(super) fn analyses(&self) -> &Analyses {
        &self.analyses
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, AdminError> {
        let slot = Arc::clone(&self.slots).acquire_owned();
        let slot = tokio::time::timeout(PATIENCE, slot).await;
        slot.map_err(|_| AdminError::Busy)?
            .map_err(|_| AdminError::Stopping)
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

    /// The state of the invariants, if it is known for policy files of this digest.
    pub(super) fn proved(&self, digest: [u8; 32]) -> Option<Arc<Vec<Invariant>>> {
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, proved) = proofs.as_ref()?;
        (*of == digest).then(|| Arc::clone(proved))
    }

    /// Keeps the state of the invariants for the next visitor.
    pub(super) fn keep_proofs(&self, digest: [u8; 32], proved: Arc<Vec<Invariant>>) {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        *proofs = Some((digest, proved));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells work to stop once it is dropped.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn run<T: Send + 'static>(
    slot: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    let done = web::block(move || {
        // The work goes on if the client has left, so its slot must stay taken.
        let _slot = slot;
        work()
    });
    done.await.map_err(|_| AdminError::Internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_one_verification_at_a_time() {
        let console = Console::new(|_| None);
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

    /// Waits until it is told to stop.
    fn until_stopped(stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_proof_is_stopped_after_its_time_and_still_answers() {
        let console = Console::new(|_| None);
        let answer = console.proof(Duration::ZERO, |means| {
            until_stopped(&means.stop);
            Ok("not settled")
        });
        assert_eq!(answer.await.unwrap(), "not settled");
    }

    #[tokio::test]
    async fn a_proof_that_nobody_waits_for_is_stopped_and_frees_its_slot() {
        let console = Console::new(|_| None);
        for _ in 0..2 * AT_ONCE {
            let (began, begins) = tokio::sync::oneshot::channel();
            let asked = console.proof(PATIENCE, move |means| {
                let _ = began.send(());
                until_stopped(&means.stop);
                Ok(())
            });
            tokio::select! {
                _ = asked => panic!("nobody stopped it"),
                begun = begins => begun.unwrap(),
            }
        }
        console.heavy(|| Ok(())).await.unwrap();
    }
}
