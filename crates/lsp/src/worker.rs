//! A thread that does the newest of the jobs that it is given. A newer job replaces one that waits, and asks the one that runs to
//! end: nothing queues up, however fast somebody types.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::host::Stop;

/// The thread.
#[derive(Debug)]
pub(crate) struct Worker<J> {
    shared: Arc<Shared<J>>,
}

#[derive(Debug)]
struct Shared<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<J> {
    waiting: Option<(J, Instant)>,
    running: Option<Stop>,
    is_closed: bool,
}

impl<J: Send + 'static> Worker<J> {
    /// Starts a thread that calls `work` with each job, and with the means to notice that the job is no longer wanted.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        name: &str,
        mut work: impl FnMut(J, &Stop) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                waiting: None,
                running: None,
                is_closed: false,
            }),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some((job, stop)) = own.next() {
                // The panic hook reports it; the next job may do better.
                let _ = catch_unwind(AssertUnwindSafe(|| work(job, &stop)));
            }
        })?;
        Ok(Self { shared })
    }

    /// Gives the thread a job to begin after a delay, in the place of all earlier ones.
    pub(crate) fn submit(&self, job: J, delay: Duration) {
        let mut state = self.shared.lock();
        let now = Instant::now();
        state.waiting = Some((job, now.checked_add(delay).unwrap_or(now)));
        if let Some(running) = &state.running {
            running.ask();
        }
        self.shared.changed.notify_one();
    }
}

impl<J> Drop for Worker<J> {
    /// Ends the thread after its job, which is asked to end. Nobody waits for it.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.waiting = None;
        if let Some(running) = &state.running {
            running.ask();
        }
        self.shared.changed.notify_one();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job that is due; `None` once the worker is closed.
    fn next(&self) -> Option<(J, Stop)> {
        let mut state = self.lock();
        state.running = None;
        loop {
            if state.is_closed {
                return None;
            }
            let now = Instant::now();
            let due = state.waiting.as_ref().map(|(_, due)| *due);
            state = match due {
                Some(due) if due <= now => {
                    let (job, _) = state.waiting.take()?;
                    let stop = Stop::default();
                    state.running = Some(stop.clone());
                    return Some((job, stop));
                }
                Some(due) => {
                    let waited = self.changed.wait_timeout(state, due.duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::ZERO;

    #[test]
    fn only_the_newest_job_is_done() {
        let (started, begun) = mpsc::channel();
        let (release, held) = mpsc::channel::<()>();
        let worker = Worker::start("test", move |job: u32, stop| {
            started.send((job, stop.clone())).unwrap();
            let _ = held.recv();
        })
        .unwrap();
        worker.submit(1, SOON);
        let (first, stop) = begun.recv().unwrap();
        assert_eq!((first, stop.is_asked()), (1, false));
        for job in 2..1_000 {
            worker.submit(job, SOON);
        }
        assert!(stop.is_asked());
        release.send(()).unwrap();
        assert_eq!(begun.recv().unwrap().0, 999);
        release.send(()).unwrap();
        drop(worker);
        assert!(begun.recv().is_err(), "nothing else was done");
    }

    #[test]
    fn a_job_with_a_delay_gives_way_to_a_newer_one() {
        let (started, begun) = mpsc::channel();
        let worker = Worker::start("test", move |job: u32, _: &Stop| started.send(job).unwrap()).unwrap();
        worker.submit(1, Duration::from_secs(3_600));
        worker.submit(2, SOON);
        assert_eq!(begun.recv().unwrap(), 2);
    }
}
