//! Judges large bodies on separate threads, so that no worker is blocked while it reads JSON.
//!
//! The number of bodies that are judged at a time is bounded. One token gets at most half of the turns, so
//! that its calls do not delay the calls of other tokens.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenward_pdp::secret::SecretHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Bodies of at most this size are judged on the worker: a switch to another thread would cost more.
pub(super) const INLINE_BYTES: usize = 32 * 1024;

/// The turns for judging large bodies.
#[derive(Debug)]
pub(crate) struct Judges {
    turns: Arc<Semaphore>,
    of_a_token: usize,
    tokens: Mutex<HashMap<SecretHash, Arc<Semaphore>>>,
}

impl Judges {
    /// Makes the turns of a proxy with this number of workers.
    pub(crate) fn new(workers: usize) -> Self {
        let turns = workers.max(2);
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            of_a_token: turns / 2,
            tokens: Mutex::default(),
        }
    }

    /// Runs the work on a thread of its own, when it is the token's turn. If the caller is dropped, work that has begun
    /// ends before its turn does.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        token: SecretHash,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let turn = self.turn(token).await;
        let worked = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        match worked.await {
            Ok(result) => result,
            // A blocking task is not cancelled, so this is its panic.
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    async fn turn(self: &Arc<Self>, token: SecretHash) -> Turn {
        let of_token = {
            let mut tokens = self.tokens();
            let new = || Arc::new(Semaphore::new(self.of_a_token));
            Arc::clone(tokens.entry(token).or_insert_with(new))
        };
        let mut turn = Turn {
            judges: Arc::clone(self),
            token,
            permits: [None, None],
        };
        // Nobody closes the semaphores.
        turn.permits = [
            of_token.acquire_owned().await.ok(),
            Arc::clone(&self.turns).acquire_owned().await.ok(),
        ];
        turn
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<SecretHash, Arc<Semaphore>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One turn, or the wait for one.
struct Turn {
    judges: Arc<Judges>,
    token: SecretHash,
    permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.permits = [None, None];
        let mut tokens = self.judges.tokens();
        // The table's own is the last one if nobody else of the token has a turn or waits.
        if tokens
            .get(&self.token)
            .is_some_and(|turns| Arc::strong_count(turns) == 1)
        {
            tokens.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::poll;

    use super::*;

    const TOKENS: [SecretHash; 2] = [[1; 32], [2; 32]];

    async fn waits(work: impl Future<Output = ()> + Unpin) -> bool {
        matches!(poll!(work), Poll::Pending)
    }

    #[tokio::test]
    async fn one_token_leaves_turns_for_the_others() {
        let judges = Arc::new(Judges::new(4));
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let mut first: Vec<_> = (0..3)
            .map(|_| {
                let (judges, held) = (Arc::clone(&judges), Arc::clone(&held));
                Box::pin(async move {
                    judges
                        .run(TOKENS[0], move || held.lock().unwrap().recv().unwrap())
                        .await;
                })
            })
            .collect();
        for work in &mut first {
            assert!(waits(work).await);
        }
        assert_eq!(judges.turns.available_permits(), 2, "the third one waits");
        assert_eq!(judges.run(TOKENS[1], || 7).await, 7);
        for _ in 0..3 {
            release.send(()).unwrap();
        }
        for work in first {
            work.await;
        }
        assert!(judges.tokens().is_empty());
        assert_eq!(judges.turns.available_permits(), 4);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let judges = Arc::new(Judges::new(1));
        let (release, held) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel::<()>();
        let mut work = Box::pin(judges.run(TOKENS[0], move || {
            begin.send(()).unwrap();
            held.recv().unwrap();
        }));
        assert!(matches!(poll!(&mut work), Poll::Pending));
        begun.recv().unwrap();
        drop(work);
        assert_eq!(judges.turns.available_permits(), 1);
        release.send(()).unwrap();
        judges.run(TOKENS[0], || ()).await;
        // A turn ends on its thread, after the result was sent.
        let both_are_back = async {
            while judges.turns.available_permits() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), both_are_back)
            .await
            .unwrap();
    }

    #[tokio::test]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_is_the_callers() {
        let judges = Arc::new(Judges::new(1));
        judges.run(TOKENS[0], || panic!("on purpose")).await;
    }
}
